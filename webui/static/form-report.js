// The right side: what will happen with these values, what is wrong, and the buttons that start it.
import { clear, fill, h, icon, openTab } from './dom.js';
import { sentence } from './messages.js';
import { duration, t } from './text.js';
import { cureButtons } from './form-cures.js';
import { shownValue, words } from './form-fields.js';
import { rulesOfThumb } from './form-thumbs.js';
import { drawCurve } from './lrplot.js';

const MOST_SHOWN = 8;
const MOST_ALIKE = 2;
const MOST_LISTED = 50;

export function buildReport(state, actions) {
  const sum = h('div', { class: 'r-sum', 'data-role': 'sum', 'aria-live': 'polite' });
  const output = h('p', { class: 'r-output', 'data-role': 'output' });
  const expected = h('div', { class: 'r-expected', 'data-role': 'expectation' });
  const thumbs = folded(t('What guides say'), 'thumbs');
  thumbs.root.open = true;
  const data = h('div', { class: 'r-data', 'data-role': 'data' });
  const plot = h('div', { class: 'r-plot', 'data-role': 'curve' });
  const problems = h('ul', { class: 'r-problems', 'data-role': 'problems' });
  const differences = folded('', 'differences');
  const toml = folded('TOML', 'toml');
  const copy = h('button', { type: 'button', class: 'btn quiet', 'data-role': 'download', onclick: actions.download }, icon('download'), t('Download'));
  const code = h('pre', { class: 'r-toml mono', 'data-role': 'toml-text', tabindex: '0' });
  toml.body.append(code, copy);
  const start = h('button', { type: 'button', class: 'btn primary', id: 'train-start', onclick: () => actions.start(false, wayOfStart(state)) }, icon('play'), h('span', {}));
  const queue = h('button', { type: 'button', class: 'btn', id: 'train-queue', onclick: () => actions.start(true, wayOfStart(state)) });
  const why = h('p', { class: 'r-why', id: 'train-why', 'data-role': 'why' });
  start.setAttribute('aria-describedby', 'train-why');
  const bar = h('div', { class: 'r-bar', 'data-role': 'start-bar' }, why, queue, start);
  const panel = h('aside', { class: 'r-panel card', 'aria-label': t('What will happen') }, h('h2', { class: 'r-title' }, t('What will happen')), sum, output, expected, problems, thumbs.root, plot, data, differences.root, toml.root);
  let busy = false;
  const unfolded = new Set();

  function show() {
    const report = state.report;
    fill(output, ...savedAs(state.answer?.output));
    output.hidden = !output.firstChild;
    fill(expected, report?.steps > 0 && expectation(report));
    thumbs.root.hidden = !(report?.images > 0);
    fill(thumbs.body, report?.images > 0 && rulesOfThumb(state, report));
    fill(sum, ...sumLines(state, report), wantsDemo(state) && h('p', { class: 'r-demo' }, t('No pictures yet?'), ' ',
      h('button', { type: 'button', class: 'btn', 'data-role': 'form-demo', onclick: actions.demo }, icon('image'), t('Fill in the demo'))));
    showData(data, report, state.reading);
    const curve = state.answer?.curve ?? report?.curve;
    plot.hidden = !curve;
    if (curve && curve !== plot.drawn) {
      drawCurve(plot, curve);
      plot.drawn = curve;
    }
    const found = allProblems(state);
    showProblems(problems, state, found, actions, unfolded);
    showDifferences(differences, state, actions.jump);
    showToml(code, state.answer?.toml ?? '');
    showStart(found);
  }

  function showStart(found) {
    const wrong = found.filter((problem) => problem.severity === 'error');
    why.classList.toggle('missing', wrong.every((problem) => problem.missing));
    const ready = !busy && state.answer !== null && wrong.length === 0;
    start.disabled = !ready;
    queue.disabled = !ready;
    const unsaved = ready ? state.report?.unsaved ?? 0 : 0;
    start.lastElementChild.textContent = unsaved ? t('Save and start') : t('Start training');
    queue.textContent = unsaved ? t('Save and queue') : t('Add to queue');
    clear(why);
    if (unsaved) why.append(...unsavedWords(unsaved, actions));
    else if (busy) why.append(t('Starting…'));
    else if (wrong.length) {
      const said = sentence(wrong[0]);
      const rest = wrong.length > 1 ? ` ${t('(and {n} more)', { n: wrong.length - 1 })}` : '';
      why.append(wrong[0].address ? h('button', { type: 'button', class: 'r-jump', onclick: () => actions.jump(wrong[0].address) }, said + rest) : said + rest);
    }
  }

  return { panel, bar, show, busy(on) { busy = on; show(); } };
}

// What a start does with captions that are open in the tag editor and not saved: the buttons say so.
const wayOfStart = (state) => (state.report?.unsaved ? 'save' : 'ask');

function unsavedWords(n, actions) {
  return [h('span', { 'data-role': 'unsaved' }, t('{n} {n|caption|captions} unsaved', { n })), ' ',
    h('button', { type: 'button', class: 'r-jump', 'data-role': 'unsaved-show', onclick: () => openTab('tags') }, t('Show')), ' ',
    h('button', { type: 'button', class: 'r-jump', 'data-role': 'unsaved-leave', onclick: () => actions.start(false, 'leave') }, t('Start without'))];
}

function wantsDemo(state) {
  const empty = (address) => String(state.values[address] ?? '') === '';
  return empty('model.pretrained_model_name_or_path') && ['dataset.train_data_dir', 'dataset.dataset_config', 'dataset.in_json'].every(empty) && !state.values['dataset.subsets']?.length && !state.values['dataset.datasets']?.length;
}

function folded(title, role) {
  const count = h('span', { class: 'f-mark' });
  const body = h('div', { class: 'r-body' });
  const root = h('details', { class: 'r-folded', 'data-role': role }, h('summary', {}, icon('right'), h('span', {}, title), count), body);
  return { root, body, count, title: root.querySelector('summary > span') };
}

// Problems of the values, then of the pictures; errors before warnings.
export function allProblems(state) {
  const ofValues = state.problems().map((problem) => ({ ...problem, severity: 'error' }));
  const notes = (state.answer?.notes ?? []).map((note) => ({ ...note, severity: 'warning' }));
  const missing = new Set(ofValues.filter((problem) => problem.missing).map((problem) => problem.address));
  const ofPictures = (state.report?.problems ?? []).filter((problem) => !missing.has(problem.address));
  const all = [...ofValues, ...ofPictures.filter((problem) => problem.severity === 'error'), ...notes, ...ofPictures.filter((problem) => problem.severity !== 'error')];
  const seen = new Set();
  return all.filter((problem) => !seen.has(problem.message) && seen.add(problem.message));
}

// "15 pictures × 10 × 10 epochs / 1 = 1500 steps", exactly as the guides count.
function sumLines(state, report) {
  if (!report) return [h('p', { class: 'muted' }, state.reading ? t('Reading the pictures…') : t('Choose a base model and a folder with pictures to see how long the run is.'))];
  if (!report.images) return [h('p', { class: 'muted' }, t('No pictures found yet.'))];
  const { epochs, batch_size: batch, steps, accumulation, processes } = report;
  const training = report.folders.filter((folder) => !folder.is_reg);
  const parts = training.map((folder) => [t('{n} {n|picture|pictures} ×', { n: folder.images }), t('{n} {n|time|times}', { n: folder.repeats })]);
  const first = parts.length === 1 ? parts[0] : parts.length <= 3 ? ['(', ...parts.flatMap((part, index) => (index ? ['+', ...part] : part)), ')'] : [t('{n} picture {n|view|views}', { n: report.repeats_sum })];
  const divided = ['/', String(batch), ...(accumulation > 1 ? ['/', String(accumulation)] : []), ...(processes > 1 ? ['/', t('{n} {n|process|processes}', { n: processes })] : [])];
  const bold = h('b', { 'data-role': 'steps' }, t('{n} {n|step|steps}', { n: steps }));
  const plain = Math.ceil((report.repeats_sum * (report.by_epochs ? epochs : 1)) / batch / accumulation / processes);
  const real = report.by_epochs ? steps : report.steps_per_epoch;
  // The plain sum leaves out what the guides leave out; where that matters, the reason stands beside the real number.
  const reason = plain === real ? '' : report.reg_images ? t('since regularisation pictures are shown as well') : t('since the last batch of each bucket is smaller');
  if (!report.by_epochs) {
    const epoch = plain === real ? [first.map(spaced), ' ', divided.map(spaced), ' = ', t('{n} {n|step|steps} an epoch', { n: real })] : [t('{n} {n|step|steps} an epoch', { n: real }), ', ', reason];
    const part = Number((steps / report.steps_per_epoch).toPrecision(steps < 10 * report.steps_per_epoch ? 2 : 3));
    const exact = part * report.steps_per_epoch === steps;
    return [h('p', { class: 'r-formula' }, bold, exact ? ' = ' : ' ≈ ', t('{n} {n|epoch|epochs}', { n: part })), h('p', { class: 'muted' }, epoch),
      part < 1 && h('p', { class: 'muted', 'data-role': 'not-all' }, t('Some pictures are never seen.'))];
  }
  const sum = [first.map(spaced), ' × ', t('{n} {n|epoch|epochs}', { n: epochs }), ' ', divided.map(spaced), ' = '];
  if (plain === real) return [h('p', { class: 'r-formula' }, sum, bold)];
  return [h('p', { class: 'r-formula' }, sum, String(plain)), h('p', { class: 'r-formula' }, '→ ', bold, ' ', h('span', { class: 'muted' }, reason))];
}

// Under which name the run would save, told before the start: a name in use gets a number, nothing is written over.
function savedAs(output) {
  if (!output) return [];
  return [t('Saved as'), ' ', h('b', { class: 'mono path' }, output.file), output.other && h('span', { class: 'muted' }, ' ', t('since the name is in use already'))];
}

// Time and memory as an earlier run with the same settings took them; no formula knows them for every machine.
function expectation({ steps, earlier }) {
  if (!earlier) return h('p', { class: 'muted' }, t('Time and GPU memory appear here after the first run with such settings.'));
  const { name, vram_gib: memory, gpu, id } = earlier;
  const parts = [t('about {time} of training', { time: duration(steps * earlier.seconds_per_step) }), memory > 0 && t('{n} GiB of graphics memory', { n: memory.toFixed(1) })].filter(Boolean).join(', ');
  return h('p', {}, h('b', {}, parts), ' ',
    h('a', { class: 'muted', href: `#job=${id}`, title: gpu }, t('measured in {name}, with the same settings', { name })));
}

function spaced(part) {
  return typeof part === 'string' ? `${part} ` : part;
}

function showData(host, report, reading) {
  clear(host);
  if (!report) return;
  if (report.buckets.length) host.append(h('h3', {}, t('Buckets, with repeats'), reading ? h('span', { class: 'muted' }, ` ${t('reading…')}`) : ''), bucketBars(report.buckets));
  if (report.folders.length > 1 || report.folders.some((folder) => folder.missing_captions || folder.is_reg)) {
    host.append(h('h3', {}, t('Folders')), h('table', { class: 'table r-folders' }, ...report.folders.map(folderRow)));
  }
}

function bucketBars(buckets) {
  const most = Math.max(...buckets.map((bucket) => bucket.count));
  const sorted = [...buckets].sort((one, other) => other.count - one.count);
  const rows = sorted.slice(0, MOST_SHOWN).map((bucket) => h('div', { class: 'r-bucket', 'data-role': 'bucket' },
    h('span', { class: 'mono' }, `${bucket.width}×${bucket.height}`), h('span', { class: 'progress' }, h('i', { style: `width:${Math.max(2, (100 * bucket.count) / most)}%` })), h('span', { class: 'mono' }, `×${bucket.count}`)));
  if (sorted.length > MOST_SHOWN) rows.push(h('p', { class: 'muted' }, t('and {n} smaller {n|bucket|buckets}', { n: sorted.length - MOST_SHOWN })));
  return h('div', { class: 'r-buckets' }, rows);
}

function folderRow(folder) {
  return h('tr', {}, h('td', { class: 'mono', title: folder.path }, folder.name, folder.is_reg ? h('span', { class: 'badge' }, t('reg')) : ''),
    h('td', {}, t('{n} {n|picture|pictures} ×', { n: folder.images }), ' ', String(folder.repeats)),
    h('td', { class: folder.missing_captions ? 'r-missing' : 'muted' }, folder.missing_captions ? t('{n} without tags', { n: folder.missing_captions }) : t('all tagged')));
}

// What is said alike of many pictures is said once; the others are one click away.
function showProblems(host, state, problems, actions, unfolded) {
  const kinds = new Map();
  for (const problem of problems) {
    const kind = `${problem.severity} ${withoutItsName(problem)}`;
    kinds.set(kind, [...(kinds.get(kind) ?? []), problem]);
  }
  fill(host, [...kinds].map(([kind, alike]) => {
    if (alike.length <= MOST_ALIKE) return alike.map((problem) => problemLine(state, problem, actions));
    const rest = h('details', { class: 'r-alike', open: unfolded.has(kind), ontoggle: () => unfolded[rest.open ? 'add' : 'delete'](kind) },
      h('summary', {}, t('{n} more like this', { n: alike.length - 1 })), h('ul', {}, alike.slice(1, MOST_LISTED).map((problem) => h('li', {}, said(problem, actions)))),
      alike.length > MOST_LISTED && t('and {n} more', { n: alike.length - MOST_LISTED }));
    return problemLine(state, alike[0], actions, rest);
  }));
}

// The sentence without the file that it is about and without numbers.
function withoutItsName(problem) {
  const name = String(problem.path ?? '').split(/[/\\]/).at(-1);
  return (name ? problem.message.replaceAll(name, '') : problem.message).replace(/\d+/g, '#');
}

function problemLine(state, problem, actions, rest = null) {
  const wrong = problem.severity === 'error';
  const mark = icon(problem.missing ? 'edit' : wrong ? 'error' : 'warning');
  return h('li', { class: problem.missing ? 'missing' : wrong ? 'wrong' : 'warning', 'data-role': 'problem' }, mark, h('div', { class: 'r-told' }, said(problem, actions), cureButtons(state, problem), rest));
}

function said(problem, actions) {
  const words = sentence(problem);
  if (!problem.address) return h('span', { title: problem.path }, words);
  return h('button', { type: 'button', class: 'r-jump', title: problem.path, 'data-role': 'jump', 'data-address': problem.address, onclick: () => actions.jump(problem.address) }, words);
}

// Every field that differs; paths and names stand apart, since a preset leaves them alone.
function showDifferences(view, state, jump) {
  const [changed, own] = [state.changed(), [...state.fields.keys()].filter((address) => state.differs(address) && state.isOwn(address))];
  view.title.textContent = state.source ? t('Differences from {name}', { name: state.source.name }) : t('Differences from the preset');
  fill(view.count, h('span', { class: 'badge' }, String(changed.length + own.length)));
  view.root.hidden = !state.presetNamed(state.preset) && !state.source;
  fill(view.body, changed.length === 0 && h('p', { class: 'muted' }, t('Nothing was changed.')), changed.map((address) => difference(state, address, jump)),
    own.length > 0 && [h('p', { class: 'muted', 'data-role': 'own-values' }, t('Paths and names, which a preset leaves alone')), own.map((address) => difference(state, address, jump))]);
}

function difference(state, address, jump) {
  const field = state.fields.get(address);
  const back = t('Back to {value}', { value: shownValue(field, state.presetValues[address]) });
  return h('div', { class: 'r-difference' },
    h('button', { type: 'button', class: 'r-jump', title: field.name, onclick: () => jump(address) }, words(field.title)),
    h('span', { class: 'mono' }, h('s', { class: 'muted' }, shownValue(field, state.presetValues[address])), ' ', shownValue(field, state.values[address])),
    h('button', { type: 'button', class: 'btn quiet square', title: back, 'aria-label': back, onclick: () => state.reset(address) }, icon('undo')));
}

function showToml(host, text) {
  if (host.dataset.text === text) return;
  host.dataset.text = text;
  fill(host, text.split('\n').map((line) => {
    if (line.startsWith('[')) return h('span', { class: 'toml-table' }, `${line}\n`);
    const [name, ...rest] = line.split(' = ');
    return rest.length ? [h('span', { class: 'toml-key' }, name), ` = ${rest.join(' = ')}\n`] : `${line}\n`;
  }));
}
