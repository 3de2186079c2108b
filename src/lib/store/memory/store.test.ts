import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sha256 } from '#lib/core/digest.ts';
import {
  contentOf,
  describeBlobStore,
  describeModelIndex,
  describeModelSettings,
  oversizeBytes,
} from '#tests/contract/store.ts';
import { describeStoreLife } from '#tests/contract/store-life.ts';
import { MemoryBlobStore } from './blob-store.ts';
import { MemoryDisk } from './disk.ts';
import { MemoryModelIndex } from './model-index.ts';
import { MemoryModelSettings } from './model-settings.ts';

describeBlobStore('memory', async ({ segmentBytes }) => {
  const disk = new MemoryDisk();
  return {
    openTab: () => new MemoryBlobStore({ disk, segmentBytes, capacityBytes: oversizeBytes - 1 }),
    kill: async () => disk.kill(),
    damage: async (digest, bytes) => void disk.blobs.set(digest, new Blob([bytes])),
    destroy: async () => undefined,
  };
});

describeModelIndex('memory', async () => new MemoryModelIndex());

describeModelSettings('memory', async () => new MemoryModelSettings());

describeStoreLife(
  'memory',
  async ({ segmentBytes }) => {
    const disk = new MemoryDisk();
    return {
      disk: {
        openTab: () => new MemoryBlobStore({ disk, segmentBytes }),
        kill: async () => disk.kill(),
        destroy: async () => undefined,
      },
      index: new MemoryModelIndex(),
      sweep: async () => undefined,
    };
  },
  { runs: 100, maxSteps: 60 },
);

describe('MemoryBlobStore', () => {
  it('counts whole and unfinished blobs against its capacity', async () => {
    const store = new MemoryBlobStore({ capacityBytes: 1000, segmentBytes: 100 });
    const bytes = new Uint8Array(600);
    const digest = await sha256(bytes);
    const first = await store.writer(digest, 600);
    const other = await sha256(new Uint8Array(500));
    await expect(store.writer(other, 500)).rejects.toMatchObject({ code: 'storage_full' });
    await first.close();
    await store.discardPartial(digest);
    await store.writer(other, 500);
  });

  it('makes the same blob of any order of segments and any chunks', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 3000 }),
        fc.integer({ min: 1, max: 400 }),
        fc.integer({ min: 1, max: 500 }),
        fc.infiniteStream(fc.nat()),
        async (bytes, segmentBytes, chunkBytes, order) => {
          const content = new Uint8Array(bytes);
          const digest = await sha256(content);
          const store = new MemoryBlobStore({ segmentBytes });
          const writer = await store.writer(digest, content.byteLength);
          for (let missing = writer.missing(); missing.length > 0; missing = writer.missing()) {
            const segment = missing[order.next().value % missing.length] ?? missing[0];
            if (!segment) break;
            for (let from = segment.from; from < segment.to; from += chunkBytes) {
              await writer.write(from, content.slice(from, Math.min(from + chunkBytes, segment.to)));
            }
            await writer.finish(segment);
          }
          expect(writer.receivedBytes).toBe(content.byteLength);
          await writer.commit();
          expect(await contentOf(store, digest)).toEqual(content);
        },
      ),
    );
  });
});
