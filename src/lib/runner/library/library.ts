/** The models that are stored: found by any of their names, described, opened for an engine. All changes pass through it. */
import type { Digest } from '#lib/core/digest.ts';
import { ApiError } from '#lib/core/errors.ts';
import { Signal } from '#lib/core/observable.ts';
import { readArtifact, type Artifact } from '#lib/model/artifact.ts';
import { describeModel } from '#lib/model/facts.ts';
import { parseManifest, type Manifest } from '#lib/model/manifest.ts';
import { canonicalReference, isModelId, parseReference } from '#lib/model/reference.ts';
import type { ModelJson } from '#lib/model/wire.ts';
import type { BlobStore, IndexedModel, ModelIndex } from '#lib/store/port.ts';

/** What never changes about a model, because its id is the digest of it. */
export interface ModelParts {
  readonly manifest: Manifest;
  readonly artifact: Artifact;
  /** Every blob it needs: its layers, and what compressed ones unpack to. */
  readonly digests: readonly Digest[];
}

const useStepMs = 60_000;

export class Library {
  /** A model or a name came or went. */
  readonly changed = new Signal();
  readonly #index: ModelIndex;
  readonly #store: BlobStore;
  readonly #parts = new Map<Digest, ModelParts>();
  /** By the record itself: a tag or a use makes a new one. */
  readonly #described = new WeakMap<IndexedModel, ModelJson>();
  readonly #texts = new WeakMap<IndexedModel, string>();
  #models: Promise<readonly IndexedModel[]> | undefined;

  constructor(index: ModelIndex, store: BlobStore) {
    this.#index = index;
    this.#store = store;
  }

  /** Oldest first. Only this runner writes the index, so what was read once holds until it writes. */
  list(): Promise<readonly IndexedModel[]> {
    this.#models ??= this.#read();
    return this.#models;
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
    const models = await this.list();
    return models.find((model) => model.tags.some((tag) => lastSegment(tag) === name)) ?? this.get(name);
  }

  /** Docker Model Runner's description. */
  describe(model: IndexedModel): ModelJson {
    const known = this.#described.get(model);
    if (known) return known;
    const described = describeModel(model);
    this.#described.set(model, described);
    return described;
  }

  /** `describe` as JSON, written once: a store of 500 models is 10 MB of it. */
  describeAsText(model: IndexedModel): string {
    const known = this.#texts.get(model);
    if (known !== undefined) return known;
    const text = JSON.stringify(this.describe(model));
    this.#texts.set(model, text);
    return text;
  }

  /** Throws `unsupported_model_format` for a record that another version wrote and this one cannot read. */
  partsOf(model: Pick<IndexedModel, 'id' | 'manifest' | 'config'>): ModelParts {
    const known = this.#parts.get(model.id);
    if (known) return known;
    const parts = readParts(model);
    this.#parts.set(model.id, parts);
    return parts;
  }

  /** The blob of a layer. Throws `digest_mismatch` when it is gone. */
  async blob(digest: Digest): Promise<Blob> {
    const blob = await this.#store.open(digest);
    if (blob) return blob;
    throw new ApiError(
      'digest_mismatch',
      'A file of this model is missing from the browser’s storage. Repair the model to fetch it again.',
    );
  }

  async put(model: Omit<IndexedModel, 'tags'>, tags: readonly string[]): Promise<void> {
    await this.#change(() => this.#index.put(model, tags));
  }

  async tag(id: Digest, tag: string): Promise<void> {
    await this.#change(() => this.#index.tag(id, tag));
  }

  async untag(tag: string): Promise<void> {
    await this.#change(() => this.#index.untag(tag));
  }

  /** Takes the model and all its names out of the index; its blobs are the janitor's. */
  async remove(id: Digest): Promise<void> {
    await this.#change(() => this.#index.remove(id));
    this.#parts.delete(id);
  }

  /** Notes that the model answers a request, to the minute: each note is a write, and told to every page. */
  async touch(id: Digest, atMs: number): Promise<void> {
    const lastMs = (await this.list()).find((model) => model.id === id)?.lastUsedAtMs ?? -Infinity;
    if (Math.abs(atMs - lastMs) < useStepMs) return;
    await this.#index.touch(id, atMs);
    this.#models = this.#models?.then((models) =>
      models.map((model) => (model.id === id ? { ...model, lastUsedAtMs: atMs } : model)),
    );
    this.changed.notify();
  }

  async #read(): Promise<readonly IndexedModel[]> {
    try {
      return await this.#index.list();
    } catch (thrown) {
      this.#models = undefined;
      throw thrown;
    }
  }

  async #change(write: () => Promise<void>): Promise<void> {
    try {
      await write();
    } finally {
      this.#models = undefined;
      this.changed.notify();
    }
  }

  async #find(name: string): Promise<IndexedModel | undefined> {
    const models = await this.list();
    if (isModelId(name)) {
      const hex = name.replace('sha256:', '');
      const byId = models.find((model) => model.id.startsWith(`sha256:${hex}`));
      if (byId) return byId;
    }
    const tag = canonicalReference(parseReference(name));
    return models.find(({ tags }) => tags.includes(tag));
  }
}

function readParts(model: Pick<IndexedModel, 'manifest' | 'config'>): ModelParts {
  const document = parseManifest(model.manifest);
  if (document.kind === 'index')
    throw new ApiError(
      'internal',
      'The store holds an index where a model should be. Delete it and pull again.',
    );
  const artifact = readArtifact(document.manifest, model.config);
  return { manifest: document.manifest, artifact, digests: digestsOf(artifact) };
}

/** Each once. */
export function digestsOf(artifact: Artifact): readonly Digest[] {
  const digests = artifact.layers.flatMap(({ descriptor, unpacked }) => [
    descriptor.digest,
    ...(unpacked ? [unpacked] : []),
  ]);
  return [...new Set(digests)];
}

/** `docker.io/ai/smollm2:latest` → `smollm2`. */
function lastSegment(tag: string): string {
  return tag.slice(tag.lastIndexOf('/') + 1).replace(/[:@].*$/, '');
}
