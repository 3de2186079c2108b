import { describe, expect, it } from 'vitest';
import type { ChatRequest } from '#lib/openai/chat.ts';
import { samplingOf, type Sampling, type SamplingLimits } from './sampling.ts';

const messages = [{ role: 'user' as const, content: 'Hi' }];

function sampling(fields: Partial<ChatRequest>, limits: Partial<SamplingLimits> = {}): Sampling {
  return samplingOf(
    { model: 'x', messages, ...fields },
    {
      maxTokens: undefined,
      alternatives: undefined,
      alternativesField: 'top_logprobs',
      vocabularySize: 100,
      ...limits,
    },
  );
}

describe('sampling parameters', () => {
  it('are left to the model when there are none', () => {
    expect(sampling({})).toEqual({});
    expect(sampling({ temperature: null, seed: null, top_k: null, stop: null })).toEqual({});
  });

  it('are passed on under WebLLM’s names', () => {
    const given = { temperature: 0.5, top_p: 0.9, seed: 7, presence_penalty: 1, frequency_penalty: -1 };
    expect(sampling({ ...given, repeat_penalty: 1.1 }, { maxTokens: 8 })).toEqual({
      ...given,
      repetition_penalty: 1.1,
      max_tokens: 8,
    });
  });

  it('that WebLLM refuses mean what they mean in llama.cpp', () => {
    expect(sampling({ top_p: 0 }).top_p).toBeGreaterThan(0);
    expect(sampling({ repeat_penalty: 0 })).toEqual({});
    expect(sampling({ seed: -1 })).toEqual({});
    expect(sampling({ top_k: 0, min_p: 0 })).toEqual({});
  });

  it.each([-7, -2, 0, 2 ** 31, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER])(
    'have a seed for %d',
    (seed) => {
      const { seed: taken } = sampling({ seed });
      expect(taken).toBeGreaterThanOrEqual(0);
      expect(taken).toBeLessThan(2 ** 31);
    },
  );

  it.each([
    ['top_k', { top_k: 40 }],
    ['min_p', { min_p: 0.1 }],
  ])('refuse %s by name', (param, fields) => {
    expect(() => sampling(fields)).toThrow(expect.objectContaining({ code: 'unsupported_parameter', param }));
  });

  it('do not mind them where they change nothing', () => {
    expect(sampling({ temperature: 0, top_k: 40, min_p: 0.1 })).toEqual({ temperature: 0 });
    expect(sampling({ top_k: 1 })).toEqual({ temperature: 0 });
  });

  it('may bias tokens of the vocabulary, and no others', () => {
    expect(sampling({ logit_bias: { '7': -100, '07': 5, '99': 1 } }).logit_bias).toEqual({ '7': 5, '99': 1 });
    expect(sampling({ logit_bias: {} })).toEqual({});
    for (const token of ['100', '-1', '1.5', 'x', '', '9999999999']) {
      expect(() => sampling({ logit_bias: { [token]: 1 } })).toThrow(
        expect.objectContaining({ code: 'invalid_request', param: 'logit_bias' }),
      );
    }
  });

  it('ask for an alternative also when none is wanted, or nothing would be told', () => {
    expect(sampling({}, { alternatives: 0 })).toEqual({ logprobs: true, top_logprobs: 1 });
    expect(sampling({}, { alternatives: 5 })).toEqual({ logprobs: true, top_logprobs: 5 });
    expect(() => sampling({}, { alternatives: 6, alternativesField: 'logprobs' })).toThrow(
      expect.objectContaining({ code: 'unsupported_parameter', param: 'logprobs' }),
    );
  });

  it('take the likeliest token without a temperature that makes all others impossible', () => {
    const greedy = sampling({ temperature: 0, top_p: 0.9 }, { alternatives: 1 });
    expect(greedy).toMatchObject({ temperature: 1, logprobs: true });
    expect(greedy.top_p).toBeLessThan(1e-5);
  });

  it('can go on for ever', () => {
    expect(sampling({ ignore_eos: true })).toEqual({ ignore_eos: true });
    expect(sampling({ ignore_eos: false })).toEqual({});
  });
});
