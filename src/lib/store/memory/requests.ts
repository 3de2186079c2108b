/** The memory twin of the request records, for tests that need no browser. */
import { attempt } from './attempt.ts';

interface Stored {
  readonly id: string;
  readonly entry: unknown;
  readonly record: unknown;
}

interface Media {
  readonly key: string;
  readonly text: string;
}

/** Implements the runner's `RequestStore`. */
export class MemoryRequests {
  #kept = new Map<string, Stored>();
  #media = new Map<string, string>();

  entries(): Promise<readonly unknown[]> {
    return attempt(() => {
      const sorted = [...this.#kept.values()].sort((one, other) => (one.id < other.id ? -1 : 1));
      return structuredClone(sorted.map(({ entry }) => entry));
    });
  }

  get(id: string): Promise<unknown> {
    return attempt(() => structuredClone(this.#kept.get(id)?.record));
  }

  media(key: string): Promise<unknown> {
    return attempt(() => this.#media.get(key));
  }

  put(requests: readonly Stored[], media: readonly Media[] = []): Promise<void> {
    return attempt(() => {
      const copies = structuredClone(requests);
      for (const each of copies) this.#kept.set(each.id, each);
      for (const { key, text } of media) this.#media.set(key, text);
    });
  }

  remove(ids: readonly string[], mediaKeys: readonly string[] = []): Promise<void> {
    return attempt(() => {
      for (const id of ids) this.#kept.delete(id);
      for (const key of mediaKeys) this.#media.delete(key);
    });
  }

  clear(): Promise<void> {
    return attempt(() => {
      this.#kept.clear();
      this.#media.clear();
    });
  }
}
