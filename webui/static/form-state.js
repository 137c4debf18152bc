// The form's values and what the server says about them. Draws nothing; views listen to it.
import { post } from './api.js';
import { History } from './form-history.js';
import { t } from './text.js';

const CHECK_DELAY_MS = 60;
const SAVE_DELAY_MS = 350;
const LOOK_AGAIN_MS = 15000;
const PROMPTS = 'sample.sample_prompts';
const INTERVALS = ['sample.sample_every_n_epochs', 'sample.sample_every_n_steps'];

// '1e-4' and '0.0001' mean the same number.
export function same(one, other) {
  if (one === other) return true;
  if (Array.isArray(one) && Array.isArray(other)) return JSON.stringify(one) === JSON.stringify(other);
  if (typeof one !== 'string' || typeof other !== 'string') return false;
  const [left, right] = [one.trim(), other.trim()];
  if (left === right) return true;
  return left !== '' && right !== '' && !Number.isNaN(Number(left)) && Number(left) === Number(right);
}

export class FormState extends EventTarget {
  // events: value (detail: addresses or null for all), mode, answer, report, saved, offline, steps (of the history),
  // back (detail: {step, addresses}; undone or done again), newer (detail: {names, back}; another window saved)
  constructor(spec, draft) {
    super();
    this.spec = spec;
    this.fields = new Map(spec.groups.flatMap((group) => group.fields).map((field) => [field.address, field]));
    this.values = { ...spec.defaults, ...draft.values };
    this.mode = draft.mode;
    this.rev = draft.rev;
    this.preset = draft.preset;
    this.source = null; // {name, values} of the file that was taken over, in place of a preset
    this.presetValues = spec.defaults;
    this.history = new History();
    this.answer = null;
    this.report = null;
    this.reports = 0; // those that came with a check
    this.reading = false;
    this.madePrompts = null; // what the captions last suggested
    this.wantsPrompts = draft.rev === 0; // until there are captions to make them from
    this.usePreset(draft.preset, draft.source);
    this.synced = this.snapshot(); // as the server has it
  }

  tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }

  presetNamed(id) {
    return this.spec.presets.find((preset) => preset.id === id) ?? null;
  }

  // Which preset, or which file that was taken over, the form is compared with. Values stay.
  usePreset(id, source = null) {
    const preset = this.presetNamed(id);
    this.preset = preset ? id : '';
    this.source = preset ? null : source;
    this.presetValues = { ...this.spec.defaults, ...(preset?.values ?? this.source?.values ?? {}) };
  }

  differs(address) {
    return !same(this.values[address], this.presetValues[address]);
  }

  // A preset says nothing about paths and names: those never count as changed from it, unless it names them.
  isChanged(address) {
    return this.differs(address) && !this.isOwn(address);
  }

  // A path or a name that the preset leaves alone.
  isOwn(address) {
    return this.fields.get(address).personal && !this.source && same(this.presetValues[address], this.spec.defaults[address]);
  }

  changed() {
    return [...this.fields.keys()].filter((address) => this.isChanged(address));
  }

  byName(name) {
    for (const field of this.fields.values()) if (field.name === name) return this.values[field.address];
    return undefined;
  }

  // join: part of the step before, for what follows from it by itself. apart: a step of its own, for what is not typed.
  set(address, value, { label = '', join = false, apart = false } = {}) {
    if (same(this.values[address], value) && this.values[address] === value) return;
    if (!join) this.record({ address, label, apart });
    this.put({ [address]: value });
  }

  /** Several fields as one step. Returns the way back, which leaves the other fields as they are by then. */
  setAll(changes, label) {
    const before = Object.fromEntries(Object.keys(changes).map((address) => [address, this.values[address]]));
    const step = this.record({ label });
    this.put(changes);
    return () => (this.history.done.at(-1) === step ? this.undo() : this.setAll(before, label));
  }

  put(changes) {
    const begins = INTERVALS.some((address) => changes[address] && !this.values[address]);
    Object.assign(this.values, changes);
    if (begins) this.wantPrompts();
    this.tell('value', Object.keys(changes));
    this.checkSoon();
    this.saveSoon();
  }

  reset(address) {
    this.set(address, this.presetValues[address]);
  }

  snapshot() {
    return { values: structuredClone(this.values), preset: this.preset, source: this.source };
  }

  record(what) {
    const step = this.history.record(() => this.snapshot(), what);
    this.tell('steps');
    return step;
  }

  undo() {
    const step = this.history.undo(this.snapshot());
    if (step) this.goTo(step, step.before);
  }

  redo() {
    const step = this.history.redo();
    if (step) this.goTo(step, step.after);
  }

  goTo(step, { values, preset, source }) {
    const addresses = [...this.fields.keys()].filter((address) => !same(values[address], this.values[address]));
    this.values = structuredClone(values);
    this.usePreset(preset, source);
    this.wantsPrompts = false; // whoever goes back wants what was there, not new prompts
    this.tell('value', null);
    this.tell('steps');
    this.tell('back', { step, addresses });
    this.checkSoon(0);
    this.saveSoon();
  }

  // What was typed since these values were sent: it wins over an answer that was on its way.
  typedSince(earlier) {
    return Object.fromEntries(Object.entries(this.values).filter(([address, value]) => !same(value, earlier[address])));
  }

  /**
   * Exchange all values at once, for a preset or a file. Returns the way back: while nothing else was done that is
   * the step before; later it leaves what was typed since.
   */
  replace(values, { label, preset = this.preset, source = this.source }) {
    const before = this.snapshot();
    const step = this.record({ label });
    this.values = { ...this.spec.defaults, ...values };
    this.usePreset(preset, source);
    const put = structuredClone(this.values);
    this.tell('value', null);
    this.checkSoon(0);
    this.saveSoon();
    return () => {
      if (this.history.done.at(-1) === step) this.undo();
      else this.replace({ ...before.values, ...this.typedSince(put) }, { ...before, label });
    };
  }

  setMode(mode) {
    if (mode === this.mode) return;
    this.mode = mode;
    this.tell('mode');
    this.saveSoon();
  }

  problems() {
    return this.answer?.problems ?? [];
  }

  // Those, and errors of the files and pictures at the fields that they concern.
  allErrors() {
    const missing = new Set(this.problems().filter((problem) => problem.missing).map((problem) => problem.address));
    const told = new Set(this.problems().map((problem) => problem.message));
    const ofFiles = (this.report?.problems ?? []).filter((problem) => problem.severity === 'error' && !missing.has(problem.address) && !told.has(problem.message));
    return [...this.problems(), ...ofFiles];
  }

  checkSoon(delay = CHECK_DELAY_MS) {
    clearTimeout(this.checkTimer);
    this.checkTimer = setTimeout(() => this.check(), delay);
  }

  async check() {
    const ticket = (this.ticket = (this.ticket ?? 0) + 1);
    let answer;
    try {
      answer = await post('form/check', { values: this.values });
    } catch (error) {
      if (ticket === this.ticket) this.lost(error);
      return;
    }
    if (ticket !== this.ticket) return;
    this.answer = answer;
    this.tell('answer');
    if (answer.report) {
      this.report = answer.report;
      this.reports += 1;
      this.tell('report');
      if (answer.report.stale) this.look({ quiet: true });
    } else {
      this.look();
    }
  }

  // Read the picture folders and files. One reading at a time; edits meanwhile lead to one more.
  async look({ quiet = false } = {}) {
    if (this.looking) {
      this.lookAgain = true;
      return;
    }
    this.looking = true;
    this.reading = !quiet;
    this.tell('report');
    try {
      do {
        this.lookAgain = false;
        const { reports } = this;
        const report = await post('form/report', { values: this.values });
        if (reports === this.reports) this.report = report; // else a check brought a newer one meanwhile
      } while (this.lookAgain);
    } catch (error) {
      this.lost(error);
    } finally {
      this.looking = this.reading = false;
      this.tell('report');
    }
  }

  wantPrompts() {
    this.wantsPrompts = !this.values[PROMPTS];
  }

  /**
   * Prompts for previews from the captions, where an interval waits for some: after a preset, and as long as they were
   * made so, after another folder too. What was written or cleared by hand stays. Returns the way back where there were none before, else null.
   */
  fillPrompts() {
    const made = this.report?.prompts;
    const current = this.values[PROMPTS];
    if (!made) {
      if (this.report && this.madePrompts === null && !current) this.wantsPrompts = true;
      return null;
    }
    const before = this.madePrompts;
    this.madePrompts = made;
    const own = current ? current !== before : before === null || made === before;
    if (!INTERVALS.some((address) => this.values[address]) || current === made || (own && !(this.wantsPrompts && !current))) return null;
    this.wantsPrompts = false;
    this.set(PROMPTS, made, { join: true });
    return current ? null : () => this.set(PROMPTS, current);
  }

  // The server did not answer, or refused: say it once and try again.
  lost(error) {
    this.tell('offline', error);
    clearTimeout(this.checkTimer);
    this.checkTimer = setTimeout(() => this.check(), 2000);
  }

  saveSoon(delay = SAVE_DELAY_MS) {
    this.dirty = true;
    clearTimeout(this.saveTimer);
    this.saveTimer = setTimeout(() => this.save(), delay);
  }

  draft() {
    return { rev: this.rev, preset: this.preset, source: this.source, mode: this.mode, values: this.values };
  }

  async save() {
    if (this.saving) return this.saveSoon();
    this.saving = true;
    this.dirty = false;
    const sent = this.snapshot();
    try {
      const answer = await post('form/draft', this.draft());
      if (answer.saved) {
        this.rev = answer.draft.rev;
        this.synced = sent;
        this.windows?.postMessage(this.rev);
        this.tell('saved');
      } else {
        this.takeNewer(answer.draft);
      }
    } catch {
      this.dirty = true;
      this.saveSoon(2000);
    } finally {
      this.saving = false;
    }
  }

  // Another window saved: its values, and over them what was changed here since both had the same.
  takeNewer(draft) {
    const theirs = { ...this.spec.defaults, ...draft.values };
    const mine = this.typedSince(this.synced.values);
    const values = { ...theirs, ...mine };
    const chosenHere = this.preset !== this.synced.preset || this.source?.name !== this.synced.source?.name;
    const { preset, source } = chosenHere ? this : draft;
    const addresses = [...this.fields.keys()].filter((address) => !same(values[address], this.values[address]));
    const before = Object.fromEntries(addresses.map((address) => [address, this.values[address]]));
    const label = t('Changes of another window');
    clearTimeout(this.saveTimer);
    this.dirty = false;
    this.rev = draft.rev;
    this.synced = { values: theirs, preset: draft.preset, source: draft.source };
    if (addresses.length) this.record({ label });
    this.values = values;
    this.usePreset(preset, source);
    this.tell('value', null);
    this.checkSoon(0);
    if (chosenHere || Object.keys(mine).length) this.saveSoon(0);
    if (addresses.length) this.tell('newer', { addresses, back: () => this.setAll(before, label) });
  }

  // While the page is open: folders may change on disk, another window may save.
  watch(element, readDraft) {
    const look = async () => {
      if (document.hidden || !element.isConnected || this.dirty || this.saving) return;
      const rev = this.rev;
      try {
        const draft = await readDraft();
        if (draft.rev > this.rev && rev === this.rev && !this.dirty && !this.saving) this.takeNewer(draft);
        else if (element.offsetParent !== null) this.look();
      } catch {
        return; // the next edit or the next look says that the page's server is gone
      }
    };
    addEventListener('focus', look);
    if ('BroadcastChannel' in window) {
      this.windows = new BroadcastChannel('athanor-form');
      this.windows.addEventListener('message', look);
    }
    setInterval(look, LOOK_AGAIN_MS);
    addEventListener('pagehide', () => {
      if (!this.dirty) return;
      const body = JSON.stringify(this.draft());
      fetch('./api/form/draft', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body, keepalive: true });
    });
  }
}
