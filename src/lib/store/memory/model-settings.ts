/** The memory twin of the model settings, for tests that need no browser. */
import type { Digest } from '#lib/core/digest.ts';
import type { ModelSettingsStore } from '#lib/store/port.ts';
import { attempt } from './attempt.ts';

export class MemoryModelSettings implements ModelSettingsStore {
  readonly #values = new Map<Digest, unknown>();

  get(id: Digest): Promise<unknown> {
    return attempt(() => structuredClone(this.#values.get(id)));
  }

  list(): Promise<ReadonlyMap<Digest, unknown>> {
    return attempt(() => structuredClone(this.#values));
  }

  put(id: Digest, value: unknown): Promise<void> {
    return attempt(() => {
      if (value === undefined) this.#values.delete(id);
      else this.#values.set(id, structuredClone(value));
    });
  }

  remove(id: Digest): Promise<void> {
    return attempt(() => void this.#values.delete(id));
  }
}
