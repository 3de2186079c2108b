/** Small settings that outlive the tab: routes per host, the list of pulls. */
import { createStore, get, set, type UseStore } from 'idb-keyval';
import { translated } from './translated.ts';

export class IdbSettings {
  readonly #store: UseStore;

  constructor(databaseName = 'sampan-settings') {
    this.#store = createStore(databaseName, 'settings');
  }

  /** `parse` makes the stored value a trusted one; `undefined` from it counts as absent. */
  get<T>(key: string, parse: (value: unknown) => T | undefined): Promise<T | undefined> {
    return translated(async () => parse(await get<unknown>(key, this.#store)));
  }

  /** `value` must be structured-cloneable. */
  set(key: string, value: unknown): Promise<void> {
    return translated(() => set(key, value, this.#store));
  }
}
