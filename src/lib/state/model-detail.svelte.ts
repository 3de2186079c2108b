/** Everything about one stored model: asked for when its page opens, and again whenever the model changes. */
import { toApiError, type ApiError } from '#lib/core/errors.ts';
import type { MetadataJson, ModelDetailJson, ModelSettingsJson } from '#lib/model/wire.ts';
import { send, type Client } from './client.ts';
import { referencePath } from './names.ts';
import { SettingsDraft } from './settings-draft.svelte.ts';

type Loaded<Value> =
  | { readonly status: 'loading' }
  | { readonly status: 'ready'; readonly value: Value }
  | { readonly status: 'failed'; readonly error: ApiError };

export class ModelDetail {
  readonly #client: Client;
  readonly #path: string;
  #detail = $state.raw<Loaded<ModelDetailJson>>({ status: 'loading' });
  #metadata = $state.raw<Loaded<MetadataJson>>({ status: 'loading' });
  #draft = $state.raw(new SettingsDraft({}));
  #savedSettings = '{}';
  #lastLoad = 0;

  constructor({ client, reference }: { client: Client; reference: string }) {
    this.#client = client;
    this.#path = `/_sampan/models/${referencePath(reference)}`;
  }

  get detail(): Loaded<ModelDetailJson> {
    return this.#detail;
  }

  /** The GGUF header; there after `loadMetadata`. */
  get metadata(): Loaded<MetadataJson> {
    return this.#metadata;
  }

  /** What is typed into the form. It outlives a reading of the details that finds the same settings. */
  get draft(): SettingsDraft {
    return this.#draft;
  }

  /** What was known stays on the page until the answer is there; an answer that a later one has overtaken is left aside. */
  async load(): Promise<void> {
    const load = ++this.#lastLoad;
    const answer = await this.#ask<ModelDetailJson>(this.#path);
    if (load !== this.#lastLoad) return;
    this.#detail = answer;
    if (answer.status === 'ready') this.#renewDraft(answer.value.settings);
  }

  async loadMetadata(): Promise<void> {
    this.#metadata = await this.#ask<MetadataJson>(`${this.#path}/metadata`);
  }

  /** Replaces the settings; what is absent becomes the default again. Throws `invalid_request` with the field in `param`. */
  async save(settings: ModelSettingsJson): Promise<void> {
    await send(this.#client, `${this.#path}/settings`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(settings),
    });
    await this.load();
  }

  #renewDraft(settings: ModelSettingsJson): void {
    const text = JSON.stringify(settings);
    if (text === this.#savedSettings) return;
    this.#savedSettings = text;
    this.#draft = new SettingsDraft(settings);
  }

  async #ask<Value>(path: string): Promise<Loaded<Value>> {
    try {
      const response = await send(this.#client, path);
      // The boundary: the runner is this same build, so the path settles the shape.
      return { status: 'ready', value: (await response.json()) as Value };
    } catch (thrown) {
      return { status: 'failed', error: toApiError(thrown) };
    }
  }
}
