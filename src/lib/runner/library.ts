/** The models that are stored: found by any of their names, described, opened for an engine, deleted. */
import { ApiError } from '#lib/core/errors.ts';
import { Signal } from '#lib/core/observable.ts';
import { judgeArtifact } from '#lib/model/artifact.ts';
import { describeModel } from '#lib/model/facts.ts';
import { parseManifest, type Descriptor } from '#lib/model/manifest.ts';
import { canonicalReference, isModelId, parseReference } from '#lib/model/reference.ts';
import type { ModelJson } from '#lib/model/wire.ts';
import type { LoadableModel } from '#lib/engine/port.ts';
import type { BlobStore, IndexedModel, ModelIndex } from '#lib/store/port.ts';

export interface DeletionJson {
  readonly Untagged?: string;
  readonly Deleted?: string;
}

export class Library {
  readonly changed = new Signal();
  readonly #index: ModelIndex;
  readonly #store: BlobStore;

  constructor(index: ModelIndex, store: BlobStore) {
    this.#index = index;
    this.#store = store;
  }

  async list(): Promise<readonly ModelJson[]> {
    return (await this.#index.list()).map(describeModel);
  }

  /** By reference, short or full id. Throws `model_not_found`, `invalid_reference`. */
  async get(name: string): Promise<IndexedModel> {
    const model = await this.#find(name);
    if (model) return model;
    throw new ApiError('model_not_found', `There is no model “${name}” in this browser. Pull it first.`, {
      param: 'model',
    });
  }

  /** As `get`; a bare word also matches the last part of any name, as Docker Model Runner's management routes do. */
  async getLenient(name: string): Promise<IndexedModel> {
    const exact = await this.#find(name);
    if (exact || /[/:@]/.test(name)) return exact ?? this.get(name);
    const models = await this.#index.list();
    return models.find((model) => model.tags.some((tag) => lastSegment(tag) === name)) ?? this.get(name);
  }

  describe(model: IndexedModel): ModelJson {
    return describeModel(model);
  }

  /** Throws `unsupported_model_format`, and `digest_mismatch` when a file of the model is gone. */
  async open(model: IndexedModel): Promise<LoadableModel> {
    const document = parseManifest(model.manifest);
    if (document.kind === 'index')
      throw new ApiError('internal', 'The store holds an index where a model should be.');
    const { weights, chatTemplate } = judgeArtifact(document.manifest, model.config);
    const template = chatTemplate && (await this.#blob(chatTemplate));
    return {
      id: model.id,
      weights: await Promise.all(weights.map((layer) => this.#blob(layer))),
      chatTemplate: await template?.text(),
    };
  }

  /**
   * Untags; the last tag takes the model and every blob that no other model uses with it.
   * By id with several tags it throws `conflict` unless forced.
   */
  async delete(name: string, { force }: { readonly force: boolean }): Promise<readonly DeletionJson[]> {
    const model = await this.get(name);
    const byId = isModelId(name);
    if (byId && model.tags.length > 1 && !force) {
      throw new ApiError(
        'conflict',
        `This model has ${model.tags.length} tags. Delete them one by one, or force it.`,
      );
    }
    const tags = byId ? model.tags : [canonicalReference(parseReference(name))];
    const last = tags.length >= model.tags.length;
    if (last) await this.#remove(model);
    else for (const tag of tags) await this.#index.untag(tag);
    this.changed.notify();
    return [...tags.map((Untagged) => ({ Untagged })), ...(last ? [{ Deleted: model.id }] : [])];
  }

  /** Index first: a kill in between leaves blobs that nothing names, never a model without its bytes. */
  async #remove(model: IndexedModel): Promise<void> {
    await this.#index.remove(model.id);
    const kept = new Set((await this.#index.list()).flatMap(layerDigests));
    for (const digest of layerDigests(model)) if (!kept.has(digest)) await this.#store.delete(digest);
  }

  async #find(name: string): Promise<IndexedModel | undefined> {
    if (isModelId(name)) {
      const models = await this.#index.list();
      const hex = name.replace('sha256:', '');
      const byId = models.find((model) => model.id.startsWith(`sha256:${hex}`));
      if (byId) return byId;
    }
    return this.#index.find(canonicalReference(parseReference(name)));
  }

  async #blob(layer: Descriptor): Promise<Blob> {
    const blob = await this.#store.open(layer.digest);
    if (blob) return blob;
    throw new ApiError(
      'digest_mismatch',
      'A file of this model is missing from the browser’s storage. Pull it again.',
    );
  }
}

function layerDigests(model: IndexedModel): readonly Descriptor['digest'][] {
  const document = parseManifest(model.manifest);
  return document.kind === 'manifest' ? document.manifest.layers.map((layer) => layer.digest) : [];
}

/** `docker.io/ai/smollm2:latest` → `smollm2`. */
function lastSegment(tag: string): string {
  return tag.slice(tag.lastIndexOf('/') + 1).replace(/[:@].*$/, '');
}
