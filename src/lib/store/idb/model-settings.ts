/** How each model is to run, in IndexedDB: it outlives the tab, and the model when that is pulled again. */
import { createStore, del, entries, get, set, type UseStore } from 'idb-keyval';
import { isDigest, type Digest } from '#lib/core/digest.ts';
import type { ModelSettingsStore } from '#lib/store/port.ts';
import { translated } from './translated.ts';

export class IdbModelSettings implements ModelSettingsStore {
  readonly #store: UseStore;

  constructor(databaseName = 'sampan-model-settings') {
    this.#store = createStore(databaseName, 'model-settings');
  }

  get(id: Digest): Promise<unknown> {
    return translated(() => get<unknown>(id, this.#store));
  }

  list(): Promise<ReadonlyMap<Digest, unknown>> {
    return translated(async () => {
      const kept = await entries<string, unknown>(this.#store);
      return new Map(kept.flatMap(([id, value]) => (isDigest(id) ? [[id, value]] : [])));
    });
  }

  put(id: Digest, value: unknown): Promise<void> {
    return translated(() => (value === undefined ? del(id, this.#store) : set(id, value, this.#store)));
  }

  remove(id: Digest): Promise<void> {
    return translated(() => del(id, this.#store));
  }
}
