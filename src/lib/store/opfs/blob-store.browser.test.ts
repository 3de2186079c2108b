import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from '#lib/core/clock.ts';
import { digestHex, sha256, type Digest } from '#lib/core/digest.ts';
import { collectGarbage } from '#lib/store/garbage.ts';
import { IdbModelIndex } from '#lib/store/idb/model-index.ts';
import { ProgressStore } from '#lib/store/idb/progress.ts';
import { ingest } from '#lib/store/ingest.ts';
import {
  blobOf,
  contentOf,
  describeBlobStore,
  expectCode,
  fill,
  reopened,
  writeAll,
} from '#tests/contract/store.ts';
import { describeStoreLife } from '#tests/contract/store-life.ts';
import BlobWorker from '#workers/blob.worker.ts?worker';
import HashWorker from '#workers/hash.worker.ts?worker';
import { defaultLimits, OpfsBlobStore, type BlobLimits } from './blob-store.ts';
import { blobsDirectory, digestOfName, fileNames, partialDirectory } from './directories.ts';
import { tryLockBlob, type Locks } from './lock.ts';
import { sweep } from './sweep.ts';

const dayMs = 24 * 60 * 60 * 1000;

/** A browser profile in a directory and a database of its own. */
class Profile {
  readonly root: FileSystemDirectoryHandle;
  readonly name: string;
  readonly clock = new ManualClock(100 * dayMs);
  readonly progress: ProgressStore;
  #workers: Worker[] = [];
  #life = 0;

  private constructor(name: string, root: FileSystemDirectoryHandle) {
    this.name = name;
    this.root = root;
    this.progress = new ProgressStore(name);
  }

  static async make(): Promise<Profile> {
    const name = `test-${crypto.randomUUID()}`;
    const originRoot = await navigator.storage.getDirectory();
    return new Profile(name, await originRoot.getDirectoryHandle(name, { create: true }));
  }

  /** Real locks, but those of a dead browser are forgotten. */
  get locks(): Locks {
    const prefix = `${this.name}-${this.#life}`;
    const request = (name: string, options: LockOptions, callback: LockGrantedCallback<unknown>) =>
      navigator.locks.request(`${prefix}-${name}`, options, callback);
    return { request: request as Locks['request'] };
  }

  openTab(limits: Partial<BlobLimits> = {}): OpfsBlobStore {
    const { root, locks, progress, clock } = this;
    return new OpfsBlobStore({
      root,
      locks,
      progress,
      clock,
      limits: { ...defaultLimits, ...limits },
      createWorker: () => {
        const worker = new BlobWorker();
        this.#workers.push(worker);
        return worker;
      },
      createHashWorker: () => new HashWorker(),
    });
  }

  sweep(): Promise<void> {
    return sweep(this);
  }

  async kill(): Promise<void> {
    for (const worker of this.#workers.splice(0)) worker.terminate();
    this.#life++;
  }

  async damage(digest: Digest, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    const blobs = await blobsDirectory(this.root);
    const file = await (await blobs.getFileHandle(digestHex(digest))).createWritable();
    await file.write(bytes);
    await file.close();
  }

  async destroy(): Promise<void> {
    const originRoot = await navigator.storage.getDirectory();
    // The file of a worker that was just terminated is in use a moment longer.
    await expect
      .poll(() => originRoot.removeEntry(this.name, { recursive: true }).then(() => 'gone'))
      .toBe('gone');
    indexedDB.deleteDatabase(this.name);
  }
}

describeBlobStore('opfs', async ({ segmentBytes }) => {
  const profile = await Profile.make();
  return {
    openTab: () => profile.openTab({ segmentBytes }),
    kill: () => profile.kill(),
    damage: (digest, bytes) => profile.damage(digest, bytes),
    destroy: () => profile.destroy(),
  };
});

describeStoreLife(
  'opfs',
  async ({ segmentBytes }) => {
    const profile = await Profile.make();
    const indexName = `${profile.name}-models`;
    return {
      disk: {
        openTab: () => profile.openTab({ segmentBytes }),
        kill: () => profile.kill(),
        destroy: async () => {
          await profile.destroy();
          indexedDB.deleteDatabase(indexName);
        },
      },
      index: new IdbModelIndex(indexName),
      sweep: () => profile.sweep(),
    };
  },
  { runs: 3, maxSteps: 30 },
);

describe('OpfsBlobStore', () => {
  const limits = { segmentBytes: 1000, pieceBytes: 500, checkpointBytes: 2000, inlineHashBytes: 100 };
  let profile: Profile;

  beforeEach(async () => {
    profile = await Profile.make();
  });

  afterEach(async () => {
    await profile.kill();
    await profile.destroy();
  });

  it('hashes a large blob in a worker of its own', async () => {
    const { digest, bytes } = await blobOf(5500);
    const store = profile.openTab(limits);
    const writer = await store.writer(digest, 5500);
    await Promise.all(writer.missing().map((segment) => fill(writer, segment, bytes, 300)));
    await writer.commit();
    expect(await contentOf(store, digest)).toEqual(bytes);
  });

  it('resumes hashing after a kill from the last checkpoint', async () => {
    const { digest, bytes } = await blobOf(5500);
    const first = await profile.openTab(limits).writer(digest, 5500);
    await fill(first, { index: 0, from: 0, to: 1000 }, bytes);
    const last = { index: 1, from: 1000, to: 2000 };
    // Finishing again is harmless and asks again whether enough is hashed.
    await expect
      .poll(async () => {
        await fill(first, last, bytes);
        return (await profile.progress.get(digest))?.checkpoint?.hashedBytes;
      })
      .toBe(2000);
    await profile.kill();
    const second = await reopened(profile.openTab(limits), digest, 5500);
    await second.close();
    expect((await profile.progress.get(digest))?.checkpoint?.hashedBytes).toBe(2000);
    const third = await profile.openTab(limits).writer(digest, 5500);
    await writeAll(third, bytes);
    await third.commit();
    expect(await contentOf(profile.openTab(), digest)).toEqual(bytes);
  });

  it('keeps the hash state when it is closed', async () => {
    const { digest, bytes } = await blobOf(5500);
    const writer = await profile.openTab({ ...limits, checkpointBytes: 1e9 }).writer(digest, 5500);
    await fill(writer, { index: 0, from: 0, to: 1000 }, bytes);
    await expect
      .poll(async () => {
        await writer.finish({ index: 0, from: 0, to: 1000 });
        return writer.receivedBytes;
      })
      .toBe(1000);
    await writer.close();
    const record = await profile.progress.get(digest);
    expect(record?.checkpoint?.hashState).toHaveLength(116);
  });

  it('hashes from the start when the saved state is of another build', async () => {
    const { digest, bytes } = await blobOf(5500);
    const first = await profile.openTab(limits).writer(digest, 5500);
    await fill(first, { index: 0, from: 0, to: 1000 }, bytes);
    await first.close();
    const record = await profile.progress.get(digest);
    if (!record) throw new Error('no record');
    await profile.progress.put(digest, {
      ...record,
      checkpoint: { hashedBytes: 1000, hashState: new Uint8Array(116) },
    });
    const second = await profile.openTab(limits).writer(digest, 5500);
    await writeAll(second, bytes);
    await second.commit();
    expect(await contentOf(profile.openTab(), digest)).toEqual(bytes);
  });

  it.each([
    ['the segments had another size', { segmentBytes: 900 }, 5500],
    ['the file is shorter than it says', {}, 5400],
  ])('starts over when %s', async (_, change, sizeBytes) => {
    const { digest, bytes } = await blobOf(5500);
    const first = await profile.openTab(limits).writer(digest, sizeBytes);
    await fill(first, { index: 0, from: 0, to: 1000 }, bytes);
    await first.close();
    const record = await profile.progress.get(digest);
    if (!record) throw new Error('no record');
    await profile.progress.put(digest, { ...record, sizeBytes: 5500 });
    const second = await profile.openTab({ ...limits, ...change }).writer(digest, 5500);
    expect(second.receivedBytes).toBe(0);
  });

  it('trusts no record whose file is gone', async () => {
    const { digest, bytes } = await blobOf(5500);
    const first = await profile.openTab(limits).writer(digest, 5500);
    await fill(first, { index: 0, from: 0, to: 1000 }, bytes);
    await first.close();
    const partial = await partialDirectory(profile.root);
    await partial.removeEntry(digestHex(digest));
    expect(await profile.openTab().partials()).toEqual([]);
    const second = await profile.openTab(limits).writer(digest, 5500);
    expect(second.receivedBytes).toBe(0);
  });

  it('keeps a commit that was killed before the record was removed', async () => {
    const { digest, bytes } = await blobOf(1500);
    const store = profile.openTab(limits);
    const writer = await store.writer(digest, 1500);
    await writeAll(writer, bytes);
    const record = await profile.progress.get(digest);
    if (!record) throw new Error('no record');
    await writer.commit();
    await profile.progress.put(digest, record);
    const again = await store.writer(digest, 1500);
    expect(again.missing()).toEqual([]);
    expect(await store.partials()).toEqual([]);
    await profile.sweep();
    expect(await profile.progress.get(digest)).toBeUndefined();
    expect(await contentOf(store, digest)).toEqual(bytes);
  });

  it('borrows the buffers again that came back from the disk', async () => {
    const { digest, bytes } = await blobOf(5500);
    const writer = await profile.openTab(limits).writer(digest, 5500);
    const lent: ArrayBuffer[] = [];
    for (const segment of writer.missing()) {
      const chunk = writer.lend(segment.to - segment.from);
      lent.push(chunk.buffer);
      chunk.set(bytes.subarray(segment.from, segment.to));
      await writer.write(segment.from, chunk);
      // Everything is on the disk then, so the buffer is back.
      await writer.finish(segment);
    }
    // A buffer that travelled is another object over the same memory; those that left are empty.
    expect(lent.every((buffer) => buffer.byteLength === 0)).toBe(true);
    // The last one was lent 500 bytes of a buffer of 1000.
    const spare = writer.lend(1);
    expect(spare.buffer.byteLength).toBe(1000);
    expect(writer.lend(1).buffer.byteLength).toBe(1);
    await writer.commit();
    expect(await contentOf(profile.openTab(), digest)).toEqual(bytes);
  });

  describe('hash', () => {
    const mebibyte = 1024 * 1024;

    /** A file as a person chooses it, which is on the disk. */
    async function fileWith(bytes: Uint8Array<ArrayBuffer>) {
      const handle = await profile.root.getFileHandle('chosen.gguf', { create: true });
      const rewrite = async (content: Uint8Array<ArrayBuffer>) => {
        const writable = await handle.createWritable();
        await writable.write(content);
        await writable.close();
      };
      await rewrite(bytes);
      return { file: await handle.getFile(), rewrite, remove: () => profile.root.removeEntry('chosen.gguf') };
    }

    it.each([
      ['small', 3_000_000, 8 * mebibyte],
      ['large', 3_000_000, 1000],
    ])('reads a %s file that is not in the store', async (_, sizeBytes, inlineHashBytes) => {
      const { digest, bytes } = await blobOf(sizeBytes);
      const { file } = await fileWith(bytes);
      const store = profile.openTab({ ...limits, inlineHashBytes });
      const told: number[] = [];
      expect(await store.hash(file, { onProgress: (hashedBytes) => told.push(hashedBytes) })).toBe(digest);
      expect(told.at(-1)).toBe(sizeBytes);
    });

    for (const [how, inlineHashBytes] of [
      ['at once', 8 * mebibyte],
      ['in a worker', 1000],
    ] as const) {
      it(`says what to do when a file that is hashed ${how} is another than when it was chosen`, async () => {
        const { bytes } = await blobOf(3_000_000);
        const store = profile.openTab({ ...limits, inlineHashBytes });
        const changed = await fileWith(bytes);
        await changed.rewrite(bytes.slice(0, 2_000_000));
        await expect(store.hash(changed.file)).rejects.toMatchObject({
          name: 'ApiError',
          code: 'invalid_request',
          message: expect.stringContaining('Choose it again'),
        });
        const gone = await fileWith(bytes);
        await gone.remove();
        await expectCode(store.hash(gone.file), 'invalid_request');
      });
    }

    it('stops its worker when it is aborted', async () => {
      const { bytes } = await blobOf(3_000_000);
      const stopped: Worker[] = [];
      const store = new OpfsBlobStore({
        root: profile.root,
        locks: profile.locks,
        progress: profile.progress,
        clock: profile.clock,
        createWorker: () => new BlobWorker(),
        createHashWorker: () => {
          const worker = new HashWorker();
          const terminate = worker.terminate.bind(worker);
          worker.terminate = () => {
            stopped.push(worker);
            terminate();
          };
          return worker;
        },
        limits: { ...defaultLimits, ...limits },
      });
      const abort = new AbortController();
      const hashed = expectCode(store.hash(new Blob([bytes]), { signal: abort.signal }), 'aborted');
      abort.abort();
      await hashed;
      expect(stopped).toHaveLength(1);
      await store.hash(new Blob([bytes]));
      expect(stopped).toHaveLength(2);
    });

    it('says so when its worker does not start', async () => {
      const store = new OpfsBlobStore({
        root: profile.root,
        locks: profile.locks,
        progress: profile.progress,
        clock: profile.clock,
        createWorker: () => new BlobWorker(),
        createHashWorker: () => new Worker('data:text/javascript,throw new Error("broken")'),
        limits: { ...defaultLimits, ...limits },
      });
      await expectCode(store.hash(new Blob([new Uint8Array(1000)])), 'internal');
    });
  });

  describe('ingest', () => {
    it('stores a file that is read once', async () => {
      const { digest, bytes } = await blobOf(5_500_000);
      const store = profile.openTab({ segmentBytes: 1_000_000 });
      await ingest(store, digest, bytes.byteLength, new Blob([bytes]).stream());
      expect(await store.verify(digest)).toBe('intact');
      expect(await store.partials()).toEqual([]);
    });

    it('leaves nothing of a file that is not what it says', async () => {
      const { digest, bytes } = await blobOf(5500);
      const store = profile.openTab(limits);
      const wrong = bytes.slice();
      wrong[4000] = (wrong[4000] ?? 0) ^ 1;
      await expectCode(ingest(store, digest, 5500, new Blob([wrong]).stream()), 'digest_mismatch');
      await expectCode(ingest(store, digest, 5500, new Blob([bytes.slice(1)]).stream()), 'invalid_request');
      const abort = new AbortController();
      await expectCode(
        ingest(store, digest, 5500, new Blob([bytes]).stream(), {
          signal: abort.signal,
          onProgress: () => abort.abort(),
        }),
        'aborted',
      );
      expect(await store.partials()).toEqual([]);
      expect(await store.list()).toEqual([]);
      expect(await fileNames(await partialDirectory(profile.root))).toEqual([]);
    });
  });

  it('never takes a blob from who makes itself known and then looks for it', async () => {
    const store = profile.openTab(limits);
    const blobs = await Promise.all([500, 600, 700, 800].map(blobOf));
    for (const { digest, bytes } of blobs)
      await ingest(store, digest, bytes.byteLength, new Blob([bytes]).stream());
    const needed = new Set<Digest>();
    const collected = collectGarbage(store, (digest) => needed.has(digest));
    const seen: Digest[] = [];
    for (const { digest } of blobs) {
      needed.add(digest);
      if (await store.open(digest)) seen.push(digest);
    }
    const { removedBlobs } = await collected;
    expect(new Set(await store.digests())).toEqual(new Set(seen));
    expect(removedBlobs).toBe(blobs.length - seen.length);
  });

  it('waits with opening until a deletion that the disk is slow with is through', async () => {
    const store = profile.openTab(limits);
    const { digest, bytes } = await blobOf(500);
    const other = await blobOf(600);
    await ingest(store, digest, 500, new Blob([bytes]).stream());
    const { prototype } = FileSystemDirectoryHandle;
    const original = Object.getOwnPropertyDescriptor(prototype, 'removeEntry') ?? {};
    let letGo = () => undefined as unknown;
    const gate = new Promise((resolve) => (letGo = () => resolve(undefined)));
    prototype.removeEntry = async function (...args) {
      await gate;
      return original.value.apply(this, args);
    };
    try {
      const deletion = store.delete(digest);
      const opened = store.open(digest);
      const writer = store.writer(digest, 500);
      for (let round = 0; round < 5; round++) await store.open(other.digest);
      letGo();
      await deletion;
      expect(await opened).toBeUndefined();
      expect((await writer).missing()).toHaveLength(1);
    } finally {
      Object.defineProperty(prototype, 'removeEntry', original);
    }
  });

  it('answers a finish that the close overtakes', async () => {
    const { digest, bytes } = await blobOf(1500);
    const writer = await profile.openTab(limits).writer(digest, 1500);
    await writer.write(0, bytes.slice());
    const finish = expectCode(writer.finish({ index: 0, from: 0, to: 1000 }), 'aborted');
    await writer.close();
    await finish;
  });

  it('says so when its worker does not start', async () => {
    const { digest } = await blobOf(10);
    const store = new OpfsBlobStore({
      root: profile.root,
      locks: profile.locks,
      progress: profile.progress,
      clock: profile.clock,
      createWorker: () => new Worker('data:text/javascript,throw new Error("broken")'),
      createHashWorker: () => new HashWorker(),
    });
    await expectCode(store.writer(digest, 10), 'internal');
    const writer = await profile.openTab().writer(digest, 10);
    expect(writer.missing()).toHaveLength(1);
  });

  describe('sweep', () => {
    async function unfinished(sizeBytes: number) {
      const { digest, bytes } = await blobOf(sizeBytes);
      const writer = await profile.openTab(limits).writer(digest, sizeBytes);
      await fill(writer, { index: 0, from: 0, to: 1000 }, bytes);
      return { digest, writer };
    }

    it('keeps a partial for seven days after its last bytes, and no longer', async () => {
      const { digest, writer } = await unfinished(2500);
      await writer.close();
      await profile.clock.advance(7 * dayMs);
      await profile.sweep();
      expect(await profile.openTab().partials()).toHaveLength(1);
      await profile.clock.advance(1);
      await profile.sweep();
      expect(await profile.openTab().partials()).toEqual([]);
      expect(await profile.progress.get(digest)).toBeUndefined();
      expect(await fileNames(await partialDirectory(profile.root))).toEqual([]);
    });

    it('counts the days from the last bytes, not from the last try', async () => {
      const { digest, writer } = await unfinished(2500);
      await writer.close();
      await profile.clock.advance(6 * dayMs);
      const again = await profile.openTab(limits).writer(digest, 2500);
      await again.close();
      await profile.clock.advance(2 * dayMs);
      await profile.sweep();
      expect(await profile.openTab().partials()).toEqual([]);
    });

    it('never takes a partial that a writer holds', async () => {
      const { digest, writer } = await unfinished(2500);
      await profile.clock.advance(30 * dayMs);
      await profile.sweep();
      expect(await profile.openTab().partials()).toMatchObject([{ digest }]);
      await writer.close();
    });

    it('removes files without a record and records without a file', async () => {
      const gone = await unfinished(2500);
      await gone.writer.close();
      const orphan = await unfinished(3500);
      await orphan.writer.close();
      const partial = await partialDirectory(profile.root);
      await partial.removeEntry(digestHex(gone.digest));
      await profile.progress.remove(orphan.digest);
      await profile.sweep();
      expect(await fileNames(partial)).toEqual([]);
      expect((await profile.progress.list()).size).toBe(0);
    });

    it('removes what a killed createWritable left, and nothing else', async () => {
      const { digest, bytes } = await blobOf(1500);
      const store = profile.openTab(limits);
      const writer = await store.writer(digest, 1500);
      await writeAll(writer, bytes);
      await writer.commit();
      const partial = await partialDirectory(profile.root);
      await partial.getFileHandle('leftover.crswap', { create: true });
      await profile.root.getFileHandle('notes.txt', { create: true });
      await profile.sweep();
      expect(await fileNames(partial)).toEqual([]);
      expect(await fileNames(profile.root)).toContain('notes.txt');
      expect(await store.list()).toEqual([{ digest, sizeBytes: 1500 }]);
    });
  });
});

describe('names and locks', () => {
  it('takes only file names that are digests', () => {
    expect(digestOfName('ab'.repeat(32))).toBe(`sha256:${'ab'.repeat(32)}`);
    expect(digestOfName('notes.txt')).toBeUndefined();
  });

  it('holds a lock until it is released', async () => {
    const digest = await sha256(new TextEncoder().encode(crypto.randomUUID()));
    const first = await tryLockBlob(navigator.locks, digest);
    expect(await tryLockBlob(navigator.locks, digest)).toBeUndefined();
    await first?.release();
    const second = await tryLockBlob(navigator.locks, digest);
    expect(second).toBeDefined();
    await second?.release();
  });
});
