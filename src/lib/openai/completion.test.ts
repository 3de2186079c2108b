import { describe, expect, it } from 'vitest';
import { CompletionWriter } from './completion-writer.ts';
import { ignoredCompletionFields, parseCompletionRequest } from './completion.ts';
import type { ChatEvent } from './events.ts';

const ask = { model: 'm', prompt: 'Once' };

describe('a text completion request', () => {
  it.each<[string, object, string, string]>([
    ['no prompt', { prompt: undefined }, 'invalid_request', 'prompt'],
    ['an empty prompt', { prompt: '' }, 'invalid_request', 'prompt'],
    ['an empty list', { prompt: [] }, 'invalid_request', 'prompt'],
    ['an empty text in the list', { prompt: ['a', ''] }, 'invalid_request', 'prompt.1'],
    ['token ids', { prompt: [1, 2] }, 'not_supported', 'prompt'],
    ['lists of token ids', { prompt: [[1], [2]] }, 'not_supported', 'prompt'],
    ['the best of several', { best_of: 3 }, 'unsupported_parameter', 'best_of'],
    ['fewer than the best of', { best_of: 2, n: 1 }, 'unsupported_parameter', 'best_of'],
    [
      'too many answers in all',
      { prompt: Array.from({ length: 10 }, () => 'a'), n: 10 },
      'invalid_request',
      'n',
    ],
    ['the odds of its own prompt', { echo: true, logprobs: 1 }, 'not_supported', 'echo'],
    ['a bias for a word', { logit_bias: { a: 1 } }, 'invalid_request', 'logit_bias'],
    ['mirostat', { mirostat: 2 }, 'unsupported_parameter', 'mirostat'],
  ])('is refused with %s', (_, fields, code, param) => {
    expect(() => parseCompletionRequest({ ...ask, ...fields })).toThrow(
      expect.objectContaining({ code, param }),
    );
  });

  it('has one prompt or a list of them', () => {
    expect(parseCompletionRequest(ask).prompts).toEqual(['Once']);
    expect(parseCompletionRequest({ ...ask, prompt: ['a', 'b'], n: 2, best_of: 2 }).prompts).toEqual([
      'a',
      'b',
    ]);
  });

  it('names the fields that it does not read', () => {
    expect(ignoredCompletionFields({ ...ask, user: 'me' })).toEqual(['user']);
  });
});

const finish: ChatEvent = {
  type: 'finish',
  reason: 'stop',
  usage: { promptTokens: 1, cachedTokens: 0, completionTokens: 2 },
  timings: { prefillTokens: 1, prefillMs: 1, decodeTokens: 2, decodeMs: 1 },
};
const word = (text: string): ChatEvent => ({
  type: 'text',
  text,
  logprobs: [{ token: text, bytes: [], logprob: -1, top: [{ token: text, bytes: [], logprob: -1 }] }],
});

function writer(fields: object = {}) {
  const request = parseCompletionRequest({ ...ask, ...fields });
  return new CompletionWriter({ request, prompts: request.prompts, nowMs: 1000 });
}

describe('a text completion', () => {
  it('streams its echo, its words and its end, with usage for who asked', () => {
    const to = writer({ echo: true, stream: true, stream_options: { include_usage: true } });
    const chunks = [{ type: 'text', text: ' upon' } as const, finish].flatMap((event) => to.chunks(event));
    expect(chunks).toMatchObject([
      { object: 'text_completion', choices: [{ index: 0, text: 'Once', finish_reason: null }] },
      { choices: [{ text: ' upon', logprobs: null }] },
      { choices: [{ text: '', finish_reason: 'stop' }], timings: { predicted_n: 2 } },
      { choices: [], usage: { total_tokens: 3 } },
    ]);
  });

  it('tells probabilities in both common forms, with the offset of each token', () => {
    const to = writer({ logprobs: 1 });
    for (const event of [word('a '), word('bc'), finish]) to.add(event);
    expect(to.completion().choices[0]?.logprobs).toMatchObject({
      tokens: ['a ', 'bc'],
      token_logprobs: [-1, -1],
      top_logprobs: [{ 'a ': -1 }, { bc: -1 }],
      text_offset: [0, 2],
      content: [{ token: 'a ', logprob: -1 }, { token: 'bc' }],
    });
    const streaming = writer({ logprobs: 1 });
    const offsets = [word('a '), word('bc')]
      .flatMap((event) => streaming.chunks(event))
      .map(({ choices }) => choices[0]?.logprobs?.text_offset);
    expect(offsets).toEqual([[0], [2]]);
  });

  it('gives each prompt its answers in order', () => {
    const to = writer({ prompt: ['A', 'B'], n: 2, echo: true });
    for (const choice of [0, 1, 2, 3]) {
      to.add({ type: 'text', text: String(choice), choice });
      to.add({ ...finish, choice });
    }
    expect(to.completion().choices.map(({ index, text }) => [index, text])).toEqual([
      [0, 'A0'],
      [1, 'A1'],
      [2, 'B2'],
      [3, 'B3'],
    ]);
  });
});
