// One job: where it stands, its curve, previews, files, log and parameters. Polled while it is looked at.
import { clear, fill, h, icon, openTab, visible } from './dom.js';
import { handOver } from './form-handover.js';
import { get, post, url } from './api.js';
import { bytes, duration, t } from './text.js';
import { complain, notice } from './notice.js';
import { translated } from './messages.js';
import { lossCurve } from './curve.js';
import { copyText, logView } from './joblog.js';
import { removeJob } from './jobs.js';
import { nameHeading, noteBox, starButton } from './jobabout.js';
import { notifyButton } from './jobnotify.js';
import { drawResult } from './jobresult.js';
import { label, placedWords, started } from './jobwords.js';
import { phaseWords, speed, stopButton } from './shell.js';

const LIVE_MS = 300;
const QUIET_MS = 3000;
const CURVE_MS = 2000;
const READING_MS = 500;

/** Returns {element, open(id), id}; `changed` is called when the list must be read anew, `gone` with a job that is no more. */
export function jobView({ changed, gone }) {
  const head = h('div', { class: 'job-head', 'data-role': 'job-head' });
  const trouble = h('div', { class: 'col', 'data-role': 'job-trouble' });
  const result = h('section', { class: 'card', 'data-role': 'job-result', hidden: true });
  const curveName = h('span', { class: 'muted', 'data-role': 'curve-name' });
  const now = h('section', { class: 'card', 'data-role': 'job-progress' });
  const curve = lossCurve();
  const curveCard = h('section', { class: 'card' }, h('div', { class: 'row wrap' }, h('h3', { class: 'grow' }, t('Loss'), ' ', curveName), legend()), curve.element,
    h('p', { class: 'muted small' }, t('About 0.06 to 0.08 is usual for many models, but the previews decide, not this number.')));
  const previews = previewCard();
  const files = h('section', { class: 'card', 'data-role': 'job-files' });
  const log = logView();
  const parameters = parameterCard();
  const element = h('article', { class: 'job-view col', 'data-role': 'job-view', hidden: true },
    head, trouble, result, now, h('div', { class: 'job-two' }, curveCard, previews.element), files, log.element, parameters.element);

  let id = null;
  let turn = 0;
  let offset = -1;
  let revision = null;
  let curveAt = 0;
  let curveStep = null;
  let shownHead = '';

  async function poll(mine) {
    if (mine !== turn || !element.isConnected) return;
    let wait = QUIET_MS;
    if (visible(element) || offset < 0) {
      try {
        const answer = await get(`jobs/${id}/live?log=${offset}`);
        if (mine !== turn) return;
        offset = answer.log.offset;
        log.take(answer.log);
        await show(answer, mine);
        if (answer.job.reading !== null) wait = READING_MS;
        else if (answer.job.state === 'running') wait = LIVE_MS;
        element.dataset.lost = '';
      } catch (error) {
        if (mine !== turn) return;
        if (error.status === 404) { element.hidden = true; gone(id); return; }
        element.dataset.lost = 'yes';
        wait = 1000;
      }
    }
    setTimeout(() => poll(mine), wait);
  }

  async function show({ job, revision: newest }, mine) {
    element.hidden = false;
    element.dataset.state = job.state;
    drawProgress(now, job);
    if (newest !== revision || job.state !== element.dataset.detailState) {
      const detail = await get(`jobs/${id}`);
      if (mine !== turn) return;
      revision = newest;
      element.dataset.detailState = job.state;
      drawTrouble(trouble, detail);
      drawResult(result, detail);
      drawFiles(files, detail);
      previews.show(detail);
      element.detail = detail;
    }
    previews.now(job);
    curveName.textContent = label(job);
    drawHead(job, element.detail);
    const drawn = `${job.step} ${job.reading}`;
    if (drawn !== curveStep && (Date.now() - curveAt > CURVE_MS || (job.state !== 'running' && job.reading === null))) {
      curveAt = Date.now();
      const points = await get(`jobs/${id}/curve`);
      if (mine !== turn) return;
      curveStep = drawn;
      curve.show(points);
    }
    curveCard.hidden = !job.step;
  }

  function drawHead(job, detail) {
    const shape = JSON.stringify([job.id, job.name, job.star, job.state, job.stopping_since, job.position, detail.resumable, detail.about.note]);
    if (shape === shownHead || head.querySelector('[data-role=job-rename], [data-role=note-field]')) return; // what is being written stays
    shownHead = shape;
    fill(head,
      h('div', { class: 'col grow' },
        h('div', { class: 'row wrap' }, starButton(job, renew), nameHeading(job, renew), stateBadge(job)),
        h('span', { class: 'muted small' }, [started(job), detail.started.base_model && baseName(detail.started.base_model)].filter(Boolean).join(' · ')),
        noteBox(job, detail.about.note, renew)),
      h('div', { class: 'toolbar', 'data-role': 'job-actions' }, actions(job, detail, after, (next) => { if (id === job.id) location.hash = `job=${next}`; })));
  }

  const renew = () => { revision = null; after(); };
  const after = () => { shownHead = ''; changed(); document.dispatchEvent(new Event('athanor:look')); };

  return {
    element,
    get id() { return id; },
    open(next) {
      id = next;
      turn += 1;
      offset = -1;
      revision = curveStep = null;
      curveAt = 0;
      shownHead = '';
      element.hidden = !next;
      if (!next) return;
      for (const part of [head, trouble, now, files, result]) clear(part);
      result.hidden = true;
      previews.clear();
      curve.show({ steps: [], low: [], high: [], smooth: [], rates: {}, epochs: [], saves: [], validations: [], total: 0 });
      log.restart(next);
      parameters.restart(next);
      poll(turn);
    },
  };
}

/** A job's state as a word in a coloured badge. */
export function stateBadge(job) {
  const kinds = { running: 'accent', finished: 'ok', failed: 'danger', crashed: 'danger', stopped: 'warn', waiting: '' };
  const words = {
    running: t('Running'), finished: t('Finished'), failed: t('Failed'), crashed: t('Crashed'), stopped: t('Stopped'),
    waiting: job.position ? t('Waiting, number {n}', { n: job.position }) : t('Not started'),
  };
  return h('span', { class: `badge ${kinds[job.state] ?? ''}`, 'data-role': 'job-state', 'data-state': job.state }, words[job.state] ?? job.state);
}

const baseName = (path) => String(path).split(/[/\\]/).filter(Boolean).at(-1) ?? '';

function actions(job, detail, after, follow) {
  const button = (role, words, image, run, kind = '') => h('button', {
    class: `btn ${kind}`, 'data-role': role,
    onclick: async (event) => {
      event.currentTarget.disabled = true;
      try { await run(); } catch (error) { complain(error); }
      after();
    },
  }, icon(image), words);
  const go = async (path) => {
    const answer = await post(`jobs/${job.id}/${path}`);
    if (path !== 'stop') notice([placedWords(job.name, answer), answer.anew && t('It begins at the first step, without the training state that {name} had gone on from.', { name: job.name })].filter(Boolean).join(' '));
    if (answer.id !== job.id) follow(answer.id);
  };
  const ask = (name, words) => async () => { await post(`jobs/${job.id}/request/${name}`); notice(words); };
  const change = () => intoForm(job, 'values', (values) => (values['save.resume']
    ? t('The settings of {name} are in the form, with the training state it went on from (resume). Change them, then start.', { name: job.name })
    : t('The settings of {name} are in the form. Change them, then start.', { name: job.name })));
  const over = ['finished', 'stopped', 'failed', 'crashed'].includes(job.state);
  return [
    job.state === 'running' && !job.stopping_since && [
      button('sample-now', t('Preview now'), 'image', detail.previews ? ask('sample', t('A preview is made after this step.'))
        : async () => notice(t('This run has no preview prompts, so it cannot draw a preview. Write some in the form before the next start.'), { action: { label: t('Change and run again'), run: () => change().catch(complain) } })),
      button('save-now', t('Save now'), 'save', ask('save', t('The LoRA is saved after this step.')))],
    job.state === 'running' && stopButton(job, after),
    job.state === 'waiting' && button('start', t('Start next'), 'play', () => go('start'), 'primary'),
    job.state === 'waiting' && job.position && button('dequeue', t('Remove from queue'), 'minus', () => go('stop')),
    over && job.state !== 'finished' && detail.resumable && button('resume', t('Resume from the last state'), 'play', () => go('resume'), 'primary'),
    over && button('again', t('Run again'), 'refresh', () => go('again')),
    button('change', t('Change and run again'), 'edit', change),
    job.state !== 'running' && button('remove', t('Remove'), 'trash', () => removeJob(job, after)),
    ['running', 'waiting'].includes(job.state) && notifyButton(after),
    detail.local && button('open-folder', t('Open folder'), 'folder', () => post(`jobs/${job.id}/open`)),
  ];
}

function drawProgress(card, job) {
  const share = job.total ? (100 * job.step) / job.total : 0;
  const running = job.state === 'running';
  const cell = (role, title, value) => value && h('div', { class: 'stat' }, h('dt', {}, title), h('dd', { class: 'numbers', 'data-role': role }, value));
  card.hidden = job.state === 'waiting' || (!job.step && !running);
  if (card.hidden) return;
  const loss = Number.isFinite(job.loss) ? job.loss.toFixed(4) : null;
  const mean = Number.isFinite(job.average) ? job.average.toFixed(4) : null;
  const phase = !running ? null : job.phase && job.phase.name !== 'training' ? phaseWords(job.phase) : !job.step && !job.phase ? t('Starting …') : null;
  fill(card,
    h('div', { class: 'row progress-row' }, h('div', { class: `grow progress large${running && !job.step ? ' waiting' : ''}`, role: 'progressbar', 'aria-valuemin': 0, 'aria-valuemax': 100,
      'aria-valuenow': Math.floor(share), 'aria-label': t('Progress') }, h('i', { style: running && !job.step ? {} : { width: `${share}%` } })),
      job.step > 0 && h('span', { class: 'numbers' }, `${Math.floor(share)} %`),
      phase && h('span', { class: 'phase nowrap', 'data-role': 'phase' }, phase)),
    h('dl', { class: 'stats' },
      job.reading !== null && cell('reading', t('Reading the earlier steps …'), `${Math.floor(100 * job.reading)} %`),
      job.step > 0 && cell('step', t('Step'), `${job.step} / ${job.total}`),
      job.epochs > 0 && cell('epoch', t('Epoch'), `${job.epoch} / ${job.epochs}`),
      cell('loss', t('Loss'), loss), cell('mean', t('Mean loss'), mean), cell('speed', t('Speed'), speed(job.seconds_per_step)),
      running && cell('left', t('Time left'), job.remaining_seconds ? duration(job.remaining_seconds) : null),
      cell('elapsed', running ? t('Running for') : t('Duration'), job.seconds ? duration(job.seconds) : null),
      Number.isFinite(job.vram_gib) && job.vram_gib > 0 && cell('vram', t('GPU memory'), `${job.vram_gib.toFixed(1)} GiB`)));
}

// The settings of a job go into the form, those of a failed one with what its failure advises; the person starts.
async function intoForm(job, part, message) {
  const { values } = await get(`jobs/${job.id}/${part}`);
  handOver(values, message(values), job.name);
  openTab('train');
}

async function applyRemedy(job) {
  try {
    await intoForm(job, 'remedy', () => t('The settings of {name} with the change are in the form. Look them over, then start.', { name: job.name }));
  } catch (error) {
    complain(error);
  }
}

function remedy(job, changes) {
  const said = (value) => (value === true ? t('on') : value === false ? t('off') : String(value));
  return h('div', { class: 'row wrap', 'data-role': 'job-remedy' },
    h('button', { class: 'btn primary', 'data-role': 'apply-remedy', onclick: () => applyRemedy(job) }, icon('edit'), t('Apply the change and open the form')),
    h('span', { class: 'mono small' }, changes.map(({ address, value }) => `${address.split('.').at(-1)}: ${said(value)}`).join(' · ')));
}

function drawTrouble(box, { job, traceback, warnings, more_warnings: more, changes }) {
  const failed = job.state === 'failed';
  const crashed = job.state === 'crashed';
  const forced = job.state === 'stopped' && job.end?.forced;
  fill(box,
    forced && h('div', { class: 'box-warn', role: 'alert', 'data-role': 'job-forced' }, icon('warning'), ' ',
      t('The process was ended at step {n} before it could save its state; what was saved earlier is below.', { n: job.step })),
    (failed || crashed) && h('div', { class: 'box-error col', role: 'alert', 'data-role': 'job-error' },
      h('strong', { 'data-role': 'job-error-message' }, failed ? translated(job.end?.message ?? '') : t('The training process ended without an error message.')),
      h('p', { 'data-role': 'job-error-advice' }, failed ? translated(job.end?.advice ?? '') : t('The machine may have run out of memory, or the process was ended from outside. The end of the log below may say more.')),
      changes.length > 0 && remedy(job, changes),
      traceback && h('details', { 'data-role': 'job-traceback' }, h('summary', {}, t('Details for a bug report')), h('pre', { class: 'mono traceback' }, traceback),
        h('button', { class: 'btn', onclick: () => copyText(traceback).then(() => notice(t('Copied.')), complain) }, icon('copy'), t('Copy')))),
    warnings.length > 0 && h('details', { class: 'box-warn', open: warnings.length <= 3, 'data-role': 'job-warnings' },
      h('summary', {}, icon('warning'), ' ', t('Warnings: {n}', { n: warnings.length + more })), h('ul', { class: 'plain' }, warnings.map((entry) => h('li', {}, translated(entry.message)))),
      more > 0 && h('p', { class: 'muted small' }, t('{n} more in the log.', { n: more }))));
}

function drawFiles(card, { files, older_files: older, job, local, folder }) {
  const shown = files.filter((file) => file.exists || job.state === 'running').reverse();
  card.hidden = !shown.length;
  const kinds = { lora: 'LoRA', state: t('Training state') };
  const copy = (path) => copyText(path).then(() => notice(t('The path was copied.')), complain);
  fill(card, h('h3', {}, t('Files')),
    h('div', { class: 'scroll-x' }, h('table', { class: 'table job-files' }, h('tbody', {}, shown.map((file) => h('tr', { 'data-role': 'job-file', 'data-path': file.path },
      h('td', {}, h('span', { class: 'mono path', title: file.path }, file.shown)), h('td', { class: 'muted nowrap' }, kinds[file.kind] ?? file.kind),
      h('td', { class: 'muted numbers nowrap' }, t('step {n}', { n: file.step ?? '–' })), h('td', { class: 'muted numbers nowrap' }, file.bytes ? bytes(file.bytes) : ''),
      h('td', { class: 'nowrap' }, h('button', { class: 'btn quiet', title: file.path, 'data-role': 'copy-path', onclick: () => copy(file.path) }, icon('copy'), t('Copy path')),
        file.kind === 'lora' && file.exists && !local && h('a', { class: 'btn quiet', href: url(`jobs/${job.id}/files/${file.index}`), download: '', 'data-role': 'download-file' }, icon('download'), t('Download')),
        local && h('button', { class: 'btn quiet', 'data-role': 'open-file-folder', onclick: () => post(`jobs/${job.id}/open?file=${file.index}`).catch(complain) }, icon('folder'), t('Open folder')))))))),
    older > 0 && h('p', { class: 'muted small' }, t('{n} older {n|file is|files are} not listed.', { n: older })),
    h('p', { class: 'muted small mono path' }, folder));
}

function legend() {
  const entry = (kind, words) => h('span', { class: 'row legend small muted' }, h('i', { class: kind }), words);
  return h('div', { class: 'row wrap' }, entry('mean', t('mean')), entry('raw', t('each step')), entry('epoch', t('epoch')), entry('save', t('saved')));
}

function previewCard() {
  const picture = h('img', { class: 'preview', 'data-role': 'preview', alt: '' });
  const slider = h('input', { type: 'range', min: 0, max: 0, step: 1, value: 0, 'aria-label': t('Preview by step'), 'data-role': 'preview-slider', class: 'grow' });
  const words = h('p', { class: 'muted small numbers', 'data-role': 'preview-words' });
  const prompts = h('div', { class: 'row wrap', 'data-role': 'preview-prompts' });
  const none = h('p', { class: 'muted', 'data-role': 'preview-none' });
  const NONE = t('This job has no preview prompts, so it draws no previews. Preview prompts in the Train tab draw a picture every so often, so that you can see what the LoRA learns.');
  const UNASKED_YET = t('This job has preview prompts and no interval for them: it draws previews only when Preview now is pressed.');
  const UNASKED = t('This job has preview prompts and no interval for them, so none was drawn.');
  const FAILED = t('No preview was drawn; the warnings above and the log say why.');
  const LATER = t('The job waits for its turn. Its previews appear here while it runs.');
  const OVER = t('The run ended before the first preview.');
  const NOW = t('The first preview is being drawn.');
  const SOON = t('The first preview has not been made yet. Preview now makes one at once.');
  const body = h('div', { class: 'col' }, h('a', { target: '_blank', rel: 'noopener', class: 'preview-link' }, picture), prompts, h('div', { class: 'row' }, slider), words);
  const element = h('section', { class: 'card', 'data-role': 'job-previews' }, h('h3', {}, t('Previews')), none, body);
  let samples = [];
  let [planned, intervals, line] = [false, false, null]; // line: of the job in the list
  let job = null;
  let prompt = null;
  let last = true;

  function why() {
    if (!planned) return NONE;
    if (line?.state === 'waiting') return intervals ? LATER : UNASKED_YET;
    if (line?.state === 'running') return line.phase?.name === 'sampling' ? NOW : SOON;
    if (!intervals) return UNASKED;
    return line?.state === 'finished' ? FAILED : OVER;
  }
  const series = () => samples.filter((sample) => key(sample) === prompt);
  const key = (sample) => `${sample.prompt ?? ''}\u0000${sample.seed ?? ''}`;
  function draw() {
    none.hidden = samples.length > 0 || !line || line.reading !== null;
    none.textContent = why();
    body.hidden = !samples.length;
    if (!samples.length) return;
    const names = [...new Set(samples.map(key))];
    if (!names.includes(prompt)) [prompt] = names;
    prompts.hidden = names.length < 2;
    fill(prompts, names.map((name, index) => h('button', { class: 'chip clip', 'aria-pressed': String(name === prompt), title: name.split('\u0000')[0], onclick: () => { prompt = name; draw(); } }, t('Preview prompt {n}', { n: index + 1 }))));
    const own = series();
    slider.max = own.length - 1;
    if (last) slider.value = own.length - 1;
    slider.disabled = own.length < 2;
    const sample = own[Number(slider.value)] ?? own.at(-1);
    const source = url(`jobs/${job}/samples/${sample.index}`);
    if (picture.src !== source) picture.src = source;
    picture.alt = sample.prompt ?? '';
    picture.parentElement.href = source;
    words.textContent = [t('step {n}', { n: sample.step }), sample.epoch ? t('epoch {n}', { n: sample.epoch }) : null, sample.seed !== null && sample.seed !== undefined ? `seed ${sample.seed}` : null, sample.prompt].filter(Boolean).join(' · ');
  }
  slider.addEventListener('input', () => { last = Number(slider.value) === Number(slider.max); draw(); });
  return {
    element,
    clear() { samples = []; last = true; prompt = null; line = null; picture.removeAttribute('src'); draw(); },
    show(detail) { samples = detail.samples; planned = detail.previews; intervals = detail.intervals; line = detail.job; job = line.id; draw(); },
    now(newest) { if (!samples.length) { line = newest; draw(); } },
  };
}

function parameterCard() {
  const text = h('pre', { class: 'mono toml', 'data-role': 'job-config' });
  let id = null;
  let toml = null;
  const load = async () => {
    if (!element.open || toml !== null) return;
    const own = id;
    try {
      const answer = await get(`jobs/${own}/config`);
      if (own === id) text.textContent = toml = answer.toml;
    } catch (error) {
      if (own === id) text.textContent = error.message;
    }
  };
  const element = h('details', { class: 'card', 'data-role': 'job-parameters', ontoggle: load }, h('summary', {}, h('h3', { class: 'inline' }, t('Parameters'))),
    h('div', { class: 'toolbar' }, h('button', { class: 'btn quiet', onclick: () => copyText(toml ?? '').then(() => notice(t('Copied.')), complain) }, icon('copy'), t('Copy'))), text);
  return { element, restart(next) { id = next; toml = null; text.textContent = ''; element.open = false; } };
}
