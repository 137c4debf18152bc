// The button that puts a told problem right: the values come from the server, one click sets them, another takes them back.
import { h } from './dom.js';
import { notice } from './notice.js';
import { t } from './text.js';

/** A button for each cure of a problem; none when it has none. */
export function cureButtons(state, { cure, other, values }) {
  return [cure, other].filter(Boolean).map((one) => h('button', { type: 'button', class: 'btn r-cure', 'data-role': 'cure', onclick: () => apply(state, one, values) }, words(one, values)));
}

function apply(state, cure, values) {
  const done = t('Changed: {names}.', { names: Object.keys(cure).map(nameOf).join(', ') });
  const back = state.setAll(cure, words(cure, values));
  notice(done, { action: { label: t('Undo'), run: back } });
}

function words(cure, values) {
  if (cure['dataset.subsets'] && values?.folders) return t('With subfolders, {n} {n|picture|pictures}', { n: values.count });
  const folder = cure['dataset.subsets']?.at(-1);
  if (folder) return t('Use this folder as it is, {n} {n|repeat|repeats}', { n: folder.num_repeats });
  return t('Set {what}', { what: Object.entries(cure).map(([address, value]) => `${nameOf(address)} = ${valueWords(value)}`).join(', ') });
}

const nameOf = (address) => address.split('.')[1];
const valueWords = (value) => (value === true ? t('on') : value === false ? t('off') : value === '' ? t('empty') : String(value));
