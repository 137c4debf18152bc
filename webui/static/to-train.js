// From pictures with captions to the Train tab, its data set filled in with their folder.
import { post } from './api.js';
import { openTab } from './dom.js';
import { handOverSome } from './form-handover.js';
import { complain } from './notice.js';
import { t } from './text.js';

/** folder: {path, recursive, extension}. Nothing is started; the form's undo takes it back. */
export async function trainWith({ path, recursive, extension }) {
  try {
    const { values, name } = await post('form/folder', { path, recursive, extension });
    handOverSome(values, t('The form trains on the pictures of {name} now.', { name }), t('Folder {name}', { name }));
    openTab('train');
  } catch (error) {
    complain(error);
  }
}
