/** Our header parser against one that nobody here wrote: on the fixtures, and on generated headers of every kind. */
import { readFile } from 'node:fs/promises';
import { gguf, GGUFValueType, type MetadataValue } from '@huggingface/gguf';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ggufBytes, join, text, u32, u64, type Entry } from '#tests/support/registry/gguf-bytes.ts';
import { parseGgufHeader } from './gguf.ts';
import type { GgufValue } from './gguf-cursor.ts';

type Bytes = Uint8Array<ArrayBuffer>;

/** What both say, in one form: every metadata entry, the tensors' total, where the weights start. */
interface Reading {
  readonly version: number;
  readonly entries: Readonly<Record<string, { readonly type: string; readonly value: unknown }>>;
  readonly tensorCount: number;
  readonly parameters: number;
  readonly dataOffset: number;
}

const maxComparedItems = 50;

async function ours(bytes: Bytes): Promise<Reading> {
  const { version, metadata, types, tensorCount, parameters, dataOffset } = await parseGgufHeader(bytes);
  const entries = [...metadata].map(([key, value]) => [
    key,
    { type: types.get(key) ?? '', value: plain(value) },
  ]);
  return { version, entries: Object.fromEntries(entries), tensorCount, parameters, dataOffset };
}

async function theirs(bytes: Bytes): Promise<Reading> {
  const fetchRange: typeof fetch = async (_, init) => {
    const [, from, to] = /bytes=(\d+)-(\d+)/.exec(new Headers(init?.headers).get('range') ?? '') ?? [];
    return new Response(bytes.slice(Number(from), Number(to) + 1), { status: 206 });
  };
  const read = await gguf('http://oracle.test/model.gguf', {
    fetch: fetchRange,
    typedMetadata: true,
    computeParametersCount: true,
  });
  const { version, tensor_count: tensorCount, kv_count: _, ...typed } = read.typedMetadata;
  const entries = Object.entries(typed).map(([key, { type, subType, value }]) => [
    key,
    { type: typeName(type, subType), value: theirPlain(value) },
  ]);
  return {
    version: version.value,
    entries: Object.fromEntries(entries),
    tensorCount: Number(tensorCount.value),
    parameters: read.parameterCount,
    dataOffset: Number(read.tensorDataOffset),
  };
}

function plain(value: GgufValue): unknown {
  if (typeof value !== 'object') return value;
  if ('float' in value) return value.float;
  return { count: value.count, items: value.items.map(plain) };
}

function theirPlain(value: MetadataValue | undefined): unknown {
  if (!Array.isArray(value)) return value;
  const items = value.some(Array.isArray) ? [] : value.slice(0, maxComparedItems);
  return { count: value.length, items };
}

function typeName(type: GGUFValueType, subType: GGUFValueType | undefined): string {
  const name = (of: GGUFValueType) => GGUFValueType[of].toLowerCase();
  return subType === undefined ? name(type) : `array of ${name(subType)}`;
}

/** Integers of either size are one kind of number in the comparison, floats another. */
function normalised({ entries, ...rest }: Reading): unknown {
  const number = (value: unknown, type: string): unknown => {
    if (type.includes('float')) return value;
    return typeof value === 'number' || typeof value === 'bigint' ? BigInt(value) : value;
  };
  const normal = Object.entries(entries).map(([key, { type, value }]) => {
    if (typeof value !== 'object' || value === null || !('items' in value) || !Array.isArray(value.items))
      return [key, { type, value: number(value, type) }];
    return [key, { type, value: { ...value, items: value.items.map((item) => number(item, type)) } }];
  });
  return { ...rest, entries: Object.fromEntries(normal) };
}

async function expectAgreement(bytes: Bytes): Promise<void> {
  expect(normalised(await ours(bytes))).toEqual(normalised(await theirs(bytes)));
}

const little = (length: number, write: (view: DataView) => void): Bytes => {
  const bytes = new Uint8Array(length);
  write(new DataView(bytes.buffer));
  return bytes;
};

/** Every value type but the array, with all the values it can have. */
const scalars: readonly (readonly [type: number, fc.Arbitrary<Bytes>])[] = [
  [0, fc.integer({ min: 0, max: 255 }).map((value) => Uint8Array.of(value))],
  [1, fc.integer({ min: -128, max: 127 }).map((value) => little(1, (view) => view.setInt8(0, value)))],
  [
    2,
    fc.integer({ min: 0, max: 65_535 }).map((value) => little(2, (view) => view.setUint16(0, value, true))),
  ],
  [
    3,
    fc
      .integer({ min: -32_768, max: 32_767 })
      .map((value) => little(2, (view) => view.setInt16(0, value, true))),
  ],
  [4, fc.integer({ min: 0, max: 2 ** 32 - 1 }).map(u32)],
  [5, fc.integer().map((value) => little(4, (view) => view.setInt32(0, value, true)))],
  [6, fc.float().map((value) => little(4, (view) => view.setFloat32(0, value, true)))],
  [7, fc.boolean().map((value) => Uint8Array.of(value ? 1 : 0))],
  [8, fc.string({ unit: 'binary' }).map(text)],
  [10, fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(u64)],
  [
    11,
    fc
      .bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
      .map((value) => little(8, (view) => view.setBigInt64(0, value, true))),
  ],
  [12, fc.double().map((value) => little(8, (view) => view.setFloat64(0, value, true)))],
];

interface Typed {
  readonly type: number;
  readonly bytes: Bytes;
}

const arrayOf = (type: number, item: fc.Arbitrary<Bytes>): fc.Arbitrary<Typed> =>
  fc
    .array(item, { maxLength: 60 })
    .map((items) => ({ type: 9, bytes: join(u32(type), u64(BigInt(items.length)), ...items) }));
const scalar = fc.oneof(
  ...scalars.map(([type, bytes]) => bytes.map((each): Typed => ({ type, bytes: each }))),
);
const flatArray = fc.oneof(...scalars.map(([type, item]) => arrayOf(type, item)));
const nestedArray = fc.array(flatArray, { minLength: 1, maxLength: 4 }).map((arrays): Typed => ({
  type: 9,
  bytes: join(u32(9), u64(BigInt(arrays.length)), ...arrays.map(({ bytes }) => bytes)),
}));
const key = fc.stringMatching(/^[a-z][a-z0-9_.]{0,40}$/).map((name) => `test.${name}`);
const entries = fc
  .uniqueArray(fc.tuple(key, fc.oneof(scalar, flatArray, nestedArray)), {
    selector: ([name]) => name,
    maxLength: 12,
  })
  .map((pairs) => pairs.map(([name, { type, bytes }]): Entry => [name, type, bytes]));
const tensors = fc.array(
  fc.record({
    name: fc.string(),
    dimensions: fc.array(fc.integer({ min: 0, max: 4096 }), { minLength: 1, maxLength: 3 }),
  }),
  { maxLength: 5 },
);

describe('parseGgufHeader and @huggingface/gguf', () => {
  it.each(['tiny.gguf', 'tiny-q8_0.gguf'])('read the same from %s', async (name) => {
    const file = await readFile(new URL(`../../../tests/fixtures/${name}`, import.meta.url));
    await expectAgreement(new Uint8Array(file));
  });

  it('read the same from any header, of version 2 and 3', async () => {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(2, 3), entries, tensors, async (version, generated, shapes) => {
        await expectAgreement(ggufBytes({ version, entries: generated, tensors: shapes }));
      }),
      { numRuns: 300 },
    );
  });

  it.each(scalars.map(([type, bytes]) => [GGUFValueType[type], type, bytes] as const))(
    'read the same values of the type %s, alone and in arrays',
    async (_, type, values) => {
      await fc.assert(
        fc.asyncProperty(values, arrayOf(type, values), async (value, array) => {
          await expectAgreement(
            ggufBytes({
              entries: [
                ['test.one', type, value],
                ['test.many', array.type, array.bytes],
              ],
            }),
          );
        }),
        { numRuns: 50 },
      );
    },
  );

  it.each([1, 16, 32, 64, 4096])('find the weights at an alignment of %i', async (alignment) => {
    const one: Entry = ['general.alignment', 4, u32(alignment)];
    await expectAgreement(ggufBytes({ entries: [one], tensors: [{ name: 't', dimensions: [3] }] }));
  });
});
