// The Tagger tab: keeps the form's values (draft on the server), asks what goes on, and puts the three parts together.
import { get, post } from './api.js';
import { debounce, fill, h, icon, visible } from './dom.js';
import { sentence } from './messages.js';
import { ask, choose, complain } from './notice.js';
import { buildForm } from './tagger-form.js';
import { buildRun, progressBar, progressWords } from './tagger-run.js';
import { buildTry } from './tagger-try.js';
import { say } from './tagger-words.js';
import { beforeReload, t, textReady } from './text.js';

const BUSY_MS = 600;
const QUIET_MS = 4000;
const SAVE_MS = 300;
const CHECK_MS = 120;
const TEXTS = ['additional_tags', 'exclude_tags']; // typed for one folder, and not meant for another unasked
const CHECKED = new Set(['model', 'model_folder', 'folder', 'recursive', 'conflict', 'caption_extension', 'general_threshold', 'character_threshold', 'texts_from', ...TEXTS]);
const FORGETS = new Set(['model', 'model_folder']);

export async function mount(element) {
  await textReady();
  let values;
  try {
    ({ values } = await get('tagging/draft'));
  } catch (error) {
    fill(element, h('p', { class: 'field-error' }, error.message), h('button', { type: 'button', class: 'btn', onclick: () => mount(element) }, icon('refresh'), t('Try again')));
    return;
  }
  const tab = { values, unsaved: false, problems: [], folder: null, status: null, checks: 0, looks: 0, saving: Promise.resolve() };
  const act = {
    values: () => tab.values,
    change: (name, value) => change(tab, parts, element, name, value),
    download: (name) => send(tab, parts, `tagging/models/${encodeURIComponent(name)}/download`),
    cancelDownload: (name) => send(tab, parts, `tagging/models/${encodeURIComponent(name)}/cancel`),
    demo: () => useDemo(tab, parts, element),
    changed: () => look(tab, parts, element),
    end: (run) => post(`tagging/runs/${run.id}/${run.stopping ? 'end' : 'stop'}`).catch(complain).finally(() => look(tab, parts, element)),
    keepTexts: () => change(tab, parts, element, 'texts_from', tab.values.folder),
    clearTexts: () => { for (const name of TEXTS) change(tab, parts, element, name, ''); },
  };
  const parts = { form: buildForm(act), trial: buildTry(act), run: buildRun(act), bar: null };
  parts.bar = buildBar(() => start(tab, parts, element, act), act);
  fill(element, h('div', { class: 'tg-page' }, h('div', { class: 'tg-left' }, parts.form.root), h('div', { class: 'tg-right' }, parts.run.root, parts.trial.root), parts.bar.root));
  parts.form.show(tab.values);
  tab.save = debounce(() => save(tab), SAVE_MS);
  tab.check = debounce(() => check(tab, parts, element), CHECK_MS);
  beforeReload(() => (tab.unsaved ? save(tab) : null));
  window.addEventListener('pagehide', () => tab.unsaved && save(tab, { keepalive: true }));
  new IntersectionObserver((entries) => entries.some((entry) => entry.isIntersecting) && look(tab, parts, element)).observe(element);
  check(tab, parts, element);
  look(tab, parts, element);
}

function buildBar(begin, act) {
  const why = h('span', { class: 'tg-why', 'data-role': 'tagger-why' });
  const button = h('button', { type: 'button', class: 'btn primary large', id: 'tagger-start', onclick: begin }, icon('play'), t('Start tagging'));
  const progress = h('div', { class: 'tg-going', 'data-role': 'tagger-going' });
  const cancel = h('button', { type: 'button', class: 'btn large', onclick: () => act.end(going.run) });
  const going = { run: null, meaning: '' };
  const root = h('div', { class: 'tg-bar-bottom' }, why, button, progress, cancel);

  // The button stays the same element while it means the same: a click or a focus outlives a redraw.
  function drawCancel(run) {
    const meaning = `${run.id} ${run.stopping}`;
    if (going.meaning === meaning) return;
    going.meaning = meaning;
    cancel.classList.toggle('danger', run.stopping);
    cancel.dataset.role = run.stopping ? 'tagger-end' : 'tagger-cancel';
    fill(cancel, icon('stop'), run.stopping ? t('End now') : t('Cancel'));
  }

  return {
    root,
    show(tab) {
      const run = isGoing(tab.status?.run) ? tab.status.run : null;
      going.run = run;
      for (const element of [why, button]) element.hidden = run !== null;
      for (const element of [progress, cancel]) element.hidden = run === null;
      if (run) {
        fill(progress, progressBar(run), h('div', { class: 'row wrap small' }, run.stopping ? t('Stopping …') : progressWords(run)));
        drawCancel(run);
      }
      why.textContent = tab.problems.length ? sentence(tab.problems[0]) : '';
    },
  };
}

function change(tab, parts, element, name, value) {
  if (tab.values[name] === value) return;
  tab.values = { ...tab.values, [name]: value, ...(TEXTS.includes(name) ? { texts_from: tab.values.folder } : {}) };
  tab.unsaved = true;
  parts.form.show(tab.values);
  if (FORGETS.has(name)) parts.trial.forget();
  parts.trial.update();
  tab.save();
  if (CHECKED.has(name)) tab.check();
}

/** One after the other: of two on their way at once the older could be the one that stays on disk. */
function save(tab, options = {}) {
  if (options.keepalive) return sendDraft(tab, options);
  tab.saving = tab.saving.then(() => (tab.unsaved ? sendDraft(tab) : null));
  return tab.saving;
}

async function sendDraft(tab, options = {}) {
  const sent = tab.values;
  try {
    await post('tagging/draft', { values: sent }, options);
    if (tab.values === sent) tab.unsaved = false;
  } catch (error) {
    if (!options.keepalive) complain(error);
  }
}

async function check(tab, parts, element) {
  const own = (tab.checks += 1);
  let answer;
  try {
    answer = await post('tagging/check', { values: tab.values });
  } catch (error) {
    answer = { problems: error.problems?.length ? error.problems : [{ address: 'folder', message: error.message }], folder: null, with_subfolders: 0, unused: [] };
  }
  if (own !== tab.checks) return;
  tab.problems = answer.problems;
  tab.folder = answer.folder;
  tab.foreign = answer.foreign ?? null;
  if (answer.folder && !tab.values.texts_from && TEXTS.some((text) => tab.values[text].trim())) change(tab, parts, element, 'texts_from', tab.values.folder);
  parts.form.foreign(tab.foreign);
  // An untouched form has nothing wrong: the empty folder is only told at the button.
  parts.form.problems(tab.problems.filter((problem) => problem.address !== 'folder' || tab.values.folder.trim() !== '').filter((problem) => problem.address !== 'model'));
  parts.form.counted(tab.folder, answer.with_subfolders, answer.unused);
  parts.trial.pictures(tab.folder);
  parts.bar.show(tab);
  element.dataset.checks = String(own);
}

async function look(tab, parts, element) {
  clearTimeout(tab.timer);
  const own = (tab.looks += 1);
  let wait = QUIET_MS;
  if (visible(element)) {
    try {
      const before = tab.status;
      const status = await get('tagging/status');
      if (own !== tab.looks) return; // something newer is known, and whoever learned it looks again
      tab.status = status;
      wait = busy(tab.status) ? BUSY_MS : QUIET_MS;
      parts.form.models(tab.status.models);
      parts.run.show(tab.status.run, tab.folder?.path);
      parts.bar.show(tab);
      if (before && changed(before, tab.status)) tab.check();
    } catch { /* the header says that the page cannot reach Athanor */ }
  }
  clearTimeout(tab.timer);
  if (element.isConnected) tab.timer = setTimeout(() => look(tab, parts, element), wait);
}

const isGoing = (run) => run?.state === 'running' || run?.state === 'waiting';
const busy = (status) => isGoing(status.run) || status.run?.undoing || status.models.some((model) => isGoing(model.download));
const shape = (status) => JSON.stringify([status.run?.id, status.run?.state, status.run?.undone?.time, status.models.map((model) => model.present)]);
const changed = (before, after) => shape(before) !== shape(after);

async function send(tab, parts, path) {
  try {
    const { models } = await post(path);
    tab.looks += 1;
    parts.form.models(models);
    look(tab, parts, parts.form.root.closest('[data-widget]'));
  } catch (error) {
    complain(error);
  }
}

async function useDemo(tab, parts, element) {
  try {
    const { folder, model } = await post('tagging/demo');
    change(tab, parts, element, 'model', model);
    change(tab, parts, element, 'folder', folder);
  } catch (error) {
    complain({ message: say(error.message) });
  }
}

/** Whether a start may go on: texts typed for another folder are kept or cleared, as is answered. */
async function settleTexts(tab, act) {
  if (!tab.foreign) return true;
  const texts = TEXTS.map((name) => tab.values[name].trim()).filter(Boolean).join(', ');
  const answer = await choose(t('“{texts}” was typed for {name}. Use it for this folder too?', { texts, name: tab.foreign }), [['keep', t('Use it here too')], ['clear', t('Clear it')]]);
  if (answer === 'keep') act.keepTexts();
  if (answer === 'clear') act.clearTexts();
  return answer !== null;
}

async function start(tab, parts, element, act) {
  if (!await settleTexts(tab, act)) return;
  const replacing = tab.values.conflict === 'replace' && tab.folder?.captioned;
  if (replacing && !await ask(t('Replace the {n|caption|captions} of {n} {n|picture|pictures}? One undo brings them back.', { n: tab.folder.captioned }), { ok: t('Replace') })) return;
  try {
    const run = await post('tagging/start', { values: tab.values });
    tab.looks += 1;
    tab.status = { ...tab.status, run };
    parts.run.show(run, run.settings.folder);
    parts.bar.show(tab);
    parts.run.root.scrollIntoView({ block: 'nearest' });
  } catch (error) {
    if (error.problems?.length) {
      tab.problems = error.problems;
      parts.form.problems(tab.problems);
      parts.bar.show(tab);
      parts.form.focus(tab.problems[0].address);
    } else complain({ message: say(error.message) });
  }
  look(tab, parts, element);
}
