/** What every blob store and every model index must do. Run on the memory twins in Node, on OPFS and IndexedDB in Chromium. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sha256, type Digest } from '#lib/core/digest.ts';
import { ApiError, type ErrorCode } from '#lib/core/errors.ts';
import type {
  BlobStore,
  BlobWriter,
  IndexedModel,
  ModelIndex,
  ModelSettingsStore,
  Segment,
} from '#lib/store/port.ts';

/** One browser profile: what outlives its tabs. */
export interface BlobDisk {
  /** The store of another tab. */
  openTab(): BlobStore;
  /** Ends all tabs as the death of the browser does: nothing is closed. */
  kill(): Promise<void>;
  /** Puts other bytes in a whole blob's place, as a disk that fails does. */
  damage(digest: Digest, bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  /** Removes everything. */
  destroy(): Promise<void>;
}

export interface BlobDiskOptions {
  readonly segmentBytes: number;
}

/** More than any disk under test has left. */
export const oversizeBytes = 2 ** 50;

const segmentBytes = 1000;

export function describeBlobStore(
  name: string,
  makeDisk: (options: BlobDiskOptions) => Promise<BlobDisk>,
): void {
  describe(`blob store (${name})`, () => {
    let disk: BlobDisk;
    let store: BlobStore;

    beforeEach(async () => {
      disk = await makeDisk({ segmentBytes });
      store = disk.openTab();
    });

    afterEach(async () => {
      await disk.kill();
      await disk.destroy();
    });

    for (const sizeBytes of [
      0,
      1,
      segmentBytes - 1,
      segmentBytes,
      segmentBytes + 1,
      3 * segmentBytes,
      20_500,
    ]) {
      it(`keeps a blob of ${sizeBytes} bytes`, async () => {
        const { digest, bytes } = await blobOf(sizeBytes);
        const writer = await store.writer(digest, sizeBytes);
        expect(writer.missing()).toEqual(segmentsOf(sizeBytes));
        await writeAll(writer, bytes);
        expect(writer.receivedBytes).toBe(sizeBytes);
        await writer.commit();
        expect(await contentOf(store, digest)).toEqual(bytes);
        expect(await store.list()).toEqual([{ digest, sizeBytes }]);
        expect(await store.partials()).toEqual([]);
      });
    }

    it('shows nothing before the commit', async () => {
      const { digest, bytes } = await blobOf(2500);
      const writer = await store.writer(digest, 2500);
      await writeAll(writer, bytes);
      expect(await store.open(digest)).toBeUndefined();
      expect(await store.list()).toEqual([]);
      expect(await store.partials()).toMatchObject([{ digest, sizeBytes: 2500, receivedBytes: 2500 }]);
    });

    it('takes segments in any order', async () => {
      const { digest, bytes } = await blobOf(5500);
      const writer = await store.writer(digest, 5500);
      for (const segment of [...writer.missing()].reverse()) await fill(writer, segment, bytes);
      await writer.commit();
      expect(await contentOf(store, digest)).toEqual(bytes);
    });

    it('takes segments at the same time, in small chunks', async () => {
      const { digest, bytes } = await blobOf(5500);
      const writer = await store.writer(digest, 5500);
      await Promise.all(writer.missing().map((segment) => fill(writer, segment, bytes, 170)));
      await writer.commit();
      expect(await contentOf(store, digest)).toEqual(bytes);
    });

    it('takes chunks that lie across segments', async () => {
      const { digest, bytes } = await blobOf(2500);
      const writer = await store.writer(digest, 2500);
      await writer.write(0, bytes.slice(0, 1500));
      await writer.write(1500, bytes.slice(1500));
      expect(writer.receivedBytes).toBe(2500);
      for (const segment of writer.missing()) await writer.finish(segment);
      await writer.commit();
      expect(await contentOf(store, digest)).toEqual(bytes);
    });

    it('takes the buffer of a chunk over', async () => {
      const { digest, bytes } = await blobOf(500);
      const writer = await store.writer(digest, 500);
      const chunk = bytes.slice();
      await writer.write(0, chunk);
      expect(chunk.byteLength).toBe(0);
    });

    it('takes a chunk that is a view into a larger buffer', async () => {
      const { digest, bytes } = await blobOf(500);
      const writer = await store.writer(digest, 500);
      const buffer = new Uint8Array(700);
      buffer.set(bytes, 100);
      await writer.write(0, buffer.subarray(100, 600));
      await writer.finish({ index: 0, from: 0, to: 500 });
      await writer.commit();
      expect(await contentOf(store, digest)).toEqual(bytes);
    });

    it('counts a segment that is written twice once', async () => {
      const { digest, bytes } = await blobOf(2000);
      const writer = await store.writer(digest, 2000);
      await writer.write(0, bytes.slice(0, 600));
      await writer.write(0, bytes.slice(0, 400));
      expect(writer.receivedBytes).toBe(600);
      await writer.finish({ index: 0, from: 0, to: 1000 });
      await writer.finish({ index: 0, from: 0, to: 1000 });
      expect(writer.receivedBytes).toBe(1000);
      expect(writer.missing()).toEqual([{ index: 1, from: 1000, to: 2000 }]);
    });

    it('refuses bytes past the end', async () => {
      const { digest } = await blobOf(500);
      const writer = await store.writer(digest, 500);
      await expectCode(writer.write(400, new Uint8Array(101)), 'internal');
    });

    it('keeps nothing when the bytes are not those of the digest', async () => {
      const { digest, bytes } = await blobOf(5500);
      const writer = await store.writer(digest, 5500);
      bytes[3000] = (bytes[3000] ?? 0) ^ 1;
      await writeAll(writer, bytes);
      await expectCode(writer.commit(), 'digest_mismatch');
      expect(await store.open(digest)).toBeUndefined();
      expect(await store.partials()).toEqual([]);
      const again = await store.writer(digest, 5500);
      expect(again.receivedBytes).toBe(0);
    });

    it('publishes no bytes that were changed after their segment was finished', async () => {
      const { digest, bytes } = await blobOf(2500);
      const writer = await store.writer(digest, 2500);
      await writeAll(writer, bytes);
      await writer.write(500, new Uint8Array(1200));
      await writer
        .commit()
        .catch((error: unknown) => expect(error).toMatchObject({ code: 'digest_mismatch' }));
      const content = await contentOf(store, digest);
      expect([bytes, undefined]).toContainEqual(content);
    });

    it('does not commit while something is missing, and can go on', async () => {
      const { digest, bytes } = await blobOf(2500);
      const writer = await store.writer(digest, 2500);
      await fill(writer, { index: 1, from: 1000, to: 2000 }, bytes);
      await expectCode(writer.commit(), 'conflict');
      for (const segment of writer.missing()) await fill(writer, segment, bytes);
      await writer.commit();
      expect(await contentOf(store, digest)).toEqual(bytes);
    });

    it('goes on after an aborted commit', async () => {
      const { digest, bytes } = await blobOf(2500);
      const writer = await store.writer(digest, 2500);
      await writeAll(writer, bytes);
      await expectCode(writer.commit(AbortSignal.abort()), 'aborted');
      await writer.commit();
      expect(await contentOf(store, digest)).toEqual(bytes);
    });

    it('ends a commit with the download when the writer is closed meanwhile', async () => {
      const { digest, bytes } = await blobOf(2500);
      const writer = await store.writer(digest, 2500);
      await writeAll(writer, bytes);
      const commit = expectCode(writer.commit(), 'aborted');
      await writer.close();
      await commit;
      expect(await store.open(digest)).toBeUndefined();
      const again = await store.writer(digest, 2500);
      await again.commit();
      expect(await contentOf(store, digest)).toEqual(bytes);
    });

    it('resumes after close and asks for no finished segment again', async () => {
      const { digest, bytes } = await blobOf(5500);
      const first = await store.writer(digest, 5500);
      await fill(first, { index: 0, from: 0, to: 1000 }, bytes);
      await fill(first, { index: 3, from: 3000, to: 4000 }, bytes);
      await first.write(1000, bytes.slice(1000, 1300));
      await first.close();
      expect(await store.partials()).toMatchObject([{ digest, sizeBytes: 5500, receivedBytes: 2000 }]);
      const second = await store.writer(digest, 5500);
      expect(second.receivedBytes).toBe(2000);
      expect(second.missing().map(({ index }) => index)).toEqual([1, 2, 4, 5]);
      await writeAll(second, bytes);
      await second.commit();
      expect(await contentOf(store, digest)).toEqual(bytes);
    });

    it('resumes after a kill: what was finished stays finished', async () => {
      const { digest, bytes } = await blobOf(5500);
      const first = await store.writer(digest, 5500);
      for (const segment of first.missing().slice(0, 4)) await fill(first, segment, bytes);
      await disk.kill();
      const second = await reopened(disk.openTab(), digest, 5500);
      expect(second.missing().map(({ index }) => index)).toEqual([4, 5]);
      await writeAll(second, bytes);
      await second.commit();
      expect(await contentOf(disk.openTab(), digest)).toEqual(bytes);
    });

    it('starts over when the size is another than before', async () => {
      const { digest, bytes } = await blobOf(2500);
      const first = await store.writer(digest, 3500);
      await fill(first, { index: 0, from: 0, to: 1000 }, bytes);
      await first.close();
      const second = await store.writer(digest, 2500);
      expect(second.missing()).toEqual(segmentsOf(2500));
      await writeAll(second, bytes);
      await second.commit();
      expect(await contentOf(store, digest)).toEqual(bytes);
    });

    it('lets one writer at a time hold a digest, in any tab', async () => {
      const { digest } = await blobOf(2500);
      const other = await blobOf(700);
      const first = await store.writer(digest, 2500);
      await expectCode(store.writer(digest, 2500), 'conflict');
      await expectCode(disk.openTab().writer(digest, 2500), 'conflict');
      await expectCode(disk.openTab().discardPartial(digest), 'conflict');
      await disk.openTab().writer(other.digest, 700);
      await first.close();
      const second = await disk.openTab().writer(digest, 2500);
      expect(second.missing()).toHaveLength(3);
    });

    it('lets go of the digest after a mismatch and after a commit', async () => {
      const { digest, bytes } = await blobOf(500);
      const wrong = await store.writer(digest, 500);
      await writeAll(wrong, new Uint8Array(500));
      await expectCode(wrong.commit(), 'digest_mismatch');
      const right = await store.writer(digest, 500);
      await writeAll(right, bytes);
      await right.commit();
      await store.delete(digest);
      const again = await store.writer(digest, 500);
      expect(again.missing()).toHaveLength(1);
    });

    it('has nothing to do for a blob that is whole', async () => {
      const { digest, bytes } = await blobOf(1500);
      await keep(store, digest, bytes);
      const writer = await store.writer(digest, 1500);
      expect(writer.missing()).toEqual([]);
      expect(writer.receivedBytes).toBe(1500);
      await writer.commit();
      await writer.close();
      expect(await contentOf(store, digest)).toEqual(bytes);
    });

    it('commits and closes twice without harm', async () => {
      const { digest, bytes } = await blobOf(1500);
      const writer = await store.writer(digest, 1500);
      await writeAll(writer, bytes);
      await Promise.all([writer.commit(), writer.commit()]);
      await writer.commit();
      await writer.close();
      await writer.close();
      expect(await contentOf(store, digest)).toEqual(bytes);
    });

    it('refuses everything but close after close', async () => {
      const { digest, bytes } = await blobOf(1500);
      const writer = await store.writer(digest, 1500);
      await writer.close();
      await writer.close();
      await expectCode(writer.write(0, bytes), 'aborted');
      await expectCode(writer.finish({ index: 0, from: 0, to: 1000 }), 'aborted');
      await expectCode(writer.commit(), 'aborted');
    });

    it('says storage_full when the size cannot be reserved, and leaves nothing behind', async () => {
      const { digest, bytes } = await blobOf(1500);
      await expectCode(store.writer(digest, oversizeBytes), 'storage_full');
      expect(await store.partials()).toEqual([]);
      await keep(store, digest, bytes);
      expect(await contentOf(store, digest)).toEqual(bytes);
    });

    it('deletes and discards what is not there without complaint', async () => {
      const { digest, bytes } = await blobOf(1500);
      await store.delete(digest);
      await store.discardPartial(digest);
      await keep(store, digest, bytes);
      await store.delete(digest);
      await store.delete(digest);
      expect(await store.open(digest)).toBeUndefined();
      expect(await store.list()).toEqual([]);
    });

    it('shows nothing of a blob from the moment that it is deleted', async () => {
      const { digest, bytes } = await blobOf(1500);
      await keep(store, digest, bytes);
      const deletions = [store.delete(digest), store.delete(digest)];
      expect(await store.open(digest)).toBeUndefined();
      await Promise.all(deletions);
      await keep(store, digest, bytes);
      const deletion = store.delete(digest);
      const writer = await store.writer(digest, 1500);
      expect(writer.missing()).toEqual(segmentsOf(1500));
      await writeAll(writer, bytes);
      await writer.commit();
      await deletion;
      expect(await contentOf(store, digest)).toEqual(bytes);
    });

    it('leaves an unfinished blob alone when the whole one is deleted', async () => {
      const { digest, bytes } = await blobOf(2500);
      const writer = await store.writer(digest, 2500);
      await fill(writer, { index: 0, from: 0, to: 1000 }, bytes);
      await store.delete(digest);
      for (const segment of writer.missing()) await fill(writer, segment, bytes);
      await writer.commit();
      expect(await contentOf(store, digest)).toEqual(bytes);
    });

    it('lends buffers of the length that is asked for, each to one writer at a time', async () => {
      const { digest, bytes } = await blobOf(3000);
      const writer = await store.writer(digest, 3000);
      const lent: Uint8Array<ArrayBuffer>[] = [];
      for (const lengthBytes of [1000, 100, 900, 1000]) {
        const chunk = writer.lend(lengthBytes);
        expect(chunk).toHaveLength(lengthBytes);
        expect(lent.map(({ buffer }) => buffer)).not.toContain(chunk.buffer);
        lent.push(chunk);
      }
      for (const segment of writer.missing()) {
        const chunk = writer.lend(segment.to - segment.from);
        chunk.set(bytes.subarray(segment.from, segment.to));
        await writer.write(segment.from, chunk);
        await writer.finish(segment);
      }
      await writer.commit();
      expect(await contentOf(store, digest)).toEqual(bytes);
    });

    it('names whole blobs without their sizes', async () => {
      const whole = await blobOf(1500);
      const other = await blobOf(700);
      const unfinished = await blobOf(2500);
      expect(await store.digests()).toEqual([]);
      await keep(store, whole.digest, whole.bytes);
      await keep(store, other.digest, other.bytes);
      await store.writer(unfinished.digest, 2500);
      expect(new Set(await store.digests())).toEqual(new Set([whole.digest, other.digest]));
    });

    it('verifies a blob that is intact, one that is damaged and one that is absent', async () => {
      const { digest, bytes } = await blobOf(1500);
      expect(await store.verify(digest)).toBe('absent');
      await keep(store, digest, bytes);
      const told: number[] = [];
      expect(await store.verify(digest, { onProgress: (hashedBytes) => told.push(hashedBytes) })).toBe(
        'intact',
      );
      expect(told.at(-1)).toBe(1500);
      await disk.damage(digest, bytes.with(700, (bytes[700] ?? 0) ^ 1));
      expect(await store.verify(digest)).toBe('damaged');
      expect(await store.digests()).toEqual([digest]);
      await disk.damage(digest, bytes.slice(0, 1499));
      expect(await store.verify(digest)).toBe('damaged');
      await store.delete(digest);
      expect(await store.verify(digest)).toBe('absent');
      await keep(store, digest, bytes);
      expect(await store.verify(digest)).toBe('intact');
    });

    it('counts an unfinished blob as absent', async () => {
      const { digest, bytes } = await blobOf(1500);
      const writer = await store.writer(digest, 1500);
      await writeAll(writer, bytes);
      expect(await store.verify(digest)).toBe('absent');
    });

    for (const sizeBytes of [0, 1, 20_500]) {
      it(`hashes ${sizeBytes} bytes that are not in the store`, async () => {
        const { digest, bytes } = await blobOf(sizeBytes);
        expect(await store.hash(new Blob([bytes]))).toBe(digest);
        expect(await store.list()).toEqual([]);
      });
    }

    it('hashes nothing for a signal that is aborted, before or meanwhile', async () => {
      const { digest, bytes } = await blobOf(1500);
      await keep(store, digest, bytes);
      const reason = new ApiError('aborted', 'Enough.');
      await expect(store.hash(new Blob([bytes]), { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
      const abort = new AbortController();
      const verified = expectCode(store.verify(digest, { signal: abort.signal }), 'aborted');
      abort.abort();
      await verified;
    });

    it('forgets a discarded partial', async () => {
      const { digest, bytes } = await blobOf(2500);
      const writer = await store.writer(digest, 2500);
      await fill(writer, { index: 0, from: 0, to: 1000 }, bytes);
      await writer.close();
      await store.discardPartial(digest);
      expect(await store.partials()).toEqual([]);
      const again = await store.writer(digest, 2500);
      expect(again.receivedBytes).toBe(0);
    });

    it('lists blobs and partials apart', async () => {
      const whole = await blobOf(1500);
      const unfinished = await blobOf(2500);
      await keep(store, whole.digest, whole.bytes);
      const writer = await store.writer(unfinished.digest, 2500);
      await fill(writer, { index: 2, from: 2000, to: 2500 }, unfinished.bytes);
      expect(await store.list()).toEqual([{ digest: whole.digest, sizeBytes: 1500 }]);
      expect(await store.partials()).toEqual([
        { digest: unfinished.digest, sizeBytes: 2500, receivedBytes: 500, touchedAtMs: expect.any(Number) },
      ]);
    });
  });

  describe(`blob store (${name}), large`, () => {
    it('keeps 24 MiB that arrive in 1 MiB chunks', { timeout: 60_000 }, async () => {
      const mebibyte = 1024 * 1024;
      const disk = await makeDisk({ segmentBytes: 8 * mebibyte });
      const store = disk.openTab();
      const { digest, bytes } = await blobOf(24 * mebibyte);
      const writer = await store.writer(digest, bytes.byteLength);
      await Promise.all(writer.missing().map((segment) => fill(writer, segment, bytes, mebibyte)));
      await writer.commit();
      const blob = await store.open(digest);
      expect(blob?.size).toBe(bytes.byteLength);
      const told: number[] = [];
      expect(await store.verify(digest, { onProgress: (hashedBytes) => told.push(hashedBytes) })).toBe(
        'intact',
      );
      expect(told.at(-1)).toBe(bytes.byteLength);
      expect(told).toEqual(told.toSorted((a, b) => a - b));
      const odd = new Blob([bytes, bytes.subarray(0, 12_345)]);
      expect(await store.hash(odd)).toBe(await sha256(new Uint8Array(await odd.arrayBuffer())));
      const abort = new AbortController();
      const aborted = expectCode(store.verify(digest, { signal: abort.signal }), 'aborted');
      abort.abort();
      await aborted;
      await disk.kill();
      await disk.destroy();
    });
  });
}

export function describeModelIndex(name: string, makeIndex: () => Promise<ModelIndex>): void {
  describe(`model index (${name})`, () => {
    let index: ModelIndex;

    beforeEach(async () => {
      index = await makeIndex();
    });

    it('is empty at first', async () => {
      const { id } = await modelOf('a', 1);
      expect(await index.list()).toEqual([]);
      expect(await index.get(id)).toBeUndefined();
      expect(await index.find('docker.io/ai/a:latest')).toBeUndefined();
    });

    it('gives back what was put, by id and by tag', async () => {
      const model = await modelOf('a', 1);
      await index.put(model, ['docker.io/ai/a:latest']);
      const expected: IndexedModel = { ...model, tags: ['docker.io/ai/a:latest'] };
      expect(await index.get(model.id)).toEqual(expected);
      expect(await index.find('docker.io/ai/a:latest')).toEqual(expected);
      expect(await index.list()).toEqual([expected]);
    });

    it('keeps several tags, oldest first, and the model as it was first added', async () => {
      const model = await modelOf('a', 1);
      await index.put(model, ['one']);
      await index.put({ ...model, addedAtMs: 2 }, ['two']);
      await index.put(model, ['one']);
      expect(await index.get(model.id)).toEqual({ ...model, tags: ['one', 'two'] });
    });

    it('moves a tag to the model it was last put on', async () => {
      const [a, b] = [await modelOf('a', 1), await modelOf('b', 2)];
      await index.put(a, ['latest']);
      await index.put(b, ['latest']);
      expect((await index.find('latest'))?.id).toBe(b.id);
      expect((await index.get(a.id))?.tags).toEqual([]);
    });

    it('lists the oldest first', async () => {
      const [a, b] = [await modelOf('a', 2), await modelOf('b', 1)];
      await index.put(a, ['a']);
      await index.put(b, ['b']);
      expect((await index.list()).map(({ id }) => id)).toEqual([b.id, a.id]);
    });

    it('keeps a model whose last tag is taken off', async () => {
      const model = await modelOf('a', 1);
      await index.put(model, ['one']);
      await index.untag('one');
      await index.untag('one');
      expect(await index.find('one')).toBeUndefined();
      expect(await index.get(model.id)).toEqual({ ...model, tags: [] });
    });

    it('removes a model with all its tags', async () => {
      const [a, b] = [await modelOf('a', 1), await modelOf('b', 2)];
      await index.put(a, ['one']);
      await index.put(a, ['two']);
      await index.put(b, ['three']);
      await index.remove(a.id);
      await index.remove(a.id);
      expect(await index.find('one')).toBeUndefined();
      expect((await index.list()).map(({ id }) => id)).toEqual([b.id]);
    });

    it('points several tags at a model at once, each away from where it was', async () => {
      const [a, b, c] = [await modelOf('a', 1), await modelOf('b', 2), await modelOf('c', 3)];
      await index.put(a, ['one', 'mine']);
      await index.put(b, ['two']);
      await index.put(c, ['one', 'two', 'three', 'one']);
      expect((await index.list()).map(({ tags }) => tags)).toEqual([['mine'], [], ['one', 'two', 'three']]);
      expect((await index.find('two'))?.id).toBe(c.id);
    });

    it('keeps a model that is put without a tag, and takes none off that it has', async () => {
      const model = await modelOf('a', 1);
      await index.put(model, []);
      expect(await index.get(model.id)).toEqual({ ...model, tags: [] });
      await index.put(model, ['one']);
      await index.put(model, []);
      expect(await index.get(model.id)).toEqual({ ...model, tags: ['one'] });
    });

    it('tags a model that is there', async () => {
      const [a, b] = [await modelOf('a', 1), await modelOf('b', 2)];
      await index.put(a, ['one', 'latest']);
      await index.put(b, ['two']);
      await index.tag(b.id, 'latest');
      await index.tag(b.id, 'latest');
      expect((await index.get(a.id))?.tags).toEqual(['one']);
      expect((await index.get(b.id))?.tags).toEqual(['two', 'latest']);
    });

    it('tags no model that is not there, and takes the tag from no other', async () => {
      const [a, b] = [await modelOf('a', 1), await modelOf('b', 2)];
      await index.put(a, ['one']);
      await expectCode(index.tag(b.id, 'one'), 'model_not_found');
      expect(await index.list()).toEqual([{ ...a, tags: ['one'] }]);
    });

    it('notes when a model was last used, and nothing for one that is gone', async () => {
      const [a, b] = [await modelOf('a', 1), await modelOf('b', 2)];
      await index.put(a, ['one']);
      expect((await index.get(a.id))?.lastUsedAtMs).toBeUndefined();
      await index.touch(a.id, 7);
      await index.touch(b.id, 8);
      await index.put(a, ['two']);
      await index.untag('one');
      expect(await index.list()).toEqual([{ ...a, tags: ['two'], lastUsedAtMs: 7 }]);
      await index.touch(a.id, 9);
      expect((await index.find('two'))?.lastUsedAtMs).toBe(9);
    });

    it('loses no change of several at the same time', async () => {
      const models = await Promise.all(['a', 'b', 'c', 'd'].map((text, age) => modelOf(text, age)));
      await Promise.all(
        models.flatMap((model) => [index.put(model, [model.id]), index.put(model, ['latest'])]),
      );
      const listed = await index.list();
      expect(listed).toHaveLength(4);
      expect(listed.filter(({ tags }) => tags.includes('latest'))).toHaveLength(1);
      expect(listed.every(({ id, tags }) => tags.includes(id))).toBe(true);
    });
  });
}

export function describeModelSettings(name: string, make: () => Promise<ModelSettingsStore>): void {
  describe(`model settings (${name})`, () => {
    it('gives back what was put last, for each model its own', async () => {
      const settings = await make();
      const [a, b] = [(await modelOf('a', 1)).id, (await modelOf('b', 2)).id];
      expect(await settings.get(a)).toBeUndefined();
      expect(await settings.list()).toEqual(new Map());
      await settings.put(a, { contextSize: 1024 });
      await settings.put(a, { contextSize: 2048, stop: ['x'] });
      await settings.put(b, null);
      expect(await settings.get(a)).toEqual({ contextSize: 2048, stop: ['x'] });
      expect(await settings.list()).toEqual(
        new Map<Digest, unknown>([
          [a, { contextSize: 2048, stop: ['x'] }],
          [b, null],
        ]),
      );
    });

    it('forgets what is removed or put as nothing', async () => {
      const settings = await make();
      const [a, b] = [(await modelOf('a', 1)).id, (await modelOf('b', 2)).id];
      await settings.put(a, 1);
      await settings.put(b, 2);
      await settings.remove(a);
      await settings.remove(a);
      await settings.put(b, undefined);
      expect(await settings.get(a)).toBeUndefined();
      expect(await settings.list()).toEqual(new Map());
    });

    it('keeps what it was given, whatever becomes of that', async () => {
      const settings = await make();
      const { id } = await modelOf('a', 1);
      const value = { stop: ['x'] };
      await settings.put(id, value);
      value.stop.push('y');
      expect(await settings.get(id)).toEqual({ stop: ['x'] });
    });
  });
}

export async function modelOf(text: string, addedAtMs: number): Promise<Omit<IndexedModel, 'tags'>> {
  const manifest = new TextEncoder().encode(`manifest ${text}`);
  return {
    id: await sha256(manifest),
    manifest,
    config: new TextEncoder().encode(`config ${text}`),
    addedAtMs,
  };
}

/** Bytes that differ by size and hardly repeat. */
export async function blobOf(sizeBytes: number): Promise<{ digest: Digest; bytes: Uint8Array<ArrayBuffer> }> {
  const bytes = new Uint8Array(sizeBytes);
  let state = sizeBytes + 1;
  for (let i = 0; i < sizeBytes; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[i] = state >>> 24;
  }
  return { digest: await sha256(bytes), bytes };
}

/** Writes one segment in chunks and finishes it. */
export async function fill(
  writer: BlobWriter,
  segment: Segment,
  bytes: Uint8Array<ArrayBuffer>,
  chunkBytes = Infinity,
): Promise<void> {
  for (let from = segment.from; from < segment.to; from += chunkBytes) {
    await writer.write(from, bytes.slice(from, Math.min(from + chunkBytes, segment.to)));
  }
  await writer.finish(segment);
}

export async function writeAll(writer: BlobWriter, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
  for (const segment of writer.missing()) await fill(writer, segment, bytes);
}

export async function keep(store: BlobStore, digest: Digest, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
  const writer = await store.writer(digest, bytes.byteLength);
  await writeAll(writer, bytes);
  await writer.commit();
}

export async function contentOf(store: BlobStore, digest: Digest): Promise<Uint8Array | undefined> {
  const blob = await store.open(digest);
  return blob && new Uint8Array(await blob.arrayBuffer());
}

export async function expectCode(work: Promise<unknown>, code: ErrorCode): Promise<void> {
  await expect(work).rejects.toMatchObject({ name: 'ApiError', code });
}

/** A writer after a kill: the dead tab's file can be held a moment longer, which shows as `conflict`. */
export async function reopened(store: BlobStore, digest: Digest, sizeBytes: number): Promise<BlobWriter> {
  let writer: BlobWriter | undefined;
  await expect
    .poll(async () => (writer = await store.writer(digest, sizeBytes).catch(() => undefined)))
    .toBeDefined();
  if (!writer) throw new Error('no writer');
  return writer;
}

function segmentsOf(sizeBytes: number): readonly Segment[] {
  return Array.from({ length: Math.ceil(sizeBytes / segmentBytes) }, (_, index) => ({
    index,
    from: index * segmentBytes,
    to: Math.min((index + 1) * segmentBytes, sizeBytes),
  }));
}
