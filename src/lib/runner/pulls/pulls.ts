/** All pulls: two at a time, one per reference, remembered across reloads. */
import * as v from 'valibot';
import { isDigest, type Digest } from '#lib/core/digest.ts';
import { ApiError } from '#lib/core/errors.ts';
import { Signal } from '#lib/core/observable.ts';
import { canonicalReference, parseReference, type Reference } from '#lib/model/reference.ts';
import type { PullJson } from '#lib/model/wire.ts';
import { Downloads } from './downloads.ts';
import { Pull, type PullPorts, type PullWishes } from './pull.ts';

/** Where the list is kept; `undefined` until something was. */
export interface PullRecords {
  load(): Promise<unknown>;
  save(records: readonly PullRecord[]): Promise<void>;
}

const digest = v.custom<Digest>((value) => typeof value === 'string' && isDigest(value));

const record = v.object({
  reference: v.string(),
  /** Whether it was running, so that it goes on by itself after a reload. */
  wanted: v.boolean(),
  anyway: v.optional(v.boolean()),
  expected: v.optional(digest),
  layers: v.array(
    v.object({
      digest,
      mediaType: v.string(),
      sizeBytes: v.number(),
    }),
  ),
});

export type PullRecord = v.InferOutput<typeof record>;

export const defaultParallelPulls = 2;
export const maxParallelPulls = 8;

/** What a pull needs, without what all pulls share. */
export type PullsPorts = Omit<PullPorts, 'downloads'> & {
  /** Removes those blobs that nothing needs any more. */
  readonly drop: (digests: readonly Digest[]) => Promise<void>;
};

export class Pulls {
  /** Any pull changed, came or went. */
  readonly changed = new Signal();
  /** How many callers follow a pull; `Infinity` for one that nobody needs to follow. */
  readonly #watchers = new Map<string, number>();
  readonly #pulls = new Map<string, Pull>();
  readonly #ports: PullsPorts;
  readonly #records: PullRecords;
  readonly #downloads = new Downloads();
  #parallel = defaultParallelPulls;
  #running = 0;
  #saved = '';
  #saving: Promise<void> = Promise.resolve();

  constructor(ports: PullsPorts, records: PullRecords) {
    this.#ports = ports;
    this.#records = records;
    // Whoever lost the network in the middle of a pull expects it to go on when it is back.
    ports.network.changed.subscribe(() => this.#onNetwork());
  }

  get parallel(): number {
    return this.#parallel;
  }

  /** How many pulls run at once; more of them start at once, fewer take effect as pulls end. */
  setParallel(parallel: number): void {
    this.#parallel = parallel;
    this.#pump();
  }

  /** Brings back the pulls of an earlier session and goes on with those that were running. */
  async restore(): Promise<void> {
    const parsed = v.safeParse(v.array(record), await this.#records.load());
    // Nothing was saved yet, or by a version with another form: there is nothing to go on with.
    if (!parsed.success) return;
    const partials = await this.#ports.store.partials();
    const received = new Map(partials.map((partial) => [partial.digest, partial.receivedBytes]));
    for (const { reference, wanted, layers, anyway, expected } of parsed.output) {
      const pull = this.#add(parseReference(reference));
      pull.restore(layers, received, { anyway, expected });
      if (!wanted) continue;
      this.keep(pull);
      this.#enqueue(pull);
    }
    this.changed.notify();
  }

  list(): readonly Pull[] {
    return [...this.#pulls.values()];
  }

  toJson(): readonly PullJson[] {
    const waiting = this.list().filter((pull) => pull.state.status === 'queued');
    return this.list().map((pull) => {
      const place = waiting.indexOf(pull);
      return pull.toJson(place < 0 ? undefined : place + 1);
    });
  }

  /** Blobs that a pull on the list has or is going to have. */
  needs(): readonly Digest[] {
    return this.list()
      .filter((pull) => pull.state.status !== 'done')
      .flatMap((pull) => pull.layers.map(({ digest }) => digest));
  }

  /** Throws `model_not_found`. */
  get(id: string): Pull {
    const pull = this.#pulls.get(id);
    if (pull) return pull;
    throw new ApiError('model_not_found', `There is no pull of “${id}”.`);
  }

  /** Starts, resumes or joins the one pull of this reference. */
  request(reference: Reference, wishes?: PullWishes): Pull {
    const pull = this.#pulls.get(canonicalReference(reference)) ?? this.#add(reference);
    if (!pull.active) this.#enqueue(pull, wishes);
    return pull;
  }

  /** Puts a waiting pull before all others. */
  first(id: string): void {
    const pull = this.get(id);
    const others = [...this.#pulls].filter(([otherId]) => otherId !== id);
    this.#pulls.clear();
    this.#pulls.set(id, pull);
    for (const [otherId, other] of others) this.#pulls.set(otherId, other);
    this.#onChange();
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
    const others = new Set(this.needs());
    await this.#ports.drop(pull.layers.map(({ digest }) => digest).filter((digest) => !others.has(digest)));
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
    const pull = new Pull(reference, { ...this.#ports, downloads: this.#downloads });
    this.#pulls.set(pull.id, pull);
    pull.changed.subscribe(() => this.#onChange());
    return pull;
  }

  #watchersOf(pull: Pull): number {
    return this.#watchers.get(pull.id) ?? 0;
  }

  #enqueue(pull: Pull, wishes?: PullWishes): void {
    pull.enqueue(wishes);
    this.#pump();
  }

  #pump(): void {
    if (this.#running >= this.#parallel) return;
    const next = this.list().find((pull) => pull.state.status === 'queued');
    if (!next) return;
    this.#running++;
    void next.start().finally(() => {
      this.#running--;
      this.#pump();
    });
    this.#pump();
  }

  #onNetwork(): void {
    if (!this.#ports.network.online) return;
    for (const pull of this.list()) {
      const { state } = pull;
      if (state.status === 'failed' && state.error.code === 'registry_unreachable') this.#enqueue(pull);
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
      .map(toRecord);
    const text = JSON.stringify(records);
    if (text === this.#saved) return;
    this.#saved = text;
    this.#saving = this.#saving.then(() => this.#records.save(records));
  }
}

/** Credentials are never written. */
function toRecord(pull: Pull): PullRecord {
  const { anyway, expected } = pull.wishes;
  return {
    reference: asTyped(pull.reference),
    wanted: pull.active,
    layers: [...pull.layers],
    ...(anyway === undefined ? {} : { anyway }),
    ...(expected === undefined ? {} : { expected }),
  };
}

/** Unlike the canonical form it keeps the case, which Hugging Face minds. */
function asTyped({ registry, typedRepository, tag, digest }: Reference): string {
  return `${registry}/${typedRepository}${digest === undefined ? `:${tag}` : `@${digest}`}`;
}
