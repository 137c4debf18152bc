// The end of a job's log: 500 lines, progress lines folded, search, copy, the whole file to keep.
import { clear, debounce, h, icon } from './dom.js';
import { url } from './api.js';
import { t } from './text.js';
import { complain, notice } from './notice.js';

export const MOST_LINES = 500;
const LONGEST_LINE = 20000;

/**
 * Lines of a stream in which \r begins the current line anew, as a terminal shows it. The newest 500 are kept.
 * `take(text)` returns how many lines were finished; `open` is the line still being written. Of a very long line its
 * end is kept.
 */
export class LineBuffer {
  constructor(most = MOST_LINES) {
    this.most = most;
    this.lines = [];
    this.open = '';
    this.finished = 0;
  }

  take(text) {
    const pieces = (this.open + text).split('\n');
    this.open = pieces.pop();
    // Of an open line only what stands behind the last \r can still be seen; a final \r waits for what follows.
    const cut = this.open.lastIndexOf('\r', this.open.length - 2);
    if (cut >= 0) this.open = this.open.slice(cut + 1);
    this.open = ending(this.open);
    const lines = pieces.slice(-this.most).map(visiblePart);
    this.finished += pieces.length;
    this.lines = this.lines.concat(lines).slice(-this.most);
    return pieces.length;
  }

  clear() {
    this.lines = [];
    this.open = '';
    this.finished = 0;
  }
}

/** What a terminal would show of a line with carriage returns in it. */
export function visiblePart(line) {
  const bare = line.endsWith('\r') ? line.slice(0, -1) : line;
  return ending(bare.slice(bare.lastIndexOf('\r') + 1));
}

const ending = (line) => (line.length > LONGEST_LINE + 1 ? `…${line.slice(-LONGEST_LINE)}` : line);

/** Returns {element, take(answer), restart(id)}; `answer` is the `log` part of jobs/{id}/live. */
export function logView() {
  const buffer = new LineBuffer();
  const list = h('div', { class: 'log-lines mono', role: 'log', 'aria-label': t('Log'), 'data-empty': t('No output yet.'), tabindex: '0', 'data-role': 'log' });
  const openLine = h('div', { class: 'log-line open', 'data-role': 'log-open', hidden: true });
  const search = h('input', { class: 'input', type: 'search', placeholder: t('Search the log'), 'aria-label': t('Search the log'), 'data-role': 'log-search' });
  const newer = h('button', { class: 'btn log-newer', hidden: true, 'data-role': 'log-newer', onclick: () => { following = true; render(); } });
  const whole = h('a', { class: 'btn quiet', 'data-role': 'log-download', download: '' }, icon('download'), t('Full log'));
  const note = h('span', { class: 'muted small grow', 'data-role': 'log-note' });
  let shownUpTo = 0;
  let following = true;
  let skipped = 0;
  let planned = 0;

  list.addEventListener('scroll', () => {
    const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 24;
    if (atEnd === following) return;
    following = atEnd;
    if (following) plan();
  });
  search.addEventListener('input', debounce(() => render(true), 80));
  const copy = async () => {
    try {
      await copyText([...buffer.lines, buffer.open].join('\n'));
      notice(t('Copied the lines shown.'));
    } catch (error) { complain(error); }
  };

  const lineNode = (text) => h('div', { class: /\b(error|exception|traceback)\b/i.test(text) ? 'log-line bad' : 'log-line' }, text || '\u200b');
  const plan = () => { planned ||= requestAnimationFrame(() => { planned = 0; render(); }); };

  function render(anew = false) {
    const wanted = search.value.trim().toLowerCase();
    const missed = buffer.finished - shownUpTo;
    newer.hidden = following || missed <= 0;
    if (!newer.hidden) newer.textContent = t('{n} new {n|line|lines}', { n: missed });
    note.textContent = skipped || buffer.finished > buffer.lines.length ? t('Older lines are in the full log.') : '';
    if (!following && !anew) return;
    if (wanted || anew || missed >= buffer.lines.length) {
      const lines = wanted ? buffer.lines.filter((line) => line.toLowerCase().includes(wanted)) : buffer.lines;
      clear(list).append(...lines.map(lineNode));
      if (wanted) note.textContent = t('{n} of {total} {total|line|lines}', { n: lines.length, total: buffer.lines.length });
    } else {
      openLine.remove();
      list.append(...buffer.lines.slice(buffer.lines.length - missed).map(lineNode));
      while (list.children.length > buffer.lines.length) list.firstElementChild.remove();
    }
    shownUpTo = buffer.finished;
    openLine.textContent = visiblePart(buffer.open);
    openLine.hidden = openLine.textContent === '' || wanted !== '';
    list.toggleAttribute('data-nothing', buffer.finished === 0 && openLine.hidden && wanted === '');
    list.append(openLine);
    if (following) list.scrollTop = list.scrollHeight;
  }

  const element = h('section', { class: 'card log' },
    h('div', { class: 'toolbar' }, h('h3', {}, t('Log')), note, search,
      h('button', { class: 'btn quiet', 'data-role': 'log-copy', onclick: copy }, icon('copy'), t('Copy')), whole),
    h('div', { class: 'log-box' }, list, newer));

  return {
    element,
    restart(id) {
      buffer.clear();
      shownUpTo = skipped = 0;
      following = true;
      search.value = '';
      whole.href = url(`jobs/${id}/log.txt`);
      render(true);
    },
    take(answer) {
      if (answer.restarted) { buffer.clear(); shownUpTo = 0; }
      if (answer.skipped) {
        skipped += answer.skipped;
        if (buffer.finished) buffer.take(`\n… ${t('{n} KB left out; the full log has them', { n: Math.round(answer.skipped / 1024) })} …\n`);
      }
      if (answer.text === '' && !answer.restarted) return;
      buffer.take(answer.text);
      plan();
    },
  };
}

/** Copy text; over plain http from another machine the clipboard is closed, so a hidden text box helps out. */
export async function copyText(text) {
  if (navigator.clipboard && window.isSecureContext) {
    await navigator.clipboard.writeText(text);
    return;
  }
  const box = h('textarea', { style: { position: 'fixed', opacity: '0' } });
  box.value = text;
  document.body.append(box);
  box.select();
  const done = document.execCommand('copy');
  box.remove();
  if (!done) throw new Error(t('The browser does not allow copying here; select the text and press Ctrl+C.'));
}
