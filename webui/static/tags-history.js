// Two dialogs: the steps of this session, to go back and forth in, and the captions as they were before earlier saves.
import { fill, h } from './dom.js';
import { complain, dialog, notice } from './notice.js';
import { lang, t } from './text.js';
import { pictureWords, stepWords } from './tags-words.js';

/** Every step done and undone; a click goes to the state after it. */
export function historyDialog(session) {
  const list = h('div', { class: 'tags-history', 'data-role': 'tags-history-list' });
  const view = dialog(t('History'), h('div', { class: 'col' },
    h('p', { class: 'muted' }, t('Click a step to go to the captions as they were after it. Saved files change only when you save; a caption file that was new is removed then.')), list), { closed: () => { open = false; } });
  let open = true;
  function draw() {
    const { done, done_count: count, undone } = session.view;
    const line = (words, position, now, gone) => h('button', {
      class: `browse-row${gone ? ' muted' : ''}`, 'aria-current': now ? 'step' : null, 'data-role': 'tags-history-step', 'data-position': position,
      onclick: () => session.change('travel', { position }).then(() => open && draw()).catch(complain),
    }, h('span', { class: 'grow' }, words), now && h('span', { class: 'badge accent' }, t('now')));
    const words = (step) => stepWords(step, session.folder.pictures[step.picture] ?? '');
    const hidden = count - done.length;
    fill(list, line(hidden ? t('{n} earlier {n|step|steps}', { n: hidden }) : t('As opened'), hidden, count === hidden, false),
      done.map((step, at) => line(words(step), hidden + at + 1, hidden + at + 1 === count, false)),
      undone.map((step, at) => line(words(step), count + at + 1, false, true)));
  }
  draw();
  return view;
}

/** The saves of this folder; "bring back" puts the texts from before one into the editor, where they can be undone or saved. */
export async function returnsDialog(session) {
  const { returns } = await session.returns();
  const when = (seconds) => new Date(seconds * 1000).toLocaleString(lang() === 'zh' ? 'zh-CN' : 'en-GB', { dateStyle: 'medium', timeStyle: 'medium' });
  const back = async (name) => {
    view.close();
    try {
      const changed = await session.change('bring-back', { name });
      notice(changed ? t('Restored {pictures}. Save to write them to disk.', { pictures: pictureWords(changed) }) : t('These captions are the same as before that save; there is nothing to restore.'));
    } catch (error) { complain(error); }
  };
  const rows = returns.map((entry) => h('tr', {}, h('td', {}, when(entry.time)), h('td', { class: 'numbers' }, pictureWords(entry.captions)),
    h('td', {}, h('button', { class: 'btn', 'data-role': 'tags-bring-back', 'data-name': entry.name, onclick: () => back(entry.name) }, t('Restore')))));
  const view = dialog(t('Earlier versions'), h('div', { class: 'col' },
    h('p', { class: 'muted' }, t('Each save keeps the captions it replaced. Restoring them changes nothing on disk until you save; caption files that were new are then removed.')),
    rows.length ? h('table', { class: 'table' }, h('tbody', {}, rows)) : h('p', {}, t('Nothing was saved in this folder yet.'))));
}
