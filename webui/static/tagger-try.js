// Try one picture: its scores as bars, both thresholds as lines that can be dragged, and the caption that would be written.
import { post } from './api.js';
import { thumbnail } from './pictures.js';
import { browse } from './browse.js';
import { debounce, fill, h, icon } from './dom.js';
import { sentence } from './messages.js';
import { say } from './tagger-words.js';
import { t } from './text.js';

const EXTENSIONS = ['.png', '.jpg', '.jpeg', '.webp', '.bmp', '.gif', '.tif', '.tiff', '.avif', '.jfif'];
const ROWS_SHOWN = 80;
const LINES = [['general_threshold', 'general'], ['character_threshold', 'character']];

/** act: {values(), change(name, value), demo()}. Returns {root, pictures(found), values(), forget()}. */
export function buildTry(act) {
  const strip = h('div', { class: 'tg-strip', 'data-role': 'tagger-strip', role: 'listbox', 'aria-label': t('Pictures of the folder') });
  const other = h('button', { type: 'button', class: 'btn', 'data-role': 'tagger-try-other', onclick: choose }, icon('image'), t('Another picture …'));
  const view = h('div', { class: 'tg-tried', 'data-role': 'tagger-tried' });
  const root = h('section', { class: 'card col', 'data-role': 'tagger-try' },
    h('div', { class: 'toolbar' }, h('h2', { class: 'grow' }, t('Try one picture')), other), strip, view);
  let found = null;
  let tried = null;
  let chart = null;
  let ticket = 0;
  let trying = false;
  let offered = '';

  async function choose() {
    const path = await browse({ kind: 'file', start: found?.path ?? act.values().folder, extensions: EXTENSIONS });
    if (path) run({ path, name: path.split(/[\\/]/).pop() });
  }

  async function run(picture) {
    const own = (ticket += 1);
    trying = true;
    mark(picture.path);
    const begun = Date.now();
    const seconds = h('span', { class: 'muted numbers' }, '');
    const clock = setInterval(() => { seconds.textContent = `${((Date.now() - begun) / 1000).toFixed(0)} s`; }, 500);
    fill(view, h('div', { class: 'col', 'data-role': 'tagger-trying' },
      h('div', { class: 'row' }, h('span', { class: 'grow' }, t('The tagger is looking at {name} …', { name: picture.name })), seconds,
        h('button', { type: 'button', class: 'btn quiet', onclick: () => { post('tagging/try/cancel').catch(() => {}); idle(); } }, t('Cancel'))),
      h('div', { class: 'progress waiting' }, h('i'))));
    try {
      const answer = await post('tagging/try', { values: act.values(), picture: picture.path });
      if (own === ticket) showAnswer(answer);
    } catch (error) {
      if (own === ticket) fill(view, h('div', { class: 'box-error', role: 'alert', 'data-role': 'tagger-try-error' }, error.problems.length ? error.problems.map(sentence).join(' ') : say(error.message)));
    } finally {
      if (own === ticket) trying = false;
      clearInterval(clock);
    }
  }

  function mark(path) {
    for (const one of strip.children) one.setAttribute('aria-selected', String(one.dataset.path === path));
  }

  function showAnswer(answer) {
    tried = answer;
    chart = buildChart(answer.scores, act);
    let captions = 0;
    const caption = h('p', { class: 'tg-caption', 'data-role': 'tagger-caption', 'aria-live': 'polite' });
    chart.caption = debounce(async () => {
      const own = (captions += 1);
      try {
        const told = await post('tagging/caption', { values: act.values(), scores: answer.scores });
        if (own === captions) caption.textContent = told.text || t('No tag reaches its threshold.');
      } catch { /* the next change asks again */ }
    }, 60);
    const rating = answer.scores.filter((one) => one.category === 'rating').sort((one, two) => two.score - one.score)[0];
    fill(view, h('div', { class: 'tg-result', 'data-role': 'tagger-result' },
      h('figure', { class: 'tg-figure' }, thumbnail(answer.thumb, 384, { alt: answer.name }),
        h('figcaption', { class: 'small muted' }, answer.name, h('br'),
          t('{model} on {device}, {seconds} s', { model: answer.model, device: answer.device, seconds: answer.seconds }),
          rating ? [h('br'), t('Rating: {name} {score}', { name: rating.tag, score: rating.score.toFixed(2) })] : null)),
      h('div', { class: 'col grow' }, chart.root, h('div', { class: 'small muted' }, t('The caption would be:')), caption)));
    update();
  }

  function update() {
    if (!chart) return;
    chart.show(act.values());
    chart.caption();
  }

  /** Nothing is tried: an answer that is still on its way belongs to other settings or another folder. */
  function idle() {
    ticket += 1;
    trying = false;
    tried = null;
    chart = null;
    mark(null);
    fill(view, found
      ? h('p', { class: 'muted' }, t('Click a picture to see what the tagger makes of it, then set the thresholds by eye.'))
      : h('div', { class: 'empty', 'data-role': 'tagger-empty' }, h('p', {}, t('First choose your picture folder on the left.')),
        h('p', {}, t('No pictures at hand? Try it on the demo pictures.')),
        h('button', { type: 'button', class: 'btn', 'data-role': 'tagger-demo', onclick: act.demo }, icon('image'), t('Use the demo pictures'))));
  }

  idle();
  return {
    root,
    update,
    forget: idle,
    pictures(folder) {
      const now = JSON.stringify(folder?.sample.map((one) => one.thumb) ?? null);
      if (now === offered) return;
      const moved = found?.path !== folder?.path;
      offered = now;
      found = folder;
      fill(strip, (folder?.sample ?? []).map((one) => h('button', {
        type: 'button', class: 'tg-thumb', role: 'option', 'aria-selected': 'false', title: one.name, 'data-path': one.path, 'data-name': one.name, onclick: () => run(one),
      }, thumbnail(one.thumb, 192, { alt: one.name, loading: 'lazy' }))));
      strip.hidden = !folder;
      if (moved || !(tried || trying)) idle();
    },
  };
}

// Bars of all scores. Lines and handles share one scale; a line can be dragged anywhere or moved with the arrow keys.
function buildChart(scores, act) {
  const ordered = ['character', 'general'].flatMap((group) => scores.filter((one) => groupOf(one) === group)).slice(0, ROWS_SHOWN);
  const rows = ordered.map((one) => ({ one, row: h('div', { class: `tg-bar ${groupOf(one)}`, 'data-tag': one.tag },
    h('span', { class: 'tg-tag clip', title: one.tag }, one.tag, one.category === 'general' ? null : h('span', { class: 'tg-kind' }, t(one.category))), h('span', { class: 'tg-track' }, h('i', { style: { width: `${100 * one.score}%` } })),
    h('span', { class: 'tg-score numbers' }, one.score.toFixed(2))) }));
  const handles = LINES.map(([name, kind]) => handle(name, kind));
  const lines = LINES.map(([name, kind]) => h('div', { class: `tg-line ${kind}`, 'data-role': `tagger-line-${kind}`, onpointerdown: (event) => drag(event, name) }));
  const ruler = h('div', { class: 'tg-ruler' }, h('div', { class: 'tg-scale' }, handles));
  const layer = h('div', { class: 'tg-scale tg-lines' }, lines);
  const body = h('div', { class: 'tg-rows' }, h('div', { class: 'tg-inner' }, rows.map(({ row }) => row), layer,
    rows.length ? null : h('p', { class: 'muted small' }, t('The tagger recognises nothing here.'))));
  const root = h('div', { class: 'tg-plot', 'data-role': 'tagger-plot' }, ruler, body);

  function handle(name, kind) {
    const title = kind === 'general' ? t('Threshold') : t('Character threshold');
    return h('button', { type: 'button', class: `tg-handle ${kind}`, role: 'slider', 'aria-label': title, 'aria-valuemin': '0.01', 'aria-valuemax': '1', 'data-role': `tagger-handle-${kind}`,
      onpointerdown: (event) => drag(event, name),
      onkeydown: (event) => {
        const step = { ArrowLeft: -0.01, ArrowDown: -0.01, ArrowRight: 0.01, ArrowUp: 0.01, PageUp: 0.1, PageDown: -0.1 }[event.key];
        if (!step) return;
        event.preventDefault();
        act.change(name, clamped(act.values()[name] + step));
      } });
  }

  function drag(event, name) {
    event.preventDefault();
    const target = event.currentTarget;
    target.setPointerCapture(event.pointerId);
    target.focus?.();
    const move = (now) => {
      const box = layer.getBoundingClientRect();
      act.change(name, clamped((now.clientX - box.left) / box.width));
    };
    const end = () => { target.removeEventListener('pointermove', move); };
    target.addEventListener('pointermove', move);
    target.addEventListener('pointerup', end, { once: true });
    target.addEventListener('pointercancel', end, { once: true });
  }

  return {
    root,
    caption() {},
    show(values) {
      LINES.forEach(([name, kind], index) => {
        const value = Number(values[name]) || 0;
        const place = `${100 * Math.min(1, Math.max(0, value))}%`;
        lines[index].style.left = place;
        handles[index].style.left = place;
        handles[index].setAttribute('aria-valuenow', String(value));
        handles[index].textContent = kind === 'general' ? value.toFixed(2) : t('Character {score}', { score: value.toFixed(2) });
      });
      for (const { one, row } of rows) row.classList.toggle('kept', one.score >= values[groupOf(one) === 'character' ? 'character_threshold' : 'general_threshold']);
    },
  };
}

function groupOf(one) {
  if (one.category === 'rating') return 'rating';
  return one.category === 'character' ? 'character' : 'general';
}

function clamped(value) {
  return Math.round(100 * Math.min(1, Math.max(0.01, value))) / 100;
}
