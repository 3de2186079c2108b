/** The models in this browser, which of them are loaded, and what can be done with one at once. */
import { ApiError } from '#lib/core/errors.ts';
import type { Digest } from '#lib/core/digest.ts';
import { parseReference } from '#lib/model/reference.ts';
import type { LocalModelJson, PruneJson, RunnerJson } from '#lib/model/wire.ts';
import type { Catalog } from './catalog.svelte.ts';
import { post, send, type Client } from './client.ts';
import type { LiveFeed } from './feed.svelte.ts';
import { comparable, referencePath, shortReference, titleOf } from './names.ts';

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
  /** Bytes that other models use as well: deleting this one does not free them. */
  readonly sharedBytes?: number;
  readonly createdMs: number;
  /** Of the last answer; absent when it never gave one. */
  readonly lastUsedMs?: number;
  /** Why nothing here runs it. */
  readonly obstacle?: string;
  /** Files that are gone from the browser's storage. */
  readonly missingFiles?: number;
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

  /** By any of its names, or by its ID. */
  find(reference: string): LocalModel | undefined {
    const wanted = comparable(reference);
    return this.#list?.find(
      (model) => model.id === wanted || model.tags.some((tag) => comparable(tag) === wanted),
    );
  }

  /** What to call a reference, whether its model is here or not. */
  titleOf(reference: string): string {
    return this.#catalog.find(reference)?.name ?? titleOf(reference);
  }

  /** Removes one name; the weights go with the last one. */
  async removeTag(tag: string): Promise<void> {
    await send(this.#client, `/models/${referencePath(shortReference(tag))}`, { method: 'DELETE' });
  }

  /** Gives a model one more name. Throws `invalid_reference` for what cannot be one. */
  async addTag(id: Digest, name: string): Promise<void> {
    const { registry, repository, tag, digest } = parseReference(name);
    if (digest) {
      throw new ApiError('invalid_reference', 'A new name cannot have a digest. Use a tag such as “:v1”.');
    }
    const repo = encodeURIComponent(`${registry}/${repository}`);
    await send(this.#client, `/models/${id}/tag?repo=${repo}&tag=${encodeURIComponent(tag)}`, post());
  }

  /** Removes a model with all its names; `restore` brings it back for ten seconds. */
  async remove(id: Digest): Promise<void> {
    await send(this.#client, `/_sampan/models/${id}`, { method: 'DELETE' });
  }

  async restore(id: Digest): Promise<void> {
    await send(this.#client, `/_sampan/models/${id}/restore`, post());
  }

  /** Resolves once the model is ready to answer. */
  async load(id: Digest): Promise<void> {
    await send(this.#client, `/_sampan/models/${id}/load`, post());
  }

  /** Throws `conflict` while it answers: the runner then leaves it where it is. */
  async unload(runner: RunnerJson): Promise<void> {
    const response = await send(this.#client, '/engines/unload', post({ models: [runner.model_name] }));
    const { unloaded_runners: unloaded } = (await response.json()) as { unloaded_runners: number };
    if (unloaded > 0) return;
    throw new ApiError('conflict', 'The model is answering a request. Stop it first, then unload it.');
  }

  /** Frees what no model and no pull needs. */
  async prune(): Promise<PruneJson> {
    const response = await send(this.#client, '/_sampan/prune', post());
    // The boundary: the runner is this same build.
    return (await response.json()) as PruneJson;
  }

  /** Removes every model, for good. */
  async purge(): Promise<void> {
    await send(this.#client, '/models/purge', { method: 'DELETE' });
  }

  #toLocal(model: LocalModelJson): LocalModel {
    const reference = model.tags[0] ?? model.id;
    const sharedBytes = model.size_bytes - model.own_bytes;
    return {
      id: model.id,
      reference,
      tags: model.tags,
      title: this.titleOf(reference),
      parameters: model.config.parameters,
      quantization: model.config.quantization,
      contextSize: model.config.context_size,
      sizeBytes: model.size_bytes,
      ...(sharedBytes > 0 && { sharedBytes }),
      createdMs: model.created * 1000,
      ...(model.last_used !== undefined && { lastUsedMs: model.last_used * 1000 }),
      ...(model.obstacle !== undefined && { obstacle: model.obstacle }),
      ...(model.missing_files !== undefined && { missingFiles: model.missing_files }),
      runner: this.#feed.runners.find((runner) => runner.model_id === model.id),
    };
  }
}

/** What deleting it frees. */
export function ownBytes({ sizeBytes, sharedBytes = 0 }: LocalModel): number {
  return sizeBytes - sharedBytes;
}
