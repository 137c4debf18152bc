// Sentences that the server made from a template and values, in the page's language.
import { lang, phrases, t } from './text.js';

const SHORTEST_PATTERN = 9; // letters outside the placeholders: shorter ones, such as "{n} steps", would match too much
const DEEPEST = 4;
let patterns = null;

/** A problem {message, template, values} as a sentence. The template is the key; values may be phrases themselves. */
export function sentence(problem) {
  if (lang() === 'en') return problem.message;
  if (!problem.template || !(problem.template in phrases())) return translated(problem.message);
  const values = Object.entries(problem.values ?? {}).map(([name, value]) => [name, typeof value === 'string' ? translated(value) : value]);
  return t(problem.template, Object.fromEntries(values));
}

/** An English sentence in the page's language, where it is a known phrase or fits a known template; else as it is. */
export function translated(text, depth = 0) {
  if (lang() === 'en' || depth > DEEPEST) return text;
  const known = phrases();
  if (text in known) return known[text];
  patterns ??= Object.keys(known).filter(isPattern).map(compile).sort((one, other) => other.letters - one.letters);
  for (const { key, names, expression } of patterns) {
    const match = text.match(expression);
    if (match) return t(key, Object.fromEntries(names.map((name, index) => [name, translated(match[index + 1], depth + 1)])));
  }
  return text;
}

function isPattern(key) {
  return key.includes('{') && key.replace(/\{\w+\}/g, '').length >= SHORTEST_PATTERN;
}

function compile(key) {
  const names = [...key.matchAll(/\{(\w+)\}/g)].map((match) => match[1]);
  const literal = key.split(/\{\w+\}/).map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return { key, names, expression: new RegExp(`^${literal.join('(.+?)')}$`, 's'), letters: literal.join('').length };
}
