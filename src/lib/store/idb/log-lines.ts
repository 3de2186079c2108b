/** Log lines in IndexedDB, in the batches in which they were written. */
import { clear, createStore, delMany, entries, set, type UseStore } from 'idb-keyval';
import { translated } from './translated.ts';

/** Implements the runner's `LogStore`. */
export class IdbLogLines {
  readonly #store: UseStore;

  constructor(databaseName = 'sampan-log') {
    this.#store = createStore(databaseName, 'lines');
  }

  batches(): Promise<readonly (readonly [number, unknown])[]> {
    return translated(async () => {
      const kept = await entries<IDBValidKey, unknown>(this.#store);
      return kept.flatMap(([key, lines]) => (typeof key === 'number' ? [[key, lines] as const] : []));
    });
  }

  put(first: number, lines: unknown): Promise<void> {
    return translated(() => set(first, lines, this.#store));
  }

  remove(firsts: readonly number[]): Promise<void> {
    return translated(() => delMany([...firsts], this.#store));
  }

  clear(): Promise<void> {
    return translated(() => clear(this.#store));
  }
}
