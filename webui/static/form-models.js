// The base model's field: beside the path what lies in the models folder, to take with a click.
import { fill, h, icon } from './dom.js';
import { get } from './api.js';
import { sentence } from './messages.js';
import { bytes, t } from './text.js';

/** The list below a path field. Returns {root, show(value)}. */
export function modelList(state, field) {
  const count = h('span', {});
  const rows = h('div', { class: 'f-models' });
  const root = h('details', { class: 'a-folded', 'data-role': 'models', hidden: true }, h('summary', {}, count), rows);
  let known = null; // {folder, models, more}; null = not asked yet
  let value = '';

  addEventListener('focus', () => { if (known && root.offsetParent !== null) look(); });

  async function look() {
    try {
      known = await get('form/models');
    } catch {
      return; // the next look or edit says that the page's server is gone
    }
    draw();
  }

  function draw() {
    const { folder, models, more } = known;
    const usable = models.filter((model) => model.good);
    count.textContent = usable.length || models.length ? t('{n} base {n|model|models} in {folder}', { n: usable.length + more, folder }) : t('No base model in {folder} yet', { folder });
    fill(rows, models.map((model) => row(model)),
      more > 0 && h('p', { class: 'muted f-help' }, t('and {n} more', { n: more })),
      usable.length === 0 && h('p', { class: 'f-help', 'data-role': 'no-models' },
        t('Put a base model there: a .safetensors file of about 2 GB (SD 1.5) or 6.5 GB (SDXL, Pony, Illustrious, NoobAI), of the kind that you will use the LoRA with.'), ' ',
        h('button', { type: 'button', class: 'btn quiet', 'data-role': 'look-again', onclick: look }, icon('refresh'), t('Look again'))));
    root.hidden = false;
    show(value);
  }

  function row(model) {
    const about = model.good ? [model.title, bytes(model.bytes)].filter(Boolean).join(', ') : sentence(model.problem);
    return h('button', {
      type: 'button', class: 'f-model', 'data-role': 'model', disabled: !model.good, title: model.path,
      onclick: () => { state.set(field.address, model.path); state.tell('value', [field.address]); },
    }, icon(model.good ? 'file' : 'warning'), h('span', { class: 'f-model-name' }, model.name), h('span', { class: 'muted' }, about));
  }

  function show(path) {
    if (String(path ?? '') !== value || !known) root.open = !path;
    value = String(path ?? '');
    for (const line of rows.querySelectorAll('.f-model')) line.setAttribute('aria-pressed', String(samePlace(line.title, value)));
  }

  look();
  return { root, show };
}

const samePlace = (one, other) => one.replace(/^\.\//, '') === other.trim().replaceAll('\\', '/').replace(/^\.\//, '');
