// The Jobs tab: the list at the left, the chosen job at the right. What is shown of one job is in jobview.js.
import { fill, h, icon, openTab, visible } from './dom.js';
import { get, post, url } from './api.js';
import { duration, t, textReady } from './text.js';
import { complain, notice } from './notice.js';
import { jobView, stateBadge } from './jobview.js';
import { label, started } from './jobwords.js';

const LIST_MS = 1500;
const QUIET_MS = 4000;

export async function mount(element) {
  await textReady();
  const list = h('div', { class: 'jobs-list', 'data-role': 'jobs-list' });
  const view = jobView({ changed: () => look(), gone: (id) => { if (id === chosen) chosen = null; look(); } });
  const layout = h('div', { class: 'jobs', id: 'jobs' }, h('nav', { class: 'jobs-side', 'aria-label': t('Jobs') }, list), view.element);
  fill(element, layout);
  let chosen = hashId();
  let known = null;
  let timer = 0;
  let looks = 0;
  let shape = '';

  const choose = (id) => {
    chosen = id;
    if (visible(layout)) history.replaceState(null, '', `#job=${id}`);
    view.open(id);
    shape = '';
    draw();
  };

  async function look() {
    clearTimeout(timer);
    const own = (looks += 1);
    let wait = QUIET_MS;
    if (visible(layout)) {
      try {
        const answer = await get('jobs');
        if (own !== looks) return;
        known = answer;
        if (known.jobs.some((job) => job.state === 'running')) wait = LIST_MS;
        if (!known.more && !known.jobs.some((job) => job.id === chosen)) chosen = null;
        if (!chosen && known.jobs.length) choose(first(known.jobs).id);
        if (chosen !== view.id) view.open(chosen);
        draw();
      } catch { wait = LIST_MS; }
      if (own !== looks) return;
    }
    if (layout.isConnected) timer = setTimeout(look, wait);
  }

  function draw() {
    if (!known) return;
    layout.classList.toggle('none', !known.jobs.length);
    // Only rebuilt when something in it changed, so that the focus stays where it is.
    const now = JSON.stringify([chosen, known.queue, known.paused, known.jobs.map((job) => [job.id, job.name, job.star, job.state, job.position, job.samples, percent(job)])]);
    if (now === shape) return;
    shape = now;
    const focused = list.contains(document.activeElement) ? document.activeElement.dataset.key : null;
    // On a narrow page the list is above the job: what is redrawn there must not move what is read below.
    const [page, side] = [window.scrollY, list.parentElement.scrollTop];
    fill(list, known.jobs.length ? groups(known, chosen, choose, look) : emptyState());
    if (focused) list.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
    list.parentElement.scrollTop = side;
    if (window.scrollY !== page) window.scrollTo(0, page);
  }

  window.addEventListener('hashchange', () => { const id = hashId(); if (id && id !== chosen) { chosen = id; view.open(id); shape = ''; look(); } });
  document.addEventListener('athanor:running', () => { if (visible(layout)) look(); });
  new IntersectionObserver((entries) => entries.some((entry) => entry.isIntersecting) && look()).observe(layout);
  if (chosen) view.open(chosen);
  look();
}

const hashId = () => new URLSearchParams(location.hash.slice(1)).get('job');
const percent = (job) => (job.total ? Math.floor((100 * job.step) / job.total) : 0);
const first = (jobs) => jobs.find((job) => job.state === 'running') ?? jobs[0];

function emptyState() {
  return h('div', { class: 'empty', 'data-role': 'jobs-empty' }, h('h2', {}, t('No jobs yet')),
    h('p', {}, t('Fill in the Train tab and press Start training. Every run is kept here with its log, curve and previews.')),
    h('button', { class: 'btn primary', onclick: () => openTab('train') }, t('Go to Train')));
}

function groups(known, chosen, choose, look) {
  const queued = known.queue.map((id) => known.jobs.find((job) => job.id === id)).filter(Boolean);
  const running = known.jobs.filter((job) => job.state === 'running');
  const rest = known.jobs.filter((job) => job.state !== 'running' && !known.queue.includes(job.id));
  const pause = h('button', { class: 'btn quiet', 'data-role': 'queue-pause', 'data-key': 'pause', onclick: () => act('jobs/pause', { paused: !known.paused }, look) },
    known.paused ? [icon('play'), t('Resume queue')] : [icon('pause'), t('Pause queue')]);
  return [
    group(t('Running'), running.map((job) => row(job, chosen, choose))),
    group(t('Waiting'), queued.map((job, index) => row(job, chosen, choose, mover(known.queue, index, look))), queued.length ? pause : null,
      known.paused && queued.length ? h('p', { class: 'muted small' }, t('The queue is paused.')) : null),
    group(t('Earlier'), rest.map((job) => row(job, chosen, choose))),
    known.more ? h('p', { class: 'muted small' }, t('{n} older {n|job is|jobs are} not listed.', { n: known.more })) : null,
  ];
}

function group(title, rows, tool = null, note = null) {
  if (!rows.length) return null;
  return h('section', { class: 'jobs-group' }, h('div', { class: 'row' }, h('h3', { class: 'grow muted small' }, title), tool), note, rows);
}

function row(job, chosen, choose, tools = null) {
  const when = job.state === 'running' ? `${percent(job)} %` : job.position ? '' : [started(job).slice(0, 10), job.seconds ? duration(job.seconds) : null].filter(Boolean).join(' · ');
  const open = h('button', {
    class: 'job-row', 'aria-current': job.id === chosen ? 'true' : null, 'data-role': 'job', 'data-id': job.id, 'data-key': job.id, 'data-state': job.state,
    onclick: () => choose(job.id),
  },
  job.samples ? h('img', { class: 'job-thumb', src: url(`jobs/${job.id}/samples/-1?size=192&v=${job.samples}`), alt: '', loading: 'lazy' }) : h('span', { class: 'job-thumb none' }, icon('chart')),
  h('span', { class: 'col job-text' },
    h('span', { class: 'row' }, job.star && h('span', { class: 'star on', title: t('Starred'), 'aria-label': t('Starred'), 'data-role': 'list-star' }, icon('star')), h('span', { class: 'clip job-name' }, label(job))),
    h('span', { class: 'row' }, stateBadge(job), h('span', { class: 'muted small clip numbers' }, when)),
    job.state === 'running' && h('span', { class: 'progress' }, h('i', { style: { width: `${percent(job)}%` } }))));
  return h('div', { class: 'job-item' }, open, tools);
}

function mover(queue, index, look) {
  const move = (by) => {
    const order = [...queue];
    order.splice(index + by, 0, ...order.splice(index, 1));
    act('jobs/order', { order }, look);
  };
  const button = (name, by, words, off) => h('button', { class: 'btn quiet square', 'aria-label': words, title: words, disabled: off, 'data-role': `queue-${name}`, 'data-key': `${name}-${queue[index]}`, onclick: () => move(by) }, icon(name));
  return h('div', { class: 'col mover' }, button('up', -1, t('Earlier in the queue'), index === 0), button('down', 1, t('Later in the queue'), index === queue.length - 1));
}

async function act(path, body, after) {
  try { await post(path, body); } catch (error) { complain(error); }
  after();
}

/** Remove a job, with a way back. */
export async function removeJob(job, after) {
  try {
    await post(`jobs/${job.id}/remove`);
    notice(t('{name} was removed. The LoRA files in the output folder stay.', { name: job.name }), {
      action: { label: t('Undo'), run: () => act(`jobs/${job.id}/restore`, {}, after) } });
  } catch (error) { complain(error); }
  after();
}
