/** The settings for all models: in force at once, and durable before a change is answered. */
import { parseGoDuration } from '#lib/core/go-duration.ts';
import { Signal } from '#lib/core/observable.ts';
import type { SettingsJson } from '#lib/model/wire.ts';
import { defaultSettings, readStored } from './parse.ts';

/** Where they outlive the tab; what comes back is parsed, not trusted. */
export interface PreferencesStore {
  load(): Promise<unknown>;
  save(settings: SettingsJson): Promise<void>;
}

export class Preferences {
  readonly changed = new Signal();
  readonly #store: PreferencesStore;
  #current = defaultSettings;
  #saving: Promise<unknown> = Promise.resolve();

  constructor(store: PreferencesStore) {
    this.#store = store;
  }

  get current(): SettingsJson {
    return this.#current;
  }

  get keepAliveMs(): number {
    return parseGoDuration(this.#current.keep_alive) ?? 0;
  }

  async load(): Promise<void> {
    this.#current = readStored(await this.#store.load());
    this.changed.notify();
  }

  /** Keeps what else is set. Changes are made one after another, so that none takes another back. */
  change(part: Partial<SettingsJson>): Promise<void> {
    const change = this.#saving.then(async () => {
      const next = { ...this.#current, ...part };
      await this.#store.save(next);
      this.#current = next;
      this.changed.notify();
    });
    this.#saving = change.catch(() => undefined);
    return change;
  }
}

/** Forgotten with the runner. */
export class MemoryPreferencesStore implements PreferencesStore {
  saved: unknown;

  load(): Promise<unknown> {
    return Promise.resolve(this.saved);
  }

  save(settings: SettingsJson): Promise<void> {
    this.saved = structuredClone(settings);
    return Promise.resolve();
  }
}
