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

const remove = (which) => document.querySelectorAll(`#ath-notices ${which}`).forEach((box) => box.remove());
document.addEventListener('athanor:reached', () => remove('[data-lost]'));
document.addEventListener('athanor:tab', () => remove('[data-kind=error]'));

/**
 * Show a message; returns a function that takes it away. An error stays until it is closed, unless `seconds` is given,
 * or the next thing succeeds or another tab is opened. The same message stands once. action: {label, run}, such as Undo.
 * lost: the server was not reached; taken away as soon as it answers.
 */
export function notice(message, { kind = 'info', action = null, seconds = null, lost = false } = {}) {
  const close = () => { clearTimeout(timer); box.remove(); };
  const box = h('div', { class: `notice ${kind}`, 'data-role': 'notice', 'data-kind': kind, 'data-lost': lost ? '' : null, role: kind === 'error' ? 'alert' : null },
    icon(kind === 'error' ? 'error' : 'info'),
    h('span', { class: 'grow' }, message),
    action && h('button', { class: 'btn quiet', 'data-role': 'notice-action', onclick: () => { close(); action.run(); } }, action.label),
    h('button', { class: 'btn quiet square', 'aria-label': t('Close'), 'data-role': 'notice-close', onclick: close }, icon('close')));
  const wait = seconds ?? (kind === 'error' ? 0 : action ? 12 : 5);
  const timer = wait ? setTimeout(close, wait * 1000) : 0;
  const list = shelf();
  for (const other of [...list.children]) {
    if (other.textContent === box.textContent || (kind !== 'error' && other.dataset.kind === 'error')) other.remove();
  }
  list.append(box);
  while (list.children.length > 4) list.firstElementChild.remove();
  return close;
}

/** Show what went wrong in an action: notice(error.message) for anything thrown. */
export function complain(error) {
  if (error?.name === 'AbortError') return;
  notice(translated(error?.message ?? String(error)), { kind: 'error', lost: error?.status === 0 });
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

/** Ask which of several things to do; resolves to the value of the button, null when it is closed. options: [value, words]. */
export function choose(question, options, { about = null } = {}) {
  return new Promise((resolve) => {
    let answer = null;
    const buttons = options.map(([value, words], at) => h('button', { class: `btn${at ? '' : ' primary'}`, 'data-role': `choose-${value}`, onclick: () => { answer = value; view.close(); } }, words));
    const view = dialog(question, h('div', {}, about && h('p', { 'data-role': 'ask-about' }, about),
      h('div', { class: 'dialog-foot' }, h('button', { class: 'btn', 'data-role': 'ask-cancel', onclick: () => view.close() }, t('Cancel')), buttons.slice(1), buttons[0])),
    { closed: () => resolve(answer) });
    buttons[0].focus();
  });
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
