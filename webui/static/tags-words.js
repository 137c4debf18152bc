// What was done, in words: for the history and for messages.
import { t } from './text.js';

export const pictureWords = (n) => t('{n} {n|picture|pictures}', { n });

/** Pictures of a kind that training does not read, with the cure. */
export const unusedWords = (names) => t('Not read in training: {files}. Save them as PNG, JPEG or WebP.', { files: names.slice(0, 5).join(', ') + (names.length > 5 ? ' …' : '') });

/** A step {kind, tags, more, to, find, text, place, by, count} as a sentence; `picture` is the name of its first picture. */
export function stepWords(step, picture = '') {
  const list = (tags, more = 0) => tags.map((tag) => `“${tag}”`).join(', ') + (more ? ' …' : '');
  const values = { tags: list(step.tags ?? [], step.more), to: list(step.to ?? []), pictures: pictureWords(step.count), picture, find: step.find, text: step.text };
  switch (step.kind) {
    case 'tags': return t('Changed the tags of {picture}', values);
    case 'text': return t('Changed the text of {picture}', values);
    case 'add': return step.place === 'start' ? t('Added {tags} at the start of {pictures}', values) : t('Added {tags} to {pictures}', values);
    case 'remove': return t('Removed {tags} from {pictures}', values);
    case 'replace': return (step.to ?? []).length ? t('Replaced {tags} with {to} in {pictures}', values) : t('Removed {tags} from {pictures}', values);
    case 'find': return t('Replaced the text “{find}” with “{text}” in {pictures}', values);
    case 'dedupe': return t('Removed repeated tags from {pictures}', values);
    case 'sort': return t('Sorted the tags of {pictures}', values);
    case 'trim': return t('Tidy spaces and commas in {pictures}', values);
    case 'spaces': return t('Turned underscores into spaces in {pictures}', values);
    case 'revert': return t('Discarded unsaved changes of {pictures}', values);
    case 'restore': return step.text === 'disk' ? t('Took the text on disk for {pictures}', values) : t('Restored earlier captions of {pictures}', values);
    default: return step.kind;
  }
}
