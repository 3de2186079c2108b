import { describe, expect, it } from 'vitest';
import { FileSource, ForwardSource, type ArchiveSource } from './source.ts';

const bytes = new Uint8Array(5000).map((_, index) => index % 251);

function streamed(chunkBytes: number, onCancel?: () => void): ReadableStream<Uint8Array<ArrayBuffer>> {
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (at >= bytes.byteLength) controller.close();
      else controller.enqueue(bytes.slice(at, (at += chunkBytes)));
    },
    ...(onCancel && { cancel: onCancel }),
  });
}

async function all(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<Uint8Array> {
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

const sources: readonly (readonly [string, () => ArchiveSource])[] = [
  ['a file', () => new FileSource(new Blob([bytes]))],
  ['a stream in small pieces', () => new ForwardSource(streamed(7), bytes.byteLength)],
  ['a stream in large pieces', () => new ForwardSource(streamed(4096), bytes.byteLength)],
  ['a stream in one piece', () => new ForwardSource(streamed(5000), bytes.byteLength)],
];

describe.each(sources)('%s', (_, open) => {
  it('reads forward, with gaps', async () => {
    const source = open();
    expect(source.sizeBytes).toBe(5000);
    expect(await source.read(0, 512)).toEqual(bytes.slice(0, 512));
    expect(await source.read(600, 100)).toEqual(bytes.slice(600, 700));
  });

  it('gives bodies between reads, also of nothing, and goes on after one that was left half-read', async () => {
    const source = open();
    expect(await all(source.body(512, 1000))).toEqual(bytes.slice(512, 1512));
    expect(await all(source.body(1512, 0))).toEqual(new Uint8Array(0));
    expect(await source.read(2048, 10)).toEqual(bytes.slice(2048, 2058));
    const reader = source.body(2560, 1024).getReader();
    await reader.read();
    await reader.cancel();
    expect(await source.read(4608, 392)).toEqual(bytes.slice(4608));
  });

  it('gives less at the end', async () => {
    const source = open();
    expect(await source.read(4990, 512)).toEqual(bytes.slice(4990));
    expect(await source.read(5000, 512)).toEqual(new Uint8Array(0));
    expect(await all(source.body(5000, 100))).toEqual(new Uint8Array(0));
  });
});

describe('a stream', () => {
  it('has no size unless one is said, and does not go back', async () => {
    const source = new ForwardSource(streamed(100));
    expect(source.sizeBytes).toBe(Infinity);
    await source.read(0, 200);
    await expect(source.read(100, 10)).rejects.toThrow(RangeError);
  });

  it('fails as its sender fails', async () => {
    const broken = new ReadableStream<Uint8Array<ArrayBuffer>>({
      start: (controller) => controller.error(new Error('gone')),
    });
    await expect(new ForwardSource(broken).read(0, 1)).rejects.toThrow('gone');
  });

  it('tells its sender when nobody wants the rest', async () => {
    let cancelled = false;
    await new ForwardSource(streamed(100, () => (cancelled = true))).cancel();
    expect(cancelled).toBe(true);
  });
});
