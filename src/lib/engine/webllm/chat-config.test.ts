import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ApiError } from '#lib/core/errors.ts';
import { parseChatConfig } from './chat-config.ts';
import { chatConfigJson } from './testing/mlc-files.ts';

describe('mlc-chat-config.json', () => {
  it('is read with -1 and null as “none”', () => {
    expect(parseChatConfig(chatConfigJson)).toMatchObject({
      quantization: 'q4f32_1',
      contextSize: 2048,
      slidingWindow: undefined,
      attentionSink: 0,
      sampling: {
        temperature: 0.7,
        topP: 0.9,
        repetitionPenalty: 1,
        presencePenalty: 0,
        frequencyPenalty: 0,
      },
      conversation: { stopTexts: ['</e>'], stopTokens: [2], prefixTokens: [1], roleAfterSystem: true },
    });
  });

  it('has defaults for sampling values that WebLLM would refuse', () => {
    const odd = {
      ...chatConfigJson,
      temperature: null,
      top_p: 0,
      repetition_penalty: 0,
      frequency_penalty: 99,
    };
    expect(parseChatConfig(odd).sampling).toEqual({
      temperature: 1,
      topP: 1,
      repetitionPenalty: 1,
      presencePenalty: 0,
      frequencyPenalty: 0,
    });
  });

  it('lets conv_config change the template, and a tool speak as the user where there is no such role', () => {
    const { conversation } = parseChatConfig({
      ...chatConfigJson,
      conv_template: { ...chatConfigJson.conv_template, roles: { user: 'U', assistant: 'A' } },
      conv_config: { seps: ['!'], stop_str: [''] },
    });
    expect(conversation).toMatchObject({ separators: ['!'], stopTexts: [], roles: { tool: 'U' } });
  });

  it.each([
    ['phi3_v', true],
    ['llama', false],
    // WebLLM 0.2.86 prepares no pictures for it.
    ['gemma3_v', false],
  ])('says of %s whether it sees', (model_type, sees) => {
    expect(parseChatConfig({ ...chatConfigJson, model_type }).sees).toBe(sees);
  });

  it('needs no conversation in an embedding model', () => {
    const bert = parseChatConfig({
      ...chatConfigJson,
      model_type: 'bert',
      conv_template: null,
      vocab_size: 9,
    });
    expect(bert).toMatchObject({ purpose: 'vectors', vocabularySize: 9 });
    expect(parseChatConfig(chatConfigJson).purpose).toBe('text');
  });

  it.each([
    [7, [7]],
    [
      [7, 8],
      [7, 8],
    ],
    [null, []],
  ])('ends with the end token %j where the conversation names no stop token', (end, stopTokens) => {
    const { conversation } = parseChatConfig({
      ...chatConfigJson,
      eos_token_id: end,
      conv_template: { ...chatConfigJson.conv_template, stop_token_ids: [] },
    });
    expect(conversation.stopTokens).toEqual(stopTokens);
  });

  it.each([
    ['tokenizer_files', { tokenizer_files: [] }],
    ['quantization', { quantization: 7 }],
    ['conv_template', { conv_template: 'chatml' }],
    ['conv_template.seps', { conv_template: { ...chatConfigJson.conv_template, seps: [] } }],
    ['conv_template.roles', { conv_template: { seps: [''] } }],
  ])('names %s when it cannot be used', (field, change) => {
    expect(() => parseChatConfig({ ...chatConfigJson, ...change })).toThrow(
      expect.objectContaining({
        code: 'unsupported_model_format',
        message: expect.stringContaining(`“${field}`),
      }),
    );
  });

  it('throws nothing but an ApiError, whatever it is given', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(...Object.keys(chatConfigJson)), (value, key) => {
        for (const given of [value, { ...chatConfigJson, [key]: value }]) {
          try {
            parseChatConfig(given);
          } catch (thrown) {
            expect(thrown).toBeInstanceOf(ApiError);
          }
        }
      }),
    );
  });
});
