import { readFile } from 'node:fs/promises';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ManualClock } from '#lib/core/clock.ts';
import type { Digest } from '#lib/core/digest.ts';
import { MemoryBlobStore } from '#lib/store/memory/blob-store.ts';
import { MemoryDisk } from '#lib/store/memory/disk.ts';
import { MemoryModelIndex } from '#lib/store/memory/model-index.ts';
import { bytesOf, makeBench, MemoryPullRecords, type Bench } from '#tests/support/runner-bench.ts';

/** Two models that share a layer, and one that is packaged from a real file. */
const published = {
  'localhost:5000/ai/one:latest': [bytesOf('shared by both'), bytesOf('only in one')],
  'localhost:5000/ai/two:latest': [
    bytesOf('shared by both'),
    bytesOf('only in two, and longer than a segment'),
  ],
};
const names = Object.keys(published);
const tags = ['localhost:5000/x/a', 'localhost:5000/x/b'];
const gguf = new Uint8Array(await readFile('tests/fixtures/tiny-q8_0.gguf'));

const name = fc.constantFrom(...names);
const anyName = fc.constantFrom(...names, ...tags);
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('pull' as const), name }) },
  /** The runner is killed when so many ranges were asked for. */
  fc.record({ do: fc.constant('kill' as const), name, after: fc.nat(3) }),
  fc.record({ do: fc.constant('tag' as const), name: anyName, tag: fc.constantFrom(...tags) }),
  fc.record({ do: fc.constant('delete' as const), name: anyName }),
  { weight: 2, arbitrary: fc.record({ do: fc.constant('discard' as const), name: anyName }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('undo' as const) }) },
  fc.record({ do: fc.constant('package' as const), tag: fc.constantFrom(...tags) }),
  fc.record({ do: fc.constant('repackage' as const), name: anyName, tag: fc.constantFrom(...tags) }),
  { weight: 2, arbitrary: fc.record({ do: fc.constant('prune' as const) }) },
  fc.record({ do: fc.constant('wait' as const) }),
  fc.record({ do: fc.constant('restart' as const) }),
);

class Life {
  readonly #disk = new MemoryDisk();
  readonly #index = new MemoryModelIndex();
  readonly #records = new MemoryPullRecords();
  #discarded: string | undefined;
  bench: Bench;

  private constructor() {
    this.bench = this.#wake();
  }

  static async begin(): Promise<Life> {
    const life = new Life();
    await life.#publish();
    return life;
  }

  async take(each: typeof step extends fc.Arbitrary<infer S> ? S : never): Promise<void> {
    const { bench } = this;
    switch (each.do) {
      case 'pull':
        await (await bench.call('/models/create', { from: each.name })).text();
        return;
      case 'kill':
        return this.#killDuring(each.name, each.after);
      case 'tag':
        await bench.call(`/models/${each.name}/tag?repo=${each.tag}&tag=latest`, '');
        return;
      case 'delete':
        await bench.call(`/models/${each.name}`, undefined, { method: 'DELETE' });
        return;
      case 'discard': {
        const response = await bench.call(`/_sampan/models/${each.name}`, undefined, { method: 'DELETE' });
        if (response.ok) this.#discarded = ((await response.json()) as { id: string }).id;
        return;
      }
      case 'undo':
        await bench.call(`/_sampan/models/${this.#discarded}/restore`, '');
        return;
      case 'package':
        return this.#package(each.tag);
      case 'repackage':
        await bench.call(`/models/${each.name}/repackage`, {
          target: each.tag,
          context_size: 32,
        });
        return;
      case 'prune':
        await bench.call('/_sampan/prune', '');
        return;
      case 'wait':
        return bench.clock.advance(60_000);
      case 'restart':
        return this.#restart();
    }
  }

  /** Every model is whole and right, and nothing else is left once the leftovers are cleared. */
  async check(): Promise<void> {
    const models = (await (await this.bench.call('/_sampan/models')).json()) as { missing_files?: number }[];
    expect(models.filter((model) => model.missing_files)).toEqual([]);
    const needed = new Set<Digest>();
    for (const { manifest } of await this.#index.list()) {
      const { layers } = JSON.parse(new TextDecoder().decode(manifest)) as { layers: { digest: Digest }[] };
      for (const { digest } of layers) needed.add(digest);
    }
    for (const digest of await this.bench.store.digests()) {
      expect(await this.bench.store.verify(digest)).toBe('intact');
    }
    // What was brought in or can be undone is this session's to keep; the next one owes it nothing.
    await this.#restart();
    for (const { id } of (await (await this.bench.call('/_sampan/pulls')).json()) as { id: string }[]) {
      await this.bench.call(`/_sampan/pulls/${id}`, undefined, { method: 'DELETE' });
    }
    await this.bench.call('/_sampan/prune', '');
    expect(new Set(await this.bench.store.digests())).toEqual(needed);
    expect(await this.bench.store.partials()).toEqual([]);
  }

  async #package(tag: string): Promise<void> {
    const sent = await this.bench.call('/_sampan/blobs', undefined, { method: 'POST', body: gguf });
    const { digest } = (await sent.json()) as { digest: Digest };
    const made = await this.bench.call('/_sampan/package', {
      target: tag,
      format: 'docker',
      weights: [{ digest, name: 'tiny.gguf' }],
    });
    expect(made.status).toBe(201);
  }

  /** A killed worker closes nothing: its locks fall with it, what it wrote stays as it was. */
  async #killDuring(from: string, after: number): Promise<void> {
    const { bench } = this;
    let left = after;
    const reached = new Promise<void>((resolve) => {
      bench.registry.beforeFetch = () => {
        if (left-- > 0) return Promise.resolve();
        resolve();
        return new Promise(() => undefined);
      };
    });
    const pulling = bench.call('/models/create', { from }).then((response) => response.text());
    await Promise.race([reached, pulling]);
    await this.#restart();
  }

  async #restart(): Promise<void> {
    this.#disk.held.clear();
    this.bench = this.#wake();
    await this.#publish();
    await this.bench.runner.start();
    // A pull that was going goes on by itself.
    const busy = async () =>
      ((await (await this.bench.call('/_sampan/pulls')).json()) as { status: string }[]).some(
        ({ status }) => !['done', 'failed', 'paused'].includes(status),
      );
    while (await busy()) await new Promise((resolve) => setImmediate(resolve));
  }

  #wake(): Bench {
    const store = new MemoryBlobStore({ disk: this.#disk, clock: new ManualClock() });
    return makeBench({ store, index: this.#index, records: this.#records });
  }

  async #publish(): Promise<void> {
    for (const [each, layers] of Object.entries(published)) await this.bench.registry.publish(each, layers);
  }
}

it('whatever is done to it, and whenever it is killed, the store is whole and holds no more than it must', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 14 }), async (steps) => {
      const life = await Life.begin();
      for (const each of steps) await life.take(each);
      await life.check();
    }),
    { numRuns: 100 },
  );
}, 120_000);
