// One open folder as this window sees it: the filter, the picture looked at, what the server last said. Draws nothing.
import { get, post } from './api.js';

const WATCH_MS = 3000;
const SAVING_MS = 250;

export const NO_FILTER = { include: [], include_mode: 'all', exclude: [], text: '', show: 'all', folder: null };

/** Runs of numbers [[first, last], ...] as one array. */
export function expand(spans) {
  let length = 0;
  for (const [first, last] of spans) length += last - first + 1;
  const numbers = new Int32Array(length);
  let at = 0;
  for (const [first, last] of spans) for (let n = first; n <= last; n += 1) numbers[at++] = n;
  return numbers;
}

/** Numbers as runs, in ascending order. */
export function spansOf(numbers) {
  const runs = [];
  for (const n of [...numbers].sort((a, b) => a - b)) {
    const last = runs[runs.length - 1];
    if (last && n === last[1] + 1) last[1] = n;
    else runs.push([n, n]);
  }
  return runs;
}

/**
 * Requests go out one after another, so that each carries the revision that the one before brought.
 * `listen(listener)`: called as listener(what) with 'folder', 'view', 'look', 'save' or 'saved' after something arrived.
 */
export class Session {
  constructor(folder) {
    this.query = { ...NO_FILTER };
    this.look = null;
    this.picture = null;
    this.listeners = new Set();
    this.chain = Promise.resolve();
    this.viewWaits = null;
    this.answers = 0; // views that came: what was asked before one of them says nothing new
    this.refusals = 0; // changes refused since another window was first; the last one
    this.refusal = null;
    this.closed = false;
    this.awake = () => !document.hidden; // whether anybody looks: else there is no need to ask what others do
    this.take(folder);
    this.watch();
  }

  take(folder) {
    this.folder = folder;
    this.base = `datasets/${folder.id}`;
    this.view = folder.view;
    this.shown = expand(folder.view.shown);
  }

  listen(listener) { this.listeners.add(listener); }

  tell(what) { for (const listener of this.listeners) listener(what); }

  close() { this.closed = true; clearTimeout(this.timer); this.listeners.clear(); }

  filtered() {
    const { include, exclude, text, show, folder } = this.query;
    return include.length > 0 || exclude.length > 0 || text.trim() !== '' || show !== 'all' || folder !== null;
  }

  /** Change part of the filter; resolves when the result is here. */
  filter(part) {
    this.query = { ...this.query, ...part };
    return this.refreshView();
  }

  /** Look closely at picture `n` (null: at none). */
  lookAt(n) {
    if (n === this.look) return Promise.resolve();
    this.look = n;
    this.picture = null;
    this.tell('look');
    return n === null ? Promise.resolve() : this.refreshView();
  }

  /** Ask for the view anew; several wishes at once become one request. */
  refreshView() {
    this.viewWaits ??= this.run(() => {
      this.viewWaits = null;
      return this.fetchView('view');
    });
    return this.viewWaits;
  }

  /** Have the server look at the folder on disk again. */
  rescan() { return this.run(() => this.fetchView('refresh')); }

  async fetchView(path) {
    const view = await post(`${this.base}/${path}`, { query: this.query, look: this.look });
    await this.receive(view);
  }

  async receive(view) {
    this.answers += 1;
    if (view.listing !== this.folder.listing) return this.relist();
    this.view = view;
    this.shown = expand(view.shown);
    if (view.picture && view.picture.number === this.look) this.picture = view.picture;
    this.tell('view');
    return undefined;
  }

  /** Pictures came or went: fetch the list again and stay at the picture of the same name. */
  async relist() {
    const name = this.look === null ? null : this.folder.pictures[this.look];
    this.take(await get(this.base));
    const found = name === null ? -1 : this.folder.pictures.indexOf(name);
    this.look = found < 0 ? null : found;
    this.picture = null;
    if (this.query.folder !== null && !this.folder.folders.some(([folder]) => folder === this.query.folder)) this.query.folder = null;
    this.tell('folder');
    await this.fetchView('view');
  }

  /** Do an edit to the shown pictures, or to `numbers`; resolves to {changed, too_long: names, too_long_count}. */
  async edit(edit, numbers = null) {
    const alone = numbers?.length === 1 && numbers[0] === this.look ? this.picture?.text : undefined;
    try {
      return await this.send('edit', { edit, target: target(numbers) });
    } catch (error) {
      // Another window changed something. Where this very caption is still what was edited, the edit is as good as before.
      const same = error.status === 409 && alone !== undefined && numbers[0] === this.look && this.picture?.text === alone;
      if (!same) throw error;
      return this.send('edit', { edit, target: target(numbers) });
    }
  }

  /** How many pictures `edit` would change: {changes, of, too_long}. */
  count(edit, numbers = null) {
    return this.run(() => post(`${this.base}/count`, { ...this.asking(), edit, target: target(numbers) }));
  }

  asking() { return { query: this.query, look: this.look, rev: this.view.rev, listing: this.folder.listing }; }

  /** `send`, for those who need only the number of changes. */
  async change(path, body = {}) { return (await this.send(path, body)).changed ?? null; }

  /** POST to `path` on the present revision. When another window was first, show its state and throw the refusal. */
  send(path, body = {}) {
    const { refusals } = this;
    return this.run(async () => {
      if (refusals !== this.refusals) throw this.refusal; // what was queued behind it was made on the same older state
      try {
        const answer = await post(`${this.base}/${path}`, { ...this.asking(), ...body });
        await this.receive(answer.view ?? answer);
        return answer;
      } catch (error) {
        if (error.status === 409) {
          this.refusals += 1;
          this.refusal = error;
          await this.fetchView('view');
        }
        throw error;
      }
    });
  }

  async save() {
    await this.change('save');
    this.watch();
  }

  /** How many tags at the start of every caption sorting should leave. */
  async keep() { return (await get(`${this.base}/keep`)).keep; }

  returns() { return get(`${this.base}/returns`); }

  run(task) {
    const result = this.chain.then(task);
    this.chain = result.catch(() => {});
    return result;
  }

  /** Notice what other windows do, and how far a save is. */
  watch() {
    clearTimeout(this.timer);
    if (this.closed) return;
    this.timer = setTimeout(async () => {
      if (this.awake() || this.view.save.running) await this.lookAround().catch(() => {});
      this.watch();
    }, this.view.save.running ? SAVING_MS : WATCH_MS);
  }

  async lookAround() {
    const asked = this.answers;
    const now = await get(`${this.base}/version`);
    if (this.closed || asked !== this.answers) return;
    const before = this.view.save;
    this.view.save = now.save;
    if (now.save.running || before.running) this.tell('save');
    if (before.running && !now.save.running) this.tell('saved');
    if (now.version !== this.view.version) await this.refreshView();
  }
}

const target = (numbers) => (numbers === null ? { scope: 'shown' } : { scope: 'selected', spans: spansOf(numbers) });
