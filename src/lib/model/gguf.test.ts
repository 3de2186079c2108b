import { readFile } from 'node:fs/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ApiError } from '#lib/core/errors.ts';
import { entry, f32, ggufBytes, join, text, u32, u64, utf8 } from '#tests/support/registry/gguf-bytes.ts';
import { parseGgufHeader, type ByteSource } from './gguf.ts';

const fixture = async (name: string) =>
  new Uint8Array(await readFile(new URL(`../../../tests/fixtures/${name}`, import.meta.url)));
const headerEnd = 13_375;
const notGguf = expect.objectContaining({ code: 'unsupported_model_format' });

describe('parseGgufHeader', () => {
  it.each([
    ['tiny.gguf', 'ALL_F32'],
    ['tiny-q8_0.gguf', 'MOSTLY_Q8_0'],
  ])('reads what %s is', async (name, quantization) => {
    const header = await parseGgufHeader(await fixture(name));
    expect(header).toMatchObject({
      version: 3,
      architecture: 'llama',
      contextLength: 2048,
      quantization,
      tensorCount: 20,
      parameters: 393_856,
      dataOffset: 13_376,
    });
  });

  it('spells the metadata as Docker Model Runner does, without arrays over 50 items', async () => {
    const { wireMetadata } = await parseGgufHeader(await fixture('tiny.gguf'));
    expect(wireMetadata).toMatchObject({
      'general.architecture': 'llama',
      'general.file_type': '0',
      'llama.attention.layer_norm_rms_epsilon': '0.000010',
      'llama.rope.freq_base': '10000.000000',
      'tokenizer.ggml.add_bos_token': 'false',
    });
    expect(wireMetadata).not.toHaveProperty('tokenizer.ggml.tokens');
    expect(Object.keys(wireMetadata)).toEqual(Object.keys(wireMetadata).toSorted());
  });

  it('reads the same from a Blob as from bytes', async () => {
    const bytes = await fixture('tiny.gguf');
    expect(await parseGgufHeader(new Blob([bytes]))).toEqual(await parseGgufHeader(bytes));
  });

  it('reads every value type', async () => {
    const bytes = ggufBytes({
      version: 2,
      entries: [
        ['u8', 0, Uint8Array.of(200)],
        ['i8', 1, Uint8Array.of(0xff)],
        ['u16', 2, Uint8Array.of(0xff, 0xff)],
        ['i16', 3, Uint8Array.of(0xfe, 0xff)],
        ['i32', 5, u32(0xffff_fffd)],
        ['i64', 11, u64(0xffff_ffff_ffff_fffcn)],
        ['f64', 12, Uint8Array.of(0, 0, 0, 0, 0, 0, 0xf8, 0x3f)],
        entry.u32('u32', 4_000_000_000),
        entry.u64('u64', 2n ** 64n - 1n),
        entry.bool('bool', true),
        entry.array('languages', 8, [text('en'), text('zh')]),
        entry.array('floats', 6, [f32(0.5), f32(2)]),
        entry.array('long', 0, [new Uint8Array(51)], 51n),
        entry.array('nested', 9, [join(u32(0), u64(1n), Uint8Array.of(1))]),
      ],
    });
    const { wireMetadata, metadata, version } = await parseGgufHeader(bytes);
    expect(version).toBe(2);
    expect(wireMetadata).toEqual({
      u8: '200',
      i8: '-1',
      u16: '65535',
      i16: '-2',
      i32: '-3',
      i64: '-4',
      f64: '1.500000',
      u32: '4000000000',
      u64: '18446744073709551615',
      bool: 'true',
      languages: 'en, zh',
      floats: '0.500000, 2.000000',
    });
    expect(metadata.get('long')).toEqual({ count: 51, items: Array<number>(50).fill(0) });
    expect(metadata.get('nested')).toEqual({ count: 1, items: [] });
  });

  it.each([
    [1e-7, '0.000000'],
    [-0.25, '-0.250000'],
    [2 ** 100, '1267650600228229401496703205376.000000'],
    [Infinity, '+Inf'],
    [-Infinity, '-Inf'],
    [NaN, 'NaN'],
  ])('prints the float %d as %s', async (value, expected) => {
    const { wireMetadata } = await parseGgufHeader(ggufBytes({ entries: [entry.f32('x', value)] }));
    expect(wireMetadata.x).toBe(expected);
  });

  it('widens its window until a large header fits, and reads no byte twice', async () => {
    const tokens = Array.from({ length: 300_000 }, () => text('token'));
    const bytes = ggufBytes({
      entries: [entry.array('tokens', 8, tokens), entry.text('general.architecture', 'llama')],
    });
    const reads: [number, number][] = [];
    const source: ByteSource = {
      size: bytes.byteLength,
      read: (from, to) => {
        reads.push([from, to]);
        return Promise.resolve(bytes.subarray(from, to));
      },
    };
    const header = await parseGgufHeader(source);
    const mebibyte = 1024 * 1024;
    expect(header.architecture).toBe('llama');
    expect(header.metadata.get('tokens')).toMatchObject({ count: 300_000 });
    expect(reads).toEqual([
      [0, mebibyte],
      [mebibyte, 2 * mebibyte],
      [2 * mebibyte, bytes.byteLength],
    ]);
  });

  it('reads only the first mebibyte of a file whose header is small', async () => {
    const bytes = await fixture('tiny.gguf');
    let readBytes = 0;
    await parseGgufHeader({
      size: bytes.byteLength,
      read: (from, to) => {
        readBytes += to - from;
        return Promise.resolve(bytes.subarray(from, to));
      },
    });
    expect(readBytes).toBe(1024 * 1024);
  });

  it.each([
    ['no bytes', new Uint8Array()],
    ['a text', utf8('<!doctype html><title>Not found</title>')],
    ['the version 1', ggufBytes({ version: 1 })],
    ['big-endian', ggufBytes({ version: 0x0300_0000 })],
    ['a huge tensor count', ggufBytes({ tensorCount: 2n ** 63n })],
    ['a huge entry count', ggufBytes({ entryCount: 2n ** 40n })],
    ['more entries than there are', ggufBytes({ entryCount: 3n })],
    ['an unknown value type', ggufBytes({ entries: [['x', 77, u32(0)]] })],
    ['a text past the end', ggufBytes({ entries: [['x', 8, u64(1_000_000n)]] })],
    ['a text of 2^60 bytes', ggufBytes({ entries: [['x', 8, u64(2n ** 60n)]] })],
    ['an array of 2^53 texts', ggufBytes({ entries: [entry.array('x', 8, [], 2n ** 53n - 1n)] })],
    ['an array of 2^63 numbers', ggufBytes({ entries: [entry.array('x', 4, [], 2n ** 63n)] })],
    ['an array of unknown items', ggufBytes({ entries: [entry.array('x', 99, [], 100n)] })],
    [
      'a tensor of 9 dimensions',
      ggufBytes({ tensors: [{ name: 't', dimensions: Array<number>(9).fill(1) }] }),
    ],
    ['tensors larger than any file', ggufBytes({ tensors: [{ name: 't', dimensions: [2 ** 40, 2 ** 40] }] })],
  ])('refuses %s', async (_, bytes) => {
    await expect(parseGgufHeader(bytes)).rejects.toThrow(notGguf);
  });

  it('refuses arrays that are nested without end', async () => {
    const level = join(u32(9), u64(1n));
    const bytes = ggufBytes({ entries: [['x', 9, join(...Array<typeof level>(100_000).fill(level))]] });
    await expect(parseGgufHeader(bytes)).rejects.toThrow('nested');
  });

  it.each([
    ['texts', entry.array('x', 8, [], 2n ** 50n)],
    ['arrays', entry.array('x', 9, [], 2n ** 50n)],
    ['numbers', entry.array('x', 10, [], 2n ** 50n)],
  ])('reads no further when a header claims more %s than it can have', async (_, claim) => {
    const endless = endlessSource(ggufBytes({ entries: [claim] }));
    await expect(parseGgufHeader(endless)).rejects.toThrow('its header is larger than');
    expect(endless.furthest).toBe(1024 * 1024);
  });

  it.each([
    ['entries', ggufBytes({ entryCount: 65_536n })],
    ['tensors', ggufBytes({ tensorCount: 1_000_000n })],
  ])('reads no further when a short file claims more %s than it can hold', async (_, bytes) => {
    await expect(parseGgufHeader(bytes)).rejects.toThrow('it was cut short');
  });

  it('gives up on a header of more than 64 MiB, and never asks for more', async () => {
    // Believable one by one: a long array, then nameless entries and tensors of zeros.
    const long = entry.array('x', 0, [], 42n * 1024n * 1024n);
    const endless = endlessSource(
      ggufBytes({ entries: [long], entryCount: 65_536n, tensorCount: 1_000_000n }),
    );
    await expect(parseGgufHeader(endless)).rejects.toThrow('its header is larger than');
    expect(endless.furthest).toBe(64 * 1024 * 1024);
  });

  it('takes no more than it asked for', async () => {
    const bytes = await fixture('tiny.gguf');
    const generous: ByteSource = { size: bytes.byteLength, read: () => Promise.resolve(bytes) };
    expect((await parseGgufHeader(generous)).parameters).toBe(393_856);
  });

  it('answers every truncation with an ApiError', async () => {
    const bytes = await fixture('tiny-q8_0.gguf');
    await fc.assert(
      fc.asyncProperty(fc.nat(headerEnd - 1), async (length) => {
        await expect(parseGgufHeader(bytes.subarray(0, length))).rejects.toThrow(notGguf);
      }),
    );
    expect((await parseGgufHeader(bytes.subarray(0, headerEnd))).tensorCount).toBe(20);
  });

  it('neither crashes nor hangs on damaged bytes', async () => {
    const bytes = (await fixture('tiny-q8_0.gguf')).subarray(0, headerEnd);
    const damage = fc.array(fc.tuple(fc.nat(headerEnd - 1), fc.nat(255)), { minLength: 1, maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(damage, async (flips) => {
        const damaged = bytes.slice();
        for (const [at, value] of flips) damaged[at] = value;
        await parsesOrRefuses(damaged);
      }),
      { numRuns: 300 },
    );
  });

  it('neither crashes nor hangs on random bytes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 4096 }), fc.boolean(), async (noise, withMagic) => {
        await parsesOrRefuses(withMagic ? join(utf8('GGUF'), u32(3), noise.slice()) : noise);
      }),
      { numRuns: 500 },
    );
  });
});

/** A file of zeros without end after `head`, which notes how much of it was read. */
function endlessSource(head: Uint8Array): ByteSource & { readonly furthest: number } {
  let furthest = 0;
  return {
    size: Number.MAX_SAFE_INTEGER,
    read: (from, to) => {
      furthest = to;
      const chunk = new Uint8Array(to - from);
      if (from === 0) chunk.set(head);
      return Promise.resolve(chunk);
    },
    get furthest() {
      return furthest;
    },
  };
}

async function parsesOrRefuses(bytes: Uint8Array): Promise<void> {
  try {
    await parseGgufHeader(bytes);
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(ApiError);
  }
}
