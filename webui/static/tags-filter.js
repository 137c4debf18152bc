// The filter above the gallery: tags that must or must not be there, text, and a few questions of their own.
import { debounce, fill, h, icon } from './dom.js';
import { t } from './text.js';
import { tagInput } from './tags-complete.js';
import { NO_FILTER } from './tags-session.js';
import { complain } from './notice.js';

/** Returns {element, update, add(kind, tag)}. */
export function createFilter(session) {
  const set = (part) => session.filter(part).catch(complain);
  const add = (kind, tags) => {
    const other = kind === 'include' ? 'exclude' : 'include';
    set({ [kind]: [...new Set([...session.query[kind], ...tags])], [other]: session.query[other].filter((tag) => !tags.includes(tag)) });
  };
  const side = (kind, label) => {
    const chips = h('span', { class: 'row wrap', 'data-role': `tags-filter-${kind}` });
    const input = tagInput({ tags: () => session.view.tags, choose: (tags) => add(kind, tags), label, placeholder: t('Tag…'), role: `tags-${kind}`, known: true });
    return { chips, element: h('div', { class: 'row tags-filter-side' }, h('span', { class: 'label' }, label), chips, input.element) };
  };
  const include = side('include', t('With'));
  const exclude = side('exclude', t('Without'));
  const mode = h('select', { 'aria-label': t('How tags combine'), 'data-role': 'tags-mode', onchange: () => set({ include_mode: mode.value }) },
    h('option', { value: 'all' }, t('all of')), h('option', { value: 'any' }, t('any of')));
  include.chips.before(mode);
  const text = h('input', { type: 'search', class: 'input', placeholder: t('Search captions…'), 'aria-label': t('Search captions and names'), 'data-role': 'tags-find', oninput: debounce(() => set({ text: text.value }), 120) });
  const show = h('select', { 'aria-label': t('Which pictures'), 'data-role': 'tags-show', onchange: () => set({ show: show.value }) },
    h('option', { value: 'all' }, t('All pictures')), h('option', { value: 'no_caption' }, t('Without caption')),
    h('option', { value: 'changed' }, t('Not saved')), h('option', { value: 'problems' }, t('With a problem')));
  const folder = h('select', { 'aria-label': t('Subfolder'), 'data-role': 'tags-folder', onchange: () => set({ folder: folder.value === '*' ? null : folder.value }) });
  const clear = h('button', { class: 'btn quiet', 'data-role': 'tags-filter-clear', onclick: () => { text.value = ''; set({ ...NO_FILTER }); } }, icon('close'), t('Clear filter'));
  const element = h('div', { class: 'tags-filter', role: 'search', 'aria-label': t('Filter') }, folder, show, text, include.element, exclude.element, clear);
  let drawn = '';

  function update() {
    const { query } = session;
    const key = JSON.stringify([query.include, query.exclude, session.folder.listing, session.folder.id]);
    if (key !== drawn) {
      drawn = key;
      for (const [kind, { chips }] of [['include', include], ['exclude', exclude]]) {
        fill(chips, query[kind].map((tag) => h('span', { class: `chip tags-${kind}`, 'data-tag': tag }, h('span', { class: 'clip' }, tag),
          h('button', { class: 'tags-x', 'aria-label': t('Remove {tag}', { tag }), onclick: () => set({ [kind]: query[kind].filter((other) => other !== tag) }) }, icon('close')))));
      }
      const folders = session.folder.folders;
      folder.hidden = folders.length < 2;
      fill(folder, h('option', { value: '*' }, t('All folders ({n})', { n: session.folder.pictures.length })),
        folders.map(([name, count]) => h('option', { value: name }, `${name || '.'} (${count})`)));
    }
    folder.value = query.folder ?? '*';
    show.value = query.show;
    mode.value = query.include_mode;
    mode.hidden = query.include.length < 2;
    if (document.activeElement !== text) text.value = query.text;
    clear.hidden = !session.filtered();
  }

  return { element, update, add: (kind, tag) => add(kind, [tag]) };
}
