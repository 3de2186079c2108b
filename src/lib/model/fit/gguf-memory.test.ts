/** The cache against the log of the engine (llama.cpp b12211 in wllama 3.13.0): "KV buffer size", "RS buffer size". */
import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { parseGgufHeader } from '#lib/model/gguf.ts';
import type { GgufValue } from '#lib/model/gguf-cursor.ts';
import { ggufMemory, type GgufMemoryOptions } from './gguf-memory.ts';

const mebibyte = 1024 * 1024;

type Options = Partial<GgufMemoryOptions>;

function header(architecture: string, sizes: Readonly<Record<string, GgufValue>>): Map<string, GgufValue> {
  const own = Object.entries(sizes).map(([key, value]) => [`${architecture}.${key}`, value] as const);
  return new Map<string, GgufValue>([['general.architecture', architecture], ...own]);
}

function cacheOf(metadata: ReadonlyMap<string, GgufValue>, options: Options): number {
  return ggufMemory(metadata, { contextSize: 2048, weightsBytes: 0, batch: 128, ...options }).cacheBytes;
}

const list = (...items: number[]): GgufValue => ({ count: items.length, items });

/** As in the log: two decimals. */
const mib = (bytes: number) => (bytes / mebibyte).toFixed(2);

const gemma3 = header('gemma3', {
  block_count: 12,
  embedding_length: 64,
  feed_forward_length: 128,
  'attention.head_count': 4,
  'attention.head_count_kv': 2,
  'attention.key_length': 32,
  'attention.value_length': 32,
  'attention.sliding_window': 100,
});
const gemma2 = new Map([...gemma3].map(([key, value]) => [key.replace('gemma3', 'gemma2'), value]));
gemma2.set('general.architecture', 'gemma2').set('gemma2.attention.sliding_window', 300);

const lfm2 = header('lfm2', {
  block_count: 4,
  embedding_length: 64,
  'attention.head_count': 4,
  'attention.head_count_kv': list(0, 2, 0, 2),
  'shortconv.l_cache': 3,
});
const mamba = header('mamba', {
  block_count: 3,
  embedding_length: 64,
  'attention.head_count': 0,
  'ssm.conv_kernel': 4,
  'ssm.inner_size': 128,
  'ssm.state_size': 16,
});
const deepseek2 = header('deepseek2', {
  block_count: 3,
  embedding_length: 64,
  'attention.head_count': 4,
  'attention.head_count_kv': 1,
  'attention.key_length': 80,
  'attention.value_length': 64,
  'attention.key_length_mla': 48,
  'attention.value_length_mla': 32,
});
const smollm2 = header('llama', {
  block_count: 30,
  embedding_length: 576,
  feed_forward_length: 1536,
  'attention.head_count': 9,
  'attention.head_count_kv': 3,
  vocab_size: 49_152,
});

describe('the cache of the fixture', async () => {
  const { metadata: tiny } = await parseGgufHeader(await readFile('tests/fixtures/tiny.gguf'));

  it.each<[Options, string]>([
    [{}, '2.00'],
    [{ parallel: 4 }, '2.00'],
    [{ flashAttention: false }, '2.00'],
    [{ contextSize: 1000 }, '1.00'],
    [{ cacheTypeK: 'q8_0', cacheTypeV: 'q8_0' }, '1.06'],
    [{ cacheTypeK: 'q4_0' }, '1.28'],
    [{ cacheTypeK: 'q5_1', cacheTypeV: 'q5_0' }, '0.72'],
    [{ cacheTypeK: 'q4_1', cacheTypeV: 'f32' }, '2.31'],
  ])('with %j is the one in the log', (options, expected) => {
    expect(mib(cacheOf(tiny, options))).toBe(expected);
  });

  it.each<[Options, number]>([
    [{}, 1.07],
    [{ parallel: 4 }, 1.1],
    [{ contextSize: 1024 }, 0.82],
    [{ batch: 512 }, 4.28],
    [{ flashAttention: false }, 5.5],
  ])(
    'has compute buffers with %j that are estimated on the high side, by half at most',
    (options, logged) => {
      const { computeBytes } = ggufMemory(tiny, {
        contextSize: 2048,
        weightsBytes: 0,
        batch: 128,
        ...options,
      });
      expect(computeBytes / mebibyte).toBeGreaterThanOrEqual(logged);
      expect(computeBytes / mebibyte).toBeLessThan(logged * 1.5);
    },
  );
});

describe('the cache of other models', () => {
  it.each<[string, Map<string, GgufValue>, Options, string[]]>([
    ['SmolLM2-135M', smollm2, {}, ['45.00']],
    ['SmolLM2-135M', smollm2, { contextSize: 8192, flashAttention: false }, ['180.00']],
    ['gemma3: windows in five layers of six', gemma3, { contextSize: 4096 }, ['2.00', '0.625']],
    ['gemma3, four slots', gemma3, { contextSize: 4096, parallel: 4 }, ['2.00', '1.875']],
    ['gemma3, a larger batch', gemma3, { contextSize: 4096, batch: 512 }, ['2.00', '1.875']],
    ['gemma2: windows in every other layer', gemma2, { contextSize: 4096 }, ['6.00', '0.75']],
    ['lfm2: convolutions between', lfm2, {}, ['0.50', String((2 * 64 * 2 * 4) / mebibyte)]],
    ['deepseek2: one latent vector', deepseek2, {}, ['0.9375']],
  ])('%s', (_, metadata, options, buffers) => {
    const logged = buffers.reduce((sum, each) => sum + Number(each), 0);
    expect(cacheOf(metadata, options) / mebibyte).toBeCloseTo(logged, 6);
  });

  it('is a state of fixed size for each slot in mamba, whatever the context', () => {
    expect(mib(cacheOf(mamba, { contextSize: 8192 }))).toBe('0.03');
    expect(mib(cacheOf(mamba, { parallel: 3 }))).toBe('0.08');
  });

  it.each<[string, Map<string, GgufValue>, number]>([
    // Of each: layers with a full context, with a window of 512 cells, all 64 bytes a token.
    ['gpt-oss', header('gpt-oss', { 'attention.sliding_window': 128 }), 6 * 4096 + 6 * 256],
    ['cohere2', header('cohere2', { 'attention.sliding_window': 128 }), 3 * 4096 + 9 * 256],
    ['smallthinker', header('smallthinker', { 'attention.sliding_window': 128 }), 3 * 4096 + 9 * 256],
    ['phi3, whose window is left aside', header('phi3', { 'attention.sliding_window': 128 }), 12 * 4096],
    ['an unknown one, as if all saw everything', header('x', { 'attention.sliding_window': 128 }), 12 * 4096],
    ['llama4 without a word of its window', header('llama4', {}), 12 * 4096],
    ['llama4 that turns its window off', header('llama4', { 'attention.sliding_window': 0 }), 12 * 4096],
    ['exaone4 of another size', header('exaone4', { 'attention.sliding_window': 128 }), 12 * 4096],
    [
      'a period in the file',
      header('gemma3', { 'attention.sliding_window': 128, 'attention.sliding_window_pattern': 2 }),
      6 * 4096 + 6 * 256,
    ],
    [
      'a list in the file',
      header('gemma4', {
        'attention.sliding_window': 128,
        'attention.sliding_window_pattern': list(1, 1, 0, 1, 1, 0, 1, 1, 0, 1, 1, 0),
        'attention.shared_kv_layers': 6,
        'attention.key_length_swa': 32,
        'attention.value_length_swa': 32,
      }),
      2 * 4096 + 4 * 256 * 2,
    ],
    ['a layer that only predicts', header('glm4moe', { nextn_predict_layers: 2 }), 10 * 4096],
    ['qwen3next', header('qwen3next', { full_attention_interval: 4 }), 3 * 4096],
    ['falcon-h1: both in every layer', header('falcon-h1', {}), 12 * 4096],
    [
      'nemotron_h',
      header('nemotron_h', { 'attention.head_count_kv': list(0, 1, 0, 1), block_count: 4 }),
      2 * 4096,
    ],
    ['bert', header('bert', {}), 0],
    ['nothing', new Map(), 0],
  ])('%s', (_, metadata, tokens) => {
    const named = metadata.get('general.architecture');
    const architecture = typeof named === 'string' ? named : '';
    const sizes = header(architecture, {
      block_count: 12,
      embedding_length: 64,
      'attention.head_count': 4,
      'attention.head_count_kv': 1,
    });
    const whole = metadata.size === 0 ? metadata : new Map([...sizes, ...metadata]);
    expect(cacheOf(whole, { contextSize: 4096 })).toBe(tokens * 64);
  });

  it('counts layers beyond the kept part of a list as the largest in it', () => {
    const cut: GgufValue = { count: 4, items: [0, 2] };
    const sizes = { block_count: 4, embedding_length: 64, 'attention.head_count': 4 };
    const known = header('deci', { ...sizes, 'attention.head_count_kv': list(0, 2, 2, 2) });
    expect(cacheOf(header('deci', { ...sizes, 'attention.head_count_kv': cut }), {})).toBe(
      cacheOf(known, {}),
    );
  });

  it('has rows as long as the longest without flash attention', () => {
    const sizes = { block_count: 2, embedding_length: 64, 'attention.head_count': 4 };
    const uneven = header('deci', { ...sizes, 'attention.head_count_kv': list(1, 3) });
    expect(cacheOf(uneven, { flashAttention: false }) - cacheOf(uneven, {})).toBe(2048 * 2 * 16 * 2);
  });

  it.each([
    ['many layers', { block_count: 4_294_967_295, embedding_length: 64, 'attention.head_count': 4 }],
    ['no heads', { block_count: 2, embedding_length: 64, 'attention.head_count': 0 }],
    ['sizes of a wrong type', { block_count: 'two', embedding_length: -1 }],
    ['an interval of nothing', { block_count: 2, full_attention_interval: 0 }],
  ])('is a number for a header with %s', (_, sizes) => {
    expect(cacheOf(header('qwen3next', sizes), {})).toBeGreaterThanOrEqual(0);
  });

  it('is part of a total', () => {
    const need = ggufMemory(smollm2, { contextSize: 2048, weightsBytes: 1000 });
    expect(need.totalBytes).toBe(1000 + need.cacheBytes + need.computeBytes);
  });
});
