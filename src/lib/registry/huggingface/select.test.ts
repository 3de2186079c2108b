import { describe, expect, it } from 'vitest';
import { selectProjector, selectWeights } from './select.ts';

const select = (paths: readonly string[], tag: string) =>
  selectWeights(
    paths.map((path) => ({ path, sizeBytes: 1 })),
    tag,
  ).map(({ path }) => path);

const quants = ['m-Q2_K.gguf', 'm-Q4_0.gguf', 'm-Q4_K_M.gguf', 'm-Q4_K_S.gguf', 'm-Q8_0.gguf', 'm-f16.gguf'];
const shards = (name: string, total: number) =>
  Array.from({ length: total }, (_, index) => `${name}-0000${index + 1}-of-0000${total}.gguf`);

describe('selectWeights', () => {
  it.each<[string, readonly string[], string, readonly string[]]>([
    ['the only file when it does not say what it is', ['model.gguf'], 'Q8_0', ['model.gguf']],
    ['the only file beside a projector', ['model.gguf', 'mmproj-f16.gguf'], 'f16', ['model.gguf']],
    ['a quant', quants, 'Q8_0', ['m-Q8_0.gguf']],
    ['a quant in any case', quants, 'q8_0', ['m-Q8_0.gguf']],
    ['a quant in lower case in the name', quants, 'F16', ['m-f16.gguf']],
    ['the default for latest', quants, 'latest', ['m-Q4_K_M.gguf']],
    ['the default for main', quants, 'main', ['m-Q4_K_M.gguf']],
    ['the default for no tag', quants, '', ['m-Q4_K_M.gguf']],
    ['the first when there is no default', ['m-Q8_0.gguf', 'm-Q5_0.gguf'], 'latest', ['m-Q5_0.gguf']],
    ['by dots', ['m.Q4_K_M.gguf', 'm.Q5_K_M.gguf'], 'Q5_K_M', ['m.Q5_K_M.gguf']],
    ['by underscores', ['m_q4_k_m.gguf', 'm_q5_k_m.gguf'], 'Q5_K_M', ['m_q5_k_m.gguf']],
    ['no part of a word', ['m-IQ4_0.gguf', 'm-Q4_0.gguf', 'm-Q4_K_M.gguf'], 'Q4_0', ['m-Q4_0.gguf']],
    ['a later place in the name', ['q4-m-xq4_0-Q4_0.gguf', 'a.gguf'], 'q4_0', ['q4-m-xq4_0-Q4_0.gguf']],
    ['a beginning of a quant, like Docker Model Runner', quants, 'Q4_K', ['m-Q4_K_M.gguf']],
    ['upper-case endings', ['M-Q8_0.GGUF', 'M-Q4_0.GGUF'], 'q8_0', ['M-Q8_0.GGUF']],
    ['other files', ['README.md', 'config.json', 'm.safetensors'], 'latest', []],
    ['projectors only', ['mmproj-f16.gguf', 'MMPROJ.gguf'], 'latest', []],
    ['nothing', [], 'latest', []],
    ['all shards', [...quants, ...shards('m-BF16', 3).toReversed()], 'BF16', shards('m-BF16', 3)],
    [
      'all shards of the default',
      [...shards('m-Q4_K_M', 2), ...shards('m-Q8_0', 2)],
      'latest',
      shards('m-Q4_K_M', 2),
    ],
    ['all shards of the first', [...shards('b', 2), ...shards('a', 2)], 'latest', shards('a', 2)],
    ['shards in a folder', [...shards('Q8_0/m-Q8_0', 2), 'm-Q4_0.gguf'], 'Q8_0', shards('Q8_0/m-Q8_0', 2)],
    ['one model of two with the quant', ['b-Q8_0.gguf', 'a-Q8_0.gguf'], 'Q8_0', ['a-Q8_0.gguf']],
    ['one set of two', [...shards('x/m-Q8_0', 2), ...shards('y/m-Q8_0', 2)], 'Q8_0', shards('x/m-Q8_0', 2)],
  ])('takes %s', (_, paths, tag, expected) => {
    expect(select(paths, tag)).toEqual(expected);
  });

  it.each<[string, readonly string[], string, string]>([
    ['by its variants', quants, 'IQ1_S', 'It has Q2_K, Q4_0, Q4_K_M, Q4_K_S, Q8_0, f16.'],
    ['the only file by its own variant', ['m-Q2_K.gguf'], 'Q8_0', 'It has Q2_K.'],
    ['a variant once, however many shards it has', shards('m_q8_0', 3), 'Q4_0', 'It has q8_0.'],
    ['by names where they say nothing', ['a.gguf', 'b.gguf'], 'Q4_0', 'It has a.gguf, b.gguf.'],
    ['no projector', ['m-Q2_K.gguf', 'mmproj-f16.gguf'], 'f16', 'It has Q2_K.'],
    ['no special characters', ['a-Q.gguf', 'b-Q4_K_M.gguf'], '.*', 'It has Q4_K_M.'],
    ['no size of the model', ['qwen2.5-0.5b-instruct-fp16.gguf'], 'q4_k_m', 'It has fp16.'],
    [
      'some of very many',
      Array.from({ length: 30 }, (_, index) => `m${index + 10}.gguf`),
      'Q4_0',
      'm33.gguf and 6 more.',
    ],
  ])('lists what there is instead of a variant that is not there: %s', (_, paths, tag, list) => {
    expect(() => select(paths, tag)).toThrow(expect.objectContaining({ code: 'model_not_found' }));
    expect(() => select(paths, tag)).toThrow(list);
  });

  it('leaves a repository without GGUF to others, whatever the tag', () => {
    expect(select(['model.safetensors'], 'Q8_0')).toEqual([]);
  });

  it.each([
    ['the last', shards('m', 3).slice(0, 2)],
    ['the first', shards('m', 3).slice(1)],
    ['all but one', shards('m', 3).slice(0, 1)],
    ['a number', ['m-00000-of-00002.gguf', 'm-00002-of-00002.gguf']],
  ])('refuses a set that lacks %s', (_, paths) => {
    expect(() => select(paths, 'latest')).toThrow(
      expect.objectContaining({ code: 'unsupported_model_format' }),
    );
  });
});

describe('selectProjector', () => {
  const file = (path: string) => ({ path, sizeBytes: 1 });
  const select = (paths: readonly string[], weights = 'm-Q4_K_M.gguf') =>
    selectProjector(paths.map(file), [file(weights)])?.path;

  it.each<[string, readonly string[], string | undefined]>([
    ['F16 before all others', ['mmproj-BF16.gguf', 'mmproj-F16.gguf', 'mmproj-F32.gguf'], 'mmproj-F16.gguf'],
    ['F16 in any case', ['m.mmproj-Q8_0.gguf', 'm.mmproj-f16.gguf'], 'm.mmproj-f16.gguf'],
    ['fp16', ['mmproj-fp16.gguf', 'mmproj-a.gguf'], 'mmproj-fp16.gguf'],
    ['Q8_0 before the larger ones', ['mmproj-BF16.gguf', 'mmproj-Q8_0.gguf'], 'mmproj-Q8_0.gguf'],
    ['BF16 where there is no other', ['mmproj-F32.gguf', 'mmproj-BF16.gguf'], 'mmproj-BF16.gguf'],
    ['one that does not say what it is', ['b-mmproj.gguf', 'MMPROJ.GGUF'], 'MMPROJ.GGUF'],
    ['no part of one, and no other format', ['mmproj-00001-of-00002.gguf', 'mmproj.safetensors'], undefined],
    ['none where there is none', ['m-Q4_K_M.gguf', 'm-F16.gguf'], undefined],
    ['none of another model’s folder', ['other/mmproj-F16.gguf'], undefined],
  ])('takes %s', (_, paths, expected) => {
    expect(select(paths)).toBe(expected);
  });

  it('takes that of the model’s own folder, else that of the top one', () => {
    const paths = ['a/mmproj-Q8_0.gguf', 'b/mmproj-F16.gguf', 'mmproj-F16.gguf'];
    expect(select(paths, 'a/m.gguf')).toBe('a/mmproj-Q8_0.gguf');
    expect(select(paths, 'Q4_K_M/m-00001-of-00002.gguf')).toBe('mmproj-F16.gguf');
  });
});
