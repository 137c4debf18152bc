// Values for the form from another tab. They wait until the form is there.
let waiting = null;
let take = null;

/** values: of every field by address; message: said with a way back. Nothing is started. */
export function handOver(values, message) {
  if (take) take(values, message);
  else waiting = [values, message];
}

export function receive(taker) {
  take = taker;
  if (waiting) take(...waiting);
  waiting = null;
}
