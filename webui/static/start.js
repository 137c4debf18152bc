// The first module of the page: the header, the tabs, the open tab's widget, and after them Gradio's scripts.
import { fill, h } from './dom.js';
import { header, strip } from './shell.js';
import { tabs } from './tabs.js';
import { textReady } from './text.js';

await textReady();
const { row, panels, opened } = tabs(window.athanor.tabs);
fill(document.getElementById('athanor'), h('div', { class: 'top' }, header(row), strip()), panels);

/**
 * Gradio stands: its box takes the panels in. Only with moveBefore, which leaves focus, scrolling, frames and what is
 * being typed alone; a browser without it shows the panels where they are, and nobody sees a difference.
 */
window.athanor.settle = (box) => {
  if (!Element.prototype.moveBefore) return;
  const place = window.scrollY;
  document.body.classList.add('settled');
  (box.querySelector('.ath-frame') ?? box).moveBefore(panels, null);
  // The box may be low for a moment, and the page with it: what is read comes back into view.
  if (place) requestAnimationFrame(() => requestAnimationFrame(() => { if (window.scrollY < place) window.scrollTo(0, place); }));
};
await opened();
// Two frames later the widget is painted. Gradio's scripts keep the machine busy for a while; without them the page works too.
requestAnimationFrame(() => requestAnimationFrame(() => {
  if (window.athanor.gradio) import(new URL(window.athanor.gradio, document.baseURI).href).catch((error) => console.error(error));
}));
