// Values for the form from another tab. They wait until the form is there.
let waiting = null;
let take = null;

/** values: of every field by address; message: said with a way back; name: of what they come from. Nothing is started. */
export function handOver(values, message, name = '') {
  if (take) take(values, message, name);
  else waiting = [values, message, name];
}

export function receive(taker) {
  take = taker;
  if (waiting) take(...waiting);
  waiting = null;
}
