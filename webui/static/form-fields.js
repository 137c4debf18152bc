// The left side: groups of fields, basic or expert, with search. Values live in form-state.js.
import { attachCompletion, browse } from './browse.js';
import { clear, fill, h, icon } from './dom.js';
import { sentence } from './messages.js';
import { lang, t } from './text.js';
import { argumentNames, argumentsControl, methodsOf } from './form-arguments.js';
import { cardsControl } from './form-cards.js';
import { cureButtons } from './form-cures.js';
import { datasetList, folderChips, listEditor } from './form-folders.js';
import { effectLine, standsIn } from './form-effect.js';
import { modelList } from './form-models.js';

const PATHS = { file: 'file', model: 'file', folder: 'folder', state: 'folder', prompts: 'file' };
const EXTENSIONS = { model: ['.safetensors', '.ckpt'], file: ['.safetensors'], prompts: ['.txt'] };
const OPEN_AT_FIRST = new Set(['model', 'dataset', 'save', 'training', 'rates', 'network']);

export const inputId = (address) => `train-${address.replace('.', '-')}`;

export function words(texts) {
  return (lang() === 'zh' && texts.zh) || texts.en || '';
}

const MOST_NAMES = 4;
const POINT_MS = 1200;

/** 'network_dim, network_alpha and 3 more', of fields by their addresses. */
export function namesOf(state, addresses) {
  const names = addresses.slice(0, MOST_NAMES).map((address) => state.fields.get(address).name).join(', ');
  return addresses.length > MOST_NAMES ? t('{names} and {n} more', { names, n: addresses.length - MOST_NAMES }) : names;
}

// A value in words: what empty means, on and off, lists in one line.
export function shownValue(field, value) {
  if (Array.isArray(value)) return value.map((one) => (typeof one === 'string' ? one : one.image_dir ?? '')).join(' · ') || t('none');
  if (typeof value === 'boolean') return value ? t('on') : t('off');
  const choice = value === '' && field.choices?.find((one) => one.value === '');
  if (choice) return words(choice.label);
  return value === '' ? t(field.empty ?? 'off') : String(value);
}

// The first sentence is shown, the rest on request.
function split(help) {
  const end = help.match(/^.*?(?:。|[.!?](?=\s|$))/s)?.[0] ?? help;
  return [end, help.slice(end.length).trim()];
}

// What stands in an empty field: an example, or what empty means.
function hint(field) {
  if (field.example) return t('such as {example}', { example: field.example });
  return field.empty ? t('empty = {what}', { what: t(field.empty) }) : '';
}

export function buildFields(state) {
  const groups = state.spec.groups.map((group) => buildGroup(state, group));
  const views = new Map(groups.flatMap((group) => group.views).map((view) => [view.field.address, view]));
  const nothing = h('p', { class: 'muted f-nothing', 'data-role': 'nothing-found', hidden: true }, t('Nothing found. Try a part of the name, such as lr or dim.'));
  const root = h('div', { class: 'f-groups' }, ...groups.map((group) => group.root), nothing);
  let query = '';

  function layout() {
    let found = 0;
    for (const group of groups) found += group.layout(query);
    nothing.hidden = found > 0;
    return found;
  }

  function show(addresses) {
    for (const address of addresses ?? views.keys()) views.get(address)?.show();
    showEffects();
    layout();
  }

  function showEffects() {
    for (const view of views.values()) view.showEffect();
  }

  function showProblems() {
    const byAddress = new Map();
    for (const problem of state.allErrors()) {
      if (problem.address) byAddress.set(problem.address, [...(byAddress.get(problem.address) ?? []), problem]);
    }
    for (const [address, view] of views) view.showProblems(byAddress.get(address) ?? []);
    showEffects();
    layout();
  }

  function jump(address) {
    const view = views.get(address);
    if (!view) return false;
    query = '';
    root.dispatchEvent(new CustomEvent('jumped', { bubbles: true }));
    if (state.mode === 'basic' && !view.field.basic) state.setMode('expert');
    groups.find((group) => group.views.includes(view)).open();
    view.wanted = true;
    layout();
    view.root.scrollIntoView({ block: 'center', behavior: matchMedia('(prefers-reduced-motion: reduce)').matches ? 'auto' : 'smooth' });
    view.focus();
    return true;
  }

  // Show where something changed by itself; false where the field is not to be seen now.
  function point(address) {
    const view = views.get(address);
    if (!view || view.root.hidden || !view.root.closest('details').open) return false;
    view.root.scrollIntoView({ block: 'nearest' });
    view.root.classList.remove('f-point');
    requestAnimationFrame(() => view.root.classList.add('f-point'));
    setTimeout(() => view.root.classList.remove('f-point'), POINT_MS);
    return true;
  }

  show(null);
  return {
    root, show, showProblems, jump, point,
    view: (address) => views.get(address),
    search(text) {
      query = text.trim().toLowerCase();
      return layout();
    },
    layout,
  };
}

function buildGroup(state, group) {
  const views = group.fields.map((field) => buildField(state, field));
  const mark = h('span', { class: 'f-mark' });
  const more = h('button', { type: 'button', class: 'btn quiet f-all', 'data-role': 'group-more', onclick: () => { all = !all; layoutAgain(); } });
  const summary = h('summary', {}, icon('right'), h('span', { class: 'f-heading' }, words(group.title)), mark);
  const grid = h('div', { class: 'f-grid' }, ...views.map((view) => view.root));
  const root = h('details', { class: 'f-group card', 'data-role': 'group', 'data-group': group.id }, summary, grid, h('div', { class: 'f-foot' }, more));
  let all = false;
  let lastQuery = '';
  let userOpen = OPEN_AT_FIRST.has(group.id);
  let showing = false;
  root.open = userOpen;
  root.addEventListener('toggle', () => {
    if (!showing && !lastQuery && state.mode === 'expert') userOpen = root.open;
    showing = false;
  });

  function layoutAgain() {
    layout(lastQuery);
  }

  function setOpen(open) {
    if (root.open === open) return;
    showing = true;
    root.open = open;
  }

  // Returns how many fields are shown.
  function layout(query) {
    lastQuery = query;
    let visible = 0;
    let folded = 0;
    for (const view of views) {
      const place = placeOf(state, view, query, all, group.pointless);
      view.root.hidden = place !== 'shown';
      if (place === 'shown') visible += 1;
      if (place === 'folded') folded += 1;
    }
    root.hidden = visible === 0 && folded === 0;
    setOpen(query || state.mode === 'basic' ? true : userOpen);
    more.hidden = Boolean(query) || state.mode === 'basic' || (folded === 0 && !all);
    more.textContent = all ? t('Show fewer') : t('{n} more', { n: folded });
    showMark();
    return visible;
  }

  function showMark() {
    const wrong = views.filter((view) => view.wrong).length;
    const missing = views.filter((view) => view.missing).length;
    const changed = views.filter((view) => state.isChanged(view.field.address)).length;
    clear(mark);
    if (wrong) mark.append(h('span', { class: 'badge danger' }, t('{n} to correct', { n: wrong })));
    else if (missing) mark.append(h('span', { class: 'badge accent' }, t('{n} to fill in', { n: missing })));
    else if (changed) mark.append(h('span', { class: 'badge' }, t('{n} changed', { n: changed })));
  }

  return { root, views, layout, open: () => { userOpen = true; setOpen(true); } };
}

// 'shown', 'folded' (behind 'n more') or 'hidden' (other mode, or without effect at these values).
function placeOf(state, view, query, all, pointless) {
  const { field } = view;
  if (field.arguments) view.search(wanted(query));
  if (query) return matches(field, query) ? 'shown' : 'hidden';
  if (view.wrong || view.missing || view.wanted) return 'shown';
  const changed = state.isChanged(field.address);
  if (state.mode === 'basic') return field.basic || standsIn(state, field) || (field.role === 'state' && state.values[field.address]) ? 'shown' : 'hidden';
  if (!changed && (pointless || !applies(state, field))) return 'hidden';
  if (field.kind === 'folders' && state.values[field.address]?.length > 0) return 'shown'; // pictures of this run must not be out of sight
  if (field.arguments && Object.keys(methodsOf(state, field)).length > 1) return 'shown'; // the method is chosen there
  return !field.advanced || changed || all || field.basic ? 'shown' : 'folded';
}

export function applies(state, field) {
  return Object.entries(field.shown_when ?? {}).every(([name, allowed]) => {
    const value = state.byName(name);
    const text = Array.isArray(value) ? value.join('') : String(value ?? '');
    return allowed.some((one) => (one === '*' ? text !== '' : String(one).toLowerCase() === text.toLowerCase()));
  });
}

export function matches(field, query) {
  field.said ??= [field.name, field.address, field.title.en, field.title.zh, field.help.en, field.help.zh, ...(field.also ?? []),
    ...[...(field.choices ?? []), ...(field.suggestions ?? [])].flatMap((choice) => [choice.value, choice.label.en, choice.label.zh]),
    ...argumentNames(field).keys(), ...Object.values(field.arguments?.sets ?? {}).flatMap(Object.keys)].join(' ').toLowerCase();
  return wanted(query).every((word) => field.said.includes(word));
}

// --network_dim=16, $unet_lr and "conv_dim=4" mean the name in them.
const wanted = (query) => query.split(/\s+/).map((word) => word.replace(/^(?:--?|\$|["'])+/, '').split('=')[0].replace(/["']+$/, '')).filter(Boolean);

function buildField(state, field) {
  const id = inputId(field.address);
  const [short, long] = split(words(field.help));
  const control = buildControl(state, field, id);
  const dot = h('button', {
    type: 'button', class: 'f-dot', 'data-role': 'reset', hidden: true, tabindex: -1, 'aria-keyshortcuts': 'Shift+F1', onclick: () => { state.reset(field.address); control.focus(); },
  });
  const more = h('p', { class: 'f-long muted', hidden: true }, long);
  const moreButton = h('button', { type: 'button', class: 'f-more', 'aria-expanded': 'false', hidden: !long, tabindex: -1, title: 'F1', 'aria-keyshortcuts': 'F1', onclick: () => {
    more.hidden = !more.hidden;
    moreButton.setAttribute('aria-expanded', String(!more.hidden));
    moreButton.textContent = more.hidden ? t('more') : t('less');
  } }, t('more'));
  const error = h('p', { class: 'field-error', id: `${id}-error`, role: 'alert', hidden: true, 'data-role': 'field-error' });
  const status = h('p', { class: 'f-status', 'data-role': 'field-status', hidden: true });
  const cures = h('div', { class: 'f-cures' });
  const effect = effectLine(state, field);
  const head = h('div', { class: 'f-head' }, h('label', { for: id }, words(field.title)), dot, h('code', { class: 'f-name mono', title: field.address }, field.name));
  const help = h('p', { class: 'f-help muted' }, short, ' ', moreButton);
  const wide = control.wide ? ' wide' : '';
  const root = h('div', { class: `f-field kind-${field.kind}${wide}`, 'data-role': 'field', 'data-address': field.address },
    ...(field.kind === 'bool' ? [h('div', { class: 'f-switch' }, control.root, head)] : [head, control.root]), effect.root, status, error, cures, help, more);

  // Tab goes from field to field; what stands beside a field has a key there: F1 more, Shift+F1 back to the preset,
  // F2 browse.
  root.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const button = event.key === 'F1' ? (event.shiftKey ? dot : moreButton) : event.key === 'F2' ? root.querySelector('[data-key=F2]') : null;
    if (!button) return;
    event.preventDefault();
    if (!button.hidden) button.click();
  });

  const view = {
    root, field, status, wrong: false, missing: false, wanted: false,
    focus: () => control.focus(),
    search: (names) => control.search(names),
    show() {
      control.show(state.values[field.address]);
      dot.hidden = !state.isChanged(field.address);
      dot.title = t('Changed. Click to go back to {value}.', { value: shownValue(field, state.presetValues[field.address]) });
      dot.setAttribute('aria-label', dot.title);
      root.classList.toggle('changed', !dot.hidden);
    },
    showEffect: () => root.classList.toggle('overruled', effect.show()),
    showProblems(problems) {
      view.wrong = problems.some((problem) => !problem.missing);
      view.missing = problems.length > 0 && !view.wrong;
      const said = problems.map(sentence).join('\n');
      error.textContent = said;
      fill(cures, problems.map((problem) => cureButtons(state, problem)));
      // What stands in the line above already is not said twice.
      error.hidden = problems.length === 0 || (!status.hidden && (status.dataset.unusable === 'true' || status.textContent.trim() === said));
      error.classList.toggle('f-missing', view.missing);
      root.classList.toggle('wrong', view.wrong);
      control.markWrong(view.wrong, `${id}-error`, said);
    },
  };
  return view;
}

function buildControl(state, field, id) {
  if (field.kind === 'bool') return switchControl(state, field, id);
  if (field.kind === 'folders') return listEditor(state, field, id);
  if (field.kind === 'datasets') return datasetList(state, field, id);
  if (field.address === 'distributed.gpu_ids') return cardsControl(state, field, id);
  if (field.arguments) return argumentsControl(state, field, id);
  if (field.kind === 'choice') return selectControl(state, field, id);
  if (field.kind === 'texts' || field.role === 'prompts' || field.long) return areaControl(state, field, id);
  return textControl(state, field, id);
}

const wrongMarker = (input) => (wrong, errorId) => {
  input.setAttribute('aria-invalid', String(wrong));
  if (wrong) input.setAttribute('aria-describedby', errorId);
  else input.removeAttribute('aria-describedby');
};

function switchControl(state, field, id) {
  const input = h('input', { type: 'checkbox', id, role: 'switch', class: 'f-check', onchange: () => state.set(field.address, input.checked) });
  return { root: input, wide: false, focus: () => input.focus(), markWrong: wrongMarker(input), show: (value) => { input.checked = value === true; } };
}

function selectControl(state, field, id) {
  const options = field.choices.map((choice) => h('option', { value: choice.value }, words(choice.label)));
  const input = h('select', { id, onchange: () => state.set(field.address, input.value) }, ...options);
  function show(value) {
    const known = field.choices.find((choice) => choice.value.toLowerCase() === String(value).toLowerCase());
    input.querySelector('option[data-foreign]')?.remove();
    if (!known) input.append(h('option', { value: String(value), 'data-foreign': '' }, String(value) || t('default')));
    input.value = known?.value ?? String(value);
  }
  return { root: input, wide: false, focus: () => input.focus(), markWrong: wrongMarker(input), show };
}

function areaControl(state, field, id) {
  const isList = field.kind === 'texts';
  const input = h('textarea', { id, rows: field.role === 'prompts' ? 3 : 2, spellcheck: false, class: isList ? 'mono' : '', placeholder: hint(field), oninput: () => {
    state.set(field.address, isList ? input.value.split('\n').filter((line) => line.trim()) : input.value);
  } });
  const parts = field.role === 'prompts' ? [h('div', { class: 'f-path' }, input, browseButton(state, field, input))] : [input];
  function show(value) {
    const text = Array.isArray(value) ? value.join('\n') : String(value ?? '');
    const now = isList ? input.value.split('\n').filter((line) => line.trim()).join('\n') : input.value;
    if (now !== text) input.value = text;
  }
  return { root: parts[0], wide: true, focus: () => input.focus(), markWrong: wrongMarker(input), show };
}

function textControl(state, field, id) {
  const number = ['int', 'float', 'amount'].includes(field.kind);
  const input = h('input', {
    type: 'text', id, inputmode: field.kind === 'int' ? 'numeric' : number ? 'decimal' : 'text', autocomplete: 'off', spellcheck: false,
    placeholder: hint(field), oninput: () => state.set(field.address, input.value),
  });
  if (field.suggestions) return suggestingControl(state, field, input);
  const path = PATHS[field.role];
  const unit = field.unit ? [h('span', { class: 'f-unit muted' }, t(field.unit))] : [];
  const line = h('div', { class: path ? 'f-path' : 'f-line' }, input, ...unit, ...(path ? [browseButton(state, field, input)] : []));
  if (path) attachCompletion(input, { kind: path, extensions: EXTENSIONS[field.role] ?? [] });
  if (field.address === 'model.pretrained_model_name_or_path') {
    const list = modelList(state, field);
    return { root: h('div', {}, line, list.root), wide: true, focus: () => input.focus(), markWrong: wrongMarker(input), show: (value) => { showText(input, value); list.show(value); } };
  }
  const root = field.address === 'dataset.train_data_dir' ? h('div', {}, line, folderChips(state)) : line;
  return { root, wide: Boolean(path), focus: () => input.focus(), markWrong: wrongMarker(input), show: (value) => showText(input, value) };
}

function showText(input, value) {
  if (input.value !== String(value ?? '')) input.value = String(value ?? '');
}

// Known names to choose from, others may be typed (an optimizer's class, for instance).
function suggestingControl(state, field, input) {
  const other = '…';
  const select = h('select', { id: input.id, onchange: () => {
    if (select.value === other) {
      input.hidden = false;
      input.focus();
    } else {
      state.set(field.address, select.value);
    }
  } }, ...field.suggestions.map((choice) => h('option', { value: choice.value, disabled: false }, words(choice.label))), h('option', { value: other }, t('another…')));
  input.removeAttribute('id');
  input.setAttribute('aria-label', words(field.title));
  input.hidden = true;
  function show(value) {
    const text = String(value ?? '');
    const known = field.suggestions.find((choice) => choice.value.toLowerCase() === text.toLowerCase());
    const typing = document.activeElement === input;
    select.value = known && !typing ? known.value : other;
    input.hidden = Boolean(known) && !typing;
    showText(input, text);
  }
  const root = h('div', { class: 'f-line' }, select, input);
  return { root, wide: false, focus: () => select.focus(), markWrong: wrongMarker(select), show };
}

function browseButton(state, field, input) {
  const kind = PATHS[field.role];
  return h('button', { tabindex: -1, title: 'F2', 'aria-keyshortcuts': 'F2', 'data-key': 'F2', type: 'button', class: 'btn', 'data-role': 'browse', onclick: async () => {
    const path = await browse({ kind, start: input.value.includes('\n') ? '' : input.value || field.start || '', extensions: EXTENSIONS[field.role] });
    if (path !== null && path !== undefined) state.set(field.address, path);
    state.tell('value', [field.address]);
    input.focus();
  } }, t('Browse'));
}
