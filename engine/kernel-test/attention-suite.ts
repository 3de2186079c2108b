/** Attention, against the same in double precision over the numbers that the cache holds. */
import { describe, expect, test } from 'vitest';
import type { KernelModule } from './kernel-module';
import { noise } from './noise';

interface Shape {
  readonly keyType: number;
  readonly valueType: number;
  readonly dk: number;
  readonly dv: number;
  readonly queries: number;
  readonly heads: number;
  readonly cacheHeads: number;
  readonly keys: number;
  readonly threads: number;
  readonly scale: number;
  readonly maxBias: number;
  readonly softcap: number;
  readonly sunk: boolean;
  /** What a query's mask adds to a key's score; none: no mask. */
  readonly mask?: (query: number, key: number) => number;
}

const [f32, f16, q8] = [0, 1, 8];

const usual: Shape = {
  keyType: f16,
  valueType: f16,
  dk: 32,
  dv: 32,
  queries: 1,
  heads: 6,
  cacheHeads: 2,
  keys: 150,
  threads: 1,
  scale: 1 / Math.sqrt(32),
  maxBias: 0,
  softcap: 0,
  sunk: false,
};

/** Each sees the keys up to its own place, the last query all of them. */
const causal = (shape: Shape) => (query: number, key: number) =>
  key <= shape.keys - shape.queries + query ? 0 : -Infinity;

export function describeAttention(kernels: () => KernelModule): void {
  describe('attention', () => {
    describe.each([
      ['one query', 1],
      ['few queries', 5],
      ['many queries', 37],
    ])('%s', (_, queries) => {
      const some = { ...usual, queries };
      test.each([
        [f16, f16],
        [q8, q8],
        [f32, f32],
        [q8, f16],
        [f16, q8],
      ])('a cache of types %i and %i', (keyType, valueType) => {
        expectRight(kernels(), { ...some, keyType, valueType, mask: causal(some) });
      });

      test.each([1, 2, 3, 4, 5, 7])('%i heads for one of the cache', (group) => {
        expectRight(kernels(), { ...some, heads: 2 * group, mask: causal(some) });
      });

      test.each([1, 3, 4, 63, 64, 65, 131])('%i keys, without a mask', (keys) => {
        expectRight(kernels(), { ...some, keys });
      });

      test.each([2, 3, 7])('%i threads', (threads) => {
        expectRight(kernels(), { ...some, threads, mask: causal(some) });
        expectRight(kernels(), { ...some, threads, keys: 2 });
      });

      test('values of another size than keys', () => {
        expectRight(kernels(), { ...some, dk: 72, dv: 40, mask: causal(some) });
        expectRight(kernels(), { ...some, dk: 8, dv: 64 });
      });

      test('keys of other sequences between its own, and blocks that nobody sees', () => {
        const mask = (query: number, key: number) =>
          (key >= 64 && key < 128) || key % 3 === query % 3 ? -Infinity : 0;
        expectRight(kernels(), { ...some, mask });
      });

      test('a query that sees nothing gives zeros', () => {
        expectRight(kernels(), { ...some, mask: (query) => (query === 0 ? -Infinity : 0) });
      });

      test('a bias by distance, also for heads that are no power of two', () => {
        const mask = (query: number, key: number) => -Math.abs(key - query);
        expectRight(kernels(), { ...some, maxBias: 8, mask });
        expectRight(kernels(), { ...some, maxBias: 8, heads: 4, mask });
      });

      test('capped scores, and sinks', () => {
        expectRight(kernels(), { ...some, scale: 3, softcap: 5, mask: causal(some) });
        expectRight(kernels(), { ...some, sunk: true, mask: causal(some) });
      });

      test('scores so far apart that most weights vanish', () => {
        expectRight(kernels(), { ...some, scale: 200, mask: causal(some) });
      });
    });

    test('rows that are no whole vectors are left to others', () => {
      expect(attend(kernels(), { ...usual, dk: 36, dv: 36 })).toBe(false);
      expect(attend(kernels(), { ...usual, keyType: q8, dk: 40, cacheHeads: 4, heads: 4, keys: 8 })).toBe(
        false,
      );
    });
  });
}

function attend(kernels: KernelModule, shape: Shape): boolean {
  const { dk, dv, queries, heads, cacheHeads, keys } = shape;
  kernels.attention(0).set(noise(queries * heads * dk, 4));
  kernels.attention(1).set(noise(keys * cacheHeads * dk, 4));
  kernels.attention(2).set(noise(keys * cacheHeads * dv, 4));
  const mask = shape.mask ?? (() => 0);
  kernels
    .attention(3)
    .set(Float32Array.from({ length: queries * keys }, (_, i) => mask(Math.floor(i / keys), i % keys)));
  kernels.attention(4).set(noise(heads, 4));
  kernels.attention(5).fill(NaN);
  return (
    kernels.call.attend(
      shape.keyType, shape.valueType, dk, dv, queries, heads, cacheHeads, keys, shape.threads,
      shape.scale, shape.maxBias, shape.softcap, shape.mask !== undefined, shape.sunk,
    ) === 1
  ); // prettier-ignore
}

function expectRight(kernels: KernelModule, shape: Shape): void {
  expect(attend(kernels, shape)).toBe(true);
  const out = kernels.attention(5);
  const { dv, queries, heads } = shape;
  // Scores are sums of floats; a weight is as wrong as its score.
  const near = 2e-6 * Math.max(1, shape.scale * 40);
  for (let query = 0; query < queries; query++) {
    for (let head = 0; head < heads; head++) {
      expected(kernels, shape, query, head).forEach((value, i) => {
        const error = Math.abs((out[(query * heads + head) * dv + i] ?? NaN) - value);
        if (!(error < near)) expect.fail(`query ${query}, head ${head}, number ${i}: wrong by ${error}`);
      });
    }
  }
}

/** A row of the result. */
function expected(kernels: KernelModule, shape: Shape, query: number, head: number): number[] {
  const { dk, dv, heads, cacheHeads, keys } = shape;
  const [q, k, v] = [0, 1, 2].map((which) => kernels.attention(which)) as [
    Float32Array,
    Float32Array,
    Float32Array,
  ];
  const cacheHead = Math.floor(head / (heads / cacheHeads));
  const scores = Array.from({ length: keys }, (_, key) => {
    const from = q.subarray((query * heads + head) * dk, (query * heads + head + 1) * dk);
    const at = (key * cacheHeads + cacheHead) * dk;
    const score = shape.scale * from.reduce((sum, x, i) => sum + x * (k[at + i] ?? NaN), 0);
    const capped = shape.softcap === 0 ? score : shape.softcap * Math.tanh(score / shape.softcap);
    return capped + (shape.mask === undefined ? 0 : slope(shape, head) * shape.mask(query, key));
  });
  const sink = shape.sunk ? (kernels.attention(4)[head] ?? NaN) : -Infinity;
  const most = Math.max(sink, ...scores);
  if (most === -Infinity) return Array.from({ length: dv }, () => 0);
  const weights = scores.map((score) => Math.exp(score - most));
  const sum = weights.reduce((a, b) => a + b, 0) + Math.exp(sink - most);
  return Array.from({ length: dv }, (_, i) =>
    weights.reduce(
      (all, weight, key) => all + (weight / sum) * (v[(key * cacheHeads + cacheHead) * dv + i] ?? NaN),
      0,
    ),
  );
}

/** ALiBi's, as its paper says: a geometric row for a power of two heads, and for the rest every other of the next. */
function slope({ maxBias, heads }: Shape, head: number): number {
  if (maxBias === 0) return 1;
  const whole = 2 ** Math.floor(Math.log2(heads));
  return head < whole
    ? 2 ** ((-maxBias / whole) * (head + 1))
    : 2 ** ((-maxBias / (2 * whole)) * (2 * (head - whole) + 1));
}
