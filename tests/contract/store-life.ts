/** What must hold for a store whatever happens to it in whatever order, kills included. Run on both kinds of store. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sha256, type Digest } from '#lib/core/digest.ts';
import { toApiError } from '#lib/core/errors.ts';
import { collectGarbage } from '#lib/store/garbage.ts';
import { ingest } from '#lib/store/ingest.ts';
import type { BlobStore, BlobWriter, IndexedModel, ModelIndex } from '#lib/store/port.ts';
import { blobOf, fill, keep, reopened, type BlobDisk, type BlobDiskOptions } from './store.ts';

export interface StoreProfile {
  readonly disk: Pick<BlobDisk, 'openTab' | 'kill' | 'destroy'>;
  readonly index: ModelIndex;
  /** What the start of the daemon does, where the store has such a thing. */
  sweep(): Promise<void>;
}

const segmentBytes = 1000;
const blobSizes = [700, 1000, 2500, 3100];
/** Models by their layers; most blobs are shared. */
const layersOfModels = [[0], [0, 1, 2], [2, 3]];
const tags = ['one', 'two'];

const blob = fc.nat({ max: blobSizes.length - 1 });
const model = fc.nat({ max: layersOfModels.length - 1 });
const tag = fc.constantFrom(...tags);

const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ verb: fc.constant('start' as const), blob }) },
  { weight: 2, arbitrary: fc.record({ verb: fc.constant('write' as const), blob }) },
  { weight: 6, arbitrary: fc.record({ verb: fc.constant('finish' as const), blob }) },
  { weight: 1, arbitrary: fc.record({ verb: fc.constant('spoil' as const), blob }) },
  { weight: 1, arbitrary: fc.record({ verb: fc.constant('close' as const), blob }) },
  { weight: 3, arbitrary: fc.record({ verb: fc.constant('commit' as const), blob }) },
  { weight: 2, arbitrary: fc.record({ verb: fc.constant('kill' as const) }) },
  { weight: 2, arbitrary: fc.record({ verb: fc.constant('put' as const), model, tag }) },
  { weight: 1, arbitrary: fc.record({ verb: fc.constant('pull' as const), model, tag }) },
  { weight: 1, arbitrary: fc.record({ verb: fc.constant('pull in garbage time' as const), model, tag }) },
  { weight: 2, arbitrary: fc.record({ verb: fc.constant('tag' as const), model, tag }) },
  { weight: 1, arbitrary: fc.record({ verb: fc.constant('untag' as const), tag }) },
  { weight: 1, arbitrary: fc.record({ verb: fc.constant('remove' as const), model }) },
  { weight: 2, arbitrary: fc.record({ verb: fc.constant('collect' as const) }) },
);

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

export interface StoreLifeOptions {
  readonly runs: number;
  readonly maxSteps: number;
}

export function describeStoreLife(
  name: string,
  makeProfile: (options: BlobDiskOptions) => Promise<StoreProfile>,
  { runs, maxSteps }: StoreLifeOptions,
): void {
  describe(`life of a store (${name})`, () => {
    it(
      'keeps every model whole and shows no broken blob, whatever happens',
      { timeout: 120_000 },
      async () => {
        await fc.assert(
          fc.asyncProperty(fc.array(step, { maxLength: maxSteps, size: 'max' }), async (steps) => {
            const profile = await makeProfile({ segmentBytes });
            const life = await StoreLife.begin(profile);
            try {
              for (const each of steps) {
                await life.take(each);
                await life.check();
              }
              await life.expectCleanEnd();
            } finally {
              await profile.disk.kill();
              await profile.disk.destroy();
            }
          }),
          { numRuns: runs },
        );
      },
    );
  });
}

interface Content {
  readonly digest: Digest;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Does what a runner does: it indexes only models whose layers are whole, and knows what its downloads need. */
class StoreLife {
  readonly #profile: StoreProfile;
  readonly #contents: readonly Content[];
  readonly #models: readonly Omit<IndexedModel, 'tags'>[];
  readonly #writers = new Map<Digest, BlobWriter>();
  /** Blobs that a pull wants which has no model yet. */
  readonly #wanted = new Set<Digest>();
  /** What the index has, as it was last read. */
  #indexed = new Set<Digest>();
  #store: BlobStore;

  private constructor(
    profile: StoreProfile,
    contents: readonly Content[],
    models: readonly Omit<IndexedModel, 'tags'>[],
  ) {
    this.#profile = profile;
    this.#contents = contents;
    this.#models = models;
    this.#store = profile.disk.openTab();
  }

  static async begin(profile: StoreProfile): Promise<StoreLife> {
    const contents = await Promise.all(blobSizes.map(blobOf));
    const models = await Promise.all(
      layersOfModels.map(async (layers, addedAtMs) => {
        const manifest = new TextEncoder().encode(
          layers.map((layer) => contents[layer]?.digest ?? '').join(' '),
        );
        return { id: await sha256(manifest), manifest, config: new Uint8Array(0), addedAtMs };
      }),
    );
    return new StoreLife(profile, contents, models);
  }

  async take(step: Step): Promise<void> {
    switch (step.verb) {
      case 'start':
        return this.#start(this.#content(step.blob));
      case 'write':
        return this.#withWriter(step.blob, async (writer, { bytes }) => {
          const [segment] = writer.missing();
          if (!segment) return;
          const half = segment.from + Math.ceil((segment.to - segment.from) / 2);
          await writer.write(segment.from, bytes.slice(segment.from, half));
        });
      case 'finish':
        return this.#withWriter(step.blob, async (writer, { bytes }) => {
          const [segment] = writer.missing();
          if (segment) await fill(writer, segment, bytes, 400);
        });
      case 'spoil':
        return this.#withWriter(step.blob, async (writer) => {
          const segment = writer.missing().at(-1);
          if (segment) await fill(writer, segment, new Uint8Array(segment.to));
        });
      case 'close':
        return this.#withWriter(step.blob, async (writer, { digest }) => {
          this.#writers.delete(digest);
          await writer.close();
        });
      case 'commit':
        return this.#withWriter(step.blob, (writer, { digest }) => this.#commit(writer, digest));
      case 'kill':
        return this.#kill();
      case 'put':
        return this.#put(step.model, step.tag);
      case 'pull':
        return this.#pull(step.model, step.tag);
      case 'pull in garbage time':
        await Promise.all([this.#collect(), this.#pull(step.model, step.tag), this.#collect()]);
        return;
      case 'tag':
        return this.#tag(this.#model(step.model), step.tag);
      case 'untag':
        return this.#profile.index.untag(step.tag);
      case 'remove':
        return this.#profile.index.remove(this.#model(step.model).id);
      case 'collect':
        return this.#collect();
    }
  }

  async check(): Promise<void> {
    await this.#readIndex();
    const visible = await this.#store.digests();
    for (const digest of this.#indexed) expect(visible).toContain(digest);
    for (const digest of visible) expect(await this.#store.verify(digest)).toBe('intact');
    const listed = await this.#profile.index.list();
    const named = listed.flatMap((each) => each.tags);
    expect(named).toHaveLength(new Set(named).size);
  }

  /** After the last kill: what is not needed goes, what is needed stays, and everything can be had again. */
  async expectCleanEnd(): Promise<void> {
    await this.#kill();
    await this.#profile.sweep();
    await this.check();
    await expect
      .poll(async () => {
        await this.#collect();
        return this.#store.partials();
      })
      .toEqual([]);
    expect(new Set(await this.#store.digests())).toEqual(this.#indexed);
    for (const { digest, bytes } of this.#contents) await keep(this.#store, digest, bytes);
    expect(await this.#store.digests()).toHaveLength(this.#contents.length);
    await this.check();
  }

  async #start({ digest, bytes }: Content): Promise<void> {
    if (this.#writers.has(digest)) return;
    this.#writers.set(digest, await reopened(this.#store, digest, bytes.byteLength));
  }

  async #withWriter(
    index: number,
    use: (writer: BlobWriter, content: Content) => Promise<void>,
  ): Promise<void> {
    const content = this.#content(index);
    const writer = this.#writers.get(content.digest);
    if (writer) await use(writer, content);
  }

  async #commit(writer: BlobWriter, digest: Digest): Promise<void> {
    const isWhole = writer.missing().length === 0;
    const code = await writer.commit().then(
      () => undefined,
      (thrown: unknown) => toApiError(thrown).code,
    );
    if (!isWhole) {
      expect(code).toBe('conflict');
      return;
    }
    expect([undefined, 'digest_mismatch']).toContain(code);
    this.#writers.delete(digest);
    expect(await this.#store.verify(digest)).toBe(code ? 'absent' : 'intact');
  }

  async #kill(): Promise<void> {
    await this.#profile.disk.kill();
    this.#writers.clear();
    this.#store = this.#profile.disk.openTab();
  }

  async #put(index: number, tag: string): Promise<void> {
    const layers = this.#layers(index);
    const whole = await this.#store.digests();
    if (layers.every(({ digest }) => whole.includes(digest))) {
      await this.#profile.index.put(this.#model(index), [tag]);
    }
  }

  /** Makes itself known first, then looks what is there. */
  async #pull(index: number, tag: string): Promise<void> {
    const layers = this.#layers(index);
    for (const { digest } of layers) this.#wanted.add(digest);
    for (const { digest, bytes } of layers) {
      await this.#writers.get(digest)?.close();
      this.#writers.delete(digest);
      await expect.poll(() => this.#ingest(digest, bytes), { interval: 1 }).toBe('stored');
    }
    await this.#profile.index.put(this.#model(index), [tag]);
    await this.#readIndex();
    this.#wanted.clear();
  }

  /** What a writer had spoiled before is found out, thrown away and brought again. */
  #ingest(digest: Digest, bytes: Uint8Array<ArrayBuffer>): Promise<string> {
    return ingest(this.#store, digest, bytes.byteLength, new Blob([bytes]).stream()).then(
      () => 'stored',
      (thrown: unknown) => toApiError(thrown).code,
    );
  }

  async #tag({ id }: { readonly id: Digest }, tag: string): Promise<void> {
    const isThere = (await this.#profile.index.get(id)) !== undefined;
    const code = await this.#profile.index.tag(id, tag).then(
      () => undefined,
      (thrown: unknown) => toApiError(thrown).code,
    );
    expect(code).toBe(isThere ? undefined : 'model_not_found');
  }

  async #collect(): Promise<void> {
    await this.#readIndex();
    await collectGarbage(
      this.#store,
      (digest) => this.#indexed.has(digest) || this.#wanted.has(digest) || this.#writers.has(digest),
    );
  }

  async #readIndex(): Promise<void> {
    const listed = await this.#profile.index.list();
    const names = listed.flatMap(({ manifest }) => new TextDecoder().decode(manifest).split(' '));
    this.#indexed = new Set(names as Digest[]);
  }

  #layers(index: number): readonly Content[] {
    return (layersOfModels[index] ?? []).map((layer) => this.#content(layer));
  }

  #content(index: number): Content {
    const content = this.#contents[index];
    if (!content) throw new Error(`no blob ${index}`);
    return content;
  }

  #model(index: number): Omit<IndexedModel, 'tags'> {
    const found = this.#models[index];
    if (!found) throw new Error(`no model ${index}`);
    return found;
  }
}
