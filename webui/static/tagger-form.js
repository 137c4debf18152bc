// The Tagger tab's left side: model and its download, folder, thresholds, options. Draws; tagger.js keeps the values.
import { attachCompletion, browse } from './browse.js';
import { fill, h, icon } from './dom.js';
import { sentence } from './messages.js';
import { say } from './tagger-words.js';
import { unusedWords } from './tags-words.js';
import { bytes, t } from './text.js';

export const OWN_FOLDER = 'folder';
let fieldNumber = 0;

/**
 * The form. act: {change(name, value), download(name), cancelDownload(name), demo()}.
 * Returns {root, show(values), models(list), counted(folder), problems(list), focus(address)}.
 */
export function buildForm(act) {
  const fields = new Map();
  const add = (name, field) => { fields.set(name, field); return field.root; };
  const model = modelField(act);
  const folder = pathField('folder', t('Picture folder'), act, t('Example: {path}', { path: './train/10_anby' }), 'train');
  const root = h('div', { class: 'card tg-form', 'data-role': 'tagger-form' },
    add('model', model),
    add('model_folder', pathField('model_folder', t('Folder of your tagger'), act, t('A folder with model.onnx and selected_tags.csv (WD) or tag_mapping.json (CL).'), 'models')),
    add('folder', folder),
    add('general_threshold', thresholdField('general_threshold', t('Threshold'), act, t('The score a tag needs. Lower: more tags, more wrong ones.'))),
    add('character_threshold', thresholdField('character_threshold', t('Character threshold'), act, t('The score a character\'s name needs.'))),
    h('div', { class: 'tg-switches' },
      add('add_rating', switchField('add_rating', t('Add the rating'), act, t('general, sensitive, questionable or explicit'))),
      add('add_model_tag', switchField('add_model_tag', t('Add image model tags'), act, t('Only the CL tagger knows them.')))),
    add('additional_tags', textField('additional_tags', t('Additional tags'), act, t('Put first, as typed: your trigger word. Separate with commas.'))),
    add('exclude_tags', textField('exclude_tags', t('Excluded tags'), act, t('Never written. Separate with commas.'))),
    h('div', { class: 'tg-switches' },
      add('replace_underscore', switchField('replace_underscore', t('Spaces for underscores'), act, t('white hair instead of white_hair; faces such as ^_^ stay.'))),
      add('escape', switchField('escape', t('Escape brackets'), act, t('Writes name \\(series\\), so that brackets do not change a weight.'))),
      add('recursive', switchField('recursive', t('Sub-folders too'), act, ''))),
    add('conflict', conflictField(act)),
    add('caption_extension', extensionField(act)));
  const shown = { values: {}, models: [] };

  function show(values) {
    shown.values = values;
    for (const [name, field] of fields) field.show(values[name]);
    fields.get('model_folder').root.hidden = values.model !== OWN_FOLDER;
    const lineage = shown.models.find((entry) => entry.name === values.model)?.lineage;
    fields.get('add_model_tag').root.hidden = !(lineage === 'cl' || values.model === OWN_FOLDER);
  }

  return {
    root,
    show,
    models(list) { shown.models = list; model.models(list); show(shown.values); },
    counted(found, all, unused) { folder.note([found ? counted(found) : null, ...beside(found, all, unused, act)]); },
    problems(list) {
      for (const [name, field] of fields) field.problem(list.filter((problem) => problem.address === name).map(sentence).join(' '));
    },
    /** Texts of another folder (its name), or null: asked about where they stand. */
    foreign(name) {
      const texts = name && ['additional_tags', 'exclude_tags'].filter((one) => shown.values[one]?.trim());
      for (const one of ['additional_tags', 'exclude_tags']) {
        fields.get(one).note(name && texts[0] === one ? h('div', { class: 'box-warn', 'data-role': 'tagger-foreign' }, t('This was typed for {name}.', { name }), ' ',
          h('button', { type: 'button', class: 'btn', 'data-role': 'tagger-texts-keep', onclick: act.keepTexts }, t('Use it here too')), ' ',
          h('button', { type: 'button', class: 'btn', 'data-role': 'tagger-texts-clear', onclick: act.clearTexts }, t('Clear it'))) : '');
      }
    },
    focus(address) {
      const field = fields.get(address);
      field?.root.scrollIntoView({ block: 'center' });
      field?.root.querySelector('input:not([type="range"]), select')?.focus({ preventScroll: true });
    },
  };
}

function counted(found) {
  const numbers = { n: found.pictures, captioned: found.captioned };
  return [
    h('span', { 'data-role': 'tagger-count' }, found.captioned ? t('{n} {n|picture|pictures}, {captioned} with a caption', numbers) : t('{n} {n|picture|pictures}, none with a caption', numbers)), ' · ',
    h('strong', { 'data-role': 'tagger-to-tag' }, found.to_tag ? t('{n} will be tagged', { n: found.to_tag }) : t('nothing to tag: all have captions')),
  ];
}

// What lies in the folder besides: pictures in its subfolders, one click away, and kinds of file that are not read.
function beside(found, all, unused, act) {
  return [
    all > 0 && h('div', {}, h('button', { type: 'button', class: 'btn', 'data-role': 'tagger-with-subfolders', onclick: () => act.change('recursive', true) }, icon('folder'), t('With subfolders, {n} {n|picture|pictures}', { n: all }))),
    found && unused.length > 0 && h('div', { class: 'muted', 'data-role': 'tagger-unused' }, unusedWords(unused)),
  ];
}

// A label, the control, a help line and the place for an error.
function frame(name, title, control, help, extra = null) {
  const id = `tagger-field-${(fieldNumber += 1)}`;
  (control.matches('input, select') ? control : control.querySelector('input, select')).id = id;
  const error = h('div', { class: 'field-error', role: 'alert', 'data-role': 'field-error' });
  const note = h('div', { class: 'small tg-note' });
  const root = h('div', { class: 'field', 'data-field': name },
    h('div', { class: 'tg-head' }, h('label', { for: id }, title), h('span', { class: 'mono tg-name' }, name)),
    control, error, note, help ? h('div', { class: 'small muted' }, help) : null, extra);
  return {
    root,
    note(content) { fill(note, content); },
    problem(text) { error.textContent = text; root.classList.toggle('bad', text !== ''); },
  };
}

function pathField(name, title, act, help, home) {
  const input = h('input', { class: 'input mono grow', spellcheck: 'false', 'data-role': `tagger-${name}`, oninput: () => act.change(name, input.value), onchange: () => act.change(name, input.value) });
  const button = h('button', { type: 'button', class: 'btn', 'data-role': `tagger-${name}-browse`, onclick: async () => {
    const path = await browse({ kind: 'folder', start: input.value, home });
    if (path !== null) { input.value = path; act.change(name, path); }
  } }, icon('folder'), t('Browse'));
  const line = h('div', { class: 'row' }, input, button);
  const field = frame(name, title, line, help);
  attachCompletion(input, { kind: 'folder' });
  return { ...field, show(value) { if (input.value !== value) input.value = value ?? ''; } };
}

function textField(name, title, act, help) {
  const input = h('input', { class: 'input', spellcheck: 'false', 'data-role': `tagger-${name}`, oninput: () => act.change(name, input.value) });
  return { ...frame(name, title, input, help), show(value) { if (input.value !== value) input.value = value ?? ''; } };
}

function thresholdField(name, title, act, help) {
  const number = h('input', { type: 'text', inputmode: 'decimal', class: 'input numbers tg-number', 'data-role': `tagger-${name}`, oninput: () => {
    const text = number.value.trim().normalize('NFKC').replace('。', '.'); // as Chinese keyboards write digits and points
    act.change(name, text !== '' && Number.isFinite(Number(text)) ? Number(text) : number.value); // what is none stays, told by the server
  } });
  const range = h('input', { type: 'range', min: '0.01', max: '1', step: '0.01', class: 'grow', 'aria-label': title, tabindex: '-1', oninput: () => act.change(name, Number(range.value)) });
  const field = frame(name, title, h('div', { class: 'row' }, number, range), help);
  return { ...field, show(value) {
    if (Number.isFinite(Number(value))) range.value = String(value);
    const written = number.value.trim().normalize('NFKC').replace('。', '.');
    if (number.value !== value && (written === '' || Number(written) !== value)) number.value = String(value);
  } };
}

function switchField(name, title, act, help) {
  const id = `tagger-field-${(fieldNumber += 1)}`;
  const box = h('input', { type: 'checkbox', id, 'data-role': `tagger-${name}`, onchange: () => act.change(name, box.checked) });
  const root = h('div', { class: 'tg-switch', 'data-field': name }, box, h('label', { for: id }, title, help ? h('span', { class: 'small muted' }, help) : null));
  return { root, problem() {}, show(value) { box.checked = Boolean(value); } };
}

function conflictField(act) {
  const choices = [
    ['skip', t('Skip'), t('leave it unchanged')],
    ['replace', t('Replace'), t('replace it with the new tags')],
    ['prepend', t('Prepend'), t('new tags first, then the old text')],
    ['append', t('Append'), t('the old text first, then new tags')],
  ];
  const boxes = choices.map(([value, title, help]) => {
    const box = h('input', { type: 'radio', name: 'tagger-conflict', value, 'data-role': `tagger-conflict-${value}`, onchange: () => act.change('conflict', value) });
    return { value, box, line: h('label', { class: 'tg-choice' }, box, h('span', {}, title, h('span', { class: 'small muted' }, help))) };
  });
  const error = h('div', { class: 'field-error', role: 'alert' });
  const root = h('fieldset', { class: 'tg-choices', 'data-field': 'conflict' }, h('legend', {}, t('If a caption exists'), h('span', { class: 'mono tg-name' }, 'conflict')), boxes.map(({ line }) => line), error);
  return { root, problem(text) { error.textContent = text; }, show(value) { for (const { value: own, box } of boxes) box.checked = own === value; } };
}

function extensionField(act) {
  const select = h('select', { 'data-role': 'tagger-caption_extension', onchange: () => act.change('caption_extension', select.value) },
    ['.txt', '.caption'].map((value) => h('option', { value }, value)));
  return { ...frame('caption_extension', t('Caption file extension'), select, ''), show(value) { select.value = value ?? '.txt'; } };
}

function modelField(act) {
  const select = h('select', { 'data-role': 'tagger-model', onchange: () => act.change('model', select.value) });
  const state = h('div', { class: 'tg-model', 'data-role': 'tagger-model-state' });
  const field = frame('model', t('Tagger model'), select, '', state);
  let list = [];
  let drawn = '';
  const show = (value) => {
    select.value = value;
    const entry = list.find((one) => one.name === value);
    const now = JSON.stringify([value, entry]);
    if (now === drawn) return;
    drawn = now;
    fill(state, value === OWN_FOLDER ? null : entry ? modelState(entry, act) : null);
  };
  return { ...field, show, models(models) {
    const titles = JSON.stringify(models.map(optionText));
    if (titles !== select.dataset.titles) {
      const value = select.value;
      select.dataset.titles = titles;
      fill(select, models.map((entry) => h('option', { value: entry.name }, optionText(entry))), h('option', { value: OWN_FOLDER }, t('My own folder …')));
      select.value = value;
    }
    list = models;
    if (select.value) show(select.value);
  } };
}

function optionText(entry) {
  const title = t(entry.title);
  if (entry.present) return t('{title}: on this machine', { title });
  return entry.bytes ? t('{title}: {size} to download', { title, size: bytes(entry.bytes) }) : t('{title}: to download', { title });
}

// What can be said and done about the chosen model: here, to download, on its way, failed.
function modelState(entry, act) {
  const note = entry.note ? h('span', { class: 'small muted' }, t(entry.note)) : null;
  if (entry.present) return h('div', { class: 'row wrap' }, h('span', { class: 'badge ok' }, icon('check'), t('on this machine')), note);
  const run = entry.download;
  if (run?.state === 'running' || run?.state === 'waiting') return downloading(entry, run, act);
  const failed = run && (run.state === 'failed' || run.state === 'crashed');
  return h('div', { class: 'col' },
    h('div', { class: 'row wrap' },
      h('button', { type: 'button', class: 'btn', 'data-role': 'tagger-download', onclick: () => act.download(entry.name) }, icon('download'),
        entry.bytes ? t('Download {size}', { size: bytes(entry.bytes) }) : t('Download')),
      note),
    failed ? h('div', { class: 'field-error', role: 'alert', 'data-role': 'tagger-download-error' }, say(run.message) || t('The download ended unexpectedly; try again, it continues where it stopped.')) : null,
    run?.state === 'stopped' ? h('div', { class: 'small muted' }, t('Stopped. The next download continues from here.')) : null);
}

function downloading(entry, run, act) {
  const total = run.bytes_total || entry.bytes;
  const done = run.phase === 'downloading' ? run.bytes_done : 0;
  const share = total ? Math.min(100, (100 * done) / total) : null;
  return h('div', { class: 'col', 'data-role': 'tagger-downloading' },
    h('div', { class: `progress${share === null ? ' waiting' : ''}`, role: 'progressbar', 'aria-label': t('Downloading'), 'aria-valuenow': share === null ? null : Math.round(share) },
      h('i', share === null ? {} : { style: { width: `${share}%` } })),
    h('div', { class: 'row' }, h('span', { class: 'small muted numbers grow' }, run.stopping ? t('Stopping …') : total ? t('Downloading: {done} of {total}', { done: bytes(done), total: bytes(total) }) : t('Downloading: {done}', { done: bytes(done) })),
      h('button', { type: 'button', class: 'btn quiet', 'data-role': 'tagger-download-cancel', disabled: run.stopping, onclick: () => act.cancelDownload(entry.name) }, t('Cancel'))));
}
