// The header on every tab: brand, language, theme, and the strip that tells about the running job.
import { fill, h, icon } from './dom.js';
import { get, post } from './api.js';
import { duration, lang, setLang, t } from './text.js';
import { ask, complain, notice } from './notice.js';
import { translated } from './messages.js';
import { notify } from './jobnotify.js';

const RUNNING_MS = 1000;
const IDLE_MS = 3000;
const HIDDEN_MS = 6000;

/** The bar on top: brand, the row of tabs, language and colours. */
export function header(row) {
  return h('header', { class: 'bar' },
    h('a', { class: 'brand', href: './', 'aria-label': 'Athanor' },
      h('img', { src: './static/icon.svg', alt: '', width: 24, height: 24 }), h('span', {}, 'Athanor')),
    row,
    h('div', { class: 'bar-tools' }, languageSwitch(), themeSwitch()));
}

/** The strip below it, which shows while a job runs or the server is lost. */
export function strip() {
  const box = h('div', { class: 'strip', id: 'running-strip', 'data-role': 'running-strip', hidden: true });
  watch(box);
  return box;
}

function languageSwitch() {
  const choice = (code, label, title) => h('button', {
    'aria-pressed': String(lang() === code), title, lang: code === 'zh' ? 'zh-CN' : 'en', 'data-role': `lang-${code}`,
    onclick: () => lang() === code || setLang(code),
  }, label);
  return h('div', { class: 'seg', role: 'group', 'aria-label': t('Language') }, choice('zh', '中', '中文'), choice('en', 'EN', 'English'));
}

function themeSwitch() {
  const root = document.documentElement;
  const system = window.matchMedia('(prefers-color-scheme: dark)');
  const button = h('button', { class: 'btn quiet square', 'data-role': 'theme', onclick: () => choose(root.dataset.theme === 'dark' ? 'light' : 'dark') });
  function show(theme) {
    root.dataset.theme = theme;
    document.body.classList.toggle('dark', theme === 'dark');
    const words = theme === 'dark' ? t('Switch to light colours') : t('Switch to dark colours');
    button.setAttribute('aria-label', words);
    button.title = words;
    fill(button, icon(theme === 'dark' ? 'sun' : 'moon'));
    document.dispatchEvent(new CustomEvent('athanor:theme', { detail: theme }));
  }
  function choose(theme) {
    try { localStorage.setItem('athanor.theme', theme); } catch { /* lasts until the page is closed */ }
    show(theme);
  }
  system.addEventListener?.('change', (event) => {
    let chosen = null;
    try { chosen = localStorage.getItem('athanor.theme'); } catch { /* no storage, no choice */ }
    if (!chosen) show(event.matches ? 'dark' : 'light');
  });
  show(root.dataset.theme === 'dark' ? 'dark' : 'light');
  return button;
}

function watch(strip) {
  let before = new Map();
  let lost = 0;
  let timer = 0;
  let looks = 0;
  async function look() {
    clearTimeout(timer);
    const own = (looks += 1);
    let wait = IDLE_MS;
    try {
      const answer = await get('jobs/running');
      if (own !== looks) return;
      lost = 0;
      const running = new Map(answer.jobs.map((job) => [job.id, job]));
      for (const [id, job] of before) if (!running.has(id)) ended(job);
      before = running;
      showJobs(strip, answer, look);
      document.dispatchEvent(new CustomEvent('athanor:running', { detail: answer }));
      if (answer.jobs.length) wait = RUNNING_MS;
    } catch (error) {
      if (own !== looks) return;
      lost += 1;
      if (lost > 1) showLost(strip, error);
      wait = RUNNING_MS;
    }
    if (document.hidden) wait = HIDDEN_MS;
    if (strip.isConnected) timer = setTimeout(look, wait);
  }
  document.addEventListener('visibilitychange', () => document.hidden || look());
  document.addEventListener('athanor:look', look);
  look();
}

let endedTitle = ''; // what ended while nobody looked
document.addEventListener('visibilitychange', () => { if (!document.hidden) endedTitle = ''; });

async function ended(job) {
  try {
    const { job: now } = await get(`jobs/${job.id}`);
    const words = {
      finished: t('{name} is finished.', { name: job.name }), stopped: t('{name} has stopped.', { name: job.name }),
      failed: t('{name} failed: {reason}', { name: job.name, reason: translated(now.end?.message ?? '') }),
      crashed: t('{name} ended unexpectedly; its log may say why.', { name: job.name }),
    }[now.state];
    if (words) {
      if (document.hidden) {
        endedTitle = words;
        document.title = `${words} – Athanor`;
      }
      notify(words, { tag: job.id, open: () => { location.hash = `job=${job.id}`; } });
      notice(words, {
        kind: ['failed', 'crashed'].includes(now.state) ? 'error' : 'info', seconds: 20,
        action: { label: t('View'), run: () => { location.hash = `job=${job.id}`; } },
      });
    }
  } catch { /* it was removed meanwhile */ }
}

function showLost(strip, error) {
  strip.hidden = false;
  strip.dataset.kind = 'lost';
  fill(strip, icon('warning'), h('span', { class: 'grow' }, error.message, ' ', t('Trying again; a running job is not affected.')));
}

function showJobs(strip, answer, look) {
  const [job] = answer.jobs;
  strip.dataset.kind = 'job';
  strip.hidden = !job;
  document.title = job ? `${job.step && job.total ? `${Math.floor((100 * job.step) / job.total)} %` : phaseWords(job.phase)} · ${job.name} – Athanor` : [endedTitle, 'Athanor'].filter(Boolean).join(' – ');
  if (!job) return;
  const share = job.total ? (100 * job.step) / job.total : 0;
  const part = (name, text) => text && h('span', { class: `strip-${name} numbers nowrap`, 'data-role': `strip-${name}` }, text);
  const others = answer.jobs.length - 1 + answer.waiting;
  const [told, buttons] = stripParts(strip);
  fill(told,
    h('strong', { class: 'strip-name clip', 'data-role': 'strip-name' }, job.name),
    h('div', { class: `progress strip-bar${job.step ? '' : ' waiting'}`, role: 'progressbar', 'aria-label': t('Progress of {name}', { name: job.name }),
      'aria-valuemin': 0, 'aria-valuemax': 100, 'aria-valuenow': Math.floor(share) }, h('i', { style: job.step ? { width: `${share}%` } : {} })),
    part('step', job.step ? `${job.step}/${job.total}` : phaseWords(job.phase)),
    part('phase', job.step && job.phase && job.phase.name !== 'training' ? phaseWords(job.phase) : null),
    part('loss', Number.isFinite(job.average ?? job.loss) && `loss ${(job.average ?? job.loss).toFixed(3)}`),
    part('speed', job.step ? speed(job.seconds_per_step) : null),
    part('left', job.remaining_seconds ? t('{time} left', { time: duration(job.remaining_seconds) }) : null),
    part('more', others ? t('+{n} more', { n: others }) : null));
  // The buttons stay the same elements while they mean the same: a click or a focus must outlive a redraw.
  const meaning = `${job.id} ${job.stopping_since ?? ''}`;
  if (buttons.dataset.meaning === meaning) return;
  buttons.dataset.meaning = meaning;
  fill(buttons,
    h('button', { class: 'btn', 'data-role': 'strip-view', onclick: () => { location.hash = `job=${job.id}`; } }, t('View')),
    stopButton(job, look));
}

function stripParts(strip) {
  if (!strip.querySelector('.strip-told')) fill(strip, h('div', { class: 'strip-told' }), h('span', { class: 'row strip-buttons' }));
  return [...strip.children];
}

/** Stop, or End now once the stop was asked for. `after` is called when the server has answered. */
export function stopButton(job, after = () => {}) {
  const act = (path) => async (event) => {
    const button = event.currentTarget;
    button.disabled = true;
    try { await post(`jobs/${job.id}/${path}`); } catch (error) { complain(error); button.disabled = false; }
    after();
  };
  if (!job.stopping_since) {
    return h('button', { class: 'btn', 'data-role': 'stop', title: t('Saves the training state first, so that you can go on later'), onclick: act('stop') }, icon('stop'), t('Stop'));
  }
  const end = async (event) => {
    const button = event.currentTarget;
    const sure = await ask(t('End {name} now? What it learned since its last save will be lost.', { name: job.name }), { ok: t('End now'), danger: true });
    if (sure) await act('end')({ currentTarget: button });
  };
  return [h('span', { class: 'muted nowrap', 'data-role': 'stopping' }, t('Saving, then stopping …')),
    h('button', { class: 'btn danger', 'data-role': 'end', onclick: end }, t('End now'))];
}

/** 1.9 it/s for fast steps, 3.2 s/it for slow ones. */
export function speed(secondsPerStep) {
  if (!secondsPerStep) return null;
  return secondsPerStep > 1 ? `${secondsPerStep.toFixed(1)} s/it` : `${(1 / secondsPerStep).toFixed(1)} it/s`;
}

/** What a job does before or between its steps. */
export function phaseWords(phase) {
  if (!phase?.name) return t('Starting …');
  const count = phase.total ? ` ${phase.done ?? 0}/${phase.total}` : '';
  return `${t(phase.name)}${count} …`;
}
