import { beforeEach, describe, expect, it } from 'vitest';
import { FakePipeline } from '#lib/engine/webllm/testing/fake-pipeline.ts';
import { messageText, parseChatRequest } from '#lib/openai/chat.ts';
import type { ChatEvent } from '#lib/openai/events.ts';
import { Answerer } from './answer.ts';

describe('an answer', () => {
  let pipeline: FakePipeline;
  let answerer: Answerer;

  beforeEach(() => {
    pipeline = new FakePipeline();
    answerer = makeAnswerer({ kind: 'context', tokens: 40 });
  });

  function makeAnswerer(span: ConstructorParameters<typeof Answerer>[0]['span']): Answerer {
    const render = ({ messages }: Parameters<Answerer['answer']>[0]) => messages.map(messageText).join('');
    const form = { render, prefixTokens: [1] };
    return new Answerer({ engine: pipeline.engine, pipeline, form, span, stopTexts: ['</e>'] });
  }

  function next(pieces: readonly string[], end: 'stop' | 'length' = 'stop'): void {
    pipeline.replies.push({ pieces, end });
  }

  async function ask(
    content: string,
    fields: object = {},
    signal = new AbortController().signal,
  ): Promise<ChatEvent[]> {
    const messages = [{ role: 'user', content }];
    const events: ChatEvent[] = [];
    const request = parseChatRequest({ model: 'x', messages, ...fields });
    for await (const event of answerer.answer(request, signal)) events.push(event);
    return events;
  }

  it('tells its prompt before and after it was computed, its text and its end', async () => {
    next(['Hel', 'lo']);
    expect(await ask('Say hello')).toEqual([
      { type: 'prefill', processedTokens: 0, totalTokens: 3 },
      { type: 'prefill', processedTokens: 3, totalTokens: 3 },
      { type: 'text', text: 'Hel' },
      { type: 'text', text: 'lo' },
      {
        type: 'finish',
        reason: 'stop',
        usage: { promptTokens: 3, cachedTokens: 0, completionTokens: 3 },
        timings: { prefillTokens: 2, prefillMs: 500, decodeTokens: 2, decodeMs: 250 },
      },
    ]);
  });

  it('computes only what is new when the conversation goes on as it was answered', async () => {
    next(['B']);
    await ask('A');
    next(['D']);
    const events = await ask('AB</e> and C');
    expect(pipeline.asked[1]?.messages).toEqual([
      { role: 'user', content: 'A' },
      { role: 'assistant', content: 'B' },
      { role: 'user', content: '</e> and C' },
    ]);
    expect(events.at(-1)).toMatchObject({ usage: { promptTokens: 13, cachedTokens: 10 } });
    next(['F']);
    await ask('AB</e> and CD, E');
    expect(pipeline.asked[2]?.messages).toHaveLength(5);
  });

  it.each([
    ['another conversation', 'X', 'stop', {}],
    ['the same prompt again', 'A', 'stop', {}],
    ['a reply that was cut off', 'AB and C', 'length', {}],
    ['a reply that a stop text ended', 'AB and C', 'stop', { stop: 'B' }],
  ] as const)('starts anew after %s', async (_, second, end, fields) => {
    next(['B'], end);
    await ask('A', fields);
    next(['D']);
    const events = await ask(second);
    expect(pipeline.asked[1]?.messages).toEqual([{ role: 'user', content: second }]);
    expect(events.at(-1)).toMatchObject({ usage: { cachedTokens: 0 } });
  });

  it('starts anew after an error', async () => {
    next(['B']);
    await ask('A');
    await expect(ask('AB' + ' word'.repeat(40))).rejects.toMatchObject({ code: 'context_length_exceeded' });
    await ask('AB and C', { max_tokens: 1 });
    expect(pipeline.asked).toHaveLength(2);
  });

  it('ends before a stop text, the model’s own or the request’s', async () => {
    next(['Hi', '</', 'e>', ' more']);
    const own = await ask('A');
    expect(own.filter(({ type }) => type === 'text')).toEqual([{ type: 'text', text: 'Hi' }]);
    expect(own.at(-1)).toMatchObject({ type: 'finish', reason: 'stop' });
    next(['1', ', 2', ', 3'], 'length');
    const asked = await ask('A', { stop: [', 2'] });
    expect(asked.at(-1)).toMatchObject({ type: 'finish', reason: 'stop' });
  });

  it('says when it was cut off', async () => {
    next(['Hi'], 'length');
    expect((await ask('A')).at(-1)).toMatchObject({ type: 'finish', reason: 'length' });
  });

  it('ends without a finish when it is aborted, also while nothing can be sent', async () => {
    const abort = new AbortController();
    next(['a', '<', '/']);
    const request = parseChatRequest({ model: 'x', messages: [{ role: 'user', content: 'A' }] });
    const seen: string[] = [];
    for await (const event of answerer.answer(request, abort.signal)) {
      seen.push(event.type);
      if (event.type === 'text') abort.abort();
    }
    expect(seen).toEqual(['prefill', 'prefill', 'text']);
    expect(pipeline.getFinishReason()).toBe('abort');
  });

  it('refuses a prompt that leaves no room, with the counts, before anything is computed', async () => {
    await expect(ask('w'.repeat(39).split('').join(' '))).rejects.toMatchObject({
      code: 'context_length_exceeded',
      param: 'messages',
      message: expect.stringContaining('40 tokens'),
    });
    expect(pipeline.asked).toEqual([]);
  });

  it('has no such limit when the window slides', async () => {
    answerer = makeAnswerer({ kind: 'sliding', tokens: 4, attentionSink: 0 });
    next(['ok']);
    expect((await ask('one two three four five six')).at(-1)).toMatchObject({ type: 'finish' });
  });
});
