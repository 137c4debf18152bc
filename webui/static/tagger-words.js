// Sentences that the tagger's process wrote, in the page's language. English ones pass through.
import { lang, t } from './text.js';

// Each is the key of its translation; {parts} stand for whatever the tagger filled in.
export const SENTENCES = [
  'has a caption already',
  'nothing new to add',
  'no tag reached its threshold; lower the thresholds',
  '{caption} is already the caption of {owner}; give the pictures different names',
  'the name is not valid Unicode; rename the file',
  '{name} is gone or not a regular file',
  '{name} is empty (0 bytes); replace or remove it',
  '{name} is damaged or no picture of a known kind ({kinds})',
  '{name} is damaged or cut short ({error}); replace or remove it',
  '{name} is damaged ({error}); replace or remove it',
  '{name} has more than {count} million pixels; make it smaller',
  '{name} is {size} pixels, more than {count} million; make it smaller',
  '{name} is {size} pixels, longer than {most}; make it smaller',
  '{name} needs more memory than there is; make it smaller',
  'the file cannot be read as a picture ({reason}); save it again',
  '{caption} cannot be used: {reason}',
  '{path}: byte {byte} (line {line}) is not UTF-8 but looks like {encoding}; save the file again as UTF-8',
  '{path}: byte {byte} (line {line}) is not UTF-8 but UTF-16 (called Unicode in old Notepad); save the file again as UTF-8',
  '{path}: byte {byte} (line {line}) is not UTF-8 but UTF-32; save the file again as UTF-8',
  '{path}: byte {byte} (line {line}) is not UTF-8; save the file again as UTF-8',
  '{path} was not written: the disk is full; free some space and try again. The old file, if there was one, is untouched',
  '{path} was not written: no permission to write there; choose another folder or change its rights. The old file, if there was one, is untouched',
  '{model} cannot be opened as an ONNX model; it may be a cut download or another kind of file: remove it and download it again ({reason})',
  '{model} gives {scores} scores, but {table} names {tags} tags: the two files do not belong together; download both again',
  '{model} takes an input of shape {shape}, not a batch of colour pictures: this is not a tagger',
  '{table} is not a table of tags with the columns tag_id,name,category,count; download it again',
  '{table} is not a tag mapping of a CL tagger; download it again',
  '{host} cannot be reached ({reason}); check the network or the proxy, or name a mirror in the settings (HF_ENDPOINT)',
  '{host} answers {status} for {address}; the mirror may not have this file, choose another one (HF_ENDPOINT)',
  '{host} does not give this file without a login ({status}); download it by hand and put it into the tagger\'s folder',
  'the download of {file} broke off {n} times ({reason}); try again later, it goes on where it stopped',
  '{file} arrived damaged twice: {reason}; the server or a proxy alters it, choose another mirror (HF_ENDPOINT)',
  '{folder} has {free} MB free, but {needed} MB are to come; free some space or choose another folder',
  'the disk of {folder} is full after {bytes} bytes of {file}; free some space, the download goes on where it stopped',
  '{folder} is not a folder; choose the folder that holds the pictures',
  'the caption was changed since; left as it is',
  'the caption was deleted since; left as it is',
  'the caption, or a folder above it, is a link now; left as it is',
  '{name} is a link that leads outside the data set, which is not followed; put a copy in its place',
  '{name} is a link that leads nowhere; remove it, or bring back what it leads to',
  '{name} is a pipe, socket or device, not a file; remove it',
  '{name} is a folder, not a file',
  'this run is still going; stop it first, then undo it',
  'this run changed no captions; there is nothing to undo',
  'A tagging run is going on already; wait until it is done, or cancel it.',
  'There is no such tagging run; reload the page.',
  'The tagger did not answer within {seconds} seconds; try a smaller model.',
  '{folder} holds files that the demo did not make; rename that folder or choose another one',
];

const escaped = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
let patterns = null;

function compiled() {
  patterns ??= SENTENCES.map((key) => {
    const names = [...key.matchAll(/\{(\w+)\}/g)].map((match) => match[1]);
    const source = key.split(/\{\w+\}/).map(escaped).join('([\\s\\S]+?)');
    return { key, names, pattern: new RegExp(`^${source}$`) };
  });
  return patterns;
}

/** The sentence in the page's language; one that is not known stays as it came. */
export function say(message) {
  if (!message || lang() === 'en') return message ?? '';
  for (const { key, names, pattern } of compiled()) {
    const match = pattern.exec(message);
    if (match) return t(key, Object.fromEntries(names.map((name, index) => [name, match[index + 1]])));
  }
  return message;
}
