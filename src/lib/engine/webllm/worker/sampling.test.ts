import { describe, expect, it } from 'vitest';
import { parseChatRequest } from '#lib/openai/chat.ts';
import { samplingOf, type Sampling } from './sampling.ts';

function sampling(fields: object): Sampling {
  return samplingOf(parseChatRequest({ model: 'x', messages: [{ role: 'user', content: 'Hi' }], ...fields }));
}

describe('sampling parameters', () => {
  it('are left to the model when there are none', () => {
    expect(sampling({})).toEqual({});
    expect(sampling({ temperature: null, seed: null, top_k: null, stop: null })).toEqual({});
  });

  it('are passed on under WebLLM’s names', () => {
    const given = { temperature: 0.5, top_p: 0.9, seed: 7, presence_penalty: 1, frequency_penalty: -1 };
    expect(sampling({ ...given, repeat_penalty: 1.1, max_tokens: 9, max_completion_tokens: 8 })).toEqual({
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
});
