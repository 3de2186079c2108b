/** The models in this browser, and which of them are loaded. */
import type { Digest } from '#lib/core/digest.ts';
import type { ModelJson, RunnerJson } from '#lib/model/wire.ts';
import type { Catalog } from './catalog.svelte.ts';
import { post, send, type Client } from './client.ts';
import type { LiveFeed } from './feed.svelte.ts';
import { comparable, shortReference, titleOf } from './names.ts';

export interface LocalModel {
  readonly id: Digest;
  /** The name a request uses: the first tag. */
  readonly reference: string;
  readonly tags: readonly string[];
  readonly title: string;
  readonly parameters: string;
  readonly quantization: string;
  /** As trained; `undefined` when the file does not say. */
  readonly contextSize: number | undefined;
  readonly sizeBytes: number;
  readonly createdMs: number;
  readonly runner: RunnerJson | undefined;
}

export class Models {
  readonly #client: Client;
  readonly #feed: LiveFeed;
  readonly #catalog: Catalog;
  readonly #list = $derived.by(() => this.#feed.models?.map((model) => this.#toLocal(model)));

  constructor({ client, feed, catalog }: { client: Client; feed: LiveFeed; catalog: Catalog }) {
    this.#client = client;
    this.#feed = feed;
    this.#catalog = catalog;
  }

  /** `undefined` until the runner has told. */
  get list(): readonly LocalModel[] | undefined {
    return this.#list;
  }

  get loaded(): readonly LocalModel[] {
    return this.#list?.filter((model) => model.runner) ?? [];
  }

  find(reference: string): LocalModel | undefined {
    const wanted = comparable(reference);
    return this.#list?.find((model) => model.tags.some((tag) => comparable(tag) === wanted));
  }

  /** What to call a reference, whether its model is here or not. */
  titleOf(reference: string): string {
    return this.#catalog.find(reference)?.name ?? titleOf(reference);
  }

  /** Removes one name; the weights go with the last one. */
  async removeTag(tag: string): Promise<void> {
    await send(this.#client, `/models/${shortReference(tag)}`, { method: 'DELETE' });
  }

  /** Removes a model with all its names. */
  async remove(model: LocalModel): Promise<void> {
    await send(this.#client, `/models/${model.id}?force=true`, { method: 'DELETE' });
  }

  async unload(runner: RunnerJson): Promise<void> {
    await send(this.#client, '/engines/unload', post({ models: [runner.model_name] }));
  }

  #toLocal(model: ModelJson): LocalModel {
    const reference = model.tags[0] ?? model.id;
    return {
      id: model.id,
      reference,
      tags: model.tags,
      title: this.titleOf(reference),
      parameters: model.config.parameters,
      quantization: model.config.quantization,
      contextSize: model.config.context_size,
      sizeBytes: model.size_bytes,
      createdMs: model.created * 1000,
      runner: this.#feed.runners.find((runner) => runner.model_id === model.id),
    };
  }
}
