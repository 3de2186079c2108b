/** The memory twin of the request records, for tests that need no browser. */
import { attempt } from './attempt.ts';

interface Stored {
  readonly id: string;
  readonly entry: unknown;
  readonly record: unknown;
}

/** Implements the runner's `RequestStore`. */
export class MemoryRequests {
  #kept = new Map<string, Stored>();

  entries(): Promise<readonly unknown[]> {
    return attempt(() => {
      const sorted = [...this.#kept.values()].sort((one, other) => (one.id < other.id ? -1 : 1));
      return structuredClone(sorted.map(({ entry }) => entry));
    });
  }

  get(id: string): Promise<unknown> {
    return attempt(() => structuredClone(this.#kept.get(id)?.record));
  }

  put(requests: readonly Stored[]): Promise<void> {
    return attempt(() => {
      const copies = structuredClone(requests);
      for (const each of copies) this.#kept.set(each.id, each);
    });
  }

  remove(ids: readonly string[]): Promise<void> {
    return attempt(() => ids.forEach((id) => this.#kept.delete(id)));
  }

  clear(): Promise<void> {
    return attempt(() => this.#kept.clear());
  }
}
