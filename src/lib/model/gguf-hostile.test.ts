/** Headers that were made to do harm: each is read or refused, in bounded time and memory, and nothing else happens. */
import { readFile } from 'node:fs/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ApiError } from '#lib/core/errors.ts';
import { entry, ggufBytes, join, text, u32, u64, type Entry } from '#tests/support/registry/gguf-bytes.ts';
import { parseGgufHeader, type ByteSource } from './gguf.ts';
import { ggufMetadata } from './gguf-metadata.ts';

type Bytes = Uint8Array<ArrayBuffer>;

const huge = [2n ** 31n, 2n ** 32n, 2n ** 53n, 2n ** 62n, 2n ** 63n, 2n ** 64n - 1n];
const refused = expect.objectContaining({ code: 'unsupported_model_format' });

/** Reads or refuses, and in either case never asked for a byte beyond the file. */
async function survives(bytes: Bytes): Promise<void> {
  let asked = 0;
  const source: ByteSource = {
    size: bytes.byteLength,
    read: (from, to) => {
      asked = Math.max(asked, to);
      return Promise.resolve(bytes.subarray(from, to));
    },
  };
  try {
    ggufMetadata(await parseGgufHeader(source));
  } catch (thrown) {
    if (!(thrown instanceof ApiError)) throw thrown;
    expect(thrown.code).toBe('unsupported_model_format');
  }
  expect(asked).toBeLessThanOrEqual(bytes.byteLength);
}

describe('parseGgufHeader', () => {
  it.each(huge)('refuses a count of %d wherever one stands', async (count) => {
    const level = join(u32(9), u64(1n));
    const claims: Bytes[] = [
      ggufBytes({ tensorCount: count }),
      ggufBytes({ entryCount: count }),
      ggufBytes({ entries: [['x', 8, u64(count)]] }),
      join(ggufBytes({ entryCount: 1n }), u64(count)),
      ...Array.from({ length: 13 }, (_, type) => ggufBytes({ entries: [entry.array('x', type, [], count)] })),
      ggufBytes({ entries: [['x', 9, join(level, level, u32(0), u64(count))]] }),
      ggufBytes({ entries: [entry.array('x', 8, [u64(count)], 1n)] }),
      join(ggufBytes({ tensorCount: 1n }), u64(count)),
      join(ggufBytes({ tensorCount: 1n }), text('t'), u32(2), u64(count), u64(count), u32(0), u64(0n)),
    ];
    for (const bytes of claims) await expect(parseGgufHeader(bytes)).rejects.toThrow(refused);
  });

  it('reads a text that is no UTF-8 with marks for what it is not', async () => {
    const broken = join(u64(4n), Uint8Array.of(0x61, 0xff, 0xc3, 0x62));
    const header = await parseGgufHeader(ggufBytes({ entries: [['x', 8, broken]] }));
    expect(header.metadata.get('x')).toBe('a\ufffd\ufffdb');
  });

  it('takes keys that mean something to JavaScript for what they are', async () => {
    const entries: Entry[] = ['__proto__', 'constructor', 'toString'].map((name) => entry.text(name, name));
    const { metadata, wireMetadata } = await parseGgufHeader(ggufBytes({ entries }));
    expect(metadata.get('__proto__')).toBe('__proto__');
    expect(Object.keys(wireMetadata).toSorted()).toEqual(['__proto__', 'constructor', 'toString']);
    expect(Object.getPrototypeOf(wireMetadata)).toBe(Object.prototype);
  });

  it('passes a nested array of millions of empty ones in time of its bytes, and refuses one that is too deep', async () => {
    const empty = join(u32(0), u64(0n));
    const wide = ggufBytes({ entries: [entry.array('x', 9, Array<Bytes>(200_000).fill(empty))] });
    expect((await parseGgufHeader(wide)).metadata.get('x')).toEqual({ count: 200_000, items: [] });
    const level = join(u32(9), u64(1n));
    const deep = ggufBytes({ entries: [['x', 9, join(level, level, level, level, level, empty)]] });
    await expect(parseGgufHeader(deep)).rejects.toThrow('nested');
  });

  it('survives 10 000 headers that were damaged or made up', { timeout: 120_000 }, async () => {
    const file = await readFile(new URL('../../../tests/fixtures/tiny-q8_0.gguf', import.meta.url));
    const whole = new Uint8Array(file).slice(0, 13_375);
    const small = ggufBytes({
      entries: [
        entry.text('general.architecture', 'llama'),
        entry.u32('llama.context_length', 2048),
        entry.array('tokens', 8, [text('a'), text('b')]),
        entry.array('nested', 9, [join(u32(8), u64(1n), text('x'))]),
        entry.u64('big', 2n ** 63n),
      ],
      tensors: [{ name: 't', dimensions: [8, 8] }],
      weightBytes: 256,
    });
    const damaged = fc
      .tuple(
        fc.constantFrom(whole, small, small, small),
        fc.array(fc.tuple(fc.nat(), fc.oneof(fc.nat(255), fc.constantFrom(0, 1, 8, 9, 0x7f, 0x80, 0xff))), {
          maxLength: 16,
        }),
        fc.nat(),
      )
      .map(([base, flips, end]) => {
        const bytes = base.slice(0, end % 4 === 0 ? end % base.byteLength : base.byteLength);
        for (const [at, value] of flips) if (bytes.byteLength > 0) bytes[at % bytes.byteLength] = value;
        return bytes;
      });
    const noise = fc
      .tuple(fc.constantFrom(2, 3), fc.nat(3), fc.nat(3), fc.uint8Array({ maxLength: 256 }))
      .map(([version, tensors, count, rest]) =>
        join(ggufBytes({ version, tensorCount: BigInt(tensors), entryCount: BigInt(count) }), rest.slice()),
      );
    await fc.assert(fc.asyncProperty(fc.oneof(damaged, noise), survives), { numRuns: 10_000 });
  });
});
