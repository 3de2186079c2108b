/** Takes models away and cleans up behind them: a blob goes when no model, pull, upload or export needs it any more. */
import type { Clock } from '#lib/core/clock.ts';
import type { Digest } from '#lib/core/digest.ts';
import { ApiError } from '#lib/core/errors.ts';
import type { PruneJson } from '#lib/model/wire.ts';
import { canonicalReference, isModelId, parseReference } from '#lib/model/reference.ts';
import { collectGarbage } from '#lib/store/garbage.ts';
import type { BlobStore, IndexedModel } from '#lib/store/port.ts';
import type { Library } from './library.ts';
import type { Pins } from './pins.ts';

export interface DeletionJson {
  readonly Untagged?: string;
  readonly Deleted?: string;
}

export interface JanitorPorts {
  readonly library: Library;
  readonly store: BlobStore;
  readonly pins: Pins;
  readonly clock: Clock;
  /** Of pulls that are paused or failed and may be resumed. */
  readonly alsoNeeded: () => readonly Digest[];
  /** Frees the engine of the model; throws `conflict` while it answers a request. */
  readonly unload: (id: Digest) => Promise<void>;
}

/** A model that was deleted and can still come back. */
interface Discarded {
  readonly model: IndexedModel;
  readonly forget: () => Promise<void>;
}

/** Longer than a page offers to undo, so that a click in its last moment still works. */
const undoMs = 15_000;

export class Janitor {
  readonly #ports: JanitorPorts;
  readonly #discarded = new Map<Digest, Discarded>();

  constructor(ports: JanitorPorts) {
    this.#ports = ports;
  }

  /**
   * Untags; the last tag takes the model and every blob that nothing else uses with it.
   * By id with several tags it throws `conflict` unless forced.
   */
  async delete(name: string, { force }: { readonly force: boolean }): Promise<readonly DeletionJson[]> {
    const { library } = this.#ports;
    const model = await library.get(name);
    const tags = tagsMeant(name, model, { force });
    const last = tags.length >= model.tags.length;
    if (last) await this.#remove(model);
    else for (const tag of tags) await library.untag(tag);
    return [...tags.map((Untagged) => ({ Untagged })), ...(last ? [{ Deleted: model.id }] : [])];
  }

  /** Deletes a model with all its tags, so that `restore` can bring it back for a while. */
  async discard(name: string): Promise<Digest> {
    const { library, pins, clock, unload } = this.#ports;
    const model = await library.get(name);
    await unload(model.id);
    const digests = this.#digestsOf(model);
    const release = pins.hold(digests);
    await library.remove(model.id);
    const cancel = clock.after(undoMs, () => void forget());
    const forget = async () => {
      cancel();
      if (!this.#discarded.delete(model.id)) return;
      release();
      await this.#collect(digests);
    };
    this.#discarded.set(model.id, { model, forget });
    return model.id;
  }

  /** Throws `model_not_found` when the time to undo is over. */
  async restore(id: string): Promise<IndexedModel> {
    const entry = [...this.#discarded.values()].find(({ model }) => model.id === id);
    if (!entry) throw new ApiError('model_not_found', 'It is too late to undo this. Pull the model again.');
    const { library } = this.#ports;
    const { tags, ...model } = entry.model;
    const taken = new Set((await library.list()).flatMap((other) => other.tags));
    // A name that was given to another model meanwhile stays there.
    await library.put(
      model,
      tags.filter((tag) => !taken.has(tag)),
    );
    await entry.forget();
    return library.get(id);
  }

  /** Deletes every model. */
  async purge(): Promise<void> {
    const models = await this.#ports.library.list();
    for (const model of models) await this.#ports.unload(model.id);
    for (const model of models) await this.#ports.library.remove(model.id);
    for (const { forget } of [...this.#discarded.values()]) await forget();
    await this.prune();
  }

  /** Removes every blob, whole or partial, that nothing needs. */
  async prune(): Promise<PruneJson> {
    const { removedBlobs, freedBytes } = await this.#collect(undefined);
    return { removed_blobs: removedBlobs, freed_bytes: freedBytes };
  }

  /** Removes those of `digests` that nothing needs. */
  async drop(digests: readonly Digest[]): Promise<void> {
    await this.#collect(digests);
  }

  /** Index first: a kill in between leaves blobs that nothing names, never a model without its bytes. */
  async #remove(model: IndexedModel): Promise<void> {
    await this.#ports.unload(model.id);
    const digests = this.#digestsOf(model);
    await this.#ports.library.remove(model.id);
    await this.#collect(digests);
  }

  async #collect(candidates: readonly Digest[] | undefined) {
    const { library, store, pins } = this.#ports;
    const watch = pins.watch();
    try {
      const models = await library.list();
      const needed = new Set(models.flatMap((model) => this.#digestsOf(model)));
      for (const digest of this.#ports.alsoNeeded()) needed.add(digest);
      const wanted = candidates && new Set(candidates);
      return await collectGarbage(
        store,
        (digest) => needed.has(digest) || watch.has(digest) || wanted?.has(digest) === false,
      );
    } finally {
      watch.stop();
    }
  }

  /** A record that cannot be read may still name blobs; none of them is deleted on a guess, so its text is searched. */
  #digestsOf(model: IndexedModel): readonly Digest[] {
    try {
      return this.#ports.library.partsOf(model).digests;
    } catch {
      const text = new TextDecoder().decode(model.manifest) + new TextDecoder().decode(model.config);
      return [...new Set(text.match(/sha256:[0-9a-f]{64}/g) ?? [])] as Digest[];
    }
  }
}

function tagsMeant(
  name: string,
  model: IndexedModel,
  { force }: { readonly force: boolean },
): readonly string[] {
  if (!isModelId(name)) return [canonicalReference(parseReference(name))];
  if (model.tags.length <= 1 || force) return model.tags;
  throw new ApiError(
    'conflict',
    `This model has ${model.tags.length} tags. Delete them one by one, or force it.`,
  );
}
