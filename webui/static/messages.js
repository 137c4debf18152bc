// Sentences that the server made from a template and values, in the page's language.
import { lang, t } from './text.js';

// problem: {message, template, values}. The template is the key of its translation; parts of it may have one of their own.
export function sentence(problem) {
  if (lang() === 'en' || !problem.template) return problem.message;
  const values = Object.fromEntries(Object.entries(problem.values ?? {}).map(([name, value]) => [name, part(value)]));
  return t(problem.template, values);
}

// A value that is itself a phrase ("it must not begin with a dash") or a hint ("; did you mean network_dim?").
function part(value) {
  if (typeof value !== 'string') return value;
  const hint = value.match(/^; did you mean (.+)\?$/);
  if (hint) return t('; did you mean {name}?', { name: hint[1] });
  const letter = value.match(/^(.) is not allowed in file names$/);
  if (letter) return t('{letter} is not allowed in file names', { letter: letter[1] });
  return t(value);
}
