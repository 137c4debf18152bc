// The header of the page.
import { h, fill } from './dom.js';
import { textReady, t } from './text.js';

export async function mount(element) {
  await textReady();
  fill(element, h('header', { class: 'bar' }, h('span', { class: 'brand' }, 'Athanor'), t('Train')));
}
