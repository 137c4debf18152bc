// The tag editor: opens a folder, puts gallery, picture, tags and filter together, and saves. Drafts are the server's.
import { fill, h, icon, visible } from './dom.js';
import { get, post } from './api.js';
import { attachCompletion, browse } from './browse.js';
import { translated } from './messages.js';
import { complain, dialog, notice } from './notice.js';
import { beforeReload, t, textReady } from './text.js';
import { createBatch } from './tags-batch.js';
import { createFilter } from './tags-filter.js';
import { createGrid } from './tags-grid.js';
import { historyDialog, returnsDialog } from './tags-history.js';
import { createTagList } from './tags-list.js';
import { createPanel } from './tags-panel.js';
import { Session } from './tags-session.js';
import { pictureWords, unusedWords } from './tags-words.js';
import { trainWith } from './to-train.js';

const SIDE_KEY = 'athanor.tags.side';
const FOLDER_KEY = 'athanor.tags.folder';
const SHOWN_AGAIN_MS = 1500;

const remembered = (key) => { try { return localStorage.getItem(key); } catch { return null; } };
const remember = (key, value) => { try { value === null ? localStorage.removeItem(key) : localStorage.setItem(key, value); } catch { /* private window */ } };

export async function mount(root) {
  await textReady();
  root.classList.add('tags-app');
  let editor = null;
  let leaving = false;
  beforeReload(async () => { await editor?.flush(); leaving = true; });
  window.addEventListener('beforeunload', (event) => {
    if (!leaving && editor?.unsaved()) event.preventDefault();
  });
  let opening = 0; // only the folder that was asked for last is shown
  const show = (folder) => {
    editor?.close();
    remember(FOLDER_KEY, folder.id);
    editor = createEditor(root, folder, { open: (path, recursive, extension) => open(path, recursive, extension), choose });
  };
  async function open(path, recursive = null, extension = '.txt') {
    const own = (opening += 1);
    await editor?.flush();
    let done = () => {};
    const slow = setTimeout(() => { done = notice(t('Reading the folder…'), { seconds: 600 }); }, 400);
    try {
      const folder = await post('datasets/open', { path, recursive, extension });
      if (own === opening) show(folder);
    } finally { clearTimeout(slow); done(); }
  }
  async function choose() {
    const path = await browse({ kind: 'folder', start: editor?.path() ?? '', home: 'train' });
    if (path !== null) await open(path).catch(complain);
  }
  // The Tagger tab sends its folder here; a tab that was never open finds it under FOLDER_KEY instead.
  window.addEventListener('athanor:open-folder', ({ detail }) => root.isConnected && open(detail.path, detail.recursive, detail.extension).catch(complain));
  const last = remembered(FOLDER_KEY);
  if (last !== null) {
    const own = (opening += 1);
    try {
      const folder = await get(`datasets/${encodeURIComponent(last)}`);
      if (own === opening) show(folder);
      return;
    } catch {
      if (own !== opening) return;
      remember(FOLDER_KEY, null);
    }
  }
  await welcome(root, open, () => editor !== null);
}

/** What to do first: a folder to open, those opened before, the demo. */
async function welcome(root, open, opened) {
  const known = await get('datasets').catch(() => ({ recent: [], train: '' }));
  if (opened()) return;
  const problem = h('p', { class: 'field-error', role: 'alert', 'data-role': 'tags-open-error' });
  const path = h('input', { type: 'text', class: 'input mono grow', placeholder: known.train, 'aria-label': t('Folder with pictures'), spellcheck: 'false', 'data-role': 'tags-path' });
  const go = async (action) => {
    problem.textContent = '';
    try { await action(); } catch (error) { problem.textContent = translated(error.message); }
  };
  const form = h('form', { class: 'row wrap tags-open', onsubmit: (event) => { event.preventDefault(); go(() => open(path.value)); } },
    path, h('button', { type: 'button', class: 'btn', onclick: async () => { const chosen = await browse({ kind: 'folder', start: path.value, home: 'train' }); if (chosen !== null) { path.value = chosen; go(() => open(chosen)); } } }, icon('folder'), t('Browse…')),
    h('button', { class: 'btn primary', 'data-role': 'tags-open' }, t('Open')));
  const recent = recentRows(known.recent, (entry) => go(() => open(entry.path, entry.recursive, entry.extension)));
  fill(root, h('div', { class: 'card tags-welcome', 'data-role': 'tags-welcome' },
    h('h2', {}, t('Open the folder with your training pictures')),
    h('p', { class: 'muted' }, t('See every picture with its tags, remove wrong ones, add a trigger word, and save when it is right. Captions are text files beside the pictures; nothing changes on disk before you save.')),
    form, problem,
    h('p', {}, t('No pictures yet?'), ' ', h('button', { class: 'btn', 'data-role': 'tags-demo', onclick: () => go(async () => open((await post('datasets/demo')).path)) }, icon('image'), t('Try it with the demo pictures'))),
    recent));
  attachCompletion(path, { kind: 'folder' });
}

/** The folders opened before, null without any; one that is gone says so and can be tried again. */
function recentRows(entries, choose) {
  if (!entries.length) return null;
  return h('div', { class: 'col' }, h('h3', {}, t('Recent folders')), h('ul', { class: 'tags-recent' }, entries.map((entry) => h('li', {},
    h('button', { type: 'button', class: `browse-row${entry.gone ? ' muted' : ''}`, 'data-role': 'tags-recent', 'data-gone': entry.gone ? '' : null, onclick: () => choose(entry) },
      icon('folder'), h('span', { class: 'grow' }, h('strong', {}, entry.name), h('span', { class: 'muted small tags-recent-path' }, entry.path)),
      entry.gone && h('span', { class: 'badge warn' }, t('no longer there')))))));
}

function createEditor(root, folder, { open, choose }) {
  const session = new Session(folder);
  const button = (name, label, act, role, extra = {}) => h('button', { class: 'btn quiet square', title: label, 'aria-label': label, 'data-role': role, onclick: act, ...extra }, icon(name));
  const change = (path) => session.change(path).catch(complain);
  const name = h('button', { class: 'btn tags-folder-button', 'data-role': 'tags-folder-name', onclick: () => folderDialog(session, open, choose) });
  const total = h('span', { class: 'nowrap numbers', 'data-role': 'tags-total' });
  const changed = h('button', { class: 'badge accent tags-badge', 'data-role': 'tags-changed', title: t('Show what is not saved'), onclick: () => session.filter({ show: session.query.show === 'changed' ? 'all' : 'changed' }).catch(complain) });
  const clashes = h('button', { class: 'badge danger tags-badge', 'data-role': 'tags-clashes', onclick: () => session.filter({ show: 'problems' }).catch(complain) });
  const undo = button('undo', t('Undo'), () => change('undo'), 'tags-undo');
  const redo = button('redo', t('Redo'), () => change('redo'), 'tags-redo');
  const train = h('button', { class: 'btn', 'data-role': 'tags-train', title: t('Fill in this folder on the Train tab'), onclick: toTrain }, t('Train with it'), icon('right'));
  const saveWords = h('span', {});
  const save = h('button', { id: 'tags-save', class: 'btn', 'data-role': 'tags-save', onclick: () => saveAll() }, icon('save'), saveWords);
  const bar = h('i', {});
  const progress = h('div', { class: 'row tags-saving', hidden: true, role: 'status', 'data-role': 'tags-saving' }, h('span', { class: 'small nowrap numbers' }), h('div', { class: 'progress grow' }, bar));
  const warnings = h('span', { class: 'tags-warnings' });
  const nobody = h('div', { class: 'box-warn', hidden: true, 'data-role': 'tags-no-pictures' });

  const grid = createGrid({
    changed: (selection, focus) => { panel.flush(); session.lookAt(focus).catch(complain); batch?.selectionChanged(); drawSelection(); },
  });
  const panel = createPanel(session, { step: (by) => grid.step(by) });
  const list = createTagList(session, { changed: () => batch?.update(), filterBy: (kind, tag) => filter.add(kind, tag) });
  const batch = createBatch(session, { selection: () => grid.selection, tags: () => list.selected() });
  const filter = createFilter(session);
  const selectionWords = h('span', { class: 'muted small grow clip', role: 'status', 'data-role': 'tags-selection' });
  const side = h('input', { type: 'range', min: '88', max: '280', step: '8', 'aria-label': t('Size of the pictures'), 'data-role': 'tags-size', oninput: () => { grid.setSide(Number(side.value)); remember(SIDE_KEY, side.value); } });
  side.value = remembered(SIDE_KEY) ?? '136';
  grid.setSide(Number(side.value));

  const app = h('div', { class: 'tags-editor', 'data-role': 'tags-editor', 'data-seq': '0' },
    h('header', { class: 'row tags-head' }, h('div', { class: 'toolbar grow' }, name, total, changed, clashes, undo, redo,
      button('clock', t('History'), () => historyDialog(session), 'tags-history'),
      button('refresh', t('Reload the folder'), () => session.rescan().catch(complain), 'tags-rescan'),
      h('button', { class: 'btn quiet', 'data-role': 'tags-returns', onclick: () => returnsDialog(session).catch(complain) }, t('Earlier versions')),
      warnings), h('div', { class: 'row tags-go' }, train, save)),
    progress, nobody, filter.element,
    h('div', { class: 'tags-main' },
      h('section', { class: 'card tags-gallery', 'aria-label': t('Pictures') }, grid.element,
        h('div', { class: 'row tags-gallery-foot' }, selectionWords, icon('image'), side)),
      panel.element, h('div', { class: 'tags-right' }, list.element, h('div', { class: 'card tags-batch-card' }, batch.element))));
  fill(root, app);

  async function toTrain() {
    await panel.flush();
    await trainWith(session.folder);
  }

  async function saveAll() {
    save.disabled = true;
    try { await panel.flush(); await session.save(); } catch (error) { complain(error); }
    drawSave();
  }

  function drawSave() {
    const { dirty_count: dirty, save: state } = session.view;
    save.disabled = dirty === 0 || state.running;
    save.classList.toggle('primary', dirty > 0);
    saveWords.textContent = state.running ? t('Saving…') : t('Save all changes');
    progress.hidden = !state.running;
    progress.firstElementChild.textContent = t('Saving captions: {done} of {total}', { done: state.done, total: state.total });
    bar.style.width = `${state.total ? (100 * state.done) / state.total : 0}%`;
  }

  function saved() {
    const { written, conflicts, failures, failed, error } = session.view.save;
    const details = failures ? { label: t('Details'), run: () => failuresDialog(failed, failures) } : null;
    if (error) notice(t('Nothing was saved. {reason}', { reason: translated(error) }), { kind: 'error' });
    else if (failures) notice(t('Saved: {n}. Not saved: {failed}.', { n: written, failed: failures }), { kind: 'error', action: details });
    else if (conflicts) notice(t('Saved: {n}. Changed on disk meanwhile, waiting for your choice: {conflicts}.', { n: written, conflicts }), { kind: 'error', seconds: 15, action: { label: t('Show'), run: () => session.filter({ show: 'problems' }).catch(complain) } });
    else notice(t('Saved {n} {n|caption|captions}.', { n: written }), { action: { label: t('Train with it'), run: toTrain } });
  }

  function drawSelection() {
    const n = grid.selection.size;
    const { shown_count: shown, total: all } = session.view;
    const where = shown === all ? '' : t('{shown} of {all} shown', { shown, all });
    selectionWords.textContent = [where, n > 1 ? t('{n} selected', { n }) : ''].filter(Boolean).join(' · ') || (window.matchMedia('(pointer: coarse)').matches ? t('Hold a picture to select several') : t('Ctrl or Shift selects several'));
  }

  function drawHead() {
    const { view } = session;
    fill(name, icon('folder'), h('span', { class: 'clip' }, session.folder.name), icon('down'));
    name.title = session.folder.path;
    total.textContent = pictureWords(view.total);
    changed.hidden = view.dirty_count === 0;
    changed.textContent = t('{n} not saved', { n: view.dirty_count });
    const clashing = view.conflicts.reduce((sum, [first, last]) => sum + last - first + 1, 0);
    clashes.hidden = clashing === 0;
    clashes.textContent = t('{n} changed on disk too', { n: clashing });
    undo.disabled = view.done_count === 0;
    redo.disabled = view.undone.length === 0;
    drawSave();
    drawSelection();
  }

  function drawWarnings() {
    const { folder: now } = session;
    const warn = (role, words, explanation, names, count = names.length) => h('button', { class: 'badge warn tags-badge', 'data-role': role, onclick: () => namesDialog(words, explanation, names, count) }, icon('warning'), words);
    const below = () => h('button', { class: 'btn', 'data-role': 'tags-with-subfolders', onclick: () => open(now.path, true, now.extension).catch(complain) }, icon('folder'), t('With subfolders, {n} {n|picture|pictures}', { n: now.with_subfolders }));
    fill(warnings,
      now.with_subfolders > 0 && session.view.total > 0 && below(),
      now.unused.length > 0 && warn('tags-unused', t('Not read: {n}', { n: now.unused.length }), unusedWords(now.unused), now.unused),
      now.orphan_count > 0 && warn('tags-orphans', t('Captions without a picture: {n}', { n: now.orphan_count }), t('These files lie beside the pictures, but no picture has their name. They are left alone.'), now.orphans, now.orphan_count),
      now.outside.length > 0 && warn('tags-outside', t('Links that are not followed: {n}', { n: now.outside.length }), t('These links lead out of the opened folder, nowhere, or to a subfolder, and are not opened.'), now.outside),
      session.view.twins.length > 0 && h('button', { class: 'badge warn tags-badge', 'data-role': 'tags-twins', onclick: () => session.filter({ show: 'problems' }).catch(complain) }, icon('copy'), t('Pictures that share a caption')),
      now.strays.length > 0 && warn('tags-strays', t('Unsaved captions without their picture: {n}', { n: now.strays.length }), t('The pictures are gone. Their unsaved captions are kept until the pictures return.'), now.strays));
    nobody.hidden = session.view.total > 0;
    fill(nobody, h('p', {}, t('This folder holds no pictures that can be read.'), ' ', now.with_subfolders ? '' : t('Open another one.')), now.with_subfolders > 0 && below());
  }

  let { query } = session;
  function update(what) {
    if (what === 'save') { drawSave(); return; }
    if (what === 'saved') { saved(); return; }
    if (what === 'look') { panel.update(); return; }
    if (what === 'folder') { grid.setFolder(session.folder); drawWarnings(); }
    grid.setItems(session.shown, session.view);
    if (query !== session.query) { ({ query } = session); grid.toTop(); }
    if (what === 'folder' && session.look !== null) grid.focusOn(session.look);
    list.update();
    filter.update();
    batch.update();
    panel.update();
    drawHead();
    app.dataset.seq = String(Number(app.dataset.seq) + 1);
  }
  session.awake = () => visible(app);
  session.listen(update);
  update('folder');
  if (folder.restored > 0 && session.view.rev === 0) notice(t('Unsaved changes of {pictures} from last time were restored.', { pictures: pictureWords(session.view.dirty_count) }));
  if (session.shown.length) grid.focusOn(session.shown[0]);

  const keys = (event) => {
    if (!visible(app) || document.querySelector('dialog[open]') || !(event.ctrlKey || event.metaKey) || event.altKey) return;
    const key = event.key.toLowerCase();
    const typing = event.target.closest?.('input, textarea');
    if (key === 's') saveAll();
    else if (key === 'z' && !typing) change(event.shiftKey ? 'redo' : 'undo');
    else if (key === 'y' && !typing) change('redo');
    else return;
    event.preventDefault();
  };
  document.addEventListener('keydown', keys);

  // Shown again (another tab of the page, another window): others, the tagger first of all, may have written captions.
  let last = performance.now();
  const again = () => {
    if (!visible(app) || performance.now() - last < SHOWN_AGAIN_MS) return;
    last = performance.now();
    session.rescan().catch(complain);
  };
  const watcher = new IntersectionObserver((entries) => {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    root.style.setProperty('--tags-top', `${Math.round(root.getBoundingClientRect().top + window.scrollY)}px`);
    again();
  });
  watcher.observe(app);
  window.addEventListener('focus', again);

  return {
    path: () => session.folder.path,
    unsaved: () => session.view.dirty_count > 0,
    flush: () => panel.flush(),
    close() {
      session.close();
      watcher.disconnect();
      window.removeEventListener('focus', again);
      document.removeEventListener('keydown', keys);
    },
  };
}

/** Open another folder, with subfolders or not, and captions of another ending. */
function folderDialog(session, open, choose) {
  const { folder } = session;
  const path = h('input', { type: 'text', class: 'input mono grow', value: folder.path, 'aria-label': t('Folder with pictures'), spellcheck: 'false', 'data-role': 'tags-path' });
  const recursive = h('input', { type: 'checkbox', checked: folder.recursive, 'data-role': 'tags-recursive' });
  const extension = h('select', { 'aria-label': t('Caption file extension'), 'data-role': 'tags-extension', value: folder.extension }, ['.txt', '.caption'].map((ending) => h('option', { value: ending, selected: ending === folder.extension }, ending)));
  const problem = h('p', { class: 'field-error', role: 'alert', 'data-role': 'tags-open-error' });
  const go = async (...wanted) => {
    try { await open(...wanted); view.close(); } catch (error) { problem.textContent = translated(error.message); }
  };
  const before = h('div', {});
  get('datasets').then(({ recent }) => fill(before, recentRows(recent.filter((entry) => entry.id !== folder.id), (entry) => go(entry.path, entry.recursive, entry.extension)))).catch(() => {});
  const form = h('form', { class: 'col', onsubmit: (event) => { event.preventDefault(); go(path.value, path.value === folder.path ? recursive.checked : recursive.checked || null, extension.value); } },
  h('div', { class: 'row' }, path, h('button', { type: 'button', class: 'btn', onclick: () => { view.close(); choose(); } }, icon('folder'), t('Browse…'))),
  h('label', { class: 'row' }, recursive, t('Pictures in subfolders too')),
  h('label', { class: 'row' }, t('Caption file extension'), extension), problem,
  h('div', { class: 'dialog-foot' }, h('button', { class: 'btn primary', 'data-role': 'tags-open' }, t('Open'))), before);
  const view = dialog(t('Open another folder'), form, { wide: true });
  attachCompletion(path, { kind: 'folder' });
}

function namesDialog(title, explanation, names, count) {
  dialog(title, h('div', { class: 'col' }, h('p', { class: 'muted' }, explanation), h('p', { class: 'mono tags-names', 'data-role': 'tags-names' }, names.join('\n')),
    count > names.length && h('p', { class: 'muted small' }, t('{n} more {n|is|are} not listed.', { n: count - names.length }))), { wide: true });
}

function failuresDialog(failed, count) {
  dialog(t('Not saved'), h('div', { class: 'col' },
    h('ul', { class: 'tags-failures', 'data-role': 'tags-failures' }, failed.map((entry) => h('li', {}, h('strong', {}, entry.name), h('p', { class: 'small' }, translated(entry.message))))),
    count > failed.length && h('p', { class: 'muted small' }, t('{n} more {n|is|are} not listed.', { n: count - failed.length }))), { wide: true });
}
