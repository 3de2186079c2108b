/** Words and figures of the log's page. */
import type { LogLevel } from '#lib/model/wire-requests.ts';

export const levelWords: readonly {
  readonly level: LogLevel;
  readonly word: string;
  readonly dot?: string;
}[] = [
  { level: 'error', word: 'Error', dot: 'bad' },
  { level: 'warn', word: 'Warn', dot: 'warn' },
  { level: 'info', word: 'Info' },
  { level: 'debug', word: 'Debug' },
];

/** Local time with milliseconds: "14:26:01.730". */
export function clockTime(timeMs: number): string {
  const time = new Date(timeMs);
  const parts = [time.getHours(), time.getMinutes(), time.getSeconds()].map((part) =>
    String(part).padStart(2, '0'),
  );
  return `${parts.join(':')}.${String(time.getMilliseconds()).padStart(3, '0')}`;
}

export function dayWords(timeMs: number): string {
  return new Date(timeMs).toLocaleDateString('en-GB', { weekday: 'long', day: 'numeric', month: 'long' });
}

export function lineCount(count: number): string {
  return `${count.toLocaleString('en')} ${count === 1 ? 'line' : 'lines'}`;
}
