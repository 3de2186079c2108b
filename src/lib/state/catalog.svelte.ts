/** The curated list of models: loaded once, filtered as the reader types. */
import { ApiError, toApiError } from '#lib/core/errors.ts';
import type { CatalogEntryJson } from '#lib/model/wire.ts';
import { byReference, comparable } from './names.ts';

export const catalogSources = ['All', 'Docker Hub', 'Hugging Face'] as const;
export type CatalogSource = (typeof catalogSources)[number];

export type CatalogState =
  | { readonly status: 'loading' }
  | { readonly status: 'ready'; readonly entries: readonly CatalogEntryJson[] }
  | { readonly status: 'failed'; readonly error: ApiError };

interface CatalogOptions {
  /** Fetches files of the app itself. */
  readonly fetch: (path: string) => Promise<Response>;
  /** The host that serves the app, for the model that comes with it. */
  readonly appHost: string;
}

export class Catalog {
  readonly #options: CatalogOptions;
  #state = $state.raw<CatalogState>({ status: 'loading' });
  #query = $state('');
  #source = $state<CatalogSource>('All');
  readonly #byReference = $derived(byReference(this.entries));
  readonly #hits = $derived(this.entries.filter((entry) => this.#matches(entry)));

  constructor(options: CatalogOptions) {
    this.#options = options;
  }

  get state(): CatalogState {
    return this.#state;
  }

  get entries(): readonly CatalogEntryJson[] {
    return this.#state.status === 'ready' ? this.#state.entries : [];
  }

  /** What the query and the source let through. */
  get hits(): readonly CatalogEntryJson[] {
    return this.#hits;
  }

  get query(): string {
    return this.#query;
  }

  set query(query: string) {
    this.#query = query;
  }

  get source(): CatalogSource {
    return this.#source;
  }

  set source(source: CatalogSource) {
    this.#source = source;
  }

  /** The model that ships with the app: small, and there without a network. */
  get selfTest(): CatalogEntryJson | undefined {
    return this.entries.find((entry) => entry.source === 'This app');
  }

  find(reference: string): CatalogEntryJson | undefined {
    return this.#byReference.get(comparable(reference));
  }

  async load(): Promise<void> {
    this.#state = { status: 'loading' };
    try {
      this.#state = { status: 'ready', entries: await this.#fetchEntries() };
    } catch (thrown) {
      this.#state = { status: 'failed', error: toApiError(thrown) };
    }
  }

  async #fetchEntries(): Promise<readonly CatalogEntryJson[]> {
    const response = await this.#options.fetch('/catalog.json');
    if (!response.ok)
      throw new ApiError('internal', 'The catalog could not be read. Try again, or paste a reference.');
    // The boundary: the file is part of this build.
    const entries = (await response.json()) as readonly CatalogEntryJson[];
    return entries.map((entry) => ({
      ...entry,
      reference: entry.reference.replace('{host}', this.#options.appHost),
    }));
  }

  #matches(entry: CatalogEntryJson): boolean {
    if (this.#source !== 'All' && entry.source !== this.#source) return false;
    const text = [entry.name, entry.reference, entry.description, ...entry.capabilities]
      .join(' ')
      .toLowerCase();
    return this.#query
      .toLowerCase()
      .split(/\s+/)
      .every((word) => text.includes(word));
  }
}
