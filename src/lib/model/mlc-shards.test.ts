import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ApiError } from '#lib/core/errors.ts';
import { parseMlcShards } from './mlc-shards.ts';

const bytes = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
const record = (dataPath: unknown, nbytes: unknown) => ({ dataPath, nbytes, format: 'raw-shard' });

describe('parseMlcShards', () => {
  it('reads the files of the weights, in order', () => {
    const list = {
      metadata: {},
      records: [record('params_shard_1.bin', 7), record('params_shard_0.bin', 5)],
    };
    expect(parseMlcShards(bytes(list))).toEqual([
      { path: 'params_shard_1.bin', sizeBytes: 7 },
      { path: 'params_shard_0.bin', sizeBytes: 5 },
    ]);
  });

  it.each([
    ['no weights', []],
    ['a path that is none', [record(7, 7)]],
    ['an empty path', [record('', 7)]],
    ['an endless path', [record('x'.repeat(5000), 7)]],
    ['a negative size', [record('x', -1)]],
    ['a size that is no number', [record('x', '7')]],
    ['more than any model has', Array.from({ length: 5001 }, (_, at) => record(`${at}`, 1))],
  ])('refuses %s', (_, records) => {
    expect(() => parseMlcShards(bytes({ records }))).toThrow(
      expect.objectContaining({ code: 'unsupported_model_format' }),
    );
  });

  it('refuses anything else with an ApiError', () => {
    fc.assert(
      fc.property(fc.oneof(fc.jsonValue().map(bytes), fc.uint8Array()), (input) => {
        expect(() => parseMlcShards(input)).toThrow(ApiError);
      }),
    );
  });
});
