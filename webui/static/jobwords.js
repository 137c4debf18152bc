// How a job is called, and where it stands in the queue, in words.
import { t } from './text.js';

/** The day and the time at which a job was made, from its id; "" where its id has none. */
export function started(job) {
  const [, year, month, day, hour, minute] = /^(\d{4})(\d\d)(\d\d)-(\d\d)(\d\d)/.exec(job.id) ?? [];
  return year ? `${year}-${month}-${day} ${hour}:${minute}` : '';
}

/** "安比 v1 · 15:19": runs of one name are told apart by their time. */
export function label(job) {
  return [job.name, started(job).slice(-5)].filter(Boolean).join(' · ');
}

/** What became of a job that was just put into the queue; `answer` is {state, position, before, paused}. */
export function placedWords(name, { state, position, before = [], paused = false }) {
  if (state !== 'waiting') return t('{name} was started.', { name });
  if (position !== 1) return t('{name} waits in the queue, number {n}.', { name, n: position });
  if (before.length) return t('{name} waits first in the queue and starts after {other}.', { name, other: before[0] });
  return paused ? t('{name} is first in the queue, which is paused.', { name }) : t('{name} is first in the queue.', { name });
}
