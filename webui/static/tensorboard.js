// TensorBoard in a frame of its own origin, loaded when the tab is first opened.
import { fill, h, icon, openTab, visible } from './dom.js';
import { get } from './api.js';
import { t, textReady } from './text.js';

const LOOK_MS = 5000;
const RELOAD_MS = 15000;
const MOST_WAIT_MS = 30000;
const NARROW = '(max-width: 720px)';

export async function mount(element) {
  await textReady();
  preset();
  const box = h('div', { class: 'tb', id: 'tensorboard' });
  fill(element, box);
  let frame = null;
  let timer = 0;

  const address = () => `./tensorboard/${document.documentElement.dataset.theme === 'dark' ? '?darkMode=true' : ''}#timeseries`;
  function show(logs) {
    frame = h('iframe', { class: 'tb-frame', src: address(), title: 'TensorBoard', 'data-role': 'tensorboard-frame' });
    const wait = h('p', { class: 'muted tb-wait', role: 'status' }, t('TensorBoard is starting …'));
    revealWhenDrawn(frame, wait);
    fill(box,
      h('div', { class: 'toolbar' }, h('span', { class: 'muted small grow clip' }, t('Logs of {folder}', { folder: logs })),
        h('button', { class: 'btn quiet', 'data-role': 'tensorboard-reload', onclick: () => frame.contentWindow.location.reload() }, icon('refresh'), t('Reload')),
        h('a', { class: 'btn quiet', href: './tensorboard/', target: '_blank', rel: 'noopener', 'data-role': 'tensorboard-own' }, icon('external'), t('Open in its own window'))),
      h('div', { class: 'tb-box' }, wait, frame));
  }
  /** On a phone TensorBoard's own bars leave no room for a curve inside this page: it gets the whole window. */
  function offer(logs) {
    fill(box, h('div', { class: 'card empty', 'data-role': 'tensorboard-narrow' }, h('h2', {}, 'TensorBoard'),
      h('p', {}, t('This screen is narrow; TensorBoard has more room in its own window.')),
      h('a', { class: 'btn primary', href: address().split('#')[0], target: '_blank', rel: 'noopener', 'data-role': 'tensorboard-own' }, icon('external'), t('Open in its own window')),
      h('button', { class: 'btn quiet', 'data-role': 'tensorboard-here', onclick: () => show(logs) }, t('Show it here'))));
  }
  function empty(logs) {
    fill(box, h('div', { class: 'card empty', 'data-role': 'tensorboard-empty' }, h('h2', {}, t('No TensorBoard logs yet')),
      h('p', {}, t('They are written to {folder} while a job trains, unless log_with is off.', { folder: logs })),
      h('button', { class: 'btn', onclick: () => openTab('train') }, t('Go to Train'))));
  }
  async function look() {
    clearTimeout(timer);
    if (frame) return;
    if (visible(box)) {
      try {
        const { logs, runs } = await get('tensorboard');
        if (frame) return;
        if (runs) { if (window.matchMedia(NARROW).matches) offer(logs); else show(logs); return; }
        if (!box.querySelector('[data-role="tensorboard-empty"]')) empty(logs);
      } catch { /* asked again below */ }
    }
    timer = setTimeout(look, LOOK_MS);
  }
  new IntersectionObserver((entries) => entries.some((entry) => entry.isIntersecting) && look()).observe(element);
  document.addEventListener('athanor:theme', () => {
    if (!frame) return;
    const next = frame.cloneNode();
    next.setAttribute('src', address());
    frame.replaceWith(next);
    frame = next;
    revealWhenDrawn(frame);
  });
  look();
}

/** TensorBoard is a white page until its script has run: keep the frame hidden until something is drawn in it. */
function revealWhenDrawn(frame, wait = null) {
  const began = Date.now();
  frame.style.visibility = 'hidden';
  const look = () => {
    if (!frame.isConnected) return;
    const drawn = frame.contentDocument?.querySelector('mat-toolbar, header, .mat-toolbar');
    if (!drawn && Date.now() - began < MOST_WAIT_MS) { setTimeout(look, 100); return; }
    frame.style.visibility = '';
    wait?.remove();
  };
  setTimeout(look, 100);
}

/** TensorBoard's own reloading is off unless its settings, kept by the browser for this origin, say otherwise. */
function preset() {
  try {
    const name = '_tb_global_settings';
    const known = JSON.parse(localStorage.getItem(name) ?? '{}');
    if (known.autoReload === undefined) localStorage.setItem(name, JSON.stringify({ ...known, autoReload: true, autoReloadPeriodInMs: RELOAD_MS }));
  } catch { /* no storage: the reload button is there */ }
}
