import { readFile } from 'node:fs/promises';
import { gguf, type GGUFParseOutput } from '@huggingface/gguf';
import { describe, expect, it } from 'vitest';
import { entry, join, text, u32, u64 } from '#tests/support/registry/gguf-bytes.ts';
import { parseGgufHeader } from './gguf.ts';
import { virtualShards } from './gguf-shards.ts';
import type { RawTensor } from './gguf-shards-index.ts';
import { entryBytes, headerBytes } from './gguf-shards-writer.ts';

const limitBytes = 300_000;

const tiny = new Blob([await readFile('tests/fixtures/tiny.gguf')]);

/** As a reader sees it that nobody here wrote. */
async function read(file: Blob): Promise<GGUFParseOutput> {
  const fetchRange: typeof fetch = async (_, init) => {
    const [, from, to] = /bytes=(\d+)-(\d+)/.exec(new Headers(init?.headers).get('range') ?? '') ?? [];
    return new Response(file.slice(Number(from), Number(to) + 1), { status: 206 });
  };
  return gguf('http://oracle.test/model.gguf', { fetch: fetchRange });
}

/** The bytes of every tensor by name; of the last one of a file whatever is left. */
async function tensorsOf(file: Blob): Promise<Map<string, Uint8Array>> {
  const { tensorInfos, tensorDataOffset } = await read(file);
  const starts = tensorInfos.map(({ offset }) => Number(tensorDataOffset + offset));
  const entries = tensorInfos.map(async ({ name }, index): Promise<[string, Uint8Array]> => {
    const bytes = await file.slice(starts[index], starts[index + 1] ?? file.size).arrayBuffer();
    return [name, new Uint8Array(bytes)];
  });
  return new Map(await Promise.all(entries));
}

async function tensorsOfAll(files: readonly Blob[]): Promise<Map<string, Uint8Array>> {
  const maps = await Promise.all(files.map(tensorsOf));
  return new Map(maps.flatMap((map) => [...map]));
}

/** To be compared as text, which is much faster than byte by byte. */
function hexOf(tensors: ReadonlyMap<string, Uint8Array>): [string, string][] {
  return [...tensors].map(([name, bytes]) => [name, Buffer.from(bytes).toString('hex')]);
}

describe('virtual shards', async () => {
  const shards = await virtualShards([tiny], limitBytes);

  it('are no larger than the limit, and several', () => {
    expect(shards.length).toBeGreaterThanOrEqual(5);
    for (const { size } of shards) expect(size).toBeLessThanOrEqual(limitBytes);
  });

  it('have the tensors of the file, byte for byte and in its order', async () => {
    const [theirs, ours] = [await tensorsOf(tiny), await tensorsOfAll(shards)];
    expect(hexOf(ours)).toEqual(hexOf(theirs));
  });

  it('are aligned, so that tensors can be read in place', async () => {
    for (const shard of shards) {
      const { tensorInfos, tensorDataOffset } = await read(shard);
      expect(Number(tensorDataOffset) % 32).toBe(0);
      for (const { offset } of tensorInfos) expect(Number(offset) % 32).toBe(0);
    }
  });

  it('carry all metadata in the first, and their place in each', async () => {
    const whole = await parseGgufHeader(tiny);
    const headers = await Promise.all(shards.map((shard) => parseGgufHeader(shard)));
    const place = (number: number) =>
      new Map([
        ['split.no', number],
        ['split.count', shards.length],
        ['split.tensors.count', whole.tensorCount],
      ]);
    expect(headers[0]?.metadata).toEqual(new Map([...whole.metadata, ...place(0)]));
    expect(headers[0]?.types.get('split.no')).toBe('uint16');
    expect(headers[0]?.types.get('split.tensors.count')).toBe('int32');
    for (const [number, { metadata }] of [...headers.entries()].slice(1))
      expect(metadata).toEqual(place(number));
  });

  it('are made of split files too, where one of them is too large', async () => {
    const halves = await virtualShards([tiny], 1_000_000);
    expect(halves.length).toBeGreaterThan(1);
    const again = await virtualShards(halves, limitBytes);
    expect(hexOf(await tensorsOfAll(again))).toEqual(hexOf(await tensorsOfAll(shards)));
    expect((await parseGgufHeader(again[0] ?? tiny)).metadata).toEqual(
      (await parseGgufHeader(shards[0] ?? tiny)).metadata,
    );
  });

  it('keep an alignment that is not the usual one', async () => {
    const metadata = [entryBytes.u32('general.alignment', 64), entryBytes.u32('general.file_type', 0)];
    const tensors = ['a', 'b', 'c'].map((name, index) => rawTensor(name, index + 1));
    const data = tensors.map((tensor) => tensor.data);
    const file = new Blob([headerBytes(metadata, tensors, 64), ...data]);
    const aligned = await virtualShards([file], 2000);
    expect(aligned.length).toBeGreaterThan(1);
    for (const shard of aligned) {
      const { metadata: entries, dataOffset } = await parseGgufHeader(shard);
      expect(entries.get('general.alignment')).toBe(64);
      expect(dataOffset % 64).toBe(0);
    }
    const found = await tensorsOfAll(aligned);
    expect([...found].map(([name, bytes]) => [name, bytes[0], bytes.byteLength])).toEqual([
      ['a', 1, 1024],
      ['b', 2, 1024],
      ['c', 3, 1024],
    ]);
  });

  it('begin with one of metadata alone where they leave no room', async () => {
    const entries = [
      entry.text('general.architecture', 'llama'),
      entry.text('general.name', 'x'.repeat(2000)),
    ];
    const metadata = entries.map(([key, type, value]) => ({ key, bytes: join(text(key), u32(type), value) }));
    const tensors = [rawTensor('a', 1)];
    const file = new Blob([headerBytes(metadata, tensors, 32), ...tensors.map(({ data }) => data)]);
    const headers = await Promise.all(
      (await virtualShards([file], 2000)).map((shard) => parseGgufHeader(shard)),
    );
    expect(headers.map(({ tensorCount }) => tensorCount)).toEqual([0, 1]);
  });
});

/** 256 floats whose bytes are all the same. */
function rawTensor(name: string, byte: number): RawTensor {
  const bytes = join(text(name), u32(1), u64(256n), u32(0));
  return { bytes, data: new Blob([new Uint8Array(1024).fill(byte)]) };
}

describe('virtualShards', () => {
  it('leaves files alone that are small enough', async () => {
    const files = [tiny];
    expect(await virtualShards(files)).toBe(files);
    expect(await virtualShards(files, tiny.size)).toBe(files);
  });

  it('refuses a tensor that no shard can hold, and says how large it is', async () => {
    const failing = virtualShards([tiny], 50_000);
    await expect(failing).rejects.toMatchObject({ code: 'unsupported_model_format' });
    await expect(failing).rejects.toThrow(/One tensor of this model has [\d.]+ KB/);
  });

  it.each<[string, Blob]>([
    ['a file that is no GGUF', new Blob(['x'.repeat(1000)])],
    ['a file that was cut short', tiny.slice(0, 400_000)],
    ['a file that was cut within its header', tiny.slice(0, 1000)],
  ])('refuses %s', async (_, file) => {
    await expect(virtualShards([file], 500)).rejects.toMatchObject({ code: 'unsupported_model_format' });
  });
});
