/** WebLLM's list of models, read when somebody first wants it. */
import { ApiError, toApiError } from '#lib/core/errors.ts';
import { parseMlcList, type MlcListEntry } from '#lib/model/mlc-list.ts';
import { groupMlc, type MlcModel } from './catalog-mlc.ts';

export type MlcListState =
  | { readonly status: 'idle' | 'loading' }
  | {
      readonly status: 'ready';
      readonly entries: readonly MlcListEntry[];
      readonly models: readonly MlcModel[];
    }
  | { readonly status: 'failed'; readonly error: ApiError };

export class MlcCatalog {
  readonly #fetch: (path: string) => Promise<Response>;
  #state = $state.raw<MlcListState>({ status: 'idle' });
  #reading: Promise<readonly MlcListEntry[]> | undefined;

  /** `fetch` is for files of the app itself. */
  constructor({ fetch }: { readonly fetch: (path: string) => Promise<Response> }) {
    this.#fetch = fetch;
  }

  get state(): MlcListState {
    return this.#state;
  }

  get models(): readonly MlcModel[] {
    return this.#state.status === 'ready' ? this.#state.models : [];
  }

  /** Reads it the first time; how that went is in the state. */
  want(): void {
    if (this.#state.status === 'idle') this.retry();
  }

  retry(): void {
    // What it throws is in the state.
    this.list().catch(() => undefined);
  }

  /** As WebLLM has it. Throws what reading it throws, and reads anew the next time. */
  list(): Promise<readonly MlcListEntry[]> {
    return (this.#reading ??= this.#read());
  }

  async #read(): Promise<readonly MlcListEntry[]> {
    this.#state = { status: 'loading' };
    try {
      const entries = await this.#fetchEntries();
      this.#state = { status: 'ready', entries, models: groupMlc(entries) };
      return entries;
    } catch (thrown) {
      this.#reading = undefined;
      this.#state = { status: 'failed', error: toApiError(thrown) };
      throw thrown;
    }
  }

  async #fetchEntries(): Promise<readonly MlcListEntry[]> {
    const response = await this.#fetch('/mlc-models.json');
    if (response.ok) return parseMlcList(await response.text());
    throw new ApiError(
      'internal',
      'WebLLM’s list of models could not be read. Try again, or paste a reference.',
    );
  }
}
