import { describe, expect, it } from 'vitest';
import type { Digest } from '#lib/core/digest.ts';
import { blobOf, contentOf, expectCode, fill, keep } from '#tests/contract/store.ts';
import { collectGarbage } from './garbage.ts';
import { MemoryBlobStore } from './memory/blob-store.ts';

const nothing = () => false;

async function storeWith(sizes: readonly number[]) {
  const store = new MemoryBlobStore({ segmentBytes: 1000 });
  const blobs = await Promise.all(sizes.map(blobOf));
  for (const { digest, bytes } of blobs) await keep(store, digest, bytes);
  return { store, digests: blobs.map(({ digest }) => digest) };
}

async function leavePartial(store: MemoryBlobStore, sizeBytes: number) {
  const { digest, bytes } = await blobOf(sizeBytes);
  const writer = await store.writer(digest, sizeBytes);
  await fill(writer, { index: 0, from: 0, to: 1000 }, bytes);
  return { digest, bytes, writer };
}

describe('collectGarbage', () => {
  it('has nothing to do in an empty store', async () => {
    expect(await collectGarbage(new MemoryBlobStore(), nothing)).toEqual({ removedBlobs: 0, freedBytes: 0 });
  });

  it('deletes what is not needed and says how much that was', async () => {
    const sizes = Array.from({ length: 100 }, (_, index) => index + 1);
    const { store, digests } = await storeWith(sizes);
    const needed = new Set(digests.slice(0, 10));
    expect(await collectGarbage(store, (digest) => needed.has(digest))).toEqual({
      removedBlobs: 90,
      freedBytes: 5050 - 55,
    });
    expect(new Set(await store.digests())).toEqual(needed);
  });

  it('drops unfinished blobs that are not needed, and counts what had arrived', async () => {
    const { store } = await storeWith([]);
    const [wanted, other] = [await leavePartial(store, 2500), await leavePartial(store, 3500)];
    await wanted.writer.close();
    await other.writer.close();
    expect(await collectGarbage(store, (digest) => digest === wanted.digest)).toEqual({
      removedBlobs: 1,
      freedBytes: 1000,
    });
    expect(await store.partials()).toMatchObject([{ digest: wanted.digest }]);
  });

  it('leaves alone what a writer holds', async () => {
    const { store } = await storeWith([]);
    const { digest, bytes, writer } = await leavePartial(store, 2500);
    expect(await collectGarbage(store, nothing)).toEqual({ removedBlobs: 0, freedBytes: 0 });
    for (const segment of writer.missing()) await fill(writer, segment, bytes);
    await writer.commit();
    expect(await contentOf(store, digest)).toEqual(bytes);
  });

  it('asks immediately before each delete', async () => {
    const { store, digests } = await storeWith([1, 2, 3]);
    const needed = new Set<Digest>();
    const remove = store.delete.bind(store);
    const asked: Digest[] = [];
    store.delete = (digest) => {
      expect(asked.at(-1)).toBe(digest);
      // What becomes needed while another is deleted is kept.
      for (const each of digests) if (each !== digest) needed.add(each);
      return remove(digest);
    };
    await collectGarbage(store, (digest) => {
      asked.push(digest);
      return needed.has(digest);
    });
    expect(await store.digests()).toHaveLength(2);
  });

  it('never takes a blob from a download that makes itself known and then looks', async () => {
    const { store, digests } = await storeWith([1500]);
    const needed = new Set<Digest>();
    const collected = collectGarbage(store, (digest) => needed.has(digest));
    const looked = (async () => {
      for (const digest of digests) {
        needed.add(digest);
        return [digest, await store.open(digest)] as const;
      }
    })();
    const [digest, seen] = (await looked) ?? [];
    await collected;
    if (digest && seen) expect(await store.open(digest)).toBeDefined();
  });

  it('stops when it is aborted, and keeps the rest', async () => {
    const { store } = await storeWith(Array.from({ length: 200 }, (_, index) => index + 1));
    const abort = new AbortController();
    const remove = store.delete.bind(store);
    let deleted = 0;
    store.delete = (digest) => {
      if (++deleted === 40) abort.abort();
      return remove(digest);
    };
    await expectCode(collectGarbage(store, nothing, { signal: abort.signal }), 'aborted');
    const left = await store.digests();
    expect(left.length).toBeGreaterThan(100);
    await expectCode(collectGarbage(store, nothing, { signal: AbortSignal.abort() }), 'aborted');
    expect(await store.digests()).toEqual(left);
  });

  it('ends at the first failure and does nothing after it has said so', async () => {
    const { store } = await storeWith(Array.from({ length: 200 }, (_, index) => index + 1));
    const remove = store.delete.bind(store);
    let deleted = 0;
    store.delete = async (digest) => {
      if (++deleted === 40) throw new Error('broken disk');
      await remove(digest);
    };
    await expect(collectGarbage(store, nothing)).rejects.toThrow('broken disk');
    const left = (await store.digests()).length;
    expect(left).toBeGreaterThan(100);
    await new Promise((resolve) => setImmediate(resolve));
    expect(await store.digests()).toHaveLength(left);
  });
});
