import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sha256 } from '#lib/core/digest.ts';
import { SegmentMap } from '#lib/store/segments.ts';
import { blobOf } from '#tests/contract/store.ts';
import { BlobFile, reserve, type SyncFile } from './blob-file.ts';
import { createSha256, type Hashed, type Hasher, type Sha256 } from './sha256.ts';

/** A sync access handle in memory that remembers what was asked of it. */
class FakeSyncFile implements SyncFile {
  bytes = new Uint8Array(0);
  readonly reads: number[] = [];
  readonly calls: string[] = [];
  fault: Error | 'short write' | 'no effect' | undefined;

  read(buffer: Uint8Array<ArrayBuffer>, { at }: { at: number }): number {
    this.reads.push(at);
    buffer.set(this.bytes.subarray(at, at + buffer.byteLength));
    return buffer.byteLength;
  }

  write(buffer: Uint8Array<ArrayBuffer>, { at }: { at: number }): number {
    if (this.fault === 'short write') return buffer.byteLength - 1;
    if (this.fault) throw this.fault;
    this.bytes.set(buffer, at);
    return buffer.byteLength;
  }

  truncate(sizeBytes: number): void {
    if (this.fault === 'no effect') return;
    if (this.fault instanceof Error && sizeBytes > 0) throw this.fault;
    const bytes = new Uint8Array(sizeBytes);
    bytes.set(this.bytes.subarray(0, sizeBytes));
    this.bytes = bytes;
  }

  getSize(): number {
    return this.bytes.byteLength;
  }

  flush(): void {
    this.calls.push('flush');
  }

  close(): void {
    this.calls.push('close');
  }
}

/** Answers when it is told to, as a worker that is slow does. */
class SlowHasher implements Hasher {
  readonly #hasher: Sha256;
  readonly #gates: (() => void)[] = [];

  constructor(hasher: Sha256) {
    this.#hasher = hasher;
  }

  get waiting(): number {
    return this.#gates.length;
  }

  async update(buffer: ArrayBuffer, lengthBytes: number): Promise<Hashed> {
    const hashed = this.#hasher.update(buffer, lengthBytes);
    await new Promise<void>((resolve) => this.#gates.push(resolve));
    return hashed;
  }

  digest() {
    return this.#hasher.digest();
  }

  release(): void {
    for (const open of this.#gates.splice(0)) open();
  }
}

const limits = { pieceBytes: 100, checkpointBytes: 1000, hashedBytes: 0 };
const quota = new DOMException('No space', 'QuotaExceededError');

async function opened(sizeBytes: number, options: Partial<typeof limits> & { hasher?: Hasher } = {}) {
  const disk = new FakeSyncFile();
  reserve(disk, sizeBytes);
  const file = new BlobFile(disk, { ...limits, hasher: await createSha256(), ...options });
  return { disk, file };
}

describe('BlobFile', () => {
  it('hashes what was written, whatever the order', async () => {
    const { digest, bytes } = await blobOf(550);
    const { file } = await opened(550);
    file.write(300, bytes.slice(300));
    file.write(0, bytes.slice(0, 300));
    file.advance(550);
    expect(await file.digest()).toBe(digest);
    expect(await file.digest()).toBe(digest);
  });

  it('lets nothing change that may be hashed already', async () => {
    const { digest, bytes } = await blobOf(550);
    const { disk, file } = await opened(550);
    file.write(0, bytes.slice());
    file.advance(300);
    file.write(100, new Uint8Array(50));
    file.write(200, new Uint8Array([...new Uint8Array(100), ...bytes.slice(300, 400)]));
    file.advance(550);
    expect(await file.digest()).toBe(digest);
    expect(disk.bytes).toEqual(bytes);
  });

  it('hashes nothing beyond the frontier', async () => {
    const { bytes } = await blobOf(550);
    const { disk, file } = await opened(550);
    file.write(0, bytes.slice());
    file.advance(250);
    await expect.poll(() => disk.reads).toEqual([0, 100, 200]);
    file.advance(300);
    await expect.poll(() => disk.reads).toEqual([0, 100, 200, 250]);
  });

  it('keeps two pieces with the hasher and writes meanwhile', async () => {
    const { digest, bytes } = await blobOf(1000);
    const hasher = new SlowHasher(await createSha256());
    const { disk, file } = await opened(1000, { hasher });
    file.write(0, bytes.slice(0, 500));
    file.advance(500);
    await expect.poll(() => hasher.waiting).toBe(2);
    file.write(500, bytes.slice(500));
    file.advance(1000);
    expect(disk.reads).toEqual([0, 100]);
    const whole = file.digest();
    await expect
      .poll(() => {
        hasher.release();
        return disk.reads.length;
      })
      .toBe(10);
    hasher.release();
    expect(await whole).toBe(digest);
  });

  it('gives a checkpoint each time enough is hashed, after a flush', async () => {
    const { disk, file } = await opened(4000, { checkpointBytes: 1000 });
    expect(file.advance(900)).toBeUndefined();
    await expect.poll(() => disk.reads).toHaveLength(9);
    expect(disk.calls).toEqual([]);
    expect(file.advance(1000)).toBeUndefined();
    await expect.poll(() => disk.calls).toEqual(['flush']);
    expect(file.advance(1100)).toMatchObject({ hashedBytes: 1000 });
    await expect.poll(() => disk.reads).toHaveLength(11);
    expect(file.advance(1200)).toMatchObject({ hashedBytes: 1000 });
    expect(disk.calls).toEqual(['flush']);
  });

  it('goes on from a checkpoint without reading what is hashed already', async () => {
    const { digest, bytes } = await blobOf(1000);
    const first = await opened(1000);
    first.file.write(0, bytes.slice(0, 700));
    first.file.advance(700);
    await expect.poll(() => first.disk.reads).toHaveLength(7);
    const checkpoint = await first.file.close();
    expect(checkpoint?.hashedBytes).toBe(700);
    expect(checkpoint?.hashState).toHaveLength(116);
    expect(first.disk.calls).toEqual(['flush', 'close']);

    const second = await opened(1000, {
      hasher: await createSha256(checkpoint?.hashState),
      hashedBytes: 700,
    });
    second.file.write(700, bytes.slice(700));
    second.file.advance(1000);
    expect(await second.file.digest()).toBe(digest);
    expect(second.disk.reads).toEqual([700, 800, 900]);
  });

  it('refuses a hash state of another build', async () => {
    await expect(createSha256(new Uint8Array(116))).rejects.toThrow();
  });

  it.each([
    ['an error of the disk', quota],
    ['a short write', 'short write' as const],
  ])('says storage_full on %s', async (_, fault) => {
    const { disk, file } = await opened(1000);
    disk.fault = fault;
    expect(() => file.write(0, new Uint8Array(10))).toThrow(
      expect.objectContaining({ code: 'storage_full' }),
    );
    disk.fault = undefined;
    file.write(0, new Uint8Array(10));
  });

  it.each([
    ['an error', quota],
    ['no effect', 'no effect' as const],
  ])('says storage_full when reserving the size has %s', (_, fault) => {
    const disk = new FakeSyncFile();
    disk.fault = fault;
    expect(() => reserve(disk, 1000)).toThrow(expect.objectContaining({ code: 'storage_full' }));
  });

  it('reserves over what an untrusted file held', async () => {
    const disk = new FakeSyncFile();
    disk.bytes = new Uint8Array([1, 2, 3]);
    reserve(disk, 5);
    expect(disk.bytes).toEqual(new Uint8Array(5));
  });

  it('stops hashing when it is closed, and says so to who waits for the digest', async () => {
    const hasher = new SlowHasher(await createSha256());
    const { disk, file } = await opened(1000, { hasher });
    file.advance(1000);
    await expect.poll(() => hasher.waiting).toBe(2);
    const digest = expect(file.digest()).rejects.toMatchObject({ code: 'aborted' });
    const closed = file.close();
    hasher.release();
    expect(await closed).toMatchObject({ hashedBytes: 200 });
    await digest;
    expect(disk.reads).toEqual([0, 100]);
    expect(() => file.write(0, new Uint8Array(1))).toThrow(expect.objectContaining({ code: 'aborted' }));
  });

  it('reports a hasher that fails, and frees the file all the same', async () => {
    const hasher: Hasher = {
      update: () => Promise.reject(new Error('no memory')),
      digest: () => Promise.reject(new Error('no memory')),
    };
    const { disk, file } = await opened(1000, { hasher });
    file.advance(1000);
    await expect(file.digest()).rejects.toThrow('no memory');
    await expect(file.close()).rejects.toThrow('no memory');
    expect(disk.calls.at(-1)).toBe('close');
  });

  it('gives the digest of any order of segments, any chunks and any pieces', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 3000 }),
        fc.integer({ min: 1, max: 400 }),
        fc.integer({ min: 1, max: 500 }),
        fc.integer({ min: 1, max: 500 }),
        fc.infiniteStream(fc.nat()),
        async (random, segmentBytes, chunkBytes, pieceBytes, order) => {
          const bytes = new Uint8Array(random);
          const { disk, file } = await opened(bytes.byteLength, { pieceBytes });
          const segments = new SegmentMap(bytes.byteLength, segmentBytes);
          for (let missing = segments.missing(); missing.length > 0; missing = segments.missing()) {
            const segment = missing[order.next().value % missing.length];
            if (!segment) break;
            for (let from = segment.from; from < segment.to; from += chunkBytes) {
              file.write(from, bytes.slice(from, Math.min(from + chunkBytes, segment.to)));
            }
            segments.finish(segment.index);
            file.advance(segments.frontierBytes);
          }
          expect(await file.digest()).toBe(await sha256(bytes));
          expect(disk.bytes).toEqual(bytes);
          await file.close();
        },
      ),
    );
  });
});
