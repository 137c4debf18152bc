// What was done to the form, to go back and forth: a step for each field that was typed into, one for a preset or a file.

const MOST_STEPS = 200;
const PAUSE_MS = 1500;

/** step: {label, address, before, after}. before, after: the whole form; after is known once the step was undone. */
export class History {
  constructor() {
    this.done = [];
    this.undone = [];
  }

  /** A change that begins now. before: gives the form as it is. Typing in one field goes on with its step until a pause. */
  record(before, { label = '', address = null, apart = false } = {}) {
    const now = performance.now();
    const last = this.done.at(-1);
    const goesOn = address !== null && !apart && last?.address === address && this.undone.length === 0 && now - last.time < PAUSE_MS;
    if (goesOn) {
      last.time = now;
      return last;
    }
    const step = { label, address, before: before(), after: null, time: now };
    this.done.push(step);
    if (this.done.length > MOST_STEPS) this.done.shift();
    this.undone = [];
    return step;
  }

  /** The newest step, taken back; null when there is none. current: the form as it is. */
  undo(current) {
    const step = this.done.pop();
    if (!step) return null;
    step.after = current;
    this.undone.push(step);
    return step;
  }

  redo() {
    const step = this.undone.pop();
    if (!step) return null;
    step.time = -PAUSE_MS;
    this.done.push(step);
    return step;
  }
}
