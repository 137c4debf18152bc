// What a person writes about a job: its name in the list, a note, a star.
import { fill, h, icon } from './dom.js';
import { post } from './api.js';
import { t } from './text.js';
import { complain } from './notice.js';

const LONGEST_NAME = 100;
const LONGEST_NOTE = 2000;

/** Write about a job; returns whether it was kept. */
async function write(job, body) {
  try {
    await post(`jobs/${job.id}/about`, body);
    return true;
  } catch (error) {
    complain(error);
    return false;
  }
}

export function starButton(job, after) {
  const on = Boolean(job.star);
  const words = on ? t('Remove the star') : t('Star this job');
  return h('button', { class: `btn quiet square star${on ? ' on' : ''}`, 'data-role': 'star', 'aria-pressed': String(on), 'aria-label': words, title: words,
    onclick: async () => { if (await write(job, { star: !on })) after(); } }, icon('star'));
}

/** The name as a heading, with a button that turns it into a field. An empty field gives the run's own name back. */
export function nameHeading(job, after) {
  const box = h('span', { class: 'row job-title' });
  const show = () => fill(box, h('h2', { class: 'clip', 'data-role': 'job-name' }, job.name),
    h('button', { class: 'btn quiet square', 'data-role': 'rename', 'aria-label': t('Rename this job'), title: t('Rename this job'), onclick: edit }, icon('edit')));
  function edit() {
    const field = h('input', { class: 'input', value: job.name, maxlength: LONGEST_NAME, 'aria-label': t('Name of the job'), 'data-role': 'job-rename' });
    const form = h('form', { class: 'row grow', onsubmit: async (event) => {
      event.preventDefault();
      if (await write(job, { name: field.value.trim() === job.name ? null : field.value })) { show(); after(); }
    } }, field, h('button', { class: 'btn', 'data-role': 'rename-keep' }, t('Save')), h('button', { type: 'button', class: 'btn quiet', onclick: show }, t('Cancel')));
    form.addEventListener('keydown', (event) => { if (event.key === 'Escape') { event.stopPropagation(); show(); } });
    fill(box, form);
    field.focus();
    field.select();
  }
  show();
  return box;
}

/** The note below the name: text, or a button to write one. */
export function noteBox(job, note, after) {
  const box = h('div', { class: 'job-note', 'data-role': 'job-note' });
  const show = () => fill(box, note ? h('p', { class: 'note-text', 'data-role': 'note-text' }, note) : null,
    h('button', { class: 'btn quiet', 'data-role': 'note-edit', onclick: edit }, icon('edit'), note ? t('Change the note') : t('Add a note')));
  function edit() {
    const field = h('textarea', { class: 'input', rows: 3, maxlength: LONGEST_NOTE, 'aria-label': t('Note'), 'data-role': 'note-field', value: note });
    fill(box, field, h('div', { class: 'row' },
      h('button', { class: 'btn', 'data-role': 'note-keep', onclick: async () => { if (await write(job, { note: field.value })) { note = field.value.trim(); show(); after(); } } }, t('Save')),
      h('button', { class: 'btn quiet', onclick: show }, t('Cancel'))));
    field.focus();
  }
  show();
  return box;
}
