/** Lines of the log as the text of a file. */
import type { LogEntry } from './log-entry.ts';

export type LogFileForm = 'text' | 'jsonl';

/** As the page shows them, one a line; or as the runner tells them, one JSON value a line. */
export function logFile(entries: readonly LogEntry[], form: LogFileForm): string {
  const write = form === 'jsonl' ? ({ line }: LogEntry) => JSON.stringify(line) : textOf;
  return entries.map((entry) => `${write(entry)}\n`).join('');
}

function textOf({ line, text }: LogEntry): string {
  const level = line.level.toUpperCase().padEnd(5);
  return `${new Date(line.time_ms).toISOString()} ${level} ${line.component} ${text.replaceAll('\n', '\n    ')}`;
}
