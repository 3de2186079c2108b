import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ApiError } from '#lib/core/errors.ts';
import { parseMlcConfig } from './mlc.ts';

const bytes = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));

describe('parseMlcConfig', () => {
  it('reads what the model is', () => {
    const config = {
      version: '0.1.0',
      model_type: 'llama',
      quantization: 'q0f32',
      context_window_size: 2048,
      tokenizer_files: ['tokenizer.json'],
    };
    expect(parseMlcConfig(bytes(config))).toEqual({
      architecture: 'llama',
      quantization: 'q0f32',
      contextSize: 2048,
      tokenizerFiles: ['tokenizer.json'],
    });
  });

  it.each([undefined, null, 'tokenizer.json', [1]])('takes %j for no word on tokenizers', (files) => {
    const config = { model_type: 'llama', quantization: 'q0f32', tokenizer_files: files };
    expect(parseMlcConfig(bytes(config)).tokenizerFiles).toEqual([]);
  });

  it('takes a window without end for an unknown size', () => {
    const config = { model_type: 'llama', quantization: 'q0f32', context_window_size: -1 };
    expect(parseMlcConfig(bytes(config)).contextSize).toBeUndefined();
  });

  it('refuses anything else with an ApiError', () => {
    fc.assert(
      fc.property(fc.oneof(fc.jsonValue().map(bytes), fc.uint8Array()), (input) => {
        try {
          parseMlcConfig(input);
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(ApiError);
        }
      }),
    );
    expect(() => parseMlcConfig(bytes({ model_type: 'llama' }))).toThrow('mlc-chat-config.json');
  });
});
