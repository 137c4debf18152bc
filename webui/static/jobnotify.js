// A message of the browser's own at the end of a job, for a page that is out of sight. Permission is asked by a click alone.
import { h, icon } from './dom.js';
import { t } from './text.js';
import { notice } from './notice.js';

const KEY = 'athanor.notify';
const wanted = () => { try { return localStorage.getItem(KEY) === 'yes'; } catch { return false; } };
const possible = () => 'Notification' in window && window.isSecureContext;

/** Whether such messages are shown now. */
export function notifies() {
  return possible() && wanted() && Notification.permission === 'granted';
}

/** Show one, if the person asked for it and the page is out of sight. open: called when it is clicked. */
export function notify(title, { tag, open }) {
  if (!notifies() || !document.hidden) return;
  try {
    const shown = new Notification(title, { tag, icon: new URL('./static/icon.svg', document.baseURI).href });
    shown.onclick = () => { window.focus(); shown.close(); open(); };
  } catch { /* phones allow them only to installed pages */ }
}

/** The button that switches them on and off; null where the browser has none. */
export function notifyButton(after) {
  if (!possible()) return null;
  const on = notifies();
  const act = async () => {
    if (on) {
      store('no');
    } else {
      const permission = await Notification.requestPermission();
      if (permission !== 'granted') notice(t('The browser does not allow notifications for this page; its settings for the page can allow them.'), { kind: 'error' });
      else store('yes');
    }
    after();
  };
  return h('button', { class: 'btn quiet', 'data-role': 'notify', 'aria-pressed': String(on), title: t('A notification of the browser when a job ends and this page is out of sight'), onclick: act },
    icon(on ? 'check' : 'bell'), on ? t('Notification at the end: on') : t('Notify me at the end'));
}

function store(value) {
  try { localStorage.setItem(KEY, value); } catch { /* lasts until the page is closed */ }
}
