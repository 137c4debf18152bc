// A question with one line of text as its answer.
import { h } from './dom.js';
import { dialog } from './notice.js';
import { t } from './text.js';

/** Ask for a line of text; resolves to it, or to null when the dialog is closed. */
export function askText(title, label, value, ok) {
  return new Promise((resolve) => {
    let answer = null;
    const input = h('input', { class: 'input', value, 'data-role': 'ask-text', maxlength: '60', spellcheck: 'false' });
    const form = h('form', { class: 'col', onsubmit: (event) => {
      event.preventDefault();
      if (!input.value.trim()) return;
      answer = input.value;
      view.close();
    } }, h('label', { class: 'col' }, h('span', { class: 'muted' }, label), input), h('div', { class: 'dialog-foot' },
      h('button', { type: 'button', class: 'btn', onclick: () => view.close() }, t('Cancel')), h('button', { class: 'btn primary', 'data-role': 'ask-text-ok' }, ok)));
    const view = dialog(title, form, { closed: () => resolve(answer) });
    input.focus();
    input.select();
  });
}
