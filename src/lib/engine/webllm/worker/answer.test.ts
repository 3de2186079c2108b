import { beforeEach, describe, expect, it } from 'vitest';
import { AnswerBench } from '#lib/engine/webllm/testing/answer-bench.ts';
import { parseChatRequest } from '#lib/openai/chat.ts';

describe('an answer', () => {
  let bench: AnswerBench;

  beforeEach(() => {
    bench = new AnswerBench();
  });

  it('tells its prompt before and after it was computed, its text and its end', async () => {
    bench.next(['Hel', 'lo']);
    expect(await bench.ask('Say hello')).toEqual([
      { type: 'prefill', processedTokens: 0, totalTokens: 3 },
      { type: 'prefill', processedTokens: 3, totalTokens: 3 },
      { type: 'text', text: 'Hel' },
      { type: 'text', text: 'lo' },
      {
        type: 'finish',
        reason: 'stop',
        usage: { promptTokens: 3, cachedTokens: 0, completionTokens: 3 },
        timings: { prefillTokens: 2, prefillMs: 500, decodeTokens: 2, decodeMs: 250 },
        renderedPrompt: 'Say hello',
      },
    ]);
  });

  it('computes only what is new when the conversation goes on as it was answered', async () => {
    bench.next(['B']);
    await bench.ask('A');
    bench.next(['D']);
    const events = await bench.ask('AB</e> and C');
    expect(bench.pipeline.asked[1]?.messages).toEqual([
      { role: 'user', content: 'A' },
      { role: 'assistant', content: 'B' },
      { role: 'user', content: '</e> and C' },
    ]);
    expect(events.at(-1)).toMatchObject({ usage: { promptTokens: 13, cachedTokens: 10 } });
    bench.next(['F']);
    await bench.ask('AB</e> and CD, E');
    expect(bench.pipeline.asked[2]?.messages).toHaveLength(5);
  });

  it.each([
    ['another conversation', 'X', 'stop', {}],
    ['the same prompt again', 'A', 'stop', {}],
    ['a reply that was cut off', 'AB and C', 'length', {}],
    ['a reply that a stop text ended', 'AB and C', 'stop', { stop: 'B' }],
  ] as const)('starts anew after %s', async (_, second, end, fields) => {
    bench.next(['B'], end);
    await bench.ask('A', fields);
    bench.next(['D']);
    const events = await bench.ask(second);
    expect(bench.pipeline.asked[1]?.messages).toEqual([{ role: 'user', content: second }]);
    expect(events.at(-1)).toMatchObject({ usage: { cachedTokens: 0 } });
  });

  it('starts anew after an error', async () => {
    bench.next(['B']);
    await bench.ask('A');
    await expect(bench.ask('AB' + ' word'.repeat(40))).rejects.toMatchObject({
      code: 'context_length_exceeded',
    });
    await bench.ask('AB and C', { max_tokens: 1 });
    expect(bench.pipeline.asked).toHaveLength(2);
  });

  it('ends before a stop text, the model’s own or the request’s', async () => {
    bench.next(['Hi', '</', 'e>', ' more']);
    const own = await bench.ask('A');
    expect(own.filter(({ type }) => type === 'text')).toEqual([{ type: 'text', text: 'Hi' }]);
    expect(own.at(-1)).toMatchObject({ type: 'finish', reason: 'stop' });
    bench.next(['1', ', 2', ', 3'], 'length');
    const asked = await bench.ask('A', { stop: [', 2'] });
    expect(asked.at(-1)).toMatchObject({ type: 'finish', reason: 'stop' });
  });

  it('says when it was cut off', async () => {
    bench.next(['Hi'], 'length');
    expect((await bench.ask('A')).at(-1)).toMatchObject({ type: 'finish', reason: 'length' });
  });

  it('ends without a finish when it is aborted, also while nothing can be sent', async () => {
    const abort = new AbortController();
    bench.next(['a', '<', '/']);
    const request = parseChatRequest({ model: 'x', messages: [{ role: 'user', content: 'A' }] });
    const seen: string[] = [];
    for await (const event of bench.answerer.chat(request, abort.signal)) {
      seen.push(event.type);
      if (event.type === 'text') abort.abort();
    }
    expect(seen).toEqual(['prefill', 'prefill', 'text']);
    expect(bench.pipeline.getFinishReason()).toBe('abort');
  });

  it('refuses a prompt that leaves no room, with the counts, before anything is computed', async () => {
    await expect(bench.ask('w'.repeat(39).split('').join(' '))).rejects.toMatchObject({
      code: 'context_length_exceeded',
      param: 'messages',
      message: expect.stringContaining('40 tokens'),
    });
    expect(bench.pipeline.asked).toEqual([]);
  });

  it('has no such limit when the window slides', async () => {
    bench = new AnswerBench({ span: { kind: 'sliding', tokens: 4, attentionSink: 0 } });
    bench.next(['ok']);
    expect((await bench.ask('one two three four five six')).at(-1)).toMatchObject({ type: 'finish' });
  });
});
