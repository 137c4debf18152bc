// The page's words. English is in the code and is the key; other languages come from webui/text/<lang>/*.toml.

let words = { phrases: {}, parameters: {} };
let loading = null;

/** "en" or "zh": decided before the page is drawn (see page.py). */
export function lang() {
  return window.athanor?.lang ?? 'en';
}

/** Resolves when `t` can answer. Await it first in every `mount`. */
export function textReady() {
  loading ??= load();
  return loading;
}

async function load() {
  if (lang() === 'en') return;
  try {
    const response = await fetch(new URL(`./api/text/${lang()}`, document.baseURI).href);
    if (response.ok) words = await response.json();
  } catch (error) {
    console.error('The translation could not be loaded; showing English.', error);
  }
}

/**
 * The phrase in the page's language, with {name} filled in. Words that depend on a number give their forms behind it:
 * "{n} {n|picture|pictures}", in the order of the language's plural categories (English: one, other).
 */
export function t(phrase, values = {}) {
  const known = words.phrases[phrase];
  const text = (known ?? phrase).replace(/\{(\w+)\|([^{}]*)\}/g, (whole, name, forms) => (name in values ? pluralForm(values[name], forms.split('|'), known === undefined ? 'en' : lang()) : whole));
  return text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
}

const CATEGORIES = ['zero', 'one', 'two', 'few', 'many', 'other'];

function pluralForm(number, forms, language) {
  const rules = new Intl.PluralRules(language);
  const own = CATEGORIES.filter((category) => rules.resolvedOptions().pluralCategories.includes(category));
  return forms[own.indexOf(rules.select(Number(number)))] ?? forms.at(-1);
}

/** Every known translation by its English phrase; {} in English. */
export function phrases() {
  return words.phrases;
}

/** Title, help, ... of a parameter in the page's language; {} when only English is known. */
export function parameterText(address) {
  return words.parameters[address] ?? {};
}

const leaving = new Set();

/** Have `save` (may be async) called before the page reloads itself, such as when the language changes. */
export function beforeReload(save) {
  leaving.add(save);
}

/** Change the page's language: drafts are kept, then the page is loaded again. */
export async function setLang(next) {
  try {
    if (next) localStorage.setItem('athanor.lang', next);
    else localStorage.removeItem('athanor.lang');
  } catch { /* a browser without storage: the choice lasts until it is closed */ }
  await Promise.race([
    Promise.allSettled([...leaving].map((save) => Promise.resolve().then(save))),
    new Promise((done) => setTimeout(done, 2000)),
  ]);
  location.reload();
}

/** A duration in seconds as 45 s, 7:32 or 1:07:32. */
export function duration(seconds) {
  if (!Number.isFinite(seconds) || seconds < 0) return '–';
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const two = (n) => String(n).padStart(2, '0');
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return hours ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}

/** A number of bytes as 512 B, 18.1 MB, 2.13 GB. */
export function bytes(count) {
  if (!Number.isFinite(count)) return '–';
  const units = ['B', 'KB', 'MB', 'GB', 'TB'];
  let index = 0;
  while (count >= 1000 && index < units.length - 1) { count /= 1024; index += 1; }
  return `${index === 0 ? count : count.toPrecision(3)} ${units[index]}`;
}
