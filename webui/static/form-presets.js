// The bar above the form: basic or expert, presets, import, search.
import { clear, fill, h, icon } from './dom.js';
import { askText } from './form-dialogs.js';
import { get, post } from './api.js';
import { ask, complain, notice } from './notice.js';
import { sentence } from './messages.js';
import { t } from './text.js';
import { namesOf, words } from './form-fields.js';
import { same } from './form-state.js';

const GROUPS = [['sd15', 'SD 1.5'], ['sdxl', 'SDXL, Pony, Illustrious, NoobAI'], ['other', 'To try out']];
const DEMO = 'demo'; // the preset that brings its own pictures and base model
const LONGEST_NAME = 60;
const LARGEST_FILE_BYTES = 2 * 2 ** 20;
const LARGEST_HEADER_BYTES = 100 * 2 ** 20;
const UNUSED_IN_A_HEADER = ['ss_tag_frequency', 'ss_bucket_info', 'modelspec.thumbnail'];

// The list shows a preset once; the size of the card stands beside it.
function plainTitle(preset) {
  return words(preset.title).replace(/ · \d+ GB$/, '');
}

// What a LoRA says of its training stands at its front: only that is read, without its long lists of tags.
async function headerOf(file) {
  const length = Number(new DataView(await file.slice(0, 8).arrayBuffer()).getBigUint64(0, true));
  if (length > LARGEST_HEADER_BYTES) return '{}';
  const header = JSON.parse(await file.slice(8, 8 + length).text());
  const told = Object.entries(header.__metadata__ ?? {}).filter(([name]) => !UNUSED_IN_A_HEADER.includes(name));
  const tensors = Object.keys(header).filter((name) => name !== '__metadata__').map((name) => [name, {}]);
  return JSON.stringify({ __metadata__: Object.fromEntries(told), ...Object.fromEntries(tensors) });
}

// A file's text, or its bytes in base64 where they are not UTF-8: the server knows other encodings.
async function contentOf(file) {
  const bytes = await file.arrayBuffer();
  try {
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) };
  } catch {
    let binary = '';
    for (const byte of new Uint8Array(bytes)) binary += String.fromCharCode(byte);
    return { data: btoa(binary) };
  }
}

export function buildToolbar(state, fields) {
  const modes = ['basic', 'expert'].map((mode) => h('button', { type: 'button', role: 'radio', 'data-role': `mode-${mode}`, onclick: () => state.setMode(mode) }, mode === 'basic' ? t('Basic') : t('Expert')));
  const select = h('select', { 'aria-label': t('Preset'), 'data-role': 'preset', onchange: () => take(nearest(select.value)) });
  const memory = h('select', { 'aria-label': t('Graphics card memory'), 'data-role': 'preset-memory', onchange: () => take(memory.value) });
  const memoryLabel = h('label', { class: 'p-preset', hidden: true }, h('span', { class: 'muted' }, t('VRAM')), memory);
  const about = h('p', { class: 'muted p-about', 'data-role': 'preset-about' });
  const result = h('div', { class: 'p-result card', 'data-role': 'import-result', hidden: true });
  const file = h('input', { type: 'file', accept: '.toml,.json,.yaml,.yml,.ps1,.sh,.bat,.txt,.safetensors,application/json', hidden: true, 'data-role': 'import-file', onchange: () => importFile(file.files[0]) });
  const save = h('button', { type: 'button', class: 'btn', 'data-role': 'preset-save', title: t('Save these values as your own preset'), onclick: savePreset }, icon('save'), t('Save preset'));
  const open = h('button', { type: 'button', class: 'btn', 'data-role': 'import', title: t('Settings of Athanor, sd-scripts, lora-scripts, kohya_ss, LoRA_Easy_Training_Scripts, OneTrainer or ai-toolkit, a script, or a finished LoRA'), onclick: () => file.click() }, icon('upload'), t('Import'));
  const reset = h('button', { type: 'button', class: 'btn quiet', 'data-role': 'reset-all', onclick: resetAll }, icon('refresh'), t('Reset'));
  const undo = h('button', { type: 'button', class: 'btn quiet square', 'data-role': 'undo', onclick: () => state.undo() }, icon('undo'));
  const redo = h('button', { type: 'button', class: 'btn quiet square', 'data-role': 'redo', onclick: () => state.redo() }, icon('redo'));
  const own = h('span', { class: 'row', 'data-role': 'own-preset' },
    h('button', { type: 'button', class: 'btn quiet square', title: t('Rename'), 'aria-label': t('Rename'), 'data-role': 'preset-rename', onclick: renamePreset }, icon('edit')),
    h('button', { type: 'button', class: 'btn quiet square', title: t('Delete'), 'aria-label': t('Delete'), 'data-role': 'preset-delete', onclick: deletePreset }, icon('trash')));
  const found = h('span', { class: 'muted p-found', 'data-role': 'found', 'aria-live': 'polite' });
  const search = h('input', { type: 'search', class: 'p-search', 'data-role': 'search', placeholder: t('Search parameters…'), 'aria-label': t('Search parameters…'), spellcheck: false, oninput: () => {
    const count = fields.search(search.value);
    found.textContent = search.value.trim() ? t('{n} found', { n: count }) : '';
  } });
  search.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape') return;
    search.value = '';
    search.dispatchEvent(new Event('input'));
  });
  fields.root.addEventListener('jumped', () => { search.value = ''; found.textContent = ''; });
  const root = h('div', { class: 'p-bar' },
    h('div', { class: 'row wrap' }, h('div', { class: 'p-modes', role: 'radiogroup', 'aria-label': t('Level of detail') }, modes),
      h('label', { class: 'p-preset' }, h('span', { class: 'muted' }, t('Preset')), select), memoryLabel, own, save, open, reset, file),
    h('div', { class: 'p-second' }, about, h('span', { class: 'row p-steps' }, undo, redo), h('span', { class: 'p-find' }, icon('search'), search, found)), result);

  function show() {
    modes.forEach((button, index) => button.setAttribute('aria-checked', String(state.mode === ['basic', 'expert'][index])));
    const shown = state.spec.presets.filter((one) => one.own || one.memory_gb === null || one.memory_gb === 12);
    const groups = [...GROUPS.map(([group, label]) => [t(label), shown.filter((one) => !one.own && one.group === group)]), [t('Your own'), shown.filter((one) => one.own)]];
    const nothing = state.source ? t('as in {name}', { name: state.source.name }) : t('none');
    fill(select, !state.preset && h('option', { value: '' }, nothing), groups.filter(([, list]) => list.length).map(([label, list]) =>
      h('optgroup', { label }, list.map((one) => h('option', { value: one.id }, plainTitle(one))))));
    const preset = state.presetNamed(state.preset);
    select.value = preset && !preset.own ? preset.base : state.preset;
    const cards = preset && !preset.own ? state.spec.presets.filter((one) => one.base === preset.base && one.memory_gb !== null) : [];
    fill(memory, cards.map((one) => h('option', { value: one.id }, `${one.memory_gb} GB`)));
    memory.value = state.preset;
    memoryLabel.hidden = cards.length === 0;
    about.textContent = preset ? words(preset.about) : '';
    own.hidden = !preset?.own;
    showSteps();
  }

  function showSteps() {
    const { done, undone } = state.history;
    for (const [button, step, verb, keys] of [[undo, done.at(-1), t('Undo'), 'Ctrl+Z'], [redo, undone.at(-1), t('Redo'), 'Ctrl+Y']]) {
      const words = step ? `${verb}: ${stepWords(step)} (${keys})` : `${verb} (${keys})`;
      button.disabled = !step;
      button.title = words;
      button.setAttribute('aria-label', words);
    }
  }

  const stepWords = (step) => step.label || `${words(state.fields.get(step.address).title)} (${state.fields.get(step.address).name})`;

  // The preset for the size of card that is chosen already.
  function nearest(id) {
    const size = state.presetNamed(state.preset)?.memory_gb;
    return state.spec.presets.find((one) => !one.own && one.base === id && one.memory_gb === size)?.id ?? id;
  }

  let told = () => {}; // takes the last message about a preset away: only the newest change can be undone
  let asks = 0; // of two answers on their way only the one that was asked for last fills the form
  function swap(values, message, from) {
    const back = exchange(values, from);
    told();
    told = notice(message, { action: { label: t('Undo'), run: back } });
  }

  /** Put these values in; returns the way back, which leaves what is typed from now on. */
  function exchange(values, from) {
    const back = state.replace(values, from);
    state.wantPrompts();
    return back;
  }

  async function take(id) {
    try {
      const asked = structuredClone(state.values);
      const turn = (asks += 1);
      const answer = await post('form/preset', { id, values: asked });
      if (turn !== asks) return;
      const name = words(state.presetNamed(id).title);
      const values = { ...answer.values, ...state.typedSince(asked) };
      const replaced = [...state.fields.values()].filter((field) => field.personal && isReplaced(field.address, values)).map((field) => field.address);
      const done = id === DEMO ? t('The demo is filled in: 12 drawn stars and a small base model. Training takes a few minutes.') : t('Preset {name} was applied.', { name });
      const own = replaced.length ? t('Replaced: {names}. Undo brings that back.', { names: namesOf(state, replaced) }) : id === DEMO ? '' : t('Paths and names stayed.');
      swap(values, [done, own, ...answer.fitted.map(sentence)].filter(Boolean).join(' '), { preset: id, label: t('Preset {name}', { name }) });
    } catch (error) {
      show();
      complain(error);
    }
  }

  // A path or a name of the user's that a preset brings another value for.
  const isReplaced = (address, values) => !same(state.values[address], state.spec.defaults[address]) && !same(state.values[address], values[address]);

  async function resetAll() {
    const count = state.changed().length;
    if (count === 0) {
      notice(t('No differences from the preset.'));
      return;
    }
    if (state.preset) await take(state.preset);
    else if (state.source) swap(state.source.values, t('All values are back as in {name}.', { name: state.source.name }), { label: t('Reset') });
    else swap({}, t('All values are back at their defaults.'), { label: t('Reset') });
  }

  async function refresh() {
    state.spec.presets = (await get('form/presets')).presets;
  }

  // An own preset is saved again; else what is trained, on which base: 'anby · SD 1.5 anime character'.
  function suggestedName() {
    const current = state.presetNamed(state.preset);
    if (current?.own) return words(current.title);
    const from = current ? plainTitle(current) : (state.source?.name ?? '').replace(/\.\w{1,11}$/, '');
    return [String(state.values['save.output_name'] ?? '').trim(), from].filter(Boolean).join(' · ').slice(0, LONGEST_NAME);
  }

  async function savePreset() {
    const name = await askText(t('Save as preset'), t('Name of the preset'), suggestedName(), t('Save'));
    if (name === null) return;
    try {
      const taken = state.spec.presets.some((one) => one.own && words(one.title) === name.trim());
      if (taken && !(await ask(t('Replace your preset {name}?', { name: name.trim() }), { ok: t('Replace') }))) return;
      const answer = await post('form/presets/save', { name, values: state.values });
      await refresh();
      state.usePreset(answer.id);
      state.tell('value', null);
      state.saveSoon();
      notice(t('Saved as preset {name}.', { name: name.trim() }));
    } catch (error) {
      complain(error);
    }
  }

  async function renamePreset() {
    const name = await askText(t('Rename'), t('Name'), words(state.presetNamed(state.preset).title), t('Rename'));
    if (name === null) return;
    try {
      await post('form/presets/rename', { id: state.preset, name });
      await refresh();
      show();
    } catch (error) {
      complain(error);
    }
  }

  async function deletePreset() {
    const { id, title } = state.presetNamed(state.preset);
    try {
      await post('form/presets/delete', { id });
      await refresh();
      state.usePreset('');
      state.tell('value', null);
      state.saveSoon();
      notice(t('Preset {name} was deleted.', { name: words(title) }), { action: { label: t('Undo'), run: () => bringBack(id) } });
    } catch (error) {
      complain(error);
    }
  }

  async function bringBack(id) {
    try {
      await post('form/presets/restore', { id });
      await refresh();
      state.usePreset(id);
      state.tell('value', null);
      state.saveSoon();
    } catch (error) {
      complain(error);
    }
  }

  async function importFile(chosen) {
    file.value = '';
    if (!chosen) return;
    const isLora = chosen.name.toLowerCase().endsWith('.safetensors');
    if (!isLora && chosen.size > LARGEST_FILE_BYTES) {
      notice(t('{name} is larger than 2 MB, too large for a settings file.', { name: chosen.name }), { kind: 'error' });
      return;
    }
    try {
      const content = isLora ? { text: await headerOf(chosen) } : await contentOf(chosen);
      const own = (asks += 1);
      const asked = structuredClone(state.values);
      const answer = await imported({ name: chosen.name, ...content, values: asked });
      if (answer === null || own !== asks) return;
      const from = { preset: '', source: { name: chosen.name, values: answer.values }, label: t('Import of {name}', { name: chosen.name }) };
      showImport(chosen.name, answer, exchange({ ...answer.values, ...state.typedSince(asked) }, from));
    } catch (error) {
      if (error.notes?.length || error.problems?.length > 1) showRefused(chosen.name, error);
      else complain(error);
    }
  }

  // The server's answer; where the file is probably in another encoding, whether to read it so is the user's word.
  async function imported(request) {
    try {
      return await post('form/import', request);
    } catch (error) {
      const guessed = error.problems?.[0];
      if (!guessed?.values?.codec || request.codec) throw error;
      const ok = t('Read it as {encoding}', { encoding: guessed.values.encoding });
      return (await ask(sentence(guessed), { ok })) ? imported({ ...request, codec: guessed.values.codec }) : null;
    }
  }

  const close = () => { result.hidden = true; clear(result); };
  const list = (title, items, role) => items.length > 0 && h('details', { class: 'r-folded', 'data-role': role, open: items.length < 12 },
    h('summary', {}, icon('right'), h('span', {}, title), h('span', { class: 'badge' }, String(items.length))), h('ul', {}, items.map((item) => h('li', {}, sentence(item)))));

  // A file of which nothing could be taken: every reason, and what it is.
  function showRefused(name, error) {
    fill(result,
      h('div', { class: 'row' }, h('b', { class: 'grow' }, t('Nothing was imported from {name}', { name })),
        h('button', { type: 'button', class: 'btn quiet square', 'aria-label': t('Close'), onclick: close }, icon('close'))),
      list(t('Why'), error.problems, 'import-refused'),
      list(t('Converted or left out'), error.notes, 'import-notes'));
    result.hidden = false;
    result.scrollIntoView({ block: 'nearest' });
  }

  function showImport(name, answer, back) {
    const undo = () => { back(); close(); };
    fill(result,
      h('div', { class: 'row' }, h('b', { class: 'grow' }, t('{name}: {n} {n|value|values} imported', { name, n: answer.taken })),
        h('button', { type: 'button', class: 'btn', 'data-role': 'import-undo', onclick: undo }, icon('undo'), t('Undo')),
        h('button', { type: 'button', class: 'btn quiet square', 'aria-label': t('Close'), onclick: close }, icon('close'))),
      list(t('Converted or left out'), answer.notes, 'import-notes'),
      list(t('Left out because of an error'), answer.refused, 'import-refused'),
      answer.notes.length + answer.refused.length === 0 && h('p', { class: 'muted' }, t('Every value in the file was recognised.')));
    result.hidden = false;
    result.scrollIntoView({ block: 'nearest' });
  }

  // Values from another tab of the page; name: of what they come from.
  function fromElsewhere({ values, message, name, label, some }) {
    if (some) swap({ ...state.values, ...values }, message, { label });
    else swap(values, message, name ? { preset: '', source: { name, values }, label: t('Settings of {name}', { name }) } : { label: t('Settings of a job') });
  }

  return { root, show, showSteps, demo: () => take(DEMO), fill: fromElsewhere };
}
