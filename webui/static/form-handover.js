// Values for the form from another tab. They wait until the form is there.
let waiting = null;
let take = null;

/** values: of every field by address; message: said with a way back; name: of what they come from. Nothing is started. */
export function handOver(values, message, name = '') {
  give({ values, message, name });
}

/** Values of some fields, such as the folder of pictures; the others stay. label: of the step in the form's history. */
export function handOverSome(values, message, label) {
  give({ values, message, label, some: true });
}

function give(handed) {
  if (take) take(handed);
  else waiting = handed;
}

export function receive(taker) {
  take = taker;
  if (waiting) take(waiting);
  waiting = null;
}
