/** The curated list of models, loaded once, and WebLLM's behind it: filtered as the reader types. */
import { ApiError, toApiError } from '#lib/core/errors.ts';
import type { CatalogEntryJson } from '#lib/model/wire.ts';
import { MlcCatalog } from './catalog-mlc-list.svelte.ts';
import { matchMlc, type MlcModel } from './catalog-mlc.ts';
import { byReference, comparable } from './names.ts';

export const catalogSources = ['All', 'Docker Hub', 'Hugging Face', 'WebLLM'] as const;
export type CatalogSource = (typeof catalogSources)[number];

export type CatalogState =
  | { readonly status: 'loading' }
  | { readonly status: 'ready'; readonly entries: readonly CatalogEntryJson[] }
  | { readonly status: 'failed'; readonly error: ApiError };

export interface MlcHit {
  readonly model: MlcModel;
  /** The variant that was searched for, where the words say which. */
  readonly wanted: string | undefined;
}

interface CatalogOptions {
  /** Fetches files of the app itself. */
  readonly fetch: (path: string) => Promise<Response>;
  /** The host that serves the app, for the model that comes with it. */
  readonly appHost: string;
}

export class Catalog {
  readonly #options: CatalogOptions;
  readonly #mlc: MlcCatalog;
  #state = $state.raw<CatalogState>({ status: 'loading' });
  #query = $state('');
  #source = $state<CatalogSource>('All');
  readonly #byReference = $derived(byReference(this.entries));
  readonly #words = $derived(this.#query.toLowerCase().split(/\s+/).filter(Boolean));
  readonly #hits = $derived(this.entries.filter((entry) => this.#matches(entry)));
  readonly #showsMlc = $derived(
    this.#source === 'WebLLM' || (this.#source === 'All' && this.#words.length > 0),
  );
  readonly #mlcHits = $derived(this.#showsMlc ? this.mlc.models.flatMap((model) => this.#mlcHit(model)) : []);

  constructor(options: CatalogOptions) {
    this.#options = options;
    this.#mlc = new MlcCatalog(options);
  }

  /** WebLLM's own list. */
  get mlc(): MlcCatalog {
    return this.#mlc;
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

  /** Whether WebLLM's list is part of what is shown: chosen, or searched with everything else. */
  get showsMlc(): boolean {
    return this.#showsMlc;
  }

  get mlcHits(): readonly MlcHit[] {
    return this.#mlcHits;
  }

  get query(): string {
    return this.#query;
  }

  set query(query: string) {
    this.#query = query;
    if (this.#showsMlc) this.mlc.want();
  }

  get source(): CatalogSource {
    return this.#source;
  }

  set source(source: CatalogSource) {
    this.#source = source;
    if (this.#showsMlc) this.mlc.want();
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
    return this.#words.every((word) => text.includes(word));
  }

  #mlcHit(model: MlcModel): readonly MlcHit[] {
    const match = matchMlc(model, this.#words);
    if (match === undefined) return [];
    return [{ model, wanted: match === 'any' ? undefined : match.reference }];
  }
}
