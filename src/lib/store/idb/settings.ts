/** Small settings that outlive the tab: routes per host, the list of pulls. */
import { createStore, get, set, type UseStore } from 'idb-keyval';
import { toApiError } from '#lib/core/errors.ts';

export class IdbSettings {
  readonly #store: UseStore;

  constructor(databaseName = 'sampan-settings') {
    this.#store = createStore(databaseName, 'settings');
  }

  /** `parse` makes the stored value a trusted one; `undefined` from it counts as absent. */
  async get<T>(key: string, parse: (value: unknown) => T | undefined): Promise<T | undefined> {
    try {
      return parse(await get<unknown>(key, this.#store));
    } catch (error) {
      throw toApiError(error);
    }
  }

  /** `value` must be structured-cloneable. */
  async set(key: string, value: unknown): Promise<void> {
    try {
      await set(key, value, this.#store);
    } catch (error) {
      throw toApiError(error);
    }
  }
}
