// The learning-rate curve over a run, one line per group, as an SVG. Numbers come from the server (trainer/schedules.py).
import { clear, h } from './dom.js';
import { t } from './text.js';

const SPACE = 'http://www.w3.org/2000/svg';
const [WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM] = [380, 150, 46, 10, 12, 22];
const DASHES = { unet: '', textencoder: '5 3', 'textencoder 1': '5 3', 'textencoder 2': '2 3' };
const NAMES = { unet: 'U-Net', textencoder: 'Text encoder', 'textencoder 1': 'Text encoder 1', 'textencoder 2': 'Text encoder 2' };

function svg(tag, attributes, ...children) {
  const node = document.createElementNS(SPACE, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

// 0.0001 -> "1e-4", 0.5 -> "0.5"
export function rate(value) {
  if (value === 0) return '0';
  if (Math.abs(value) >= 0.01) return String(Number(value.toPrecision(3)));
  const [mantissa, exponent] = value.toExponential(2).split('e');
  return `${Number(mantissa)}e${Number(exponent)}`;
}

// curve: {steps: [...], lr: {group: [...]}, saves: [...], total}. Draws into `host`.
export function drawCurve(host, curve) {
  clear(host);
  const groups = Object.entries(curve.lr);
  const highest = Math.max(...groups.flatMap(([, rates]) => rates), 0) || 1;
  const last = Math.max(curve.total - 1, 1);
  const x = (step) => LEFT + (step / last) * (WIDTH - LEFT - RIGHT);
  const y = (value) => HEIGHT - BOTTOM - (value / highest) * (HEIGHT - TOP - BOTTOM);
  const picture = svg('svg', { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: 'lr-plot', role: 'img', 'aria-label': t('Learning rate over the run') });
  for (const part of [0, 0.5, 1]) {
    picture.append(svg('line', { x1: LEFT, x2: WIDTH - RIGHT, y1: y(highest * part), y2: y(highest * part), class: 'lr-grid' }));
    picture.append(svg('text', { x: LEFT - 6, y: y(highest * part) + 4, class: 'lr-label', 'text-anchor': 'end' }, rate(highest * part)));
  }
  for (const step of curve.saves) picture.append(svg('path', { d: `M${x(step)} ${HEIGHT - BOTTOM - 4}l3 6h-6z`, class: 'lr-save' }, title(t('saved at step {step}', { step }))));
  for (const [group, rates] of groups) {
    const points = rates.map((value, index) => `${x(curve.steps[index]).toFixed(1)},${y(value).toFixed(1)}`).join(' ');
    picture.append(svg('polyline', { points, class: `lr-line ${group}`, 'stroke-dasharray': DASHES[group] ?? '', 'data-role': `lr-${group}` }));
  }
  picture.append(svg('text', { x: LEFT, y: HEIGHT - 6, class: 'lr-label' }, '0'));
  picture.append(svg('text', { x: WIDTH - RIGHT, y: HEIGHT - 6, class: 'lr-label', 'text-anchor': 'end' }, t('{n} {n|step|steps}', { n: curve.total })));
  const cursor = svg('line', { class: 'lr-cursor', y1: TOP, y2: HEIGHT - BOTTOM, visibility: 'hidden' });
  picture.append(cursor);
  const legend = h('p', { class: 'lr-legend' });
  const keys = groups.map(([group, rates]) => h('span', { class: `lr-key ${group}` }, h('i', group.endsWith('2') ? { style: 'border-top-style:dotted' } : {}), t(NAMES[group] ?? group), ' ', h('b', { class: 'mono' }, rate(Math.max(...rates)))));
  const restful = () => legend.replaceChildren(...keys, ...(curve.saves.length ? [h('span', { class: 'lr-key saves' }, h('i', {}), curve.saves.length === 1 ? t('saved once') : t('saved {n} {n|time|times}', { n: curve.saves.length }))] : []));
  restful();
  picture.addEventListener('pointermove', (event) => {
    const box = picture.getBoundingClientRect();
    const step = Math.round((((event.clientX - box.left) / box.width) * WIDTH - LEFT) / (WIDTH - LEFT - RIGHT) * last);
    const index = nearest(curve.steps, Math.min(Math.max(step, 0), last));
    cursor.setAttribute('x1', x(curve.steps[index]));
    cursor.setAttribute('x2', x(curve.steps[index]));
    cursor.setAttribute('visibility', 'visible');
    const said = groups.map(([group, rates]) => `${t(NAMES[group] ?? group)} ${rate(rates[index])}`).join(' · ');
    legend.replaceChildren(h('span', { class: 'mono' }, `${t('Step {step}', { step: curve.steps[index] })} · ${said}`));
  });
  picture.addEventListener('pointerleave', () => {
    cursor.setAttribute('visibility', 'hidden');
    restful();
  });
  host.append(picture, legend);
}

function title(text) {
  return svg('title', {}, text);
}

function nearest(steps, step) {
  let best = 0;
  for (let index = 1; index < steps.length; index += 1) {
    if (Math.abs(steps[index] - step) < Math.abs(steps[best] - step)) best = index;
  }
  return best;
}
