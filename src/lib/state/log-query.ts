/** What a person types to find lines: words as they are, or `/a regular expression/i`. */
import type { Span } from './log-entry.ts';

export type LogQuery =
  | { readonly kind: 'none' }
  | { readonly kind: 'text'; readonly text: string }
  /** May take for ever on a text: never run where a person waits. */
  | { readonly kind: 'expression'; readonly source: string; readonly flags: string }
  | { readonly kind: 'invalid'; readonly message: string };

/** What lines are compared with, as it crosses to a worker. */
export type LogPattern = Extract<LogQuery, { kind: 'expression' }>;

export function parseQuery(typed: string): LogQuery {
  const text = typed.trim();
  if (text === '') return { kind: 'none' };
  const [, source, flags = ''] = /^\/(.+)\/([a-z]*)$/.exec(text) ?? [];
  return source === undefined ? { kind: 'text', text } : expression(source, flags);
}

/** Finds the words anywhere, without regard to case. */
export function textPattern(text: string): RegExp {
  return new RegExp(text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&'), 'giu');
}

export function expressionPattern({ source, flags }: LogPattern): RegExp {
  return new RegExp(source, `g${flags}`);
}

const maxSpans = 50;

/** The first places where a text matches; `undefined` where it does not. */
export function findSpans(pattern: RegExp, text: string): readonly Span[] | undefined {
  const spans: Span[] = [];
  let hasMatch = false;
  for (const match of text.matchAll(pattern)) {
    hasMatch = true;
    const end = match.index + match[0].length;
    if (end > match.index) spans.push({ start: match.index, end });
    if (spans.length === maxSpans || end === match.index) break;
  }
  return hasMatch ? spans : undefined;
}

function expression(source: string, flags: string): LogQuery {
  if (!/^[imsu]*$/.test(flags) || new Set(flags).size < flags.length) {
    return { kind: 'invalid', message: 'After the last “/” only i, m, s and u have a meaning.' };
  }
  try {
    new RegExp(source, flags);
  } catch (thrown) {
    // The browser's own words say where it went wrong; after the last colon, before it the expression is repeated.
    const reason = thrown instanceof Error ? thrown.message.split(': ').at(-1) : undefined;
    return { kind: 'invalid', message: `This is not a regular expression: ${reason ?? 'check it'}.` };
  }
  return { kind: 'expression', source, flags };
}
