// The Train tab: puts the form, the bar above it and the report beside it together.
import { buildFields, namesOf } from './form-fields.js';
import { buildReport } from './form-report.js';
import { buildToolbar } from './form-presets.js';
import { FormState } from './form-state.js';
import { get, post } from './api.js';
import { fill, h, icon, visible } from './dom.js';
import { choose, complain, notice } from './notice.js';
import { sentence } from './messages.js';
import { receive } from './form-handover.js';
import { placedWords } from './jobwords.js';
import { beforeReload, bytes, t, textReady } from './text.js';

const MODEL_FIELDS = ['model.pretrained_model_name_or_path', 'model.vae', 'network.network_weights'];

export async function mount(element) {
  await textReady();
  let spec;
  let draft;
  try {
    [spec, draft] = await Promise.all([get('form/spec'), get('form/draft')]);
  } catch (error) {
    element.replaceChildren(h('p', { class: 'field-error' }, error.message), h('button', { type: 'button', class: 'btn', onclick: () => mount(element) }, icon('refresh'), t('Try again')));
    return;
  }
  const state = new FormState(spec, draft);
  const fields = buildFields(state);
  const toolbar = buildToolbar(state, fields);
  const report = buildReport(state, { jump: fields.jump, start: (queue, unsaved) => start(state, report, fields, queue, unsaved), download: () => download(state), demo: () => toolbar.demo() });
  element.replaceChildren(h('div', { class: 'form-page' }, h('div', { class: 'form-left' }, toolbar.root, fields.root), h('div', { class: 'form-right' }, report.panel), report.bar));
  element.dataset.seq = '0';
  listen(element, state, fields, toolbar, report);
  toolbar.show();
  report.show();
  tellWhatWasFitted(element, draft.fitted ?? []);
  state.checkSoon(0);
  state.watch(element, () => get('form/draft'));
  lookWhenShown(element, state);
  receive(toolbar.fill);
  beforeReload(() => (state.dirty ? state.save() : null));
}

/** Coming back from another tab: captions may have been edited, saved or written there. */
function lookWhenShown(element, state) {
  let shown = true;
  new IntersectionObserver(() => {
    const now = element.offsetParent !== null;
    if (now && !shown) state.look({ quiet: true });
    shown = now;
  }).observe(element);
}

/** Once a browser session, and only to somebody who looks at this tab. */
function tellWhatWasFitted(element, notes) {
  if (!notes.length || sessionStorage.getItem('athanor-fitted-told')) return;
  new IntersectionObserver((entries, observer) => {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    observer.disconnect();
    sessionStorage.setItem('athanor-fitted-told', '1');
    notice(notes.map(sentence).join(' '), { seconds: 20 });
  }).observe(element);
}

function listen(element, state, fields, toolbar, report) {
  const described = new Map();
  let closeLost = null;
  const back = () => { closeLost?.(); closeLost = null; };
  state.addEventListener('value', (event) => {
    fields.show(event.detail);
    if (event.detail === null) toolbar.show();
    report.show();
    describeModels(state, fields, described);
  });
  state.addEventListener('mode', () => {
    toolbar.show();
    fields.layout();
  });
  state.addEventListener('answer', () => {
    back();
    fields.showProblems();
    report.show();
    element.dataset.seq = String(Number(element.dataset.seq) + 1);
  });
  state.addEventListener('report', () => {
    fields.showProblems();
    report.show();
    showFolder(state, fields);
    showPreviews(state, fields);
    const back = state.fillPrompts();
    if (back) notice(t('The prompts for previews were made from your captions.'), { action: { label: t('Undo'), run: back } });
    element.dataset.reading = String(state.reading);
  });
  state.addEventListener('saved', () => { element.dataset.rev = String(state.rev); });
  state.addEventListener('offline', (event) => {
    closeLost ??= notice(event.detail.message, { kind: 'error', lost: event.detail.status === 0 });
  });
  state.addEventListener('newer', ({ detail: { addresses, back: ours } }) => {
    notice(t('Changed in another window: {names}. This window shows it now.', { names: namesOf(state, addresses) }), { seconds: 30, action: { label: t('Undo'), run: ours } });
  });
  state.addEventListener('steps', toolbar.showSteps);
  state.addEventListener('back', ({ detail: { step, addresses } }) => {
    if (step.address && fields.point(step.address)) return;
    notice(t('Restored: {names}.', { names: namesOf(state, addresses) }));
  });
  keysGoBack(element, state);
  describeModels(state, fields, described);
}

/**
 * Ctrl-Z and Ctrl-Y go through the form's own steps, in its text fields too: the browser's undo knows nothing of
 * presets and files, and would write what stood there before into a field that somebody else filled since.
 */
function keysGoBack(element, state) {
  const searching = (target) => target.matches?.('[type=search]') && target.value !== '';
  const go = (event, redo) => {
    event.preventDefault();
    if (redo) state.redo();
    else state.undo();
  };
  document.addEventListener('keydown', (event) => {
    const key = event.key.toLowerCase();
    if (!(event.ctrlKey || event.metaKey) || event.altKey || !['z', 'y'].includes(key)) return;
    if (!visible(element) || document.querySelector('dialog[open]') || searching(event.target)) return;
    if (event.target.closest?.('input, textarea') && !element.contains(event.target)) return;
    go(event, key === 'y' || event.shiftKey);
  });
  element.addEventListener('beforeinput', (event) => {
    if (['historyUndo', 'historyRedo'].includes(event.inputType) && !searching(event.target)) go(event, event.inputType === 'historyRedo');
  });
}

// What a chosen file is: "SD 1.5, 2.1 GB, fp16", or why it cannot be used.
function describeModels(state, fields, described) {
  for (const address of MODEL_FIELDS) {
    const path = String(state.values[address] ?? '').trim();
    const view = fields.view(address);
    const asked = address === MODEL_FIELDS[0] ? `${path}\n${state.preset}` : path;
    if (!view || described.get(address) === asked) continue;
    described.set(address, asked);
    if (!path) {
      view.status.hidden = true;
      continue;
    }
    setTimeout(async () => {
      if (described.get(address) !== asked) return;
      try {
        const told = await post('form/model', { address, path });
        const odd = address === MODEL_FIELDS[0] && told.good && otherFamily(state, told.title);
        if (described.get(address) === asked) showStatus(view.status, told.good && !odd, odd ? `${told.title}. ${odd}` : told.problem ? sentence(told.problem) : [told.title, told.bytes ? bytes(told.bytes) : '', told.dtype].filter(Boolean).join(', '), !told.good);
        fields.showProblems();
      } catch (error) {
        if (described.get(address) === asked) showStatus(view.status, false, error.message);
      }
    }, 150);
  }
}

// A preset for another kind of base model than the chosen one.
function otherFamily(state, title) {
  const wanted = { sd15: 'SD 1.5', sdxl: 'SDXL' }[state.presetNamed(state.preset)?.group];
  if (!wanted || title.startsWith(wanted)) return '';
  return t('The chosen preset is for {family}; take one for this kind of base model above.', { family: wanted });
}

function showStatus(host, good, text, unusable = false) {
  host.className = `f-status ${good ? 'good' : 'bad'}`;
  host.dataset.unusable = String(unusable);
  host.replaceChildren(icon(good ? 'check' : 'warning'), ` ${text}`);
  host.hidden = false;
}

function showFolder(state, fields) {
  const view = fields.view('dataset.train_data_dir');
  const { report } = state;
  if (!view) return;
  if (state.reading && !report?.images) {
    view.status.className = 'f-status muted';
    view.status.textContent = t('Reading the pictures…');
    view.status.hidden = false;
  } else if (report?.images) {
    const missing = report.folders.reduce((sum, folder) => sum + (folder.missing_captions || 0), 0);
    showStatus(view.status, missing === 0, [t('{n} {n|picture|pictures}', { n: report.images }), t('{n} {n|bucket|buckets}', { n: report.buckets.length }), missing ? t('{n} without tags', { n: missing }) : t('all tagged')].join(', '));
  } else {
    view.status.hidden = true;
  }
}

// How many previews the prompts come to, and those that would be drawn larger than what is trained.
function showPreviews(state, fields) {
  const view = fields.view('sample.sample_prompts');
  const plan = state.report?.previews;
  if (!view) return;
  view.status.hidden = !plan || plan.times === 0;
  if (view.status.hidden) return;
  const { prompts, times, steps, unsized, width, height } = plan;
  const sized = () => state.set('sample.sample_prompts', String(state.values['sample.sample_prompts']).split('\n')
    .map((line) => (line.trim() && !line.startsWith('#') && !/\s--[wh]\s/.test(line) ? `${line.trimEnd()} --w ${width} --h ${height}` : line)).join('\n'), { apart: true });
  view.status.className = `f-status f-previews ${unsized ? 'bad' : 'muted'}`;
  fill(view.status, h('span', {}, t('{n} {n|preview|previews} of up to {steps} steps: {prompts} {prompts|prompt|prompts}, {times} {times|time|times}.', { n: prompts * times, steps, prompts, times })),
    unsized > 0 && [h('span', {}, t('Without --w and --h a picture is 512 × 512, larger than the training size {size}.', { size: `${width} × ${height}` })),
      h('button', { type: 'button', class: 'f-more', 'data-role': 'size-prompts', onclick: sized }, t('Add the training size'))]);
}

async function start(state, report, fields, queue, unsaved) {
  report.busy(true);
  try {
    const answer = await post('form/start', { values: state.values, queue, unsaved });
    const show = () => { location.hash = `job=${answer.id}`; };
    // What goes to the queue is often one of several: the form stays open for the next.
    notice(placedWords(answer.name, answer), queue ? { action: { label: t('View'), run: show } } : {});
    document.dispatchEvent(new CustomEvent('athanor:look'));
    if (!queue) show();
  } catch (error) {
    const problem = error.problems?.[0];
    if (problem?.unsaved && unsaved === 'ask') {
      const way = await choose(sentence(problem), [['save', queue ? t('Save and queue') : t('Save and start')], ['leave', queue ? t('Queue without') : t('Start without')]]);
      if (way) await start(state, report, fields, queue, way);
      return;
    }
    if (problem?.address) fields.jump(problem.address);
    complain(error);
    state.checkSoon(0);
  } finally {
    report.busy(false);
  }
}

function download(state) {
  const name = String(state.values['save.output_name'] || 'athanor').replace(/[^\p{L}\p{N}_.-]+/gu, '_');
  const link = h('a', { href: URL.createObjectURL(new Blob([state.answer?.toml ?? ''], { type: 'application/toml' })), download: `${name}.toml` });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}
