// The loss curve: raw values faint, the running mean strong, epochs, saves and validation marked, values under the pointer.
import { h } from './dom.js';
import { t } from './text.js';

const PAD = { left: 56, right: 22, top: 12, bottom: 26 };

/** Returns {element, show(curve)}; `curve` is the answer of jobs/{id}/curve. */
export function lossCurve() {
  const canvas = h('canvas', { class: 'curve', role: 'img', tabindex: '0', 'data-role': 'loss-curve' });
  const tip = h('div', { class: 'curve-tip mono small', hidden: true });
  const element = h('div', { class: 'curve-box' }, canvas, tip);
  let data = null;
  let at = null;

  const redraw = () => data && draw(canvas, data, at);
  new ResizeObserver(redraw).observe(element);
  document.addEventListener('athanor:theme', redraw);

  function point(index) {
    at = index;
    redraw();
    tip.hidden = index === null;
    if (index === null) return;
    const rates = Object.entries(data.rates).map(([name, values]) => values[index] !== null && `${name} ${values[index].toExponential(2)}`);
    tip.textContent = [
      t('step {n}', { n: data.steps[index] }), `loss ${number(data.low[index], data.high[index])}`,
      t('mean {value}', { value: data.smooth[index]?.toFixed(4) ?? '–' }), ...rates.filter(Boolean)].join('\n');
    const { x } = scales(canvas, data);
    const left = x(data.steps[index]);
    tip.style.left = `${left > canvas.clientWidth / 2 ? left - tip.offsetWidth - 12 : left + 12}px`;
  }
  canvas.addEventListener('pointermove', (event) => data?.steps.length && point(nearest(data.steps, scales(canvas, data).step(event.offsetX))));
  canvas.addEventListener('pointerleave', () => point(null));
  canvas.addEventListener('blur', () => point(null));
  canvas.addEventListener('keydown', (event) => {
    const move = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!move || !data?.steps.length) return;
    event.preventDefault();
    point(Math.min(Math.max((at ?? data.steps.length - 1) + move, 0), data.steps.length - 1));
  });

  return {
    element,
    show(curve) {
      data = curve;
      point(at !== null && at < curve.steps.length ? at : null);
      canvas.setAttribute('aria-label', summary(curve));
      canvas.dataset.points = String(curve.steps.length);
    },
  };
}

function summary(curve) {
  const known = curve.smooth.filter((value) => value !== null);
  if (!known.length) return t('Loss curve: no steps yet.');
  return t('Loss curve: mean {first} at first, {last} now, lowest {low}, over {n} {n|step|steps}.', {
    first: known[0].toFixed(4), last: known.at(-1).toFixed(4), low: Math.min(...known).toFixed(4), n: curve.steps.at(-1) });
}

function number(low, high) {
  if (low === null) return '–';
  return Math.abs(high - low) < 5e-5 ? low.toFixed(4) : `${low.toFixed(4)} – ${high.toFixed(4)}`;
}

function nearest(steps, wanted) {
  let [low, high] = [0, steps.length - 1];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (steps[middle] < wanted) low = middle; else high = middle;
  }
  return wanted - steps[low] < steps[high] - wanted ? low : high;
}

/** The range of losses that matters: single wild values do not flatten the rest. */
function range(curve) {
  const values = [...curve.low, ...curve.high].filter((value) => value !== null).sort((a, b) => a - b);
  const means = [...curve.smooth.filter((value) => value !== null), ...curve.validations.map((entry) => entry.loss).filter(Number.isFinite)];
  if (!values.length) return [0, 1];
  const pick = (share) => values[Math.min(values.length - 1, Math.floor(share * values.length))];
  const low = Math.min(pick(0.01), ...means);
  const high = Math.max(pick(0.985), ...means);
  const room = (high - low || high || 1) * 0.06;
  return [Math.max(0, low - room), high + room];
}

function scales(canvas, curve) {
  const width = canvas.clientWidth - PAD.left - PAD.right;
  const height = canvas.clientHeight - PAD.top - PAD.bottom;
  const last = Math.max(curve.total, curve.steps.at(-1) ?? 0, 1);
  const first = curve.steps.length && curve.steps[0] > last / 5 ? curve.steps[0] - 1 : 0; // a resumed run begins where it went on
  const [low, high] = range(curve);
  return {
    low, high, first, last,
    x: (step) => PAD.left + ((step - first) / (last - first)) * width,
    y: (loss) => PAD.top + height - ((Math.min(Math.max(loss, low), high) - low) / (high - low)) * height,
    step: (x) => first + ((x - PAD.left) / width) * (last - first),
    bottom: PAD.top + height, right: PAD.left + width,
  };
}

function ticks(low, high, count) {
  const rough = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const size = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((step) => step >= rough);
  const found = [];
  for (let value = Math.ceil(low / size) * size; value <= high + size / 1e6; value += size) found.push(value);
  return found;
}

function draw(canvas, curve, at) {
  const ratio = window.devicePixelRatio || 1;
  const [width, height] = [canvas.clientWidth, canvas.clientHeight];
  if (!width || !height) return;
  canvas.width = width * ratio;
  canvas.height = height * ratio;
  const pen = canvas.getContext('2d');
  pen.scale(ratio, ratio);
  const colour = (name) => getComputedStyle(canvas).getPropertyValue(name).trim();
  const scale = scales(canvas, curve);
  grid(pen, scale, colour);
  marks(pen, curve, scale, colour);
  rawBand(pen, curve, scale, colour('--muted'));
  line(pen, curve.steps, curve.smooth, scale, colour('--accent'), 2.25);
  validations(pen, curve, scale, colour('--ok'));
  if (at !== null) pointer(pen, curve, at, scale, colour);
}

function grid(pen, scale, colour) {
  pen.font = '11.5px system-ui, sans-serif';
  pen.fillStyle = colour('--muted');
  pen.strokeStyle = colour('--border');
  pen.lineWidth = 1;
  pen.textAlign = 'right';
  pen.textBaseline = 'middle';
  const digits = scale.high - scale.low < 0.01 ? 4 : scale.high - scale.low < 0.2 ? 3 : 2;
  for (const value of ticks(scale.low, scale.high, 6)) {
    const y = Math.round(scale.y(value)) + 0.5;
    pen.beginPath(); pen.moveTo(PAD.left, y); pen.lineTo(scale.right, y); pen.stroke();
    pen.fillText(value.toFixed(digits), PAD.left - 8, y);
  }
  pen.textAlign = 'center';
  pen.textBaseline = 'top';
  for (const value of ticks(scale.first, scale.last, 6)) if (Number.isInteger(value)) pen.fillText(String(value), scale.x(value), scale.bottom + 8);
}

/** Epochs as dotted lines while they are few, saves as triangles on the axis. */
function marks(pen, curve, scale, colour) {
  pen.strokeStyle = colour('--border-strong');
  pen.setLineDash([2, 4]);
  if (curve.epochs.length <= 40) {
    for (const step of curve.epochs.filter((epoch) => epoch > scale.first)) {
      const x = Math.round(scale.x(step)) + 0.5;
      pen.beginPath(); pen.moveTo(x, PAD.top); pen.lineTo(x, scale.bottom); pen.stroke();
    }
  }
  pen.setLineDash([]);
  pen.fillStyle = colour('--text');
  for (const step of curve.saves.filter(Number.isFinite)) {
    const x = scale.x(step);
    pen.beginPath(); pen.moveTo(x, scale.bottom - 1); pen.lineTo(x - 4, scale.bottom + 6); pen.lineTo(x + 4, scale.bottom + 6); pen.fill();
  }
}

function rawBand(pen, curve, scale, colour) {
  const merged = curve.low.some((low, index) => low !== curve.high[index]);
  pen.globalAlpha = merged ? 0.28 : 0.35;
  if (!merged) line(pen, curve.steps, curve.low, scale, colour, 1);
  else {
    pen.fillStyle = colour;
    pen.beginPath();
    const known = curve.steps.map((step, index) => [step, curve.low[index], curve.high[index]]).filter(([, low]) => low !== null);
    known.forEach(([step, , high]) => pen.lineTo(scale.x(step), scale.y(high)));
    known.reverse().forEach(([step, low]) => pen.lineTo(scale.x(step), scale.y(low)));
    pen.fill();
  }
  pen.globalAlpha = 1;
}

function line(pen, steps, values, scale, colour, width) {
  pen.strokeStyle = colour;
  pen.lineWidth = width;
  pen.lineJoin = 'round';
  pen.beginPath();
  let down = false;
  steps.forEach((step, index) => {
    if (values[index] === null) { down = false; return; }
    pen[down ? 'lineTo' : 'moveTo'](scale.x(step), scale.y(values[index]));
    down = true;
  });
  pen.stroke();
}

function validations(pen, curve, scale, colour) {
  const known = curve.validations.filter((entry) => Number.isFinite(entry.loss) && Number.isFinite(entry.step));
  pen.setLineDash([5, 3]);
  line(pen, known.map((entry) => entry.step), known.map((entry) => entry.loss), scale, colour, 1.5);
  pen.setLineDash([]);
  pen.fillStyle = colour;
  for (const entry of known) { pen.beginPath(); pen.arc(scale.x(entry.step), scale.y(entry.loss), 3, 0, 7); pen.fill(); }
}

function pointer(pen, curve, at, scale, colour) {
  const x = Math.round(scale.x(curve.steps[at])) + 0.5;
  pen.strokeStyle = colour('--text');
  pen.lineWidth = 1;
  pen.beginPath(); pen.moveTo(x, PAD.top); pen.lineTo(x, scale.bottom); pen.stroke();
  if (curve.smooth[at] === null) return;
  pen.fillStyle = colour('--accent');
  pen.beginPath(); pen.arc(x, scale.y(curve.smooth[at]), 4, 0, 7); pen.fill();
}
