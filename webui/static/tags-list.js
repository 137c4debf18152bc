// All tags of the folder with how many pictures have them: sort, search, select several, filter by one.
import { fill, h, icon, debounce } from './dom.js';
import { t } from './text.js';

const ROW = 30;
const OVERSCAN = 6;

/** Returns {element, update, selected, clearSelection}. changed(): another selection; filterBy('include' | 'exclude', tag). */
export function createTagList(session, { changed, filterBy }) {
  const title = h('h3', { class: 'grow', 'data-role': 'tags-count' });
  const sort = h('select', { 'aria-label': t('Sort tags by'), 'data-role': 'tags-sort', onchange: () => update() },
    h('option', { value: 'frequency' }, t('Frequency')), h('option', { value: 'name' }, t('Name')), h('option', { value: 'rare' }, t('Rarest first')));
  const search = h('input', { type: 'search', class: 'input grow', placeholder: t('Search tags…'), 'aria-label': t('Search tags'), 'data-role': 'tags-search', oninput: debounce(() => { list.scrollTop = 0; update(); }, 60) });
  const canvas = h('div', { class: 'tags-canvas' });
  const list = h('div', { class: 'tags-list', role: 'listbox', tabindex: '0', 'aria-multiselectable': 'true', 'aria-label': t('Tags'), 'data-role': 'tags-list' }, canvas);
  const empty = h('p', { class: 'muted empty', hidden: true });
  const element = h('section', { class: 'card tags-side', 'aria-label': t('Tags') },
    h('div', { class: 'row' }, title, sort), search, h('div', { class: 'tags-list-box' }, list, empty));
  let rows = [];
  let most = 1;
  let query = session.query;
  let selection = new Set();
  let focus = 0;
  let anchor = 0;

  function update() {
    if (query !== session.query) { query = session.query; list.scrollTop = 0; focus = 0; }
    const known = new Set();
    const wanted = search.value.trim().toLowerCase();
    const filtered = session.filtered();
    rows = session.view.tags.filter(([tag, shown]) => {
      known.add(tag);
      return (shown > 0 || !filtered) && (!wanted || tag.toLowerCase().includes(wanted));
    });
    const byName = ([a], [b]) => (a.toLowerCase() < b.toLowerCase() ? -1 : a.toLowerCase() > b.toLowerCase() ? 1 : 0);
    const orders = { frequency: (a, b) => b[1] - a[1] || byName(a, b), rare: (a, b) => a[1] - b[1] || byName(a, b), name: byName };
    rows.sort(orders[sort.value]);
    most = rows.reduce((high, [, shown]) => Math.max(high, shown), 1);
    title.textContent = rows.length === known.size ? t('Tags ({n})', { n: known.size }) : t('Tags ({n} of {all})', { n: rows.length, all: known.size });
    const gone = [...selection].filter((tag) => !known.has(tag));
    if (gone.length) { gone.forEach((tag) => selection.delete(tag)); changed(); }
    empty.hidden = rows.length > 0;
    empty.textContent = known.size ? t('No matching tags.') : t('No tags yet. Add some, or let the tagger do it.');
    focus = Math.min(focus, Math.max(0, rows.length - 1));
    canvas.style.height = `${rows.length * ROW}px`;
    draw();
  }

  function draw() {
    const first = Math.max(0, Math.floor(list.scrollTop / ROW) - OVERSCAN);
    const last = Math.min(rows.length, Math.ceil((list.scrollTop + list.clientHeight) / ROW) + OVERSCAN);
    fill(canvas, rows.slice(first, last).map((row, at) => draw_row(row, first + at)));
    list.setAttribute('aria-activedescendant', `tags-row-${focus}`);
  }

  function draw_row([tag, shown, all], place) {
    const button = (kind, name, label) => h('button', {
      class: 'tags-row-button', tabindex: '-1', title: label, 'aria-label': label, 'data-role': `tags-row-${kind}`,
      onclick: (event) => { event.stopPropagation(); filterBy(kind, tag); },
    }, icon(name));
    return h('div', {
      class: `tags-row${place === focus ? ' focus' : ''}`, role: 'option', id: `tags-row-${place}`, 'aria-selected': String(selection.has(tag)),
      'data-role': 'tags-row', 'data-tag': tag, style: { transform: `translateY(${place * ROW}px)`, '--share': shown / most },
      onclick: (event) => point(place, event.shiftKey, true), ondblclick: () => filterBy('include', tag),
    }, h('span', { class: 'tags-bar' }), h('span', { class: 'grow clip', title: tag }, tag),
    h('span', { class: 'tags-row-buttons' }, button('include', 'filter', t('Show only pictures with {tag}', { tag })), button('exclude', 'minus', t('Hide pictures with {tag}', { tag }))),
    h('span', { class: 'numbers tags-number', title: shown === all ? '' : t('{shown} of the shown pictures, {all} of all', { shown, all }) }, shown === all ? all : `${shown}/${all}`));
  }

  /** A click selects or unselects one tag more; with shift all from the last one to this one. */
  function point(place, shift, toggle) {
    if (!rows.length) return;
    focus = Math.min(rows.length - 1, Math.max(0, place));
    if (shift) {
      const [from, to] = [anchor, focus].sort((a, b) => a - b);
      selection = new Set([...selection, ...rows.slice(from, to + 1).map(([tag]) => tag)]);
    } else if (toggle) {
      const [tag] = rows[focus];
      if (!selection.delete(tag)) selection.add(tag);
      anchor = focus;
    }
    draw();
    if (shift || toggle) changed();
  }

  function reveal() {
    if (focus * ROW < list.scrollTop) list.scrollTop = focus * ROW;
    else if ((focus + 1) * ROW > list.scrollTop + list.clientHeight) list.scrollTop = (focus + 1) * ROW - list.clientHeight;
    draw();
  }

  list.addEventListener('keydown', (event) => {
    const page = Math.floor(list.clientHeight / ROW);
    const targets = { ArrowDown: focus + 1, ArrowUp: focus - 1, PageDown: focus + page, PageUp: focus - page, Home: 0, End: rows.length - 1 };
    if (event.key in targets) { point(targets[event.key], event.shiftKey, false); reveal(); }
    else if (event.key === ' ') point(focus, false, true);
    else if (event.key === 'Enter' && rows[focus]) filterBy('include', rows[focus][0]);
    else if (event.key === 'Escape' && selection.size) { selection.clear(); draw(); changed(); }
    else if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'a') { selection = new Set(rows.map(([tag]) => tag)); draw(); changed(); }
    else return;
    event.preventDefault();
  });
  list.addEventListener('scroll', () => requestAnimationFrame(draw), { passive: true });
  new ResizeObserver(draw).observe(list);

  return {
    element,
    update,
    selected: () => [...selection],
    clearSelection() { selection.clear(); draw(); changed(); },
  };
}
