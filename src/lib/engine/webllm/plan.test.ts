import { describe, expect, it } from 'vitest';
import { parseChatConfig } from './chat-config.ts';
import {
  describeGpu,
  loadedConfig,
  needsF16,
  planMode,
  planSpan,
  requireFeatures,
  requireGpu,
} from './plan.ts';
import { chatConfigJson } from './testing/mlc-files.ts';

const config = parseChatConfig(chatConfigJson);
const machine = { isolated: true, cores: 4, gpu: { name: 'Some GPU', f16: false, maxBufferBytes: 1e9 } };

describe('how much a model remembers', () => {
  it('is what is asked for, up to what the model was trained for', () => {
    expect(planSpan(config, { contextSize: 1000 })).toEqual({ kind: 'context', tokens: 1000 });
    expect(planSpan(config, { contextSize: 9000 })).toEqual({ kind: 'context', tokens: 2048 });
  });

  it('slides when that is asked for', () => {
    const sliding = { kind: 'sliding', tokens: 512, attentionSink: 0 };
    expect(planSpan(config, { contextSize: 1000, slidingWindow: 512 })).toEqual(sliding);
  });

  it('slides when the model knows nothing else', () => {
    const mistral = parseChatConfig({
      ...chatConfigJson,
      context_window_size: -1,
      sliding_window_size: 4096,
      attention_sink_size: 4,
    });
    const sliding = { kind: 'sliding', tokens: 4096, attentionSink: 4 };
    expect(planSpan(mistral, { contextSize: 1000 })).toEqual(sliding);
  });
});

describe('what a model is loaded for', () => {
  const bert = parseChatConfig({ ...chatConfigJson, model_type: 'bert', context_window_size: 512 });

  it('is what it can do when nothing is said', () => {
    expect(planMode(config, { contextSize: 1 })).toBe('completion');
    expect(planMode(bert, { contextSize: 1 })).toBe('embedding');
    expect(planMode(bert, { contextSize: 1, mode: 'embedding' })).toBe('embedding');
  });

  it.each([
    ['embeddings of a chat model', config, 'embedding'],
    ['a chat of an embedding model', bert, 'completion'],
    ['ranking', config, 'reranking'],
  ] as const)('is never %s', (_, model, mode) => {
    expect(() => planMode(model, { contextSize: 1, mode })).toThrow(
      expect.objectContaining({ code: 'not_supported' }),
    );
  });

  it('leaves an embedding model the one length that its library takes', () => {
    expect(planSpan(bert, { contextSize: 64, slidingWindow: 8 })).toEqual({ kind: 'context', tokens: 512 });
  });

  it('is in force as it was planned', () => {
    expect(loadedConfig(bert, { kind: 'context', tokens: 512 }, 'embedding')).toMatchObject({
      mode: 'embedding',
      parallel: 1,
    });
  });
});

describe('what the GPU must have', () => {
  it.each([
    ['q4f16_1', true],
    ['q0f16', true],
    ['q4f32_1', false],
    ['q4bf16_1', false],
    ['q0bf16', false],
  ])('for %s, shader-f16: %s', (quantization, needed) => {
    const model = { ...config, quantization };
    expect(needsF16(model)).toBe(needed);
    expect(loadedConfig(model, { kind: 'context', tokens: 5 }, 'completion')).toMatchObject({
      contextSize: 5,
      cacheTypeK: needed ? 'f16' : 'f32',
    });
  });

  it('is refused by name when it is not there', () => {
    const half = { ...config, quantization: 'q4f16_1' };
    const refused = expect.objectContaining({ code: 'engine_unavailable' });
    expect(() => requireFeatures(half, machine)).toThrow(refused);
    expect(() => requireFeatures(config, machine)).not.toThrow();
    expect(() => requireGpu({ ...machine, gpu: undefined })).toThrow(refused);
    expect(requireGpu(machine)).toBe('GPU, Some GPU');
  });

  it('may be kept from it by a person, which the refusal says', () => {
    const half = { ...config, quantization: 'q4f16_1' };
    const held = { ...machine, pinned: 'pinned to the CPU' };
    const refused = expect.objectContaining({
      code: 'engine_unavailable',
      message: expect.stringContaining('pinned to the CPU'),
    });
    expect(() => requireGpu({ ...held, gpu: undefined })).toThrow(refused);
    expect(() => requireFeatures(half, held)).toThrow(refused);
    expect(describeGpu({ ...held, gpu: undefined })).toBe('pinned to the CPU');
    expect(requireGpu(held)).toBe('GPU, Some GPU (pinned to the CPU)');
  });
});
