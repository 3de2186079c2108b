import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sha256 } from '#lib/core/digest.ts';
import { ApiError } from '#lib/core/errors.ts';
import { blobOf, contentOf, expectCode, fill, keep } from '#tests/contract/store.ts';
import { ingest } from './ingest.ts';
import { MemoryBlobStore } from './memory/blob-store.ts';
import { MemoryDisk } from './memory/disk.ts';

type Chunk = Uint8Array<ArrayBuffer>;

const segmentBytes = 1000;

/** A stream that tells whether it was ended early. */
function streamOf(bytes: Chunk, { chunkBytes = 300, failsAt = Infinity, hangsAt = Infinity } = {}) {
  const told = { cancelled: false, pulledBytes: 0 };
  const stream = new ReadableStream<Chunk>(
    {
      pull(controller) {
        const from = told.pulledBytes;
        if (from >= hangsAt) return new Promise<void>(() => undefined);
        if (from >= failsAt) {
          controller.error(new TypeError('network error'));
          return;
        }
        if (from >= bytes.byteLength) {
          controller.close();
          return;
        }
        told.pulledBytes += chunkBytes;
        controller.enqueue(bytes.slice(from, told.pulledBytes));
      },
      cancel: () => void (told.cancelled = true),
    },
    { highWaterMark: 0 },
  );
  return { stream, told };
}

async function expectNothing(store: MemoryBlobStore): Promise<void> {
  expect(await store.list()).toEqual([]);
  expect(await store.partials()).toEqual([]);
}

describe('ingest', () => {
  const open = () => new MemoryBlobStore({ segmentBytes });

  it('stores any bytes in any chunks, as a byte stream or not', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 3000 }),
        fc.integer({ min: 1, max: 700 }),
        fc.integer({ min: 1, max: 700 }),
        fc.boolean(),
        async (random, chunkBytes, smallSegmentBytes, asFile) => {
          const bytes = new Uint8Array(random);
          const digest = await sha256(bytes);
          const store = new MemoryBlobStore({ segmentBytes: smallSegmentBytes });
          const source = asFile ? new Blob([bytes]).stream() : streamOf(bytes, { chunkBytes }).stream;
          await ingest(store, digest, bytes.byteLength, source);
          expect(await contentOf(store, digest)).toEqual(bytes);
          expect(await store.partials()).toEqual([]);
        },
      ),
    );
  });

  it('tells how far it is', async () => {
    const { digest, bytes } = await blobOf(2500);
    const told: number[] = [];
    await ingest(open(), digest, 2500, streamOf(bytes).stream, {
      onProgress: (receivedBytes) => told.push(receivedBytes),
    });
    expect(told).toEqual([1000, 2000, 2500]);
  });

  it('writes only what an unfinished download left open', async () => {
    const { digest, bytes } = await blobOf(5500);
    const store = open();
    const writer = await store.writer(digest, 5500);
    for (const index of [0, 2, 3]) {
      await fill(writer, { index, from: index * 1000, to: (index + 1) * 1000 }, bytes);
    }
    await writer.close();
    const told: number[] = [];
    await ingest(store, digest, 5500, streamOf(bytes).stream, {
      onProgress: (receivedBytes) => told.push(receivedBytes),
    });
    expect(told).toEqual([4000, 5000, 5500]);
    expect(await contentOf(store, digest)).toEqual(bytes);
  });

  it('reads nothing for a blob that is there, and ends the stream', async () => {
    const { digest, bytes } = await blobOf(2500);
    const store = open();
    await keep(store, digest, bytes);
    const { stream, told } = streamOf(bytes);
    await ingest(store, digest, 2500, stream);
    expect(told).toEqual({ cancelled: true, pulledBytes: 0 });
    expect(await contentOf(store, digest)).toEqual(bytes);
  });

  it('refuses another size for a blob that is there, which stays', async () => {
    const { digest, bytes } = await blobOf(2500);
    const store = open();
    await keep(store, digest, bytes);
    await expectCode(ingest(store, digest, 2400, streamOf(bytes).stream), 'digest_mismatch');
    expect(await contentOf(store, digest)).toEqual(bytes);
  });

  it.each([
    ['ends early', 2600, {}, 'invalid_request'],
    ['ends early at a segment', 3000, {}, 'invalid_request'],
    ['goes on past its size', 2400, {}, 'invalid_request'],
    ['goes on although it has a size of nothing', 0, {}, 'invalid_request'],
    ['breaks off', 2500, { failsAt: 1500 }, 'invalid_request'],
  ] as const)('keeps nothing of a source that %s', async (_, sizeBytes, faults, code) => {
    const { digest, bytes } = await blobOf(2500);
    const store = open();
    const { stream, told } = streamOf(bytes, faults);
    await expectCode(ingest(store, digest, sizeBytes, stream), code);
    await expectNothing(store);
    expect(told.pulledBytes).toBeLessThanOrEqual(2700);
    const again = await store.writer(digest, 2500);
    expect(again.receivedBytes).toBe(0);
  });

  it('stops an endless source after its size', async () => {
    const { digest } = await blobOf(2500);
    const store = open();
    let pulledBytes = 0;
    const endless = new ReadableStream<Chunk>({
      pull(controller) {
        pulledBytes += 500;
        controller.enqueue(new Uint8Array(500));
      },
    });
    await expectCode(ingest(store, digest, 2500, endless), 'invalid_request');
    expect(pulledBytes).toBeLessThan(5000);
    await expectNothing(store);
  });

  it('keeps nothing of bytes that are not those of the digest, and speaks of the file', async () => {
    const { digest, bytes } = await blobOf(2500);
    const store = open();
    bytes[1234] = (bytes[1234] ?? 0) ^ 1;
    await expect(ingest(store, digest, 2500, streamOf(bytes).stream)).rejects.toMatchObject({
      code: 'digest_mismatch',
      message: expect.stringContaining('file'),
    });
    await expectNothing(store);
  });

  it('passes on the error that the source has in our words', async () => {
    const { digest } = await blobOf(2500);
    const reason = new ApiError('registry_unreachable', 'Gone.');
    const broken = new ReadableStream<Chunk>({ pull: (controller) => controller.error(reason) });
    await expect(ingest(open(), digest, 2500, broken)).rejects.toBe(reason);
  });

  it('says storage_full and ends the stream', async () => {
    const { digest, bytes } = await blobOf(2500);
    const store = new MemoryBlobStore({ segmentBytes, capacityBytes: 2000 });
    const { stream, told } = streamOf(bytes);
    await expectCode(ingest(store, digest, 2500, stream), 'storage_full');
    expect(told.cancelled).toBe(true);
    await expectNothing(store);
  });

  it('leaves a digest that is being downloaded to its writer', async () => {
    const { digest, bytes } = await blobOf(2500);
    const store = open();
    const writer = await store.writer(digest, 2500);
    const { stream, told } = streamOf(bytes);
    await expectCode(ingest(store, digest, 2500, stream), 'conflict');
    expect(told.cancelled).toBe(true);
    for (const segment of writer.missing()) await fill(writer, segment, bytes);
    await writer.commit();
  });

  it('starts nothing for a signal that is aborted', async () => {
    const { digest, bytes } = await blobOf(2500);
    const store = open();
    const { stream, told } = streamOf(bytes);
    await expectCode(ingest(store, digest, 2500, stream, { signal: AbortSignal.abort() }), 'aborted');
    expect(told).toEqual({ cancelled: true, pulledBytes: 0 });
    await expectNothing(store);
  });

  it('stops a source that hangs when it is aborted, and keeps nothing', async () => {
    const { digest, bytes } = await blobOf(2500);
    const store = open();
    const abort = new AbortController();
    const { stream, told } = streamOf(bytes, { hangsAt: 1500 });
    const stopped = expectCode(ingest(store, digest, 2500, stream, { signal: abort.signal }), 'aborted');
    await expect.poll(() => told.pulledBytes).toBe(1500);
    abort.abort();
    await stopped;
    expect(told.cancelled).toBe(true);
    await expectNothing(store);
  });

  it('leaves what a download had before when it is aborted', async () => {
    const { digest, bytes } = await blobOf(2500);
    const store = open();
    const writer = await store.writer(digest, 2500);
    await fill(writer, { index: 1, from: 1000, to: 2000 }, bytes);
    await writer.close();
    const broken = streamOf(bytes, { failsAt: 300 });
    await expectCode(ingest(store, digest, 2500, broken.stream), 'invalid_request');
    expect(await store.partials()).toMatchObject([{ digest, receivedBytes: 1000 }]);
  });

  it('says what went wrong first when cleaning up fails too', async () => {
    const { digest, bytes } = await blobOf(2500);
    const disk = new MemoryDisk();
    const store = new MemoryBlobStore({ disk, segmentBytes });
    store.discardPartial = () => Promise.reject(new Error('broken disk'));
    await expectCode(ingest(store, digest, 2600, streamOf(bytes).stream), 'invalid_request');
  });
});
