import { describe, expect, it } from 'vitest';
import type { GgufModel, LoadConfig } from '#lib/engine/port.ts';
import type { FileFacts } from './file-facts.ts';
import { loadedConfig, loadParams } from './load-params.ts';
import type { Plan } from './plan.ts';

const cpu: Plan = { gpu: false, build: 'default', threads: 2, device: 'CPU, 2 threads', reason: 'no WebGPU' };
const gpu: Plan = { ...cpu, gpu: true, device: 'GPU', reason: undefined };
const facts = { architecture: 'llama', trainedContext: 2048, pooling: undefined } as FileFacts;
const model: GgufModel = { kind: 'gguf', id: 'sha256:0', weights: [new Blob(['x'])] };

function params(
  config: LoadConfig,
  changes: { facts?: Partial<FileFacts>; model?: Partial<GgufModel> } = {},
) {
  const known = { ...facts, ...changes.facts };
  return loadParams({ ...model, ...changes.model }, config, known, loadedConfig(config, known, cpu));
}

describe('loadedConfig', () => {
  it('is clamped to what the model was trained with and what the machine has', () => {
    expect(loadedConfig({ contextSize: 9000, gpuLayers: 5, parallel: 4 }, facts, cpu)).toEqual({
      contextSize: 2048,
      gpuLayers: 0,
      threads: 2,
      cacheTypeK: 'f16',
      cacheTypeV: 'f16',
      flashAttention: true,
      mode: 'completion',
      parallel: 4,
    });
    expect(loadedConfig({ contextSize: 9000 }, { ...facts, trainedContext: undefined }, gpu)).toMatchObject({
      contextSize: 9000,
      gpuLayers: 99_999,
    });
  });

  it('has one slot where vectors are computed', () => {
    const config = { contextSize: 512, parallel: 4, mode: 'embedding' } as const;
    expect(loadedConfig(config, facts, cpu).parallel).toBe(1);
  });
});

describe('loadParams', () => {
  it('shares one context among the slots, in batches that are short enough to be aborted', () => {
    expect(params({ contextSize: 1024, parallel: 4 })).toMatchObject({
      n_ctx: 1024,
      n_parallel: 4,
      kv_unified: true,
      n_batch: 128,
      cache_idle_slots: false,
    });
    // A seed for the load would be stronger than every request's own.
    expect(params({ contextSize: 1024 })).not.toHaveProperty('seed');
  });

  it('has batches that a picture fits into, where the model sees', () => {
    const projector = new Blob(['x']);
    expect(params({ contextSize: 1024 }, { model: { projector } })).toMatchObject({
      n_batch: 512,
      n_ubatch: 512,
    });
    expect(params({ contextSize: 256 }, { model: { projector } })).toMatchObject({ n_batch: 256 });
  });

  it('pools as wanted, else as the file says, else over all tokens', () => {
    const config = { contextSize: 1024, mode: 'embedding' } as const;
    expect(params(config)).toMatchObject({ embeddings: true, pooling_type: 'mean', n_ubatch: 1024 });
    expect(params(config, { facts: { pooling: 'cls' } })).toMatchObject({ pooling_type: 'cls' });
    expect(params({ ...config, pooling: 'last' }, { facts: { pooling: 'cls' } })).toMatchObject({
      pooling_type: 'last',
    });
    expect(params({ ...config, mode: 'reranking' })).toMatchObject({
      embeddings: true,
      pooling_type: 'rank',
    });
    expect(() => params({ ...config, pooling: 'none' })).toThrow(
      expect.objectContaining({ code: 'not_supported' }),
    );
  });

  it('finds adapters behind the weights, and refuses them with several files', () => {
    const adapters = [new Blob(['a']), new Blob(['b'])];
    expect(params({ contextSize: 64 }, { model: { adapters } }).lora_adapters).toEqual([
      { path: '/models/model-00002-of-00003.gguf', scale: 1 },
      { path: '/models/model-00003-of-00003.gguf', scale: 1 },
    ]);
    const weights = [...model.weights, ...model.weights];
    expect(() => params({ contextSize: 64 }, { model: { adapters, weights } })).toThrow(
      expect.objectContaining({ code: 'not_supported' }),
    );
  });
});
