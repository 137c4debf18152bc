// Short messages at the bottom of the page, and questions with two answers.
import { h, icon } from './dom.js';
import { t } from './text.js';
import { translated } from './messages.js';

function shelf() {
  let box = document.getElementById('ath-notices');
  if (!box) {
    box = h('div', { id: 'ath-notices', class: 'ath notices', role: 'status', 'aria-live': 'polite' });
    document.body.append(box);
  }
  return box;
}

/**
 * Show a message; returns a function that takes it away. An error stays until it is closed, unless `seconds` is given.
 * action: {label, run}, such as Undo.
 */
export function notice(message, { kind = 'info', action = null, seconds = null } = {}) {
  const remove = () => { clearTimeout(timer); box.remove(); };
  const box = h('div', { class: `notice ${kind}`, 'data-role': 'notice', 'data-kind': kind, role: kind === 'error' ? 'alert' : null },
    icon(kind === 'error' ? 'error' : 'info'),
    h('span', { class: 'grow' }, message),
    action && h('button', { class: 'btn quiet', 'data-role': 'notice-action', onclick: () => { remove(); action.run(); } }, action.label),
    h('button', { class: 'btn quiet square', 'aria-label': t('Close'), 'data-role': 'notice-close', onclick: remove }, icon('close')));
  const wait = seconds ?? (kind === 'error' ? 0 : action ? 12 : 5);
  const timer = wait ? setTimeout(remove, wait * 1000) : 0;
  const list = shelf();
  list.append(box);
  while (list.children.length > 4) list.firstElementChild.remove();
  return remove;
}

/** Show what went wrong in an action: notice(error.message) for anything thrown. */
export function complain(error) {
  if (error?.name === 'AbortError') return;
  notice(translated(error?.message ?? String(error)), { kind: 'error' });
}

/** A dialog over the page. Returns {box, close}; `closed` is called once, however it is closed (Esc, click outside, code). */
export function dialog(title, content, { closed = () => {}, wide = false } = {}) {
  const before = document.activeElement;
  const box = h('dialog', { class: `ath dialog${wide ? ' wide' : ''}`, 'aria-label': title, 'data-role': 'dialog' },
    h('header', { class: 'dialog-head' }, h('h2', {}, title),
      h('button', { class: 'btn quiet square', 'aria-label': t('Close'), onclick: () => box.close() }, icon('close'))),
    content);
  box.addEventListener('click', (event) => event.target === box && box.close());
  box.addEventListener('close', () => { box.remove(); before?.focus?.(); closed(); });
  document.body.append(box);
  box.showModal();
  return { box, close: () => box.close() };
}

/** Ask a question; resolves to true for `ok`, false for anything else. about: what follows from it, below the question. */
export function ask(question, { ok = t('OK'), cancel = t('Cancel'), danger = false, about = null } = {}) {
  return new Promise((resolve) => {
    let answer = false;
    const yes = h('button', { class: `btn ${danger ? 'danger' : 'primary'}`, 'data-role': 'ask-ok', onclick: () => { answer = true; view.close(); } }, ok);
    const no = h('button', { class: 'btn', 'data-role': 'ask-cancel', onclick: () => view.close() }, cancel);
    const view = dialog(question, h('div', {}, about && h('p', { 'data-role': 'ask-about' }, about), h('div', { class: 'dialog-foot' }, no, yes)),
      { closed: () => resolve(answer) });
    (danger ? no : yes).focus();
  });
}
