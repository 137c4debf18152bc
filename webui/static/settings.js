// The Settings tab: language, folders, downloads, what was found on this machine, a report for a bug.
import { fill, h, icon, visible } from './dom.js';
import { get, post, url } from './api.js';
import { bytes, lang, setLang, t, textReady } from './text.js';
import { ask, complain, notice } from './notice.js';
import { attachCompletion, browse } from './browse.js';
import { translated } from './messages.js';

const FOLDERS = {
  output: ['Finished LoRA files', 'Where the Train tab puts results unless output_dir says otherwise.'],
  logs: ['TensorBoard logs', 'What the TensorBoard tab shows.'],
  train: ['Data sets', 'Where Athanor looks for data sets first.'],
  models: ['Base models', 'Where Athanor looks for base models first.'],
};

export async function mount(element) {
  await textReady();
  const body = h('div', { class: 'settings', id: 'settings' });
  fill(element, body);
  let known;
  try { known = await get('settings'); } catch (error) { fill(body, h('p', { class: 'box-error' }, error.message)); return; }

  const save = async (change, field = null) => {
    try {
      known = await post('settings', change);
      field?.show(null);
      notice(t('Saved.'));
      return true;
    } catch (error) {
      const missing = error.problems?.some((problem) => problem.kind === 'missing');
      if (missing && await ask(t('This folder does not exist. Create it?'), { ok: t('Create') })) return save({ ...change, create: true }, field);
      if (field && error.problems?.length) field.show(error.problems[0].message); else complain(error);
      return false;
    }
  };

  fill(body,
    known.damaged && h('p', { class: 'box-error', 'data-role': 'settings-damaged' }, t('The settings file was damaged when Athanor started: it is kept as {path}, and what could be read of it is used.', { path: known.damaged })),
    card(t('Page'), languageField(), numberField(known, 'stop_grace_seconds', t('Time to save when stopping'), t('How many seconds a job may take to save before it is ended.'), save),
      numberField(known, 'jobs_at_once', t('Jobs at a time'), t('More than one only helps when each has its own GPU or a small model.'), save)),
    card(t('Folders'), known.folders.map((folder) => folderField(folder, save))),
    card(t('Downloads'), mirrorField(known),
      addressField(known, 'hf_endpoint', t('Model downloads'), t('Address to use instead of the usual model hub; empty = the usual one. Nothing is downloaded unless you ask for it.'), save),
      addressField(known, 'package_mirror', t('Python packages'), t('Used by launch.sh and launch.bat when they install or update.'), save),
      addressField(known, 'torch_mirror', t('torch packages'), t('Used by launch.sh and launch.bat when they install or update.'), save)),
    spaceCard(body), machineCard(body));
}

function card(title, ...content) {
  return h('section', { class: 'card col settings-card' }, h('h2', {}, title), content);
}

let count = 0;

/** A labelled field with its help and its error; {element, show(message)}. */
function field(label, help, input, ...tools) {
  const id = (input.id ||= `setting-${(count += 1)}`);
  const error = h('p', { class: 'field-error', role: 'alert', hidden: true });
  const element = h('div', { class: 'field' }, h('label', { for: id }, label), h('div', { class: 'row' }, input, tools), help && h('p', { class: 'muted small' }, help), error);
  return { element, show(message) { error.textContent = message ? translated(message) : ''; error.hidden = !message; element.classList.toggle('bad', Boolean(message)); } };
}

function languageField() {
  let chosen = null;
  try { chosen = localStorage.getItem('athanor.lang'); } catch { /* no storage */ }
  const select = h('select', { 'data-role': 'setting-lang', onchange: () => setLang(select.value) },
    h('option', { value: '', selected: !chosen }, t('Same as the browser')), h('option', { value: 'zh', selected: chosen === 'zh' }, '中文'), h('option', { value: 'en', selected: chosen === 'en' }, 'English'));
  select.lang = lang();
  return field(t('Language'), null, select).element;
}

function numberField(known, name, label, help, save) {
  const input = h('input', { type: 'text', inputmode: 'numeric', value: known.settings[name], 'data-role': `setting-${name}`, class: 'numbers short' });
  const shown = field(label, help, input);
  input.addEventListener('change', () => {
    if (!/^\d+$/.test(input.value.trim())) { shown.show(t('Write a whole number.')); return; }
    save({ [name]: Number(input.value) }, shown);
  });
  return shown.element;
}

function folderField(folder, save) {
  const [title, help] = FOLDERS[folder.name];
  const input = h('input', { type: 'text', class: 'mono grow', value: folder.chosen, placeholder: folder.path, spellcheck: 'false', 'data-role': `setting-${folder.name}` });
  const keep = () => save({ [folder.name]: input.value.trim() }, shown);
  const choose = h('button', { class: 'btn', 'data-role': `browse-${folder.name}`, onclick: async () => {
    const path = await browse({ kind: 'folder', start: input.value || folder.path });
    if (path !== null) { input.value = path; keep(); }
  } }, icon('folder'), t('Browse'));
  const usual = h('button', { class: 'btn quiet square', title: t('Use the default folder'), 'aria-label': t('Use the default folder'), onclick: () => { input.value = ''; keep(); } }, icon('undo'));
  const shown = field(t(title), t(help), input, choose, usual);
  attachCompletion(input, { kind: 'folder' });
  input.addEventListener('change', keep);
  return shown.element;
}

function addressField(known, name, label, help, save) {
  const input = h('input', { type: 'text', inputmode: 'url', class: 'mono grow', value: known.settings[name], placeholder: 'https://', spellcheck: 'false', 'data-role': `setting-${name}` });
  const shown = field(label, help, input);
  input.addEventListener('change', () => save({ [name]: input.value.trim() }, shown));
  return shown.element;
}

function mirrorField(known) {
  const words = { none: t('None: the usual addresses'), china: t('Mirrors in China') };
  const select = h('select', { 'data-role': 'setting-mirror', onchange: async () => {
    try { await post('settings/mirror', { name: select.value }); notice(t('Saved.')); } catch (error) { complain(error); }
  } }, known.mirrors.map((name) => h('option', { value: name, selected: name === known.mirror }, words[name] ?? name)));
  return field(t('Mirrors'), t('Faster where the usual addresses are slow. The addresses below take precedence.'), select).element;
}

// What only the user's hand empties, each with what is lost.
function spaceCard(body) {
  const box = h('div', { class: 'col', 'data-role': 'space' }, h('p', { class: 'muted' }, t('Measuring…')));
  let looks = 0;
  const look = async () => {
    if (!visible(body)) return;
    const own = (looks += 1);
    try {
      const found = await get('settings/space');
      if (own === looks) show(found);
    } catch (error) {
      if (own === looks) fill(box, h('p', { class: 'field-error' }, error.message));
    }
  };
  const kinds = ({ trash, cache, in_use: user }) => [
    {
      what: 'trash', used: trash, name: t('Removed jobs'), none: t('No removed jobs.'),
      held: t('jobs: {n} · {size}', { n: trash.jobs, size: bytes(trash.bytes) }), help: t('Jobs that you removed; they stay in jobs/.trash until you empty it.'),
      question: t('Delete the removed jobs for good ({n})?', { n: trash.jobs }),
      about: t('Their logs, curves, previews and training states will be gone, and none of them can be resumed. Finished LoRA files in the output folder stay.'),
    },
    {
      what: 'cache', used: cache, name: t('Training cache'), none: t('The cache is empty.'),
      held: t('files: {n} · {size}', { n: cache.files, size: bytes(cache.bytes) }), help: user ? t('{name} is using the cache; empty it when the run is over.', { name: user }) : t('Pictures and captions as the model reads them, so that the next run on them begins faster (.athanor/cache).'),
      question: t('Empty the training cache?'), about: t('None of your files are lost. The next run rebuilds the cache, which takes some minutes for many pictures.'), blocked: Boolean(user),
    },
  ];

  function show(told) {
    fill(box, kinds(told).map((kind) => {
      const empty = kind.used.files === 0 && kind.used.jobs === 0;
      const button = h('button', { class: 'btn', 'data-role': `empty-${kind.what}`, disabled: empty || kind.blocked, onclick: () => drop(kind, button) }, icon('trash'), h('span', {}, t('Empty…')));
      return h('div', { class: 'field' }, h('div', { class: 'row' }, h('div', { class: 'grow' }, h('strong', {}, kind.name), ' ', h('span', { class: 'muted numbers', 'data-role': `used-${kind.what}` }, empty ? kind.none : kind.held)), button), h('p', { class: 'muted small' }, kind.help));
    }));
  }

  async function drop(kind, button) {
    if (!(await ask(kind.question, { ok: t('Empty'), danger: true, about: kind.about }))) return;
    button.disabled = true;
    button.lastElementChild.textContent = t('Emptying…');
    try {
      const after = await post('settings/empty', { what: kind.what });
      looks += 1;
      show(after);
      const left = after[kind.what];
      if (left.files) notice(t('{n} {n|file|files} could not be deleted ({size}); close programs that use them and try again.', { n: left.files, size: bytes(left.bytes) }), { kind: 'error' });
      else notice(t('{size} freed.', { size: bytes(kind.used.bytes) }));
    } catch (error) {
      complain(error);
      look();
    }
  }

  new IntersectionObserver((entries) => entries.some((entry) => entry.isIntersecting) && look()).observe(box);
  return card(t('Disk space'), box);
}

function machineCard(body) {
  const box = h('div', { class: 'col', 'data-role': 'machine' }, h('p', { class: 'muted' }, t('Checking the GPU and torch; this takes a few seconds …')));
  let asked = false;
  const look = async () => {
    if (asked || !visible(body)) return;
    asked = true;
    try { fill(box, machineRows(await get('settings/machine'))); } catch (error) { asked = false; fill(box, h('p', { class: 'field-error' }, error.message)); }
  };
  new IntersectionObserver((entries) => entries.some((entry) => entry.isIntersecting) && look()).observe(box);
  const report = h('div', { class: 'row wrap' }, h('a', { class: 'btn', href: url('settings/report.zip'), download: '', 'data-role': 'report' }, icon('download'), t('Save a bug report')),
    h('span', { class: 'muted small' }, t('Versions, devices and the ends of the newest logs. Your name, folders and keys are removed; look through it before you share it.')));
  return card(t('This machine'), box, report);
}

function machineRows({ devices, versions, system }) {
  const line = (name, value, role = null) => h('tr', {}, h('th', { scope: 'row' }, name), h('td', { 'data-role': role }, value));
  const gpus = devices.devices.map((gpu, index) => line(t('GPU {n}', { n: index }), `${gpu.name} · ${gpu.vram_gib} GiB · bf16 ${gpu.bf16 ? t('yes') : t('no')}`, 'gpu'));
  const none = devices.error
    ? line('GPU', t('Unknown: {reason}', { reason: devices.error }), 'gpu-none')
    : line('GPU', t('None found; training uses the processor and is slow.'), 'gpu-none');
  return h('div', { class: 'scroll-x' }, h('table', { class: 'table machine' }, h('tbody', {},
    gpus.length ? gpus : none,
    devices.torch && line('torch', `${devices.torch} · ${devices.build}`, 'torch'),
    line(t('System'), `${system.os} · ${t('{n} {n|core|cores}', { n: system.cores })} · ${t('{n} GiB memory', { n: system.memory_gib })} · ${t('{n} GiB free on the disk', { n: system.disk_free_gib })}`),
    line(t('Versions'), h('span', { class: 'mono small' }, Object.entries(versions).filter(([, version]) => version).map(([name, version]) => `${name === 'athanor' ? 'Athanor' : name} ${version}`).join(' · '))))));
}
