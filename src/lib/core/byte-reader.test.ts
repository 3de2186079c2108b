import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readBytes, type ByteReader } from './byte-reader.ts';

type Chunk = Uint8Array<ArrayBuffer>;

function byteStream(chunks: readonly Chunk[]): ReadableStream<Chunk> {
  const left = chunks.map((chunk) => chunk.slice());
  return new ReadableStream({
    type: 'bytes',
    pull(controller) {
      const next = left.shift();
      if (next && next.byteLength > 0) {
        controller.enqueue(next);
        return;
      }
      if (next) return this.pull?.(controller);
      controller.close();
      controller.byobRequest?.respond(0);
    },
  });
}

function plainStream(chunks: readonly Chunk[]): ReadableStream<Chunk> {
  return new ReadableStream({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(chunk.slice());
      controller.close();
    },
  });
}

async function readAll(reader: ByteReader, targetBytes: number): Promise<readonly number[]> {
  const all: number[] = [];
  for (;;) {
    const read = await reader.fill(new Uint8Array(targetBytes));
    all.push(...read);
    if (read.byteLength < targetBytes) return all;
  }
}

describe.each([
  ['a byte stream', byteStream],
  ['a plain stream', plainStream],
])('readBytes of %s', (_, streamOf) => {
  it('fills each buffer wholly, whatever the chunks', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ maxLength: 40 })),
        fc.integer({ min: 1, max: 50 }),
        async (chunks, targetBytes) => {
          const reader = readBytes(streamOf(chunks.map((chunk) => new Uint8Array(chunk))));
          expect(await readAll(reader, targetBytes)).toEqual(chunks.flatMap((chunk) => [...chunk]));
          expect(await reader.fill(new Uint8Array(1))).toHaveLength(0);
        },
      ),
    );
  });

  it('fills a view where it lies', async () => {
    const reader = readBytes(streamOf([new Uint8Array([1, 2]), new Uint8Array([3, 4, 5])]));
    const read = await reader.fill(new Uint8Array(new ArrayBuffer(10), 4, 3));
    expect(read).toEqual(new Uint8Array([1, 2, 3]));
    expect(read.byteOffset).toBe(4);
    expect(new Uint8Array(read.buffer)).toEqual(new Uint8Array([0, 0, 0, 0, 1, 2, 3, 0, 0, 0]));
  });
});

describe('readBytes', () => {
  it('needs one buffer for a whole file', async () => {
    const reader = readBytes(new Blob([new Uint8Array(5000).fill(7)]).stream());
    let buffer = new ArrayBuffer(1000);
    for (let round = 0; round < 5; round++) {
      const read = await reader.fill(new Uint8Array(buffer));
      expect(read).toHaveLength(1000);
      ({ buffer } = read);
      expect(buffer.byteLength).toBe(1000);
    }
    expect(await reader.fill(new Uint8Array(buffer))).toHaveLength(0);
  });

  it('passes the failure of the stream on', async () => {
    const broken = () =>
      new ReadableStream<Chunk>({ pull: (controller) => controller.error(new Error('cut')) });
    await expect(readBytes(broken()).fill(new Uint8Array(1))).rejects.toThrow('cut');
  });

  it('ends a fill that waits when it is cancelled', async () => {
    for (const type of ['bytes', undefined] as const) {
      let reason: unknown;
      const source = { cancel: (given: unknown) => void (reason = given ?? 'cancelled') };
      const reader = readBytes(
        type ? new ReadableStream({ type, ...source }) : new ReadableStream<Chunk>(source),
      );
      const waiting = reader.fill(new Uint8Array(1));
      await reader.cancel();
      expect(await waiting).toHaveLength(0);
      expect(reason).toBe('cancelled');
    }
  });
});
