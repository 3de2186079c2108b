/** A line of the log as the page shows and searches it. */
import type { LogLineJson } from '#lib/model/wire-requests.ts';
import { visibleText } from './visible-text.ts';

/** Of a text: where a part begins, and the first place after it. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

export interface LogEntry {
  readonly line: LogLineJson;
  /** The message, then its fields as `name=value`. This is what is searched. */
  readonly text: string;
  /** Where the message ends in `text`. */
  readonly messageEnd: number;
  /** The id of a request in `text`, when the line has one. */
  readonly request: Span | undefined;
}

export interface LogPiece {
  readonly text: string;
  readonly kind: 'message' | 'field' | 'request';
  readonly isMatch: boolean;
}

/** No line of the runner is as long; a longer one would only slow the page. */
const maxChars = 10_000;

export function logEntry(line: LogLineJson): LogEntry {
  let text = visibleText(shortened(line.message));
  const messageEnd = text.length;
  let request: Span | undefined;
  for (const [name, value] of Object.entries(line.fields ?? {})) {
    const shown = visibleText(shortened(String(value)));
    text += ` ${visibleText(name)}=${shown}`;
    if (name === 'request') request = { start: text.length - shown.length, end: text.length };
  }
  return { line, text, messageEnd, request };
}

/** The text of an entry, cut where its parts and the matches begin and end. */
export function piecesOf({ text, messageEnd, request }: LogEntry, matches: readonly Span[]): LogPiece[] {
  const marks = [{ start: messageEnd, end: text.length }, ...(request ? [request] : []), ...matches];
  const cuts = [...new Set([0, ...marks.flatMap(({ start, end }) => [start, end]), text.length])];
  cuts.sort((one, other) => one - other);
  return cuts.slice(1).map((end, index) => {
    const start = cuts[index] ?? 0;
    const isIn = (span: Span) => span.start <= start && end <= span.end;
    const kind = request && isIn(request) ? 'request' : start < messageEnd ? 'message' : 'field';
    return { text: text.slice(start, end), kind, isMatch: matches.some(isIn) };
  });
}

function shortened(text: string): string {
  return text.length > maxChars ? `${text.slice(0, maxChars)}… and ${text.length - maxChars} more` : text;
}
