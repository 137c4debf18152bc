// The card at the top of a finished job: the file, what calls it, a prompt to try it with.
import { fill, h, icon } from './dom.js';
import { url } from './api.js';
import { bytes, t } from './text.js';
import { complain, notice } from './notice.js';
import { copyText } from './joblog.js';

const WEIGHT = 0.8;

/** Draw the card for `result` ({index, name, path, shown, bytes, trigger, prompt}), or hide it. */
export function drawResult(card, { job, result }) {
  card.hidden = !result;
  if (!result) return;
  const copy = (text, words) => copyText(text).then(() => notice(words), complain);
  const prompt = [`<lora:${result.name}:${WEIGHT}>`, result.prompt || result.trigger].filter(Boolean).join(', ');
  const line = (role, title, text, words) => h('div', { class: 'result-line' }, h('dt', {}, title),
    h('dd', {}, h('span', { class: 'mono path', 'data-role': role }, text),
      h('button', { class: 'btn quiet square', 'data-role': `${role}-copy`, 'aria-label': words, title: words, onclick: () => copy(text, t('Copied.')) }, icon('copy'))));
  fill(card, h('div', { class: 'row wrap' },
    h('h3', { class: 'grow' }, icon('check'), ' ', t('Your LoRA is ready')),
    h('a', { class: 'btn primary', href: url(`jobs/${job.id}/files/${result.index}`), download: '', 'data-role': 'result-download' }, icon('download'), t('Download')),
    h('button', { class: 'btn', title: result.path, 'data-role': 'result-copy-path', onclick: () => copy(result.path, t('The path was copied.')) }, icon('copy'), t('Copy path'))),
  h('dl', { class: 'result' },
    h('div', { class: 'result-line' }, h('dt', {}, t('File')), h('dd', {}, h('span', { class: 'mono path', 'data-role': 'result-file', title: result.path }, result.shown),
      h('span', { class: 'muted numbers nowrap', 'data-role': 'result-size' }, result.bytes ? bytes(result.bytes) : ''))),
    result.trigger && line('result-trigger', t('Trigger word'), result.trigger, t('Copy the trigger word')),
    line('result-prompt', t('Prompt to try it with'), prompt, t('Copy the prompt'))),
  h('p', { class: 'muted small' }, t('Put the file into the LoRA folder of your image program (models/Lora, in ComfyUI models/loras), then draw with this prompt.')));
}
