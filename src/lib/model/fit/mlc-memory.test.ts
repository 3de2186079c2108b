/** The formula against WebLLM's own list: `vram_required_MB` of every model whose sizes are public and simple. */
import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { parseMlcList, type MlcListEntry } from '#lib/model/mlc-list.ts';
import { listedMlcMemory, mlcMemory } from './mlc-memory.ts';
import { parseMlcSizes, type MlcSizes } from './mlc-sizes.ts';

/** Model, type, layers, hidden, network, heads of keys and values, their size, vocabulary, million weights, tied. */
type Row = readonly [RegExp, string, number, number, number, number, number, number, number, boolean];

/** From the models' own configs. */
const rows: readonly Row[] = [
  [/Llama-3\.2-1B/, 'llama', 16, 2048, 8192, 8, 64, 128256, 1235.8, true],
  [/Llama-3\.2-3B/, 'llama', 28, 3072, 8192, 8, 128, 128256, 3212.7, true],
  [/Llama-3(\.1)?-8B|Llama-8B/, 'llama', 32, 4096, 14336, 8, 128, 128256, 8030.3, false],
  [/Llama-3(\.1)?-70B/, 'llama', 80, 8192, 28672, 8, 128, 128256, 70553.7, false],
  [/Llama-2-7b/, 'llama', 32, 4096, 11008, 32, 128, 32000, 6738.4, false],
  [/Llama-2-13b/, 'llama', 40, 5120, 13824, 40, 128, 32000, 13015.9, false],
  [/Mistral-7B|WizardMath-7B/, 'mistral', 32, 4096, 14336, 8, 128, 32768, 7248, false],
  [/Phi-3/, 'phi3', 32, 3072, 8192, 32, 96, 32064, 3821.1, false],
  [/Phi-4-mini/, 'phi3', 32, 3072, 8192, 8, 128, 200064, 3836, true],
  [/SmolLM2-1\.7B/, 'llama', 24, 2048, 8192, 32, 64, 49152, 1711.4, true],
  [/SmolLM2-360M/, 'llama', 32, 960, 2560, 5, 64, 49152, 361.8, true],
  [/SmolLM2-135M/, 'llama', 30, 576, 1536, 3, 64, 49152, 134.5, true],
  [/gemma-2-2b/, 'gemma2', 26, 2304, 9216, 4, 256, 256000, 2614.3, true],
  [/gemma-2-9b/, 'gemma2', 42, 3584, 14336, 8, 256, 256000, 9241.7, true],
  [/gemma-2b/, 'gemma', 18, 2048, 16384, 1, 256, 256000, 2506.2, true],
  [/gemma3-1b/, 'gemma3_text', 26, 1152, 6912, 1, 256, 262144, 999.9, true],
  [/OLMo-2-1124-7B/, 'olmo2', 32, 4096, 11008, 32, 128, 100352, 7298.6, false],
  [/OLMo-2-0425-1B/, 'olmo2', 16, 2048, 8192, 16, 128, 100352, 1484.9, false],
  [/Qwen3-0\.6B/, 'qwen3', 28, 1024, 3072, 8, 128, 151936, 596, true],
  [/Qwen3-1\.7B/, 'qwen3', 28, 2048, 6144, 8, 128, 151936, 1720.6, true],
  [/Qwen3-4B/, 'qwen3', 36, 2560, 9728, 8, 128, 151936, 4022.5, true],
  [/Qwen3-8B/, 'qwen3', 36, 4096, 12288, 8, 128, 151936, 8190.7, false],
  [/Qwen2(\.5)?(-Coder|-Math)?-0\.5B/, 'qwen2', 24, 896, 4864, 2, 64, 151936, 494, true],
  [/Qwen2(\.5)?(-Coder|-Math)?-1\.5B/, 'qwen2', 28, 1536, 8960, 2, 128, 151936, 1543.7, true],
  [/Qwen2(\.5)?(-Coder|-Math)?-3B/, 'qwen2', 36, 2048, 11008, 2, 128, 151936, 3085.9, true],
  [/Qwen2(\.5)?(-Coder|-Math)?-7B|Qwen-7B/, 'qwen2', 28, 3584, 18944, 4, 128, 152064, 7615.6, false],
  [/stablelm-2/, 'stablelm', 24, 2048, 5632, 32, 64, 100352, 1644.5, false],
  [/RedPajama/, 'gpt_neox', 32, 2560, 10240, 32, 80, 50432, 2775.9, false],
  [/TinyLlama/, 'llama', 22, 2048, 5632, 4, 64, 32000, 1100, false],
  [/Ministral-3-3B/, 'ministral3', 26, 3072, 9216, 8, 128, 131072, 3429, true],
  [/phi-2/, 'phi-msft', 32, 2560, 10240, 32, 80, 51200, 2779.7, false],
  [/phi-1_5/, 'phi-msft', 24, 2048, 8192, 32, 64, 51200, 1418.3, false],
];

const bitsPerWeight: Readonly<Record<string, number>> = {
  q4f16_1: 4.5,
  q4f32_1: 5,
  q3f16_1: 3.6,
  q0f16: 16,
  q0f32: 32,
};

/** Their numbers were taken when a chunk was as long as the context; the libraries of today compute 1024 tokens at once. */
const wholeChunk = /^(Llama-2-(7b|13b)-chat-hf|RedPajama-INCITE-Chat-3B-v1|phi-2)-q4f\d\d_1-MLC$/;
/** The list gives them one number for both of their contexts, which is that of the smaller one. */
const oneNumber = /^(phi-1_5|gemma-2b-it)-/;
/** 4033 MB, where the list has 4573 for five models of the same sizes with the same library. */
const contradicted = 'Hermes-2-Pro-Mistral-7B-q4f16_1-MLC';
/** Layers without attention, images, or one vector a text: the formula is not made for them, the list's number is used. */
const otherKinds = /^(Qwen3\.5|gemma-4|Phi-3\.5-vision|snowflake)/;

function sizesOf({ modelId }: MlcListEntry): (MlcSizes & { readonly weightsBytes: number }) | undefined {
  const row = rows.find(([pattern]) => pattern.test(modelId));
  const [quantization = ''] = /q\df\d\d(_1)?/.exec(modelId) ?? [];
  if (!row) return undefined;
  const [
    ,
    modelType,
    attentionLayers,
    hiddenSize,
    networkSize,
    kvHeads,
    headSize,
    vocabularySize,
    millions,
    tied,
  ] = row;
  const weightsBytes = (millions * 1e6 * (bitsPerWeight[quantization] ?? NaN)) / 8;
  const widths = { hiddenSize, networkSize, kvHeads, headSize, vocabularySize };
  return { modelType, quantization, attentionLayers, ...widths, tied, prefillChunk: 1024, weightsBytes };
}

function estimate(entry: MlcListEntry): number {
  const sizes = sizesOf(entry);
  if (!sizes) return NaN;
  const contextSize = oneNumber.test(entry.modelId) ? 1024 : (entry.contextSize ?? NaN);
  const prefillChunk = wholeChunk.test(entry.modelId) ? contextSize : undefined;
  return mlcMemory(sizes, { contextSize, weightsBytes: sizes.weightsBytes, prefillChunk }).totalBytes;
}

describe('mlcMemory', async () => {
  const list = parseMlcList(await readFile('static/mlc-models.json', 'utf8'));
  const comparable = list.filter(({ modelId }) => modelId !== contradicted && !otherKinds.test(modelId));

  it('is compared with most of the list', () => {
    expect(comparable.length).toBeGreaterThanOrEqual(147);
  });

  it.each(comparable)('is within 10 % of the number listed for $modelId', (entry) => {
    const ratio = estimate(entry) / entry.vramBytes;
    expect(ratio).toBeGreaterThan(0.9);
    expect(ratio).toBeLessThan(1.1);
  });
});

describe('listedMlcMemory', () => {
  const sizes: MlcSizes = {
    modelType: 'llama',
    quantization: 'q4f16_1',
    attentionLayers: 16,
    hiddenSize: 2048,
    networkSize: 8192,
    kvHeads: 8,
    headSize: 64,
    vocabularySize: 128_256,
    tied: true,
    prefillChunk: 1024,
  };
  const listed = { vramBytes: 900_000_000, contextSize: 4096 };

  it('is the number of the list at its context, whatever the weights', () => {
    expect(listedMlcMemory(listed, sizes, { contextSize: 4096, weightsBytes: 700_000_000 }).totalBytes).toBe(
      900_000_000,
    );
  });

  it('grows with the context by the cache', () => {
    const at = (contextSize: number) =>
      listedMlcMemory(listed, sizes, { contextSize, weightsBytes: 7e8 }).totalBytes;
    expect(at(8192) - at(4096)).toBe(4096 * 2 * 16 * 8 * 64 * 2);
  });

  it('is never below what weights and cache take', () => {
    const need = listedMlcMemory(listed, sizes, { contextSize: 4096, weightsBytes: 2e9 });
    expect(need.computeBytes).toBe(0);
    expect(need.totalBytes).toBe(2e9 + need.cacheBytes);
  });
});

describe('parseMlcSizes', () => {
  it('reads the config of the fixture', async () => {
    const config: unknown = JSON.parse(
      await readFile('tests/fixtures/tiny-mlc/mlc-chat-config.json', 'utf8'),
    );
    expect(parseMlcSizes(config)).toEqual({
      modelType: 'llama',
      quantization: 'q0f32',
      attentionLayers: 2,
      hiddenSize: 128,
      networkSize: 256,
      kvHeads: 4,
      headSize: 32,
      vocabularySize: 512,
      tied: true,
      prefillChunk: 512,
    });
  });

  it('reads what other families call otherwise, and leave out', () => {
    const model_config = { n_embd: 2560, n_layer: 32, n_head: 32, vocab_size: 51_200 };
    expect(parseMlcSizes({ model_type: 'phi-msft', quantization: 'q4f16_1', model_config })).toMatchObject({
      hiddenSize: 2560,
      networkSize: 10_240,
      kvHeads: 32,
      headSize: 80,
      tied: false,
      prefillChunk: 1024,
    });
  });

  it('reads the text part of a model that sees, and counts only the layers that attend', () => {
    const text_config = {
      hidden_size: 8,
      num_hidden_layers: 12,
      num_attention_heads: 2,
      full_attention_interval: 4,
    };
    const config = { model_type: 'x', quantization: 'q4f16_1', model_config: { vocab_size: 9, text_config } };
    expect(parseMlcSizes(config)).toMatchObject({ hiddenSize: 8, attentionLayers: 3, vocabularySize: 9 });
  });

  it.each([undefined, {}, { model_type: 'x', quantization: 'y', model_config: { hidden_size: -1 } }])(
    'does not make sizes up for %j',
    (config) => {
      expect(parseMlcSizes(config)).toBeUndefined();
    },
  );
});
