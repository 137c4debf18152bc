// network_args, optimizer_args and lr_scheduler_args as fields: which there are depends on what is chosen beside them,
// for LyCORIS on the algorithm too. Free text stays possible.
import { fill, h } from './dom.js';
import { t } from './text.js';

// Words of a line: quotes hold one together and are taken off, brackets hold together what is in them.
function wordsOf(line) {
  const words = [];
  let word = '';
  let quote = '';
  let depth = 0;
  for (let place = 0; place < line.length; place += 1) {
    const letter = line[place];
    if (quote) {
      if (letter === quote) quote = '';
      else word += letter;
    } else if (`"'`.includes(letter) && (!word || '=,(['.includes(word.at(-1))) && line.indexOf(letter, place + 1) > 0) {
      quote = letter;
    } else if (/\s/.test(letter) && depth <= 0) {
      if (word) words.push(word);
      word = '';
    } else {
      depth += '(['.includes(letter) - ')]'.includes(letter);
      word += letter;
    }
  }
  return word ? [...words, word] : words;
}

/** A line of arguments as single ones, as trainer/arguments.py splits it: 'a=1 "b=2, 3"' is two. */
export function splitArguments(line) {
  const pieces = [];
  for (const part of wordsOf(line.replace(/(?<![ \t])[ \t]*=[ \t]*/g, '=')).flatMap((word) => word.split(/,(?=\s*[A-Za-z_]\w*=)/))) {
    if (pieces.length && !part.includes('=') && pieces.at(-1).endsWith(',')) pieces.push(pieces.pop() + part);
    else if (part) pieces.push(part);
  }
  const whole = pieces.map((piece) => piece.replace(/,+$/, ''));
  return whole.length > 1 && whole[0].includes('=') && !whole.slice(1).some((piece) => piece.includes('=')) ? [whole.join(' ')] : whole;
}

const nameOf = (line) => line.split('=', 1)[0].trim();
const valueOf = (line) => line.slice(line.indexOf('=') + 1).trim();
const word = (value) => (value === true ? 'True' : value === false ? 'False' : typeof value === 'number' ? number(value) : String(value));
const number = (value) => (value !== 0 && Math.abs(value) < 1e-3 ? String(value.toExponential()) : String(Number(value.toPrecision(6))));
const plain = (value) => (value === null || value === undefined ? '' : Array.isArray(value) ? value.map(word).join(',') : word(value));

// The methods whose arguments stand in a field: of what the first filled one of the deciding fields names.
export function methodsOf(state, field) {
  const chosen = field.arguments.by.map((address) => String(state.values[address] ?? '').trim().toLowerCase()).find(Boolean) ?? '';
  return field.arguments.sets[chosen] ?? {};
}

/** The arguments of all methods: name -> what takes it, such as Prodigy or algo=lokr. */
export function argumentNames(field) {
  const found = new Map();
  for (const [chosen, methods] of Object.entries(field.arguments?.sets ?? {})) {
    for (const [method, { names, title }] of Object.entries(methods)) {
      if (chosen) for (const name of names) found.set(name, [...(found.get(name) ?? []), method ? `algo=${method}` : title ?? chosen]);
    }
  }
  return found;
}

export function argumentsControl(state, field, id) {
  const algo = h('select', { 'data-role': 'algo', 'aria-label': 'algo', onchange: () => write('algo', algo.value, '') });
  const about = h('p', { class: 'f-help muted', 'data-role': 'method-help' });
  const head = h('div', { class: 'a-algo' }, h('label', { class: 'mono' }, 'algo', algo));
  const grid = h('div', { class: 'a-grid' });
  const rare = h('div', { class: 'a-grid' });
  const folded = h('details', { class: 'a-folded', 'data-role': 'more-arguments' }, h('summary', {}, t('Rarely needed')), rare);
  const strangers = h('ul', { class: 'a-strangers' });
  const text = h('textarea', { id, rows: 2, spellcheck: false, class: 'mono', 'aria-label': field.name, placeholder: t('one name=value per line'), oninput: () => {
    state.set(field.address, text.value.split('\n').filter((line) => line.trim()));
  }, onchange: () => {
    state.set(field.address, text.value.split('\n').flatMap(splitArguments));
    show();
  } });
  const found = h('ul', { class: 'a-found muted', 'data-role': 'found-arguments', hidden: true });
  const asText = h('details', { class: 'a-folded', 'data-role': 'as-text' }, h('summary', {}, t('As text')), text);
  const root = h('div', { class: 'f-args', 'data-role': 'arguments' }, found, head, about, grid, folded, strangers, asText);
  let drawn = '';
  let inputs = new Map();

  const lines = () => (Array.isArray(state.values[field.address]) ? state.values[field.address] : []);
  const methods = () => methodsOf(state, field);

  function chosen() {
    const names = Object.keys(methods());
    const given = lines().find((line) => nameOf(line) === 'algo');
    const wanted = given ? valueOf(given).toLowerCase() : names[0];
    return names.includes(wanted) ? wanted : names[0];
  }

  // A value as usual is not written. What an argument brings is written beside it, and goes with it.
  function write(name, value, usual, brings = []) {
    const brought = brings.map(nameOf);
    const set = value !== '' && value !== usual;
    const kept = lines().filter((line) => nameOf(line) !== name && (set || !brought.includes(nameOf(line))));
    const place = lines().findIndex((line) => nameOf(line) === name);
    const missing = brings.filter((line) => !kept.some((other) => nameOf(other) === nameOf(line)));
    if (set) kept.splice(place < 0 ? kept.length : place, 0, `${name}=${value}`, ...missing);
    state.set(field.address, kept);
    if (brings.length) show();
  }

  function inputFor(argument) {
    const usual = plain(argument.default);
    const own = `${id}-${argument.name}`;
    if (argument.kind === 'bool' || typeof argument.default === 'boolean') {
      if (argument.optional) return choiceFor(argument, own, ['True', 'False']);
      const input = h('input', { type: 'checkbox', id: own, role: 'switch', class: 'f-check', onchange: () => write(argument.name, input.checked ? 'True' : 'False', usual, argument.brings) });
      return { input, show: (value) => { input.checked = (value || usual).toLowerCase() === 'true'; } };
    }
    if (argument.choices.length) return choiceFor(argument, own, argument.choices);
    const input = h('input', { type: 'text', id: own, autocomplete: 'off', spellcheck: false, placeholder: t('empty = {what}', { what: usual || t(field.arguments.empty) }),
      inputmode: argument.kind === 'int' ? 'numeric' : argument.kind === 'float' ? 'decimal' : 'text', oninput: () => write(argument.name, input.value.trim(), '') });
    return { input, show: (value) => { if (document.activeElement !== input || input.value.trim() !== value) input.value = value; } };
  }

  function choiceFor(argument, own, choices) {
    const usual = plain(argument.default);
    const empty = usual ? [] : [h('option', { value: '' }, t(field.arguments.empty))];
    const input = h('select', { id: own, onchange: () => write(argument.name, input.value, usual) },
      empty, choices.map((choice) => h('option', { value: choice }, choice)));
    return { input, show: (value) => {
      if (value && !choices.includes(value)) input.append(h('option', { value }, value));
      input.value = value || usual;
    } };
  }

  function rowFor(argument) {
    const made = inputFor(argument);
    inputs.set(argument.name, made);
    const label = h('label', { for: made.input.id, class: 'mono' }, argument.name);
    const row = made.input.type === 'checkbox' ? h('div', { class: 'f-switch' }, made.input, label) : [label, made.input];
    return h('div', { class: 'a-field', 'data-argument': argument.name }, row, h('p', { class: 'f-help muted' }, t(argument.help)));
  }

  function draw(method) {
    inputs = new Map();
    const listed = methods()[method]?.arguments ?? [];
    fill(algo, Object.keys(methods()).map((name) => h('option', { value: name }, name)));
    head.hidden = Object.keys(methods()).length < 2;
    const told = methods()[method];
    about.textContent = !told ? '' : [told.help && t(told.help), told.readers && t(told.readers), listed.length === 0 && t('It takes no arguments.')].filter(Boolean).join(' ');
    const shown = listed.filter((one) => !one.folded);
    fill(grid, [...new Set(shown.map((one) => one.group))].flatMap((group) => [group && h('p', { class: 'a-group' }, t(group)), ...shown.filter((one) => one.group === group).map(rowFor)]));
    fill(rare, listed.filter((one) => one.folded).map(rowFor));
    folded.hidden = !listed.some((one) => one.folded);
    folded.open = false;
  }

  function show() {
    const method = chosen();
    const key = JSON.stringify([field.arguments.by.map((address) => state.values[address]), method]);
    if (key !== drawn) {
      drawn = key;
      draw(method);
    }
    algo.value = method;
    const given = new Map(lines().map((line) => [nameOf(line), valueOf(line)]));
    for (const [name, made] of inputs) made.show(given.get(name) ?? '');
    const kinds = methods()[method];
    const unknown = kinds ? [...given.keys()].filter((name) => !(name === 'algo' && !head.hidden) && !kinds.names.includes(name)) : [];
    asText.open ||= !kinds;
    fill(strangers, unknown.map((name) => h('li', {}, h('code', {}, `${name}=${given.get(name)}`), ' ', t('is not supported here'), ' ',
      h('button', { type: 'button', class: 'btn quiet', onclick: () => { write(name, '', ''); show(); } }, t('Remove')))));
    const written = lines().join('\n');
    if (text.value.split('\n').filter((line) => line.trim()).join('\n') !== written) text.value = written;
  }

  // What is searched for stands in the chosen method's fields, unfolded; where another method takes it, that is said.
  function search(words) {
    const elsewhere = [];
    for (const [name, takers] of words.length ? argumentNames(field) : []) {
      if (!words.some((word) => word.length > 1 && name.toLowerCase().includes(word))) continue;
      const input = inputs.get(name)?.input;
      if (input && rare.contains(input)) folded.open = true;
      if (!input) elsewhere.push(h('li', {}, h('code', {}, name), ` ${t('belongs to {names}', { names: [...new Set(takers)].slice(0, 6).join(', ') })}`));
    }
    fill(found, elsewhere.slice(0, 6));
    found.hidden = elsewhere.length === 0;
  }

  state.addEventListener('value', (event) => {
    if (field.arguments.by.some((address) => event.detail?.includes(address))) show();
  });
  const focus = () => { (grid.querySelector('input, select') ?? text).focus(); };
  return {
    root, wide: true, focus, show, search,
    // Those that the sentence names; where it names none, the text as a whole.
    markWrong(wrong, errorId, said) {
      const named = wrong ? [...inputs].filter(([name]) => new RegExp(`\\b${name}\\b`).test(said)) : [];
      for (const [name, { input }] of inputs) {
        const bad = named.some(([other]) => other === name);
        input.setAttribute('aria-invalid', String(bad));
        if (bad && rare.contains(input)) folded.open = true;
      }
      text.classList.toggle('whole', wrong && named.length === 0);
      text.setAttribute('aria-invalid', String(wrong));
      if (wrong) text.setAttribute('aria-describedby', errorId);
      else text.removeAttribute('aria-describedby');
    },
  };
}
