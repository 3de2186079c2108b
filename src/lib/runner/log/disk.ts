/** The log on the disk: written four times a second while there is something new, and no more than its newest lines. */
import type { Clock } from '#lib/core/clock.ts';
import type { LogLineJson } from '#lib/model/wire-requests.ts';
import { parseLines } from './parse.ts';
import type { LogStore } from './port.ts';

interface Batch {
  readonly first: number;
  readonly count: number;
}

const intervalMs = 250;

export class LogDisk {
  readonly #store: LogStore;
  readonly #clock: Clock;
  readonly #maxLines: number;
  #batches: Batch[] = [];
  #waiting: LogLineJson[] = [];
  #opened = false;
  #scheduled = false;
  #writing: Promise<void> = Promise.resolve();

  constructor(store: LogStore, clock: Clock, maxLines: number) {
    this.#store = store;
    this.#clock = clock;
    this.#maxLines = maxLines;
  }

  /** The lines that are kept; none when they cannot be read, for a log must not keep the runner from starting. */
  async load(): Promise<readonly LogLineJson[]> {
    try {
      const kept = (await this.#store.batches()).map(([first, lines]) => ({
        first,
        lines: parseLines(lines),
      }));
      this.#batches = kept.map(({ first, lines }) => ({ first, count: lines.length }));
      return kept.flatMap(({ lines }) => lines).slice(-this.#maxLines);
    } catch {
      return [];
    }
  }

  /** From now on lines are numbered after those that were loaded. */
  open(): void {
    this.#opened = true;
  }

  add(line: LogLineJson): void {
    if (!this.#opened) return;
    this.#waiting.push(line);
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#clock.after(intervalMs, () => void this.flush());
  }

  /** Never rejects: who cannot write a log has nobody left to tell. */
  flush(): Promise<void> {
    this.#scheduled = false;
    this.#writing = this.#writing.then(() => this.#write()).catch(() => undefined);
    return this.#writing;
  }

  async #write(): Promise<void> {
    const lines = this.#waiting;
    const [first] = lines;
    if (!first) return;
    this.#waiting = [];
    await this.#store.put(first.number, lines);
    this.#batches.push({ first: first.number, count: lines.length });
    await this.#dropOld();
  }

  /** A batch goes when those after it hold enough. */
  async #dropOld(): Promise<void> {
    let kept = 0;
    const needed = [...this.#batches]
      .reverse()
      .filter(({ count }) => (kept += count) - count < this.#maxLines);
    if (needed.length === this.#batches.length) return;
    const firsts = new Set(needed.map(({ first }) => first));
    const old = this.#batches.filter(({ first }) => !firsts.has(first));
    this.#batches = needed.reverse();
    await this.#store.remove(old.map(({ first }) => first));
  }
}
