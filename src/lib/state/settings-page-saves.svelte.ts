/** What became of each change on the Settings page: every one is saved at once, in the order in which they were made. */
import { SvelteMap } from 'svelte/reactivity';
import { toApiError } from '#lib/core/errors.ts';

export type SaveState =
  | { readonly status: 'saving' }
  | { readonly status: 'saved' }
  | { readonly status: 'failed'; readonly message: string };

export class Saves {
  readonly #states = new SvelteMap<string, SaveState>();
  #queue: Promise<unknown> = Promise.resolve();

  of(key: string): SaveState | undefined {
    return this.#states.get(key);
  }

  /** Says at once that something cannot be saved as it was typed. */
  refuse(key: string, message: string): void {
    this.#states.set(key, { status: 'failed', message });
  }

  /** Resolves with whether it was saved. Of two changes of one setting only the newer says how it went. */
  async run(key: string, save: () => Promise<unknown>): Promise<boolean> {
    const saving: SaveState = { status: 'saving' };
    this.#states.set(key, saving);
    const work = this.#queue.then(save);
    this.#queue = work.catch(() => undefined);
    const outcome = await work.then(
      (): SaveState => ({ status: 'saved' }),
      (thrown: unknown): SaveState => ({ status: 'failed', message: toApiError(thrown).message }),
    );
    if (this.#states.get(key) === saving) this.#states.set(key, outcome);
    return outcome.status === 'saved';
  }
}
