/** All pulls: two at a time, one per reference, remembered across reloads. */
import * as v from 'valibot';
import { isDigest, type Digest } from '#lib/core/digest.ts';
import { ApiError } from '#lib/core/errors.ts';
import { Signal } from '#lib/core/observable.ts';
import { canonicalReference, parseReference, type Reference } from '#lib/model/reference.ts';
import type { Credentials } from '#lib/registry/port.ts';
import { Pull, type PullPorts } from './pull.ts';

/** Where the list is kept; `undefined` until something was. */
export interface PullRecords {
  load(): Promise<unknown>;
  save(records: readonly PullRecord[]): Promise<void>;
}

const record = v.object({
  reference: v.string(),
  /** Whether it was running, so that it goes on by itself after a reload. */
  wanted: v.boolean(),
  layers: v.array(
    v.object({
      digest: v.custom<Digest>((value) => typeof value === 'string' && isDigest(value)),
      mediaType: v.string(),
      sizeBytes: v.number(),
    }),
  ),
});

export type PullRecord = v.InferOutput<typeof record>;

const parallelPulls = 2;

export class Pulls {
  /** Any pull changed, came or went. */
  readonly changed = new Signal();
  /** A pull ended with a model in the store. */
  readonly stored = new Signal();
  /** How many callers follow a pull; `Infinity` for one that nobody needs to follow. */
  readonly #watchers = new Map<string, number>();
  readonly #pulls = new Map<string, Pull>();
  readonly #ports: PullPorts;
  readonly #records: PullRecords;
  #running = 0;
  #saved = '';
  #saving: Promise<void> = Promise.resolve();

  constructor(ports: PullPorts, records: PullRecords) {
    this.#ports = ports;
    this.#records = records;
  }

  /** Brings back the pulls of an earlier session and goes on with those that were running. */
  async restore(): Promise<void> {
    const parsed = v.safeParse(v.array(record), await this.#records.load());
    // Nothing was saved yet, or by a version with another form: there is nothing to go on with.
    if (!parsed.success) return;
    const partials = await this.#ports.store.partials();
    const received = new Map(partials.map((partial) => [partial.digest, partial.receivedBytes]));
    for (const { reference, wanted, layers } of parsed.output) {
      const pull = this.#add(parseReference(reference));
      pull.restore(layers, received);
      if (!wanted) continue;
      this.keep(pull);
      this.#enqueue(pull);
    }
    this.changed.notify();
  }

  list(): readonly Pull[] {
    return [...this.#pulls.values()];
  }

  /** Throws `model_not_found`. */
  get(id: string): Pull {
    const pull = this.#pulls.get(id);
    if (pull) return pull;
    throw new ApiError('model_not_found', `There is no pull of “${id}”.`);
  }

  /** Starts, resumes or joins the one pull of this reference. */
  request(reference: Reference, credentials?: Credentials): Pull {
    const pull = this.#pulls.get(canonicalReference(reference)) ?? this.#add(reference);
    if (!pull.active) this.#enqueue(pull, credentials);
    return pull;
  }

  /** The pull goes on whoever leaves. */
  keep(pull: Pull): void {
    this.#watchers.set(pull.id, Infinity);
  }

  /** Follows the pull until the returned function is called; when the last follower leaves, it pauses with what it has. */
  watch(pull: Pull): () => void {
    this.#watchers.set(pull.id, this.#watchersOf(pull) + 1);
    return () => {
      const left = this.#watchersOf(pull) - 1;
      this.#watchers.set(pull.id, left);
      if (left === 0 && pull.active) void pull.pause();
    };
  }

  async pause(id: string): Promise<void> {
    await this.get(id).pause();
  }

  /** Stops the pull, takes it off the list and drops what no finished model needs. */
  async cancel(id: string): Promise<void> {
    const pull = this.get(id);
    await pull.pause();
    this.#pulls.delete(id);
    this.#watchers.delete(id);
    this.#onChange();
    for (const layer of pull.layers) await this.#ports.store.discardPartial(layer.digest);
    await this.#dropUnused(pull);
  }

  /** Resolves when the list on disk is the list in memory. */
  flush(): Promise<void> {
    return this.#saving;
  }

  /** Pauses everything without forgetting what was wanted; the next session goes on. */
  async close(): Promise<void> {
    const saved = this.#saving;
    this.#saved = 'closed';
    await Promise.all(this.list().map((pull) => pull.pause()));
    await saved;
  }

  #add(reference: Reference): Pull {
    const pull = new Pull(reference, this.#ports);
    this.#pulls.set(pull.id, pull);
    pull.changed.subscribe(() => this.#onChange());
    return pull;
  }

  #watchersOf(pull: Pull): number {
    return this.#watchers.get(pull.id) ?? 0;
  }

  #enqueue(pull: Pull, credentials?: Credentials): void {
    pull.enqueue(credentials);
    this.#pump();
  }

  #pump(): void {
    if (this.#running >= parallelPulls) return;
    const next = this.list().find((pull) => pull.state.status === 'queued');
    if (!next) return;
    this.#running++;
    void next.start().finally(() => {
      this.#running--;
      if (next.state.status === 'done') this.stored.notify();
      this.#pump();
    });
    this.#pump();
  }

  /** Whole blobs of a cancelled pull that neither a model nor another pull needs. */
  async #dropUnused(cancelled: Pull): Promise<void> {
    const { index, store } = this.#ports;
    const manifests = (await index.list()).map((model) => new TextDecoder().decode(model.manifest));
    const others = new Set(this.list().flatMap((pull) => pull.layers.map((layer) => layer.digest)));
    for (const { digest } of cancelled.layers) {
      if (others.has(digest) || manifests.some((manifest) => manifest.includes(digest))) continue;
      await store.delete(digest);
    }
  }

  #onChange(): void {
    this.#save();
    this.changed.notify();
  }

  /** Progress changes nothing that is saved, so most changes end at the comparison. */
  #save(): void {
    if (this.#saved === 'closed') return;
    const records = this.list()
      .filter((pull) => pull.state.status !== 'done')
      .map((pull) => ({ reference: asTyped(pull.reference), wanted: pull.active, layers: [...pull.layers] }));
    const text = JSON.stringify(records);
    if (text === this.#saved) return;
    this.#saved = text;
    this.#saving = this.#saving.then(() => this.#records.save(records));
  }
}

/** Unlike the canonical form it keeps the case, which Hugging Face minds. */
function asTyped({ registry, typedRepository, tag, digest }: Reference): string {
  return `${registry}/${typedRepository}${digest === undefined ? `:${tag}` : `@${digest}`}`;
}
