/** The newest lines of the log in the page's memory, and how many there are of each level and from each part. */
import type { LogLevel } from '#lib/model/wire-requests.ts';
import type { LogEntry } from './log-entry.ts';

export const maxKeptLines = 100_000;

/** More are dropped at once, so that not every line moves all others. */
const slack = 1.1;

export interface LogCounts {
  readonly total: number;
  readonly levels: Readonly<Record<LogLevel, number>>;
  /** Names of the parts that have said something, sorted. */
  readonly components: readonly string[];
}

export class LogRing {
  readonly #max: number;
  readonly #levels = new Map<LogLevel, number>();
  readonly #components = new Map<string, number>();
  #entries: LogEntry[] = [];

  constructor(max = maxKeptLines) {
    this.#max = max;
  }

  get length(): number {
    return this.#entries.length;
  }

  /** The number of the oldest line that is kept. */
  get first(): number {
    return this.#entries[0]?.line.number ?? 0;
  }

  slice(from: number, to?: number): readonly LogEntry[] {
    return this.#entries.slice(from, to);
  }

  counts(): LogCounts {
    const of = (level: LogLevel) => this.#levels.get(level) ?? 0;
    const levels = { debug: of('debug'), info: of('info'), warn: of('warn'), error: of('error') };
    return { total: this.length, levels, components: [...this.#components.keys()].sort() };
  }

  /** Returns how many old ones were dropped for it. */
  add(entries: readonly LogEntry[]): number {
    for (const entry of entries) {
      this.#count(entry, 1);
      this.#entries.push(entry);
    }
    return this.#entries.length > this.#max * slack ? this.#drop(this.#entries.length - this.#max) : 0;
  }

  clear(): void {
    this.#drop(this.#entries.length);
  }

  #drop(count: number): number {
    for (const entry of this.#entries.slice(0, count)) this.#count(entry, -1);
    this.#entries = this.#entries.slice(count);
    return count;
  }

  #count({ line: { level, component } }: LogEntry, by: 1 | -1): void {
    this.#levels.set(level, (this.#levels.get(level) ?? 0) + by);
    const count = (this.#components.get(component) ?? 0) + by;
    if (count > 0) this.#components.set(component, count);
    else this.#components.delete(component);
  }
}
