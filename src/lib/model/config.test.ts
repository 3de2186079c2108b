import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ApiError } from '#lib/core/errors.ts';
import { parseModelConfig } from './config.ts';

const bytes = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));

describe('parseModelConfig', () => {
  it('reads what Docker Model Runner writes', () => {
    const config = parseModelConfig(
      bytes({
        config: {
          format: 'gguf',
          quantization: 'MOSTLY_Q4_1',
          parameters: '134.52M',
          architecture: 'llama',
          size: '92.10MiB',
          gguf: { 'general.architecture': 'llama' },
          context_size: 8192,
        },
        descriptor: { created: '2026-11-24T16:15:30.956988361Z' },
        rootfs: { type: 'rootfs', diff_ids: [] },
      }),
    );
    expect(config).toEqual({
      format: 'gguf',
      quantization: 'MOSTLY_Q4_1',
      parameters: '134.52M',
      architecture: 'llama',
      size: '92.10MiB',
      gguf: { 'general.architecture': 'llama' },
      contextSize: 8192,
      createdAtMs: Date.UTC(2026, 10, 24, 16, 15, 30, 956),
      diffIds: [],
    });
  });

  it('reads a ModelPack config', () => {
    const config = parseModelConfig(
      bytes({
        descriptor: {
          createdAt: '2025-01-01T00:00:00Z',
          name: 'smollm2',
          family: 'smollm',
          licenses: ['Apache-2.0'],
          authors: ['someone'],
          version: 3,
        },
        modelfs: { type: 'layers', diffIds: [`sha256:${'a'.repeat(64)}`, `sha512:${'b'.repeat(128)}`] },
        config: { architecture: 'transformer', paramSize: '135m', precision: 'bf16', context_size: 4096 },
      }),
    );
    expect(config).toMatchObject({
      format: '',
      parameters: '135m',
      architecture: 'transformer',
      contextSize: undefined,
      createdAtMs: Date.UTC(2025, 0, 1),
      diffIds: [`sha256:${'a'.repeat(64)}`, undefined],
      modelPack: { name: 'smollm2', family: 'smollm', precision: 'bf16', licenses: ['Apache-2.0'] },
    });
  });

  it.each([
    ['paramSize', { config: { paramSize: '1b' } }, true],
    ['createdAt', { config: {}, descriptor: { createdAt: '2025-01-01T00:00:00Z' } }, true],
    ['modelfs', { config: {}, modelfs: {} }, true],
    [
      'files, as the draft of Docker’s format',
      { config: {}, descriptor: { createdAt: 'x' }, files: [] },
      false,
    ],
    ['none of them', { config: { format: 'gguf' }, descriptor: { created: 'x' }, rootfs: {} }, false],
  ])('knows ModelPack by %s', (_, document, isModelPack) => {
    expect(parseModelConfig(bytes(document)).modelPack !== undefined).toBe(isModelPack);
  });

  it('keeps the digests of unpacked layers in their places', () => {
    const rootfs = { type: 'rootfs', diff_ids: ['sha256:0', `sha256:${'c'.repeat(64)}`] };
    expect(parseModelConfig(bytes({ config: {}, rootfs })).diffIds).toEqual([
      undefined,
      `sha256:${'c'.repeat(64)}`,
    ]);
    expect(parseModelConfig(bytes({ config: {}, rootfs: { diff_ids: 'none' } })).diffIds).toEqual([]);
  });

  it('reads the draft of the specification', () => {
    const config = parseModelConfig(
      bytes({
        config: { format: 'gguf', format_version: '3', parameters: 135_000_000, gguf: { a: 'b', c: 7 } },
        descriptor: { createdAt: '2025-01-01T00:00:00Z' },
        files: [{ diffID: 'sha256:0', type: 'application/vnd.docker.ai.gguf.v3' }],
      }),
    );
    expect(config).toMatchObject({
      parameters: '135000000',
      gguf: { a: 'b' },
      createdAtMs: Date.UTC(2025, 0, 1),
    });
  });

  it('leaves out what is absent, null or nonsense', () => {
    const config = parseModelConfig(
      bytes({ config: { format: null, gguf: null, context_size: -1 }, descriptor: { created: 'yesterday' } }),
    );
    expect(config).toMatchObject({
      format: '',
      gguf: undefined,
      contextSize: undefined,
      createdAtMs: undefined,
    });
  });

  it('refuses anything that is no config, with an ApiError', () => {
    fc.assert(
      fc.property(fc.oneof(fc.jsonValue().map(bytes), fc.uint8Array()), (input) => {
        try {
          parseModelConfig(input);
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(ApiError);
          expect(thrown).toMatchObject({ code: 'unsupported_model_format' });
        }
      }),
    );
    expect(() => parseModelConfig(bytes({}))).toThrow('config cannot be read');
    expect(() => parseModelConfig(new TextEncoder().encode('{"config":'))).toThrow('cut short');
  });
});
