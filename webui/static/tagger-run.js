// A tagging run on the page: progress while it goes, then what was written, and the way back.
import { get, post } from './api.js';
import { fill, h, icon, openTab } from './dom.js';
import { ask, complain, notice } from './notice.js';
import { thumbnail } from './pictures.js';
import { say } from './tagger-words.js';
import { duration, t } from './text.js';
import { trainWith } from './to-train.js';

const PAGE = 50;
const LINES_SHOWN = 20;
const ACTIONS = [
  ['undone', () => t('undone'), ''], ['written', () => t('written'), 'ok'], ['appended', () => t('added to'), 'ok'], ['skipped', () => t('skipped'), ''], ['failed', () => t('failed'), 'danger'],
];

/** act: {changed()} asks for a new look. Returns {root, show(run or null)}. */
export function buildRun(act) {
  const head = h('div', { class: 'col' });
  const filters = h('div', { class: 'toolbar' });
  const table = h('div', { class: 'tg-table' });
  const pager = h('div', { class: 'toolbar' });
  const earlier = h('details', { class: 'tg-earlier', 'data-role': 'tagger-earlier', ontoggle: () => earlier.open && listEarlier() }, h('summary', {}, t('Earlier runs')), h('div', { class: 'col' }));
  const root = h('section', { class: 'card col', 'data-role': 'tagger-run', hidden: true }, head, filters, table, pager, earlier);
  let run = null;
  let action = '';
  let start = 0;
  let shown = '';
  let wanted = 0;
  let listings = 0;

  async function rows() {
    const key = `${run.id} ${run.undone?.time} ${action} ${start} ${action === '' ? run.done : run.counts[action]}`;
    if (key === shown) return;
    shown = key;
    const own = (wanted += 1);
    try {
      const page = await get(`tagging/runs/${run.id}/pictures?${new URLSearchParams({ start, count: PAGE, action })}`);
      if (own === wanted) draw(page);
    } catch (error) {
      shown = '';
      if (run.state !== 'running') complain(error);
    }
  }

  function draw(page) {
    fill(table, page.rows.length ? h('table', { class: 'table', 'data-role': 'tagger-table' },
      h('thead', {}, h('tr', {}, h('th', {}, t('Picture')), h('th', {}, t('Tags')), h('th', {}, t('What was done')))),
      h('tbody', {}, page.rows.map(row))) : null);
    const last = Math.min(page.total, start + PAGE);
    fill(pager, page.total > PAGE ? [
      h('button', { type: 'button', class: 'btn square', 'aria-label': t('Previous page'), disabled: start === 0, onclick: () => turn(start - PAGE) }, icon('left')),
      h('span', { class: 'numbers small' }, t('{first} to {last} of {total}', { first: start + 1, last, total: page.total })),
      h('button', { type: 'button', class: 'btn square', 'aria-label': t('Next page'), disabled: last >= page.total, onclick: () => turn(start + PAGE) }, icon('right')),
    ] : null);
  }

  function turn(to) {
    start = Math.max(0, to);
    rows();
  }

  function row(entry) {
    const [, title, kind] = ACTIONS.find(([name]) => name === entry.action) ?? [null, () => entry.action, ''];
    return h('tr', { 'data-name': entry.name, 'data-action': entry.action },
      h('td', {}, h('div', { class: 'tg-picture' }, thumbnail(entry.thumb, 192, { loading: 'lazy', class: 'tg-small' }), h('span', { class: 'small tg-file' }, entry.name))),
      h('td', { class: 'tg-tags' }, entry.tags.map(([tag, score]) => h('span', { class: 'chip', title: score.toFixed(2) }, tag))),
      h('td', {}, h('span', { class: `badge ${kind}` }, title()), entry.message ? h('div', { class: 'small muted' }, say(entry.message)) : null));
  }

  function showFilters() {
    fill(filters, [['', () => t('all'), ''], ...ACTIONS].filter(([name]) => name === '' || run.counts[name]).map(([name, title]) => h('button', {
      type: 'button', class: 'chip', 'aria-pressed': String(action === name), 'data-role': `tagger-filter-${name || 'all'}`,
      onclick: () => { action = name; start = 0; shown = ''; showFilters(); rows(); },
    }, title(), ' ', h('strong', { class: 'numbers' }, name === '' ? run.done : run.counts[name]))));
  }

  async function undo(which = run) {
    const count = (which.counts.written ?? 0) + (which.counts.appended ?? 0);
    const question = t('Restore the captions of {n} {n|picture|pictures} to what they were before this run?', { n: count });
    if (!await ask(question, { ok: t('Undo') })) return;
    try {
      let now = await post(`tagging/runs/${which.id}/undo`);
      while (now.undoing) {
        if (now.id === run.id) show(now);
        await new Promise((done) => setTimeout(done, 500));
        now = await get(`tagging/runs/${which.id}`);
      }
      if (now.undone) tellUndone(now.undone);
    } catch (error) {
      complain({ message: say(error.message) });
    }
    act.changed();
    if (earlier.open) listEarlier();
  }

  async function listEarlier() {
    const own = (listings += 1);
    try {
      const { runs } = await get('tagging/runs');
      if (own !== listings) return;
      fill(earlier.lastChild, runs.map((one) => h('div', { class: 'row wrap tg-past', 'data-run': one.id },
        h('span', { class: 'small numbers nowrap' }, one.started ? new Date(one.started * 1000).toLocaleString() : one.id),
        h('span', { class: 'small mono grow tg-file' }, one.settings.folder ?? ''), h('span', { class: 'small muted' }, counts(one)),
        one.undone ? h('span', { class: 'badge' }, t('undone')) : null,
        one.undoable ? h('button', { type: 'button', class: 'btn quiet', onclick: () => undo(one) }, icon('undo'), t('Undo')) : null)));
    } catch (error) {
      if (own === listings) fill(earlier.lastChild, h('p', { class: 'field-error' }, error.message));
    }
  }

  function show(next, folder) {
    root.hidden = !next;
    if (!next) return;
    // An older run of another folder goes below what is to be done now.
    root.style.order = next.state === 'running' || !folder || folder === next.settings.folder ? '0' : '1';
    if (run?.id !== next.id) { action = ''; start = 0; shown = ''; }
    const following = next.state === 'running' && start + PAGE >= (run?.done ?? 0) && action === '';
    if (run?.id === next.id && run.state === 'running' && next.state !== 'running' && action === '') start = 0;
    run = next;
    if (following) start = Math.max(0, Math.floor((next.done - 1) / PAGE) * PAGE);
    fill(head, heading(run, undo));
    showFilters();
    rows();
  }

  return { root, show };
}

function tellUndone(report) {
  const done = t('Undone: {restored} {restored|caption|captions} restored, {removed} new {removed|one|ones} removed.', report);
  notice(report.conflicts.length ? `${done} ${t('Unchanged: {n}.', { n: report.conflicts.length })}` : done, { seconds: 8 });
}

function heading(run, undo) {
  const where = h('div', { class: 'small muted tg-file' }, [run.settings.folder, run.settings.model, run.device].filter(Boolean).join(' · '));
  if (run.state === 'running' || run.state === 'waiting') return [h('h2', {}, t('Tagging')), where, gpuNote(run), progress(run)];
  const changed = (run.counts.written ?? 0) + (run.counts.appended ?? 0);
  return [
    h('div', { class: 'toolbar' }, h('h2', { class: 'grow', 'data-role': 'tagger-outcome', 'data-state': run.state }, outcome(run)),
      run.undone ? h('span', { class: 'badge', 'data-role': 'tagger-undone' }, t('undone')) : null,
      run.undoable && changed && !run.undoing ? h('button', { type: 'button', class: 'btn', 'data-role': 'tagger-undo', onclick: () => undo() }, icon('undo'), t('Undo')) : null,
      changed && !run.undone ? h('button', { type: 'button', class: 'btn', 'data-role': 'tagger-edit', onclick: () => edit(run) }, icon('tag'), t('Edit the tags')) : null,
      changed && !run.undone ? h('button', { type: 'button', class: 'btn', 'data-role': 'tagger-train', onclick: () => trainWith(folderOf(run)) }, t('Train with it'), icon('right')) : null),
    where,
    gpuNote(run),
    run.undoing ? undoing(run.undoing) : null,
    run.state === 'failed' || run.state === 'crashed' ? failure(run) : null,
    run.undone?.conflicts?.length ? h('div', { class: 'box-warn', 'data-role': 'tagger-conflicts' }, t('Unchanged: {n}.', { n: run.undone.conflicts.length }),
      h('ul', { class: 'tg-list small' }, run.undone.conflicts.slice(0, LINES_SHOWN).map((one) => h('li', {}, h('span', { class: 'mono' }, one.caption), ': ', say(one.message)))),
      run.undone.conflicts.length > LINES_SHOWN && h('p', { class: 'small' }, t('{n} more {n|is|are} not listed.', { n: run.undone.conflicts.length - LINES_SHOWN }))) : null,
  ];
}

function gpuNote(run) {
  return run.gpu_unused ? h('div', { class: 'box-warn', 'data-role': 'tagger-gpu' }, t('A graphics card is here, but onnxruntime could not use it, so the processor did the work. Install onnxruntime-gpu.')) : null;
}

function undoing({ done, total }) {
  return h('div', { class: 'col', 'data-role': 'tagger-undoing' },
    h('div', { class: 'progress', role: 'progressbar', 'aria-label': t('Restoring the captions …') }, h('i', { style: { width: `${total ? (100 * done) / total : 0}%` } })),
    h('div', { class: 'numbers' }, t('Restoring the captions …'), ' ', total ? `${done} / ${total}` : ''));
}

const folderOf = ({ settings }) => ({ path: settings.folder, recursive: Boolean(settings.recursive), extension: settings.caption_extension });

// Show the run's folder in the tag editor: by an event when that tab is open already, else by the folder it remembers.
async function edit(run) {
  const folder = folderOf(run);
  try {
    const { id } = await post('datasets/open', folder);
    try { localStorage.setItem('athanor.tags.folder', id); } catch { /* a private window: the editor asks for the folder */ }
    window.dispatchEvent(new CustomEvent('athanor:open-folder', { detail: folder }));
    openTab('tags');
  } catch (error) {
    complain(error);
  }
}

function outcome(run) {
  const seconds = duration(run.seconds);
  if (run.state === 'finished') return t('Done: {n} {n|picture|pictures} in {time}', { n: run.done, time: seconds });
  if (run.state === 'stopped') return t('Cancelled after {n} of {total} {total|picture|pictures}', { n: run.done, total: run.total ?? 0 });
  return t('Tagging failed after {n} {n|picture|pictures}', { n: run.done });
}

function failure(run) {
  return h('div', { class: 'box-error', role: 'alert', 'data-role': 'tagger-failure' },
    h('div', {}, say(run.message) || t('The tagger ended unexpectedly; the end of its log may say why.')),
    run.log_end ? h('details', {}, h('summary', {}, t('details')), h('pre', { class: 'mono tg-log' }, run.log_end)) : null);
}

function progress(run) {
  return h('div', { class: 'col', 'data-role': 'tagger-progress' }, progressBar(run), h('div', { class: 'row wrap' }, progressWords(run)));
}

/** How far a run is: a bar, of unknown length while the model loads. */
export function progressBar(run) {
  const share = isLoading(run) || !run.total ? null : (100 * run.done) / run.total;
  return h('div', { class: `progress${share === null ? ' waiting' : ''}`, role: 'progressbar', 'aria-label': t('Tagging'), 'aria-valuenow': share === null ? null : Math.round(share) },
    h('i', share === null ? {} : { style: { width: `${share}%` } }));
}

const isLoading = (run) => run.phase !== 'tagging' && run.done === 0;

/** The same in numbers: pictures, speed, time left. */
export function progressWords(run) {
  const left = run.speed && run.total ? (run.total - run.done) / run.speed : null;
  return [
    h('span', { class: 'numbers' }, isLoading(run) ? t('Loading the model …') : t('{done} of {total} {total|picture|pictures}', { done: run.done, total: run.total })),
    run.speed ? h('span', { class: 'numbers muted' }, t('{n} pictures/s', { n: run.speed < 10 ? run.speed.toFixed(1) : run.speed.toFixed(0) })) : null,
    left !== null && left > 1 ? h('span', { class: 'numbers muted' }, t('{time} left', { time: duration(left) })) : null,
  ];
}

function counts(run) {
  return ACTIONS.filter(([name]) => run.counts[name]).map(([name, title]) => `${title()} ${run.counts[name]}`).join(', ');
}
