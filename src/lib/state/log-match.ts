/** Which lines the filters of the log's page let through, and where they match. */
import type { LogLevel } from '#lib/model/wire-requests.ts';
import type { LogEntry, Span } from './log-entry.ts';
import { findSpans, textPattern, type LogQuery } from './log-query.ts';
import type { LogSearch } from './log-search.ts';

/** All parts, the runner's own, the engines', or the one of a name. */
export type LogSource = 'all' | 'service' | 'engine' | `part:${string}`;

export interface LogFilter {
  readonly levels: readonly LogLevel[];
  readonly source: LogSource;
  readonly query: Exclude<LogQuery, { kind: 'invalid' }>;
}

export interface LogMatch {
  readonly entry: LogEntry;
  readonly spans: readonly Span[];
}

/** Throws what the search throws. */
export async function matching(
  entries: readonly LogEntry[],
  filter: LogFilter,
  search: LogSearch,
  signal: AbortSignal,
): Promise<readonly LogMatch[]> {
  const passed = entries.filter((entry) => passes(entry, filter));
  const { query } = filter;
  if (query.kind === 'none') return passed.map((entry) => ({ entry, spans: [] }));
  const texts = passed.map(({ text }) => text);
  const found =
    query.kind === 'text' ? findWords(query.text, texts) : await search.find(query, texts, signal);
  return passed.flatMap((entry, index) => {
    const spans = found[index];
    return spans ? [{ entry, spans }] : [];
  });
}

function passes({ line }: LogEntry, { levels, source }: LogFilter): boolean {
  if (!levels.includes(line.level)) return false;
  return source === 'all' || source === line.source || source === `part:${line.component}`;
}

function findWords(words: string, texts: readonly string[]): readonly (readonly Span[] | undefined)[] {
  const pattern = textPattern(words);
  return texts.map((text) => findSpans(pattern, text));
}
