// Fields whose effect another one takes away, and what is counted in epochs or in steps.
import { fill, h } from './dom.js';
import { t } from './text.js';

const filled = (value) => value !== '' && value !== false && value !== undefined && !(Array.isArray(value) && value.length === 0);
const stepsOf = (state, address) => state.fields.get(address)?.in_steps ?? null;
const epochsOf = (state, address) => [...state.fields.values()].find((field) => field.in_steps === address) ?? null;

/** Whether this field in steps is used because the one in epochs, which Basic shows, is empty. */
export function standsIn(state, field) {
  const epochs = epochsOf(state, field.address);
  return epochs !== null && epochs.basic && !filled(state.values[epochs.address]) && filled(state.values[field.address]);
}

/** A line below a field: which other one decides, and how to change that. show() tells whether the field has no effect. */
export function effectLine(state, field) {
  const root = h('p', { class: 'f-help f-effect', 'data-role': 'effect', hidden: true });
  const named = (address) => [state.fields.get(address).name, state.values[address]].filter((part) => part !== true).join(' = ');
  const button = (words, changes) => h('button', { type: 'button', class: 'f-more', 'data-role': 'count-otherwise', onclick: () => state.setAll(changes, words) }, words);

  // The same length or interval in the other unit; null while no pictures were read.
  function inSteps(epochs) {
    const { steps, steps_per_epoch: each } = state.report ?? {};
    if (!each) return null;
    return field.address === 'run.max_train_steps' ? steps : Number(state.values[epochs]) * each;
  }

  function draw() {
    const deciding = field.overruled_by?.find((address) => filled(state.values[address]));
    if (deciding) {
      const steps = epochsOf(state, field.address)?.address === deciding ? inSteps(deciding) : null;
      return [t('Without effect: {what} decides.', { what: named(deciding) }),
        steps > 0 && [' ', button(t('Count in steps'), { [deciding]: '', [field.address]: String(steps) })]];
    }
    const twin = stepsOf(state, field.address);
    if (!twin || filled(state.values[field.address]) || !filled(state.values[twin])) return null;
    const each = state.report?.steps_per_epoch;
    const epochs = String(Math.max(1, Math.round(Number(state.values[twin]) / each)));
    return [t('In steps now: {what}.', { what: named(twin) }),
      each > 0 && Number(epochs) > 0 && [' ', button(t('Count in epochs'), { [field.address]: epochs, [twin]: state.spec.defaults[twin] })]];
  }

  function show() {
    const line = draw();
    root.hidden = line === null;
    fill(root, line ?? []);
    return Boolean(field.overruled_by?.some((address) => filled(state.values[address])));
  }

  return { root, show };
}
