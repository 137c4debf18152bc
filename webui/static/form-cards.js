// gpu_ids: the cards that were found, to tick, beside the numbers as text. Other numbers may be typed.
import { fill, h } from './dom.js';
import { get } from './api.js';
import { t } from './text.js';

const numbersOf = (text) => String(text ?? '').split(',').map((part) => part.trim()).filter(Boolean);

export function cardsControl(state, field, id) {
  const input = h('input', { type: 'text', id, autocomplete: 'off', spellcheck: false, placeholder: t('empty = {what}', { what: t(field.empty) }), oninput: () => state.set(field.address, input.value) });
  const list = h('div', { class: 'f-cards', 'data-role': 'cards', 'aria-live': 'polite' });
  const root = h('div', { class: 'f-cards-field' }, list, h('div', { class: 'f-line' }, input));
  let known = null; // {cards, error}; null = not asked yet

  new IntersectionObserver((entries, observer) => {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    observer.disconnect();
    look();
  }).observe(root);

  async function look() {
    fill(list, h('p', { class: 'muted f-help' }, t('Looking for graphics cards…')));
    try { known = await get('form/cards'); } catch (error) { known = { cards: [], error: error.message }; }
    draw();
  }

  function tick(number, on) {
    const others = numbersOf(state.values[field.address]).filter((one) => one !== String(number));
    const next = on ? [...others, String(number)] : others;
    state.set(field.address, next.sort((one, other) => Number(one) - Number(other)).join(','));
    show(state.values[field.address]);
  }

  function draw() {
    if (!known) return;
    const chosen = numbersOf(state.values[field.address]);
    const strangers = chosen.filter((number) => /^\d+$/.test(number) && !known.cards.some((card) => String(card.number) === number));
    const focused = list.contains(document.activeElement) ? document.activeElement.value : null;
    fill(list,
      known.cards.map((card) => h('label', { class: 'f-card' },
        h('input', { type: 'checkbox', value: String(card.number), checked: chosen.includes(String(card.number)), 'data-role': 'card', onchange: (event) => tick(card.number, event.target.checked) }),
        h('span', { class: 'mono' }, String(card.number)), h('span', {}, card.name), card.memory_gib && h('span', { class: 'muted numbers' }, `${card.memory_gib} GiB`))),
      !known.cards.length && !known.error && h('p', { class: 'muted f-help', 'data-role': 'no-cards' }, t('No NVIDIA card was found on this machine; training uses the processor, and this field has no effect.')),
      known.error && h('p', { class: 'f-status bad', 'data-role': 'cards-error' }, t('nvidia-smi listed no cards ({reason}); type the numbers.', { reason: known.error })),
      known.cards.length > 0 && strangers.length > 0 && h('p', { class: 'f-status bad', 'data-role': 'no-such-card' }, t('There is no card number {numbers} here.', { numbers: strangers.join(', ') })));
    if (focused !== null) list.querySelector(`input[value="${CSS.escape(focused)}"]`)?.focus();
  }

  function show(value) {
    if (input.value !== String(value ?? '')) input.value = String(value ?? '');
    draw();
  }

  return {
    root, wide: true, focus: () => input.focus(), show,
    markWrong(wrong, errorId) {
      input.setAttribute('aria-invalid', String(wrong));
      if (wrong) input.setAttribute('aria-describedby', errorId);
      else input.removeAttribute('aria-describedby');
    },
  };
}
