// Short messages in the header, where they cover nothing, and questions with two answers.
import { fill, h, icon } from './dom.js';
import { t } from './text.js';
import { translated } from './messages.js';

const MOST = 9;
const waits = new WeakMap(); // a message -> seconds it is shown for; 0 = until it is closed
const timers = new WeakMap();

/** The place for messages: the newest in the header's free part, or below it on a narrow page; all of them on request. */
function shelf() {
  let box = document.getElementById('ath-notices');
  if (!box) {
    const all = h('button', { class: 'btn quiet notices-all', 'data-role': 'notice-all', hidden: true, onclick: () => change(box, () => box.classList.toggle('all')) });
    box = h('div', { id: 'ath-notices', class: 'notices', hidden: true }, h('div', { class: 'notices-list', role: 'status', 'aria-live': 'polite' }), all);
    const tools = document.querySelector('.ath .bar > .bar-tools');
    if (tools) tools.before(box); else document.body.append(box);
    new ResizeObserver(() => arrange(box)).observe(box);
  }
  return box;
}

const listOf = (box) => box.firstElementChild;

function remove(which) {
  const box = document.getElementById('ath-notices');
  const gone = box ? [...box.querySelectorAll(which)] : [];
  if (gone.length) change(box, () => gone.forEach((message) => message.remove()));
}

/** Change the messages. Where the header grows or shrinks by it, the page's content moves along instead of under it. */
function change(box, act) {
  const root = document.documentElement;
  root.style.overflowAnchor = 'none';
  act();
  arrange(box);
  requestAnimationFrame(() => requestAnimationFrame(() => { root.style.overflowAnchor = ''; }));
}

/** What is shown, how many there are, and whose time runs: a message that nobody sees does not go away. */
function arrange(box) {
  const messages = [...listOf(box).children];
  const newest = messages.at(-1);
  box.hidden = !newest;
  if (!newest) box.classList.remove('all');
  const open = box.classList.contains('all');
  const [, all] = box.children;
  const words = newest?.querySelector('.notice-words');
  const clipped = Boolean(words) && words.scrollHeight > words.clientHeight + 1;
  all.hidden = !newest || !(messages.length > 1 || clipped || open);
  all.setAttribute('aria-expanded', String(open));
  const about = open ? t('Show less') : messages.length > 1 ? t('All messages: {n}', { n: messages.length }) : t('Show the whole message');
  if (all.title !== about || !all.firstChild) {
    all.title = about;
    all.setAttribute('aria-label', about);
    fill(all, messages.length > 1 && h('span', { class: 'numbers' }, messages.length), icon(open ? 'up' : 'down'));
  }
  for (const message of messages) {
    const runs = message === newest && !open;
    if (!runs) { clearTimeout(timers.get(message)); timers.delete(message); continue; }
    if (waits.get(message) && !timers.has(message)) timers.set(message, setTimeout(() => change(box, () => message.remove()), waits.get(message) * 1000));
  }
}

document.addEventListener('athanor:reached', () => remove('[data-lost]'));
document.addEventListener('athanor:tab', () => remove('[data-kind=error]'));

/**
 * Show a message; returns a function that takes it away. An error stays until it is closed, unless `seconds` is given,
 * or the next thing succeeds or another tab is opened. The same message stands once. action: {label, run}, such as Undo.
 * lost: the server was not reached; taken away as soon as it answers.
 */
export function notice(message, { kind = 'info', action = null, seconds = null, lost = false } = {}) {
  const shown = shelf();
  const close = () => { clearTimeout(timers.get(box)); if (box.isConnected) change(shown, () => box.remove()); };
  const box = h('div', { class: `notice ${kind}`, 'data-role': 'notice', 'data-kind': kind, 'data-lost': lost ? '' : null, role: kind === 'error' ? 'alert' : null },
    icon(kind === 'error' ? 'error' : 'info'),
    h('span', { class: 'grow notice-words' }, message),
    action && h('button', { class: 'btn quiet', 'data-role': 'notice-action', onclick: () => { close(); action.run(); } }, action.label),
    h('button', { class: 'btn quiet square', 'aria-label': t('Close'), 'data-role': 'notice-close', onclick: close }, icon('close')));
  waits.set(box, seconds ?? (kind === 'error' ? 0 : action ? 12 : 5));
  change(shown, () => {
    const list = listOf(shown);
    for (const other of [...list.children]) {
      if (other.textContent === box.textContent || (kind !== 'error' && other.dataset.kind === 'error')) other.remove();
    }
    list.append(box);
    while (list.children.length > MOST) list.firstElementChild.remove();
  });
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
