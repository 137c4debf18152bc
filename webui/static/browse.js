// Choosing a folder or a file on the machine that runs Athanor, and completing a path while it is typed.
import { fill, h, icon, debounce } from './dom.js';
import { get } from './api.js';
import { bytes, t } from './text.js';
import { dialog } from './notice.js';
import { translated } from './messages.js';

const query = (path, { kind, extensions = [] }) =>
  `files?${new URLSearchParams({ path, kind, extensions: extensions.join(',') })}`;

/**
 * Let the person choose; resolves to the path as text, or null.
 * kind: "folder" | "file"; start: a path to begin at; extensions: [".safetensors", ...] shown for files.
 */
export function browse({ kind = 'folder', start = '', extensions = [] } = {}) {
  return new Promise((resolve) => {
    let answer = null;
    let folder = '';
    let selected = null;
    let turn = 0;
    const finish = (path) => { answer = path; view.close(); };
    const where = h('input', { class: 'input mono grow', 'data-role': 'browse-path', 'aria-label': t('Path'), spellcheck: 'false' });
    const list = h('div', { class: 'browse-list', role: 'listbox', 'aria-label': t('Folder content'), 'data-role': 'browse-list' });
    const note = h('p', { class: 'muted small', role: 'status', 'data-role': 'browse-note' });
    const ok = h('button', { class: 'btn primary', 'data-role': 'browse-ok', onclick: () => finish(kind === 'folder' ? folder : selected) },
      kind === 'folder' ? t('Choose this folder') : t('Choose'));

    const select = (line, path) => {
      list.querySelectorAll('[aria-selected]').forEach((other) => other.removeAttribute('aria-selected'));
      line.setAttribute('aria-selected', 'true');
      selected = path;
      ok.disabled = false;
    };
    const row = (entry) => {
      const line = h('button', {
        class: 'browse-row', role: 'option', 'data-role': 'browse-entry', 'data-name': entry.name, disabled: Boolean(entry.problem),
        onclick: () => (entry.folder ? show(entry.path) : select(line, entry.path)),
        ondblclick: () => entry.folder || finish(entry.path),
      }, icon(entry.folder ? 'folder' : 'file'), h('span', { class: 'grow' }, entry.name),
      h('span', { class: 'muted small' }, entry.problem ? translated(entry.problem) : entry.folder ? '' : bytes(entry.size)));
      return line;
    };
    async function show(path) {
      note.textContent = '';
      const mine = (turn += 1);
      const typed = where.value;
      try {
        const content = await get(query(path, { kind, extensions }));
        if (mine !== turn) return; // another folder was asked for meanwhile
        folder = content.path;
        selected = null;
        if (where.value === typed) where.value = content.path; // what was typed meanwhile stays
        ok.disabled = kind === 'file';
        fill(list, content.parent !== null && row({ name: '..', path: content.parent, folder: true }), content.entries.map(row));
        if (content.more) note.textContent = t('{n} more {n|is|are} not shown; type the path.', { n: content.more });
        else if (!content.entries.length) note.textContent = kind === 'folder' ? t('No folders in here.') : t('Nothing to choose in here.');
      } catch (error) {
        if (mine !== turn) return;
        note.textContent = translated(error.message);
        ok.disabled = true;
      }
    }
    where.addEventListener('keydown', (event) => { if (event.key === 'Enter') { event.preventDefault(); show(where.value); } });
    list.addEventListener('keydown', (event) => {
      const step = { ArrowDown: 'nextElementSibling', ArrowUp: 'previousElementSibling' }[event.key];
      if (step) { event.preventDefault(); document.activeElement?.[step]?.focus?.(); }
      if (event.key === 'Backspace') list.querySelector('[data-name=".."]')?.click();
    });
    const places = h('div', { class: 'row wrap', 'data-role': 'browse-places' });
    get('files/places').then((known) => fill(places, known.places.map((place) =>
      h('button', { class: 'chip', title: place.path, onclick: () => show(place.path) }, t(place.name))))).catch(() => {});
    const view = dialog(kind === 'folder' ? t('Choose a folder') : t('Choose a file'),
      h('div', { class: 'col' }, places,
        h('div', { class: 'row' }, where, h('button', { class: 'btn', 'data-role': 'browse-go', onclick: () => show(where.value) }, t('Go'))),
        list, note,
        h('div', { class: 'dialog-foot' }, h('button', { class: 'btn', onclick: () => finish(null) }, t('Cancel')), ok)),
      { wide: true, closed: () => resolve(answer) });
    show(start);
  });
}

let lists = 0;

/** Complete paths in a text box while they are typed, over the server's folders. kind as in `browse`. */
export function attachCompletion(input, { kind = 'folder', extensions = [] } = {}) {
  const list = h('datalist', { id: `ath-paths-${(lists += 1)}` });
  input.after(list);
  input.setAttribute('list', list.id);
  input.setAttribute('autocomplete', 'off');
  let asked = null;
  const refresh = debounce(async () => {
    const folder = input.value.replace(/[^/\\]*$/, '');
    if (folder === asked) return;
    asked = folder;
    try {
      const answer = await get(query(folder, { kind, extensions }));
      if (folder !== asked) return;
      const prefix = folder === '' ? null : folder;
      fill(list, answer.entries.filter((entry) => !entry.problem).slice(0, 200).map((entry) => h('option', { value: prefix === null ? entry.path : prefix + entry.name })));
    } catch {
      if (folder === asked) fill(list);
    }
  }, 120);
  input.addEventListener('input', refresh);
  input.addEventListener('focus', refresh);
}
