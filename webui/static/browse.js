// Choosing a folder or a file on the machine that runs Athanor, and completing a path while it is typed.
import { fill, h, icon, debounce } from './dom.js';
import { get, post } from './api.js';
import { bytes, t } from './text.js';
import { dialog } from './notice.js';
import { translated } from './messages.js';
import { thumbnail } from './pictures.js';

const query = (path, { kind, extensions = [], home = '', look = false }) =>
  `files?${new URLSearchParams({ path, kind, extensions: extensions.join(','), home, ...(look ? { look: '1' } : {}) })}`;

/**
 * Let the person choose; resolves to the path as text, or null.
 * kind: "folder" | "file"; start: a path to begin at; home: the place to begin at without one ("train", "models",
 * "output"); extensions: [".safetensors", ...] shown for files.
 */
export function browse({ kind = 'folder', start = '', home = '', extensions = [] } = {}) {
  return new Promise((resolve) => {
    let answer = null;
    let folder = '';
    let selected = null;
    let turn = 0;
    const finish = (path) => { answer = path; view.close(); };
    const where = h('input', { class: 'input mono grow', 'data-role': 'browse-path', 'aria-label': t('Path'), spellcheck: 'false' });
    const list = h('div', { class: 'browse-list', role: 'listbox', tabindex: '-1', 'aria-label': t('Folder content'), 'data-role': 'browse-list' });
    const note = h('p', { class: 'muted small', role: 'status', 'data-role': 'browse-note' });
    const pictures = h('div', { class: 'browse-pictures', 'data-role': 'browse-pictures', hidden: true });
    const ok = h('button', { class: 'btn primary', 'data-role': 'browse-ok', onclick: () => finish(kind === 'folder' ? folder : selected) },
      kind === 'folder' ? t('Choose this folder') : t('Choose'));

    const select = (line, path) => {
      list.querySelectorAll('[aria-selected]').forEach((other) => other.removeAttribute('aria-selected'));
      line.setAttribute('aria-selected', 'true');
      selected = path;
      ok.disabled = false;
    };
    const about = (entry) => (entry.problem ? translated(entry.problem) : entry.folder ? (entry.pictures ? t('{n} {n|picture|pictures}', { n: entry.pictures }) : '') : bytes(entry.size));
    const row = (entry) => h('button', {
      class: 'browse-row', role: 'option', tabindex: '-1', 'data-role': 'browse-entry', 'data-name': entry.name, disabled: Boolean(entry.problem),
      onclick: (event) => (entry.folder ? show(entry.path, true) : select(event.currentTarget, entry.path)),
      ondblclick: () => entry.folder || finish(entry.path),
    }, icon(entry.folder ? 'folder' : 'file'), h('span', { class: 'grow' }, entry.name), h('span', { class: 'muted small numbers' }, about(entry)));
    const rows = () => [...list.querySelectorAll('.browse-row:not(:disabled)')];
    function focusRow(line) {
      for (const other of rows()) other.tabIndex = other === line ? 0 : -1; // one stop for the Tab key
      line?.focus();
    }

    function showPictures(found) {
      pictures.hidden = !found?.count && !found?.unused;
      if (pictures.hidden) { fill(pictures); return; }
      fill(pictures, h('p', { class: 'small', 'data-role': 'browse-count' }, h('strong', {}, t('{n} {n|picture|pictures}', { n: found.count })),
        found.unused > 0 && h('span', { class: 'muted' }, ' · ', t('Not read: {n}', { n: found.unused }))),
      h('div', { class: 'browse-thumbs' }, found.sample.map((one) => thumbnail(one.thumb, 192, { alt: one.name, title: one.name, loading: 'lazy', class: 'browse-thumb' }))));
    }

    /** inside: the list is what the person is at, so its first line is focused. */
    async function show(path, inside = false) {
      note.textContent = '';
      const mine = (turn += 1);
      const typed = where.value;
      try {
        const content = await get(query(path, { kind, extensions, home: folder ? '' : home, look: true }));
        if (mine !== turn) return; // another folder was asked for meanwhile
        folder = content.path;
        selected = null;
        if (where.value === typed) where.value = content.path; // what was typed meanwhile stays
        ok.disabled = kind === 'file';
        fill(list, content.parent !== null && row({ name: '..', path: content.parent, folder: true }), content.entries.map(row));
        if (kind === 'folder') showPictures(content.pictures);
        const [up, first] = rows();
        const line = (content.parent !== null && first) || up;
        if (inside) focusRow(line);
        else if (line) line.tabIndex = 0;
        if (content.missing) note.textContent = t('{path} is not there; this is the nearest folder that is.', { path: content.missing });
        else if (content.more) note.textContent = t('{n} more {n|is|are} not shown; type the path.', { n: content.more });
        else if (!content.entries.length && !content.pictures?.count) note.textContent = kind === 'folder' ? t('No folders in here.') : t('Nothing to choose in here.');
      } catch (error) {
        if (mine !== turn) return;
        note.textContent = translated(error.message);
        ok.disabled = true;
      }
    }
    where.addEventListener('keydown', (event) => { if (event.key === 'Enter') { event.preventDefault(); show(where.value); } });
    list.addEventListener('keydown', (event) => {
      const lines = rows();
      const at = lines.indexOf(document.activeElement);
      const targets = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: lines.length - 1 };
      if (event.key in targets) focusRow(lines[Math.min(lines.length - 1, Math.max(0, targets[event.key]))]);
      else if (event.key === 'Backspace') list.querySelector('[data-name=".."]')?.click();
      else if (event.key.length === 1 && event.key !== ' ' && !event.ctrlKey && !event.metaKey && !event.altKey) {
        const begins = (line) => line.dataset.name.toLowerCase().startsWith(event.key.toLowerCase());
        const next = [...lines.slice(at + 1), ...lines.slice(0, at + 1)].find(begins);
        if (next) focusRow(next);
      } else return;
      event.preventDefault();
    });

    // A new folder is made in the one that is shown, and opened.
    const name = h('input', { class: 'input', 'aria-label': t('Name of the new folder'), placeholder: t('Name of the new folder'), spellcheck: 'false', 'data-role': 'browse-new-name' });
    const make = h('form', { class: 'row', hidden: true, onsubmit: async (event) => {
      event.preventDefault();
      try {
        const made = await post('files/folder', { path: folder, name: name.value });
        make.hidden = true;
        name.value = '';
        await show(made.path, true);
      } catch (error) { note.textContent = translated(error.message); }
    } }, name, h('button', { class: 'btn', 'data-role': 'browse-new-ok' }, t('Make it')));
    name.addEventListener('keydown', (event) => { if (event.key === 'Escape') { event.preventDefault(); event.stopPropagation(); make.hidden = true; list.querySelector('[tabindex="0"]')?.focus(); } });
    const add = h('button', { class: 'btn', 'data-role': 'browse-new', onclick: () => { make.hidden = !make.hidden; if (!make.hidden) name.focus(); } }, icon('plus'), t('New folder'));

    const places = h('div', { class: 'row wrap', 'data-role': 'browse-places' });
    get('files/places').then((known) => {
      fill(places, known.places.map((place) => h('button', { class: 'chip', title: place.path, onclick: () => show(place.path, true) }, t(place.name))),
        kind === 'folder' && known.recent.length > 0 && [h('span', { class: 'muted small' }, t('Recent')), known.recent.map((place) => h('button', {
          class: `chip${place.gone ? ' gone' : ''}`, title: place.gone ? t('{path}: no longer there', { path: place.path }) : place.path, 'data-role': 'browse-recent', 'data-gone': place.gone ? '' : null, onclick: () => show(place.path, true),
        }, place.name))]);
    }).catch(() => {});
    const view = dialog(kind === 'folder' ? t('Choose a folder') : t('Choose a file'),
      h('div', { class: 'col' }, places,
        h('div', { class: 'row wrap' }, where, h('button', { class: 'btn', 'data-role': 'browse-go', onclick: () => show(where.value) }, t('Go')), kind === 'folder' && add),
        make, h('div', { class: 'browse-both' }, list, pictures), note,
        h('div', { class: 'dialog-foot' }, h('button', { class: 'btn', onclick: () => finish(null) }, t('Cancel')), ok)),
      { wide: true, closed: () => resolve(answer) });
    list.focus();
    show(start, true);
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
