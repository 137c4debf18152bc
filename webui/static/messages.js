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

/**
 * An English sentence in the page's language, where it is a known phrase or fits a known template; else as it is.
 * Of several templates the one with the longest fixed text counts. Lines are sentences of their own, and what stands
 * before a colon may be the place that a known sentence is about.
 */
export function translated(text, depth = 0) {
  if (lang() === 'en' || depth > DEEPEST) return text;
  if (text.includes('\n') && !Object.hasOwn(phrases(), text)) {
    const lines = text.split('\n').map((line) => translated(line, depth)).join('\n');
    if (lines !== text) return lines;
  }
  const whole = matched(text, depth);
  if (whole !== null) return whole;
  for (let at = text.indexOf(': '); at > 0; at = text.indexOf(': ', at + 1)) {
    const rest = matched(text.slice(at + 2), depth);
    if (rest !== null) return `${text.slice(0, at)}：${rest}`;
  }
  return text;
}

/** The same for one whole sentence; null where none is known. */
function matched(text, depth) {
  const known = phrases();
  if (Object.hasOwn(known, text)) return known[text];
  patterns ??= Object.keys(known).filter(isPattern).map(compile).sort((one, other) => other.letters - one.letters);
  for (const { key, names, expression } of patterns) {
    const match = text.match(expression);
    if (match) return t(key, Object.fromEntries(names.map((name, index) => [name, translated(match[index + 1], depth + 1)])));
  }
  return null;
}

function isPattern(key) {
  return key.includes('{') && key.replace(/\{[^{}]+\}/g, '').length >= SHORTEST_PATTERN;
}

const escaped = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
// Fixed text, in which {n|picture|pictures} fits either word.
const withForms = (text) => text.split(/(\{\w+\|[^{}]*\})/).map((part, place) => (place % 2 ? `(?:${part.slice(1, -1).split('|').slice(1).map(escaped).join('|')})` : escaped(part))).join('');

function compile(key) {
  const names = [...key.matchAll(/\{(\w+)\}/g)].map((match) => match[1]);
  const literal = key.split(/\{\w+\}/).map(withForms);
  let expression = literal[0];
  for (let place = 1; place < literal.length; place += 1) {
    const hint = place > 1 && !literal[place - 1]; // what stands directly behind a value is a hint, such as "; did you mean …"
    expression += `${hint ? '(; .*?|)' : '(.*?)'}${literal[place]}`;
  }
  return { key, names, expression: new RegExp(`^${expression}$`, 's'), letters: literal.join('').length };
}
