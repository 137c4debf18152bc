// Rules of thumb of the guides beside the numbers of this run: they say what is usual, never what is wrong.
import { h } from './dom.js';
import { bytes, t } from './text.js';

/** A small table: what, how much here, what is usual. */
export function rulesOfThumb(state, report) {
  const xl = report.family === 'sdxl';
  const views = report.by_epochs ? report.repeats_sum * report.epochs : report.steps * report.batch_size * report.accumulation * report.processes;
  const rows = [
    [t('File size'), report.file_bytes ? bytes(report.file_bytes) : '', t('grows with the rank')],
    [t('Views an epoch'), report.repeats_sum, t('200 to 600; repeats set them')],
    [t('Views in all'), views, xl ? t('1500 to 6000 at a low rank') : t('1500 to 3000 for a drawn character, up to 7000 for a difficult one, 5000 and more for a person, 8000 to 12000 for a style')],
    [t('Pictures'), report.images, t('15 to 100 for a character, 20 to 50 for a person, 75 to 200 for a style')],
    strength(state),
  ];
  return h('table', { class: 'r-thumbs' }, rows.filter((row) => row && row[1] !== '').map(([what, here, usual]) => h('tr', {},
    h('th', { scope: 'row' }, what), h('td', { class: 'mono' }, String(here)), h('td', { class: 'muted' }, usual))));
}

// What alpha does to the rates; nothing where it is no damping.
function strength(state) {
  const module = state.byName('network_module');
  const algo = (state.byName('network_args') ?? []).find((line) => line.startsWith('algo='))?.slice(5).trim() ?? '';
  if (module === 'networks.oft' || ['ia3', 'full', 'diag-oft', 'boft'].includes(algo)) return null;
  const dim = Number(state.byName('network_dim') || 4);
  const alpha = Number(state.byName('network_alpha') || 0) || dim;
  if (!(dim > 0 && alpha > 0)) return null;
  const ratio = Number((alpha / dim).toPrecision(3));
  const same = ratio === 1;
  return ['alpha / dim', same ? '1' : `${alpha} / ${dim} = ${ratio}`, same ? t('rates act in full') : t('rates act at {n} of what they do with alpha = dim', { n: ratio })];
}
