// Completing a tag while it is typed, from the tags of the open folder. A combobox: arrows, Enter, Tab, Escape.
import { fill, h } from './dom.js';

const SHOWN = 10;
const COMMA = /[,，、]/; // a Chinese keyboard's commas part tags too, as in the tagger's fields
let boxes = 0;

/** The tags of a text that somebody typed. */
export const tagsIn = (text) => text.split(COMMA).map((tag) => tag.trim()).filter(Boolean);

const lastOf = (text) => text.split(COMMA).pop().trim();

/** Tags [(tag, shown, all)] that fit what is typed: those that begin with it first, then commoner ones. */
export function suggestions(tags, typed) {
  const wanted = typed.trim().toLowerCase();
  if (!wanted) return [];
  const found = tags.filter(([tag]) => tag.toLowerCase().includes(wanted));
  const rank = ([tag]) => (tag.toLowerCase().startsWith(wanted) ? 0 : 1);
  return found.sort((a, b) => rank(a) - rank(b) || b[2] - a[2]).slice(0, SHOWN);
}

/**
 * An input with completion. tags(): the present tags; choose(tags): called with one or more tags when they are entered; if
 * it comes to false, they could not be taken and stand in the input again.
 * Enter takes the marked suggestion, else what is typed (commas part tags) unless `known` asks for existing tags only.
 */
export function tagInput({ tags, choose, label, role, placeholder = '', known = false, keydown = () => {} }) {
  const id = `tags-complete-${(boxes += 1)}`;
  const list = h('div', { class: 'tags-suggest', id, role: 'listbox', hidden: true, 'data-role': 'tags-suggest' });
  const input = h('input', {
    type: 'text', class: 'input', 'aria-label': label, placeholder, role: 'combobox', 'aria-autocomplete': 'list', 'aria-controls': id,
    'aria-expanded': 'false', autocomplete: 'off', spellcheck: 'false', 'data-role': role,
  });
  let found = [];
  let marked = -1;

  function show() {
    found = suggestions(tags(), lastOf(input.value));
    marked = known && found.length ? 0 : -1;
    draw();
  }
  function draw() {
    list.hidden = found.length === 0;
    input.setAttribute('aria-expanded', String(!list.hidden));
    fill(list, found.map(([tag, , all], place) => h('div', {
      class: 'tags-suggestion row', role: 'option', id: `${id}-${place}`, 'aria-selected': String(place === marked),
      onpointerdown: (event) => { event.preventDefault(); enter([tag]); },
    }, h('span', { class: 'grow clip' }, tag), h('span', { class: 'muted small numbers' }, all))));
    if (marked < 0) input.removeAttribute('aria-activedescendant');
    else input.setAttribute('aria-activedescendant', `${id}-${marked}`);
  }
  function hide() { found = []; marked = -1; draw(); }
  async function enter(chosen) {
    const before = input.value.split(COMMA).slice(0, -1).map((tag) => tag.trim()).filter(Boolean);
    const all = [...before, ...chosen].filter(Boolean);
    input.value = '';
    hide();
    if (all.length && (await choose(all)) === false && input.value === '') input.value = all.join(', ');
  }

  input.addEventListener('input', () => {
    if (!known && !lastOf(input.value) && tagsIn(input.value).length) enter([]);
    else show();
  });
  input.addEventListener('blur', hide);
  input.addEventListener('keydown', (event) => {
    if (event.isComposing) return; // Enter here ends a word of a Chinese or Japanese input method
    if ((event.key === 'ArrowDown' || event.key === 'ArrowUp') && found.length) {
      marked = (marked + (event.key === 'ArrowDown' ? 1 : -1) + found.length + (marked < 0 && event.key === 'ArrowUp' ? 1 : 0)) % found.length;
      draw();
    } else if (event.key === 'Enter' || (event.key === 'Tab' && marked >= 0)) {
      const typed = lastOf(input.value);
      if (marked >= 0) enter([found[marked][0]]);
      else if (typed && !known) enter([typed]);
      else return; // nothing to enter: leave the key to the form
    } else if (event.key === 'Escape' && found.length) { hide(); event.stopPropagation(); }
    else { keydown(event, input); return; }
    event.preventDefault();
  });
  return { element: h('div', { class: 'tags-combo' }, input, list), input };
}
