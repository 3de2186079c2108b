/** The memory twin of the log on the disk. */
import { attempt } from './attempt.ts';

/** Implements the runner's `LogStore`. */
export class MemoryLogLines {
  readonly #kept = new Map<number, unknown>();

  batches(): Promise<readonly (readonly [number, unknown])[]> {
    return attempt(() => structuredClone([...this.#kept].sort(([one], [other]) => one - other)));
  }

  put(first: number, lines: unknown): Promise<void> {
    return attempt(() => void this.#kept.set(first, structuredClone(lines)));
  }

  remove(firsts: readonly number[]): Promise<void> {
    return attempt(() => firsts.forEach((first) => this.#kept.delete(first)));
  }

  clear(): Promise<void> {
    return attempt(() => this.#kept.clear());
  }
}
