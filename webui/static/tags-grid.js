// The gallery: a virtual grid that keeps only the pictures in sight in the page, with the selection of a file manager.
import { clear, h, icon } from './dom.js';
import { thumbnail } from './pictures.js';
import { t } from './text.js';

const GAP = 8;
const LABEL = 22;
const OVERSCAN_ROWS = 2;

const FLAGS = { dirty: 1, empty: 2, faulty: 4, conflicts: 8, twins: 16 };

/**
 * Returns {element, setFolder, setItems, setSide, select, selection, focusOn, step}.
 * changed(selection, focus): the selected picture numbers (a Set) and the one last pointed at (or null).
 */
export function createGrid({ changed }) {
  const canvas = h('div', { class: 'tags-canvas' });
  const none = h('div', { class: 'empty tags-none', hidden: true }, h('p', {}, t('No pictures match the filter.')));
  const element = h('div', {
    class: 'tags-grid', tabindex: '0', role: 'listbox', 'aria-multiselectable': 'true', 'aria-label': t('Pictures'),
    'data-role': 'tags-grid',
  }, canvas, none);
  let names = [];
  let thumbnails = [];
  let items = new Int32Array(0);
  let places = new Map();
  let flags = new Uint8Array(0);
  let side = 136;
  let columns = 1;
  let selection = new Set();
  let focus = null;
  let anchor = null;
  const cells = new Map();
  let asked = 0;

  const width = () => (element.clientWidth - GAP) / columns - GAP;
  const rowHeight = () => width() + LABEL + GAP;

  function layout() {
    columns = Math.max(1, Math.floor((element.clientWidth - GAP) / (side + GAP)));
    canvas.style.height = `${Math.ceil(items.length / columns) * rowHeight() + GAP}px`;
    draw();
  }

  function draw() {
    asked = 0;
    if (!element.clientWidth) return;
    const height = rowHeight();
    const first = Math.max(0, (Math.floor(element.scrollTop / height) - OVERSCAN_ROWS) * columns);
    const last = Math.min(items.length, (Math.ceil((element.scrollTop + element.clientHeight) / height) + OVERSCAN_ROWS) * columns);
    const wanted = new Set();
    for (let place = first; place < last; place += 1) wanted.add(items[place]);
    for (const [n, cell] of cells) if (!wanted.has(n)) { cell.remove(); cells.delete(n); }
    for (let place = first; place < last; place += 1) {
      const n = items[place];
      let cell = cells.get(n);
      if (!cell) { cell = makeCell(n); cells.set(n, cell); canvas.append(cell); }
      const side = width();
      cell.style.transform = `translate(${GAP + (place % columns) * (side + GAP)}px, ${GAP + Math.floor(place / columns) * height}px)`;
      cell.style.width = `${side}px`;
      cell.style.height = `${side + LABEL}px`;
      mark(cell, n);
    }
  }

  const drawSoon = () => { asked ||= requestAnimationFrame(draw); };

  function makeCell(n) {
    const size = width() * Math.min(2, window.devicePixelRatio || 1) > 200 ? 384 : 192;
    const name = names[n];
    return h('div', { class: 'tags-cell', role: 'option', id: `tags-cell-${n}`, 'data-role': 'tags-cell', 'data-n': n, title: name },
      h('div', { class: 'tags-frame' }, thumbnail(`thumbnails/${thumbnails[n]}`, size), h('div', { class: 'tags-marks' })),
      h('div', { class: 'tags-name clip' }, name.slice(name.lastIndexOf('/') + 1)));
  }

  function mark(cell, n) {
    const state = `${flags[n]}|${selection.has(n)}|${focus === n}`;
    if (cell.dataset.state === state) return;
    cell.dataset.state = state;
    cell.setAttribute('aria-selected', String(selection.has(n)));
    cell.classList.toggle('focus', focus === n);
    cell.dataset.dirty = String(Boolean(flags[n] & FLAGS.dirty));
    const marks = clear(cell.querySelector('.tags-marks'));
    const add = (kind, name, words) => marks.append(h('span', { class: `tags-mark ${kind}`, title: words }, icon(name), h('span', { class: 'tags-hidden' }, words)));
    if (flags[n] & FLAGS.faulty) add('danger', 'error', t('The caption cannot be read'));
    if (flags[n] & FLAGS.conflicts) add('danger', 'warning', t('Changed on disk too'));
    if (flags[n] & FLAGS.twins) add('warn', 'copy', t('Shares its caption with another picture'));
    if (flags[n] & FLAGS.empty) add('warn', 'tag', t('No caption'));
    if (flags[n] & FLAGS.dirty) add('accent', 'edit', t('Not saved yet'));
  }

  function refreshMarks() { for (const [n, cell] of cells) mark(cell, n); }

  function told() {
    if (focus === null) element.removeAttribute('aria-activedescendant');
    else element.setAttribute('aria-activedescendant', `tags-cell-${focus}`);
    refreshMarks();
    changed(selection, focus);
  }

  function between(a, b) {
    const [from, to] = [places.get(a) ?? 0, places.get(b) ?? 0].sort((x, y) => x - y);
    return items.subarray(from, to + 1);
  }

  /** One click or key of a file manager on picture `n`. */
  function point(n, { shift = false, ctrl = false } = {}) {
    if (shift && anchor !== null && places.has(anchor)) {
      selection = new Set([...(ctrl ? selection : []), ...between(anchor, n)]);
    } else if (ctrl) {
      selection = new Set(selection);
      if (!selection.delete(n)) selection.add(n);
      anchor = n;
    } else {
      selection = new Set([n]);
      anchor = n;
    }
    focus = n;
    told();
  }

  function reveal(n) {
    const place = places.get(n);
    if (place === undefined) return;
    const top = GAP + Math.floor(place / columns) * rowHeight();
    if (top < element.scrollTop) element.scrollTop = top - GAP;
    else if (top + rowHeight() > element.scrollTop + element.clientHeight) element.scrollTop = top + rowHeight() - element.clientHeight;
    draw();
  }

  function go(place, keys) {
    if (!items.length) return;
    const n = items[Math.min(items.length - 1, Math.max(0, place))];
    if (keys.ctrl && !keys.shift) { focus = n; told(); } else point(n, keys);
    reveal(n);
  }

  // A mouse selects when it is pressed; a finger when it is lifted, since it may be scrolling. Holding it starts picking.
  let picking = false;
  let touched = false;
  element.addEventListener('pointerdown', (event) => {
    const cell = event.target.closest('.tags-cell');
    touched = event.pointerType === 'touch';
    if (!cell || event.button !== 0 || touched) return;
    point(Number(cell.dataset.n), { shift: event.shiftKey, ctrl: event.ctrlKey || event.metaKey });
  });
  element.addEventListener('click', (event) => {
    const cell = event.target.closest('.tags-cell');
    if (!cell || !touched) return;
    point(Number(cell.dataset.n), { ctrl: picking });
    picking = picking && selection.size > 0;
  });
  element.addEventListener('contextmenu', (event) => {
    const cell = event.target.closest('.tags-cell');
    if (!cell || !touched) return;
    event.preventDefault();
    if (!picking) selection = new Set();
    picking = true;
    point(Number(cell.dataset.n), { ctrl: true });
  });
  element.addEventListener('keydown', (event) => {
    const place = focus === null ? -1 : places.get(focus) ?? -1;
    const page = Math.max(1, Math.floor(element.clientHeight / rowHeight())) * columns;
    const targets = {
      ArrowRight: place + 1, ArrowLeft: place - 1, ArrowDown: place < 0 ? 0 : place + columns, ArrowUp: place - columns,
      PageDown: place + page, PageUp: place - page, Home: 0, End: items.length - 1,
    };
    const keys = { shift: event.shiftKey, ctrl: event.ctrlKey || event.metaKey };
    if (event.key in targets && !event.altKey) {
      const target = targets[event.key];
      if (target >= 0 || place > 0 || event.key === 'PageUp') go(target, keys);
    } else if (keys.ctrl && event.key.toLowerCase() === 'a') { selection = new Set(items); told(); }
    else if (event.key === ' ' && focus !== null) point(focus, { ctrl: true });
    else if (event.key === 'Escape' && selection.size > 1) { selection = new Set(focus === null ? [] : [focus]); told(); }
    else return;
    event.preventDefault();
  });
  element.addEventListener('scroll', drawSoon, { passive: true });
  new ResizeObserver(layout).observe(element);

  return {
    element,
    get selection() { return selection; },
    setFolder(folder) {
      names = folder.pictures;
      thumbnails = folder.thumbnails;
      for (const cell of cells.values()) cell.remove();
      cells.clear();
      selection = new Set();
      [focus, anchor] = [null, null];
      element.scrollTop = 0;
    },
    /** What to show: picture numbers in order, and the view's spans of marked pictures. */
    setItems(numbers, view) {
      flags = new Uint8Array(names.length);
      for (const [kind, bit] of Object.entries(FLAGS)) for (const [first, last] of view[kind]) for (let n = first; n <= last; n += 1) flags[n] |= bit;
      const same = numbers.length === items.length && numbers.every((n, place) => n === items[place]);
      if (!same || places.size !== numbers.length) {
        items = numbers;
        places = new Map(Array.from(numbers, (n, place) => [n, place]));
        if ([...selection].some((n) => !places.has(n))) {
          selection = new Set([...selection].filter((n) => places.has(n)));
          changed(selection, focus);
        }
        layout();
      }
      none.hidden = numbers.length > 0;
      refreshMarks();
    },
    setSide(px) {
      side = px;
      for (const cell of cells.values()) cell.remove();
      cells.clear();
      layout();
    },
    /** Back to the first row: another filter shows other pictures. */
    toTop() { element.scrollTop = 0; draw(); },
    /** Select picture `n` alone and bring it into sight. */
    focusOn(n) { point(n); reveal(n); },
    /** The next (1) or previous (-1) shown picture. */
    step(by) { go((focus === null ? -1 : places.get(focus) ?? -1) + by, {}); },
  };
}
