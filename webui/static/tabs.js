// The row of tabs and their panels. Each tab has an address, #jobs, which is what is open; #job=<id> is one job of that tab.
import { fill, h, icon } from './dom.js';
import { t } from './text.js';

const KEYS = { ArrowLeft: (at, last) => (at ? at - 1 : last), ArrowRight: (at, last) => (at < last ? at + 1 : 0), Home: () => 0, End: (at, last) => last };

/**
 * list: [{name, widget, title}]. Returns {row, panels, opened}: the row of tabs, the panels, and `opened()`, which opens
 * the address's tab and resolves once its widget stands. Other widgets are loaded when their tab is first opened.
 */
export function tabs(list) {
  const pages = new Map(list.map(({ name, widget, title }) => {
    const tab = h('a', { role: 'tab', id: `tab-${name}-button`, href: `#${name}`, 'aria-controls': `tab-${name}`, 'data-tab-id': name, draggable: 'false' }, t(title));
    const root = h('div', { class: 'ath', 'data-widget': widget });
    const panel = h('section', { role: 'tabpanel', id: `tab-${name}`, class: 'tabitem', 'aria-labelledby': tab.id, hidden: true }, root);
    return [name, { tab, panel, root, widget, mounted: null, scroll: 0 }];
  }));
  const names = [...pages.keys()];
  let open = null;

  function show(name) {
    if (name === open) return pages.get(name).mounted;
    if (open) pages.get(open).scroll = window.scrollY;
    open = name;
    for (const [own, { tab, panel }] of pages) {
      tab.setAttribute('aria-selected', String(own === name));
      tab.tabIndex = own === name ? 0 : -1;
      panel.hidden = own !== name;
    }
    const page = pages.get(name);
    page.mounted ??= mount(page);
    page.tab.scrollIntoView({ block: 'nearest', inline: 'nearest' });
    window.scrollTo(0, page.scroll);
    document.dispatchEvent(new CustomEvent('athanor:tab', { detail: name }));
    return page.mounted;
  }

  /** Which tab an address names; null for none. */
  function named(hash) {
    if (hash.startsWith('#job=')) return 'jobs';
    const name = hash.replace(/^#(tab=)?/, '');
    return pages.has(name) ? name : null;
  }

  function followAddress() {
    const name = named(location.hash);
    if (!name) history.replaceState(null, '', `#${names[0]}`);
    return show(name ?? names[0]);
  }

  function go(name, place) {
    if (named(location.hash) !== name) history[place](null, '', `#${name}`);
    show(name);
  }

  const row = h('div', { role: 'tablist', id: 'tabs', class: 'tabs', 'aria-label': t('Parts of the page') }, [...pages.values()].map(({ tab }) => tab));
  row.addEventListener('click', (event) => {
    const tab = event.target.closest('[role=tab]');
    if (!tab || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    go(tab.dataset.tabId, 'pushState');
  });
  row.addEventListener('keydown', (event) => {
    const name = event.target.closest('[role=tab]')?.dataset.tabId;
    if (!name || event.ctrlKey || event.metaKey || event.altKey) return;
    const step = KEYS[event.key];
    if (!step && event.key !== ' ') return;
    event.preventDefault();
    const next = step ? names[step(names.indexOf(name), names.length - 1)] : name;
    pages.get(next).tab.focus();
    go(next, step ? 'replaceState' : 'pushState'); // walking along the row leaves one step back, not one a tab
  });
  window.addEventListener('hashchange', followAddress);
  window.addEventListener('popstate', followAddress);
  return { row, panels: h('div', { id: 'panels', class: 'ath' }, [...pages.values()].map(({ panel }) => panel)), opened: followAddress };
}

async function mount({ root, widget }) {
  try {
    const { mount: fillIn } = await import(`./${widget}.js`);
    await fillIn(root);
  } catch (error) {
    console.error(error);
    fill(root, h('p', { class: 'box-error' }, t('This part of the page could not be loaded: {reason}', { reason: String(error) })),
      h('button', { class: 'btn', onclick: () => location.reload() }, icon('refresh'), t('Reload')));
  }
}
