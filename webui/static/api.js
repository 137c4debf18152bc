// Our own JSON interface. Addresses are relative, so that the page also works below a sub-path.
import { translated } from './messages.js';
import { t } from './text.js';

/** What the server refused: `message` for people, `problems` and `notes` [{address, message}], `status` 0 = not reached. */
export class ApiError extends Error {
  constructor(status, message, problems = [], notes = []) {
    super(message);
    this.status = status;
    this.problems = problems;
    this.notes = notes;
  }
}

/** Address of a path of the interface: url('jobs') = <page>/api/jobs. */
export function url(path) {
  return new URL(`./api/${path}`, document.baseURI).href;
}

export function get(path, options = {}) {
  return call(path, { ...options, method: 'GET' });
}

export function post(path, body = {}, options = {}) {
  return call(path, { ...options, method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
}

async function call(path, options) {
  let response;
  try {
    response = await fetch(url(path), { cache: 'no-store', credentials: 'same-origin', ...options });
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw new ApiError(0, t('The page cannot reach Athanor. Is its console window still open?'));
  }
  document.dispatchEvent(new Event('athanor:reached'));
  const text = await response.text();
  let content = null;
  try {
    content = text === '' ? null : JSON.parse(text);
  } catch {
    content = { message: text.trim() };
  }
  if (response.ok) return content;
  const message = typeof content?.message === 'string' && content.message !== '' ? content.message : null;
  throw new ApiError(response.status, message === null ? t('The server answered with error {status}.', { status: response.status }) : translated(message), content?.problems ?? [], content?.notes ?? []);
}
