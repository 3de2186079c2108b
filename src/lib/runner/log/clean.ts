/** Texts as a log may hold them: one line, no control characters, not too long. */

/** Colours and other commands to a terminal. */
// eslint-disable-next-line no-control-regex
const escapes = /\u001b\[[0-9;?]*[ -/]*[@-~]/g;
/** Control characters, and those that turn the direction of a text and make it read as another. */
// eslint-disable-next-line no-control-regex
const unseen = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]+/g;

export function cleanText(text: string, maxChars: number): string {
  // A hostile text is cut before it is searched.
  const clean = text
    .slice(0, maxChars * 2)
    .replace(escapes, '')
    .replace(unseen, ' ')
    .trim();
  return clean.length > maxChars ? `${clean.slice(0, maxChars - 1)}…` : clean;
}

/** The class of a failure and the top of its stack; the message may quote what a client sent. */
export function describeFailure(thrown: unknown): { readonly error: string; readonly at?: string } {
  if (!(thrown instanceof Error)) return { error: typeof thrown };
  const frames = (thrown.stack ?? '').split('\n').filter((line) => /^\s+at .*:\d+:\d+\)?$/.test(line));
  const at = frames.slice(0, 3).map((line) => line.trim().replace(/^at /, ''));
  return { error: thrown.name, ...(at.length > 0 && { at: at.join(' < ') }) };
}
