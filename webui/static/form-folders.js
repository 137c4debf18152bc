// [[dataset.subsets]]: picture folders listed one by one, each with repeats and its own caption.
import { attachCompletion, browse } from './browse.js';
import { clear, h, icon } from './dom.js';
import { t } from './text.js';

export function listEditor(state, field, id) {
  const rows = h('div', { class: 'f-folders' });
  const add = h('button', { type: 'button', class: 'btn quiet', id, 'data-role': 'add-folder', onclick: () => change((list) => list.push({ image_dir: '', num_repeats: '10' })) }, t('Add a folder'));
  const root = h('div', {}, rows, add);
  let shown = null;

  function list() {
    return structuredClone(state.values[field.address] ?? []);
  }

  function change(edit, redraw = true) {
    const next = list();
    edit(next);
    if (!redraw) shown = JSON.stringify(next);
    state.set(field.address, next);
  }

  function row(folder, index) {
    const path = h('input', { type: 'text', value: folder.image_dir ?? '', 'aria-label': t('Picture folder'), placeholder: t('Picture folder'), spellcheck: false, oninput: () => change((all) => { all[index].image_dir = path.value; }, false) });
    const repeats = h('input', { type: 'text', class: 'f-repeats', inputmode: 'numeric', value: String(folder.num_repeats ?? 1), 'aria-label': t('Repeats'), title: t('Repeats'), oninput: () => change((all) => { all[index].num_repeats = repeats.value; }, false) });
    const words = h('input', { type: 'text', value: folder.class_tokens ?? '', 'aria-label': t('Caption for pictures without one'), placeholder: t('Caption for pictures without one'), oninput: () => change((all) => { all[index].class_tokens = words.value || null; }, false) });
    const reg = h('input', { type: 'checkbox', class: 'f-check', checked: folder.is_reg === true, 'aria-label': t('Regularisation pictures'), title: t('Regularisation pictures'), onchange: () => change((all) => { all[index].is_reg = reg.checked; }, false) });
    const pick = h('button', { type: 'button', class: 'btn', onclick: async () => {
      const chosen = await browse({ kind: 'folder', start: path.value, home: 'train' });
      if (chosen) change((all) => { all[index].image_dir = chosen; });
    } }, t('Browse'));
    const remove = h('button', { type: 'button', class: 'btn quiet', onclick: () => change((all) => all.splice(index, 1)) }, t('Remove'));
    const place = h('div', { class: 'f-path' }, path, pick);
    attachCompletion(path, { kind: 'folder' });
    return h('div', { class: 'f-folder' }, place, h('div', { class: 'f-path' }, h('span', { class: 'muted' }, '×'), repeats, words, h('label', { class: 'f-reg muted' }, reg, t('reg')), remove));
  }

  function show(value) {
    const text = JSON.stringify(value ?? []);
    if (text === shown) return;
    shown = text;
    clear(rows);
    (value ?? []).forEach((folder, index) => rows.append(row(folder, index)));
  }

  return { root, wide: true, focus: () => add.focus(), markWrong: () => undefined, show };
}

/** The listed folders in short, below the field for the folder above them all: Basic shows these in place of the list. */
export function folderChips(state) {
  const address = 'dataset.subsets';
  const root = h('div', { class: 'f-chips', 'data-role': 'folder-chips' });
  let shown = null;
  const list = () => structuredClone(state.values[address] ?? []);
  const write = (next, apart = true) => state.set(address, next, { apart });

  function chip(folder, index) {
    const path = folder.image_dir || folder.metadata_file || '';
    const repeats = h('input', { type: 'text', class: 'f-repeats', inputmode: 'numeric', value: String(folder.num_repeats ?? 1), 'aria-label': `${t('Repeats')}: ${path}`, title: t('Repeats'), oninput: () => {
      const next = list();
      next[index].num_repeats = repeats.value;
      shown = JSON.stringify(next);
      write(next, false);
    } });
    const change = async () => {
      const chosen = await browse({ kind: 'folder', start: path });
      if (chosen) write(list().map((one, place) => (place === index ? { ...one, image_dir: chosen } : one)));
    };
    return h('div', { class: 'f-chip', 'data-role': 'folder-chip' }, icon('folder'), h('span', { class: 'mono f-chip-path', title: path }, path),
      folder.is_reg && h('span', { class: 'badge' }, t('reg')), h('span', { class: 'muted' }, '×'), repeats,
      folder.image_dir && h('button', { type: 'button', class: 'btn quiet', 'data-role': 'chip-change', onclick: change }, t('Change')),
      h('button', { type: 'button', class: 'btn quiet', 'data-role': 'chip-remove', 'aria-label': `${t('Remove')}: ${path}`, onclick: () => write(list().filter((_, place) => place !== index)) }, t('Remove')));
  }

  function show() {
    const value = state.values[address] ?? [];
    root.hidden = state.mode !== 'basic' || value.length === 0;
    if (JSON.stringify(value) === shown) return;
    shown = JSON.stringify(value);
    clear(root);
    root.append(...value.map(chip));
  }

  state.addEventListener('value', show);
  state.addEventListener('mode', show);
  show();
  return root;
}

// [[dataset.datasets]]: shown and removed here; they are written in a dataset file.
export function datasetList(state, field, id) {
  const rows = h('div', { class: 'f-folders', id, tabindex: '-1' });

  function row(group, index) {
    const size = [group.resolution, group.batch_size ? `× ${group.batch_size}` : ''].filter(Boolean).join(' ');
    const folders = (group.subsets ?? []).map((folder) => folder.image_dir ?? folder.metadata_file).join(', ');
    const remove = h('button', { type: 'button', class: 'btn quiet', onclick: () => state.set(field.address, (state.values[field.address] ?? []).filter((_, place) => place !== index)) }, t('Remove'));
    return h('div', { class: 'f-path' }, h('span', { class: 'mono' }, size), h('span', { class: 'muted' }, folders), remove);
  }

  function show(value) {
    clear(rows);
    (value ?? []).forEach((group, index) => rows.append(row(group, index)));
  }

  return { root: rows, wide: true, focus: () => rows.focus(), markWrong: () => undefined, show };
}
