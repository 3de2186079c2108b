import { describe, expect, it } from 'vitest';
import type { Digest } from '#lib/core/digest.ts';
import { describeForOpenAi, describeModel } from './facts.ts';
import { mediaTypes } from './manifest.ts';

const digest = (digit: string): Digest => `sha256:${digit.repeat(64)}`;
const bytes = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));

const facts = {
  format: 'gguf',
  quantization: 'MOSTLY_Q4_1',
  parameters: '134.52M',
  architecture: 'llama',
  size: '92.10MiB',
  gguf: { 'general.architecture': 'llama', 'general.file_type': '3' },
  context_size: 8192,
};
const weights = { mediaType: mediaTypes.gguf, size: 98_362_432, digest: digest('b') };
const manifest = {
  schemaVersion: 2,
  config: { mediaType: mediaTypes.configV01, size: 1755, digest: digest('c') },
  layers: [weights, { mediaType: mediaTypes.license, size: 1000, digest: digest('d') }, weights],
};
const stored = {
  id: digest('a'),
  tags: ['docker.io/ai/smollm2:135m-q4_1', 'localhost:44825/holdout/smol:v1'],
  manifest: bytes(manifest),
  config: bytes({ config: facts, descriptor: { created: '2026-11-24T16:15:30.956988361Z' } }),
};

describe('describeModel', () => {
  it('is the shape of GET /models', () => {
    expect(describeModel(stored)).toEqual({
      id: digest('a'),
      tags: stored.tags,
      created: 1795536930,
      config: facts,
      size_bytes: 98_363_432,
    });
  });

  it('leaves out what the config does not say', () => {
    const bare = describeModel({ ...stored, config: bytes({ config: { format: 'gguf' } }) });
    expect(bare).toMatchObject({ created: 0, config: { format: 'gguf', quantization: '' } });
    expect(bare.config).not.toHaveProperty('gguf');
    expect(bare.config).not.toHaveProperty('context_size');
  });
});

describe('describeModel of a ModelPack', () => {
  const raw = (path: string, size: number, type = 'weight') => ({
    mediaType: `application/vnd.cncf.model.${type}.v1.raw`,
    size,
    digest: digest('b'),
    annotations: { 'org.cncf.model.filepath': path },
  });
  const pack = (path: string, format?: string) =>
    describeModel({
      ...stored,
      manifest: bytes({
        ...manifest,
        config: { ...manifest.config, mediaType: mediaTypes.configModelPack },
        layers: [raw(path, 98_362_432), raw('LICENSE', 1000, 'doc')],
      }),
      config: bytes({
        descriptor: { createdAt: '2025-01-01T00:00:00Z' },
        modelfs: { type: 'layers', diffIds: [] },
        config: {
          architecture: 'llama',
          paramSize: '134.52M',
          quantization: 'Q4_1',
          ...(format && { format }),
        },
      }),
    });

  it('has Docker’s shape', () => {
    expect(pack('model.gguf', 'gguf')).toMatchObject({
      created: Date.UTC(2025, 0, 1) / 1000,
      config: {
        format: 'gguf',
        quantization: 'Q4_1',
        parameters: '134.52M',
        architecture: 'llama',
        size: '93.81MiB',
      },
    });
    expect(pack('model.gguf').config).not.toHaveProperty('context_size');
  });

  it.each([
    ['model.gguf', undefined, 'gguf'],
    ['model.safetensors', undefined, 'safetensors'],
    ['model.onnx', 'onnx', 'onnx'],
  ])('tells the format of %s (%s) as %s', (path, claimed, format) => {
    expect(pack(path, claimed).config.format).toBe(format);
  });
});

describe('describeForOpenAi', () => {
  it('is the shape of GET /engines/v1/models', () => {
    expect(describeForOpenAi(describeModel(stored))).toEqual({
      id: 'docker.io/ai/smollm2:135m-q4_1',
      object: 'model',
      created: 1795536930,
      owned_by: 'docker',
      dmr: {
        context_window: 8192,
        architecture: 'llama',
        parameters: '134.52M',
        quantization: 'MOSTLY_Q4_1',
        size: '92.10MiB',
      },
    });
  });

  it('names a model without tags by its ID', () => {
    expect(describeForOpenAi(describeModel({ ...stored, tags: [] })).id).toBe(digest('a'));
  });
});
