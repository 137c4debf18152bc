// Small tools to build the page's elements. Text always goes in as text: nothing here takes HTML.

/**
 * h('button', {class: 'btn primary', onclick: start, 'data-role': 'start', disabled: true}, 'Start', icon('play'))
 * Functions under on… are listeners; true/false/null set or leave out an attribute; `value`, `checked` and the like are
 * set as properties; `style` may be an object. Children: strings, numbers, nodes, arrays of them; null and false are skipped.
 */
export function h(tag, attrs = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attrs ?? {})) set(element, name, value);
  append(element, children);
  return element;
}

const PROPERTIES = new Set(['value', 'checked', 'indeterminate', 'selected', 'open']);

function set(element, name, value) {
  if (name.startsWith('on') && typeof value === 'function') element.addEventListener(name.slice(2).toLowerCase(), value);
  else if (value === null || value === undefined || value === false) PROPERTIES.has(name) && value === false && (element[name] = false);
  else if (name === 'style' && typeof value === 'object') {
    for (const [key, part] of Object.entries(value)) element.style.setProperty(key, part);
  } else if (PROPERTIES.has(name)) element[name] = value;
  else element.setAttribute(name, value === true ? '' : String(value));
}

function append(element, children) {
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    element.append(child instanceof Node ? child : String(child));
  }
}

/** Remove all children; returns the element. */
export function clear(element) {
  element.replaceChildren();
  return element;
}

/** Put these children in place of what is there; returns the element. */
export function fill(element, ...children) {
  element.replaceChildren();
  append(element, children);
  return element;
}

const PATHS = {
  play: 'M7 5l11 7-11 7z', stop: 'M7 7h10v10H7z', folder: 'M3 7a2 2 0 0 1 2-2h4l2 2h8a2 2 0 0 1 2 2v8a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2z',
  file: 'M7 3h7l4 4v14H7zM14 3v4h4', search: 'M11 4a7 7 0 1 0 0 14 7 7 0 0 0 0-14zM16 16l5 5', close: 'M6 6l12 12M18 6L6 18',
  check: 'M5 12l5 5 9-10', plus: 'M12 5v14M5 12h14', minus: 'M5 12h14', trash: 'M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13M10 11v5M14 11v5',
  copy: 'M9 9h11v11H9zM5 15H4V4h11v1', download: 'M12 4v11M7 11l5 5 5-5M5 20h14', upload: 'M12 16V5M7 9l5-5 5 5M5 20h14',
  undo: 'M9 7L4 12l5 5M4 12h10a6 6 0 0 1 6 6', redo: 'M15 7l5 5-5 5M20 12H10a6 6 0 0 0-6 6', refresh: 'M20 11a8 8 0 1 0-2 6M20 5v6h-6',
  up: 'M6 15l6-6 6 6', down: 'M6 9l6 6 6-6', left: 'M15 6l-6 6 6 6', right: 'M9 6l6 6-6 6', drag: 'M9 6h.01M15 6h.01M9 12h.01M15 12h.01M9 18h.01M15 18h.01',
  warning: 'M12 4l9 16H3zM12 10v4M12 17h.01', info: 'M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM12 11v5M12 8h.01', error: 'M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM12 7v6M12 16h.01',
  sun: 'M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM12 2v3M12 19v3M2 12h3M19 12h3M5 5l2 2M17 17l2 2M5 19l2-2M17 7l2-2', moon: 'M20 14A8 8 0 0 1 10 4a8 8 0 1 0 10 10z',
  save: 'M5 4h11l3 3v13H5zM8 4v5h7V4M8 20v-6h8v6', image: 'M4 5h16v14H4zM4 16l5-5 4 4 2-2 5 5M15 9h.01', external: 'M14 4h6v6M20 4l-9 9M18 14v6H4V6h6',
  clock: 'M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM12 7v5l3 2', tag: 'M4 4h8l8 8-8 8-8-8zM8 8h.01', pause: 'M8 5v14M16 5v14', edit: 'M4 20l1-4L16 5l3 3L8 19z',
  filter: 'M4 5h16l-6 8v6l-4-2v-4z', settings: 'M4 7h9M17 7h3M4 17h3M11 17h9M15 4v6M9 14v6', more: 'M6 12h.01M12 12h.01M18 12h.01', star: 'M12 4l2.5 5.1 5.6.8-4 4 .9 5.6-5-2.7-5 2.7.9-5.6-4-4 5.6-.8z', bell: 'M6 16h12l-1.5-2v-4a4.5 4.5 0 0 0-9 0v4zM10 19h4', chart: 'M4 4v16h16M8 15l3-5 3 3 5-7',
};

/** A line icon of 16 px by name; an unknown name is an error of the page. */
export function icon(name) {
  const path = PATHS[name];
  if (!path) throw new Error(`no icon named ${name}`);
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  for (const [key, value] of Object.entries({
    viewBox: '0 0 24 24', width: '16', height: '16', fill: 'none', stroke: 'currentColor', 'stroke-width': '2',
    'stroke-linecap': 'round', 'stroke-linejoin': 'round', 'aria-hidden': 'true', class: 'icon',
  })) svg.setAttribute(key, value);
  const line = document.createElementNS('http://www.w3.org/2000/svg', 'path');
  line.setAttribute('d', path);
  svg.append(line);
  return svg;
}

/** Call `act` once the calls have paused for `ms`. */
export function debounce(act, ms) {
  let timer = 0;
  return (...args) => {
    clearTimeout(timer);
    timer = setTimeout(() => act(...args), ms);
  };
}

/** True while the element is on the page, in an open tab and the window is visible. */
export function visible(element) {
  return element.isConnected && !document.hidden && element.offsetParent !== null;
}

/** Open a tab of the page by name ("jobs"), as a click on it does. */
export function openTab(name) {
  document.getElementById(`tab-${name}-button`)?.click();
}
