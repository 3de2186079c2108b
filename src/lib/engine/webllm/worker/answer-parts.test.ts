import { beforeEach, describe, expect, it } from 'vitest';
import { AnswerBench, textOf } from '#lib/engine/webllm/testing/answer-bench.ts';
import type { ChatRequest } from '#lib/openai/chat.ts';

describe('an answer', () => {
  let bench: AnswerBench;

  beforeEach(() => {
    bench = new AnswerBench();
  });

  describe('with tools', () => {
    const tools: ChatRequest['tools'] = [{ type: 'function', function: { name: 'time' } }];
    const call = '<tool_call>{"name": "time", "arguments": {}}</tool_call>';

    it('tells calls apart from its text, and that it ended with them', async () => {
      bench.next(['Look: <tool', '_call>{"name": "time", "arg', 'uments": {}}', '</tool_call>']);
      const events = await bench.ask('A', { tools });
      expect(textOf(events)).toBe('Look: ');
      expect(events.filter(({ type }) => type.startsWith('tool'))).toEqual([
        { type: 'tool-call', index: 0, id: expect.stringMatching(/^call_/), name: 'time' },
        { type: 'tool-arguments', index: 0, text: '{}' },
      ]);
      expect(events.at(-1)).toMatchObject({ reason: 'tool_calls' });
    });

    it('ends after one call when it may make no more', async () => {
      bench.next([call, call, 'more']);
      const events = await bench.ask('A', { tools, parallel_tool_calls: false });
      expect(events.filter(({ type }) => type === 'tool-call')).toHaveLength(1);
      expect(events.at(-1)).toMatchObject({ type: 'finish', reason: 'tool_calls' });
      bench.next([call, call]);
      expect((await bench.ask('B', { tools })).filter(({ type }) => type === 'tool-call')).toHaveLength(2);
    });

    it('was cut off when it was cut off', async () => {
      bench.next(['<tool_call>{"name": "time", "arguments": {"a'], 'length');
      expect((await bench.ask('A', { tools })).at(-1)).toMatchObject({ reason: 'length' });
    });

    it.each([
      ['no tool may be called', { tools, tool_choice: 'none' as const }],
      ['its text is held', { tools, response_format: { type: 'json_object' as const } }],
      ['there are none', { tools: [] }],
    ])('is only text when %s', async (_, fields) => {
      bench.next([call]);
      expect(textOf(await bench.ask('A', fields))).toBe(call);
    });

    it('may think of a call without making it', async () => {
      bench.next(['<think>', call, '\n', '</think>\n\nDone']);
      const events = await bench.ask('A', { tools });
      expect([textOf(events, 'reasoning'), textOf(events)]).toEqual([call, 'Done']);
      expect(events.at(-1)).toMatchObject({ reason: 'stop' });
    });
  });

  it('begins with thoughts when its prompt does', async () => {
    bench.next(['Hm.', ' </th', 'ink>', 'Yes']);
    const events = await bench.ask('A<think>\n');
    expect([textOf(events, 'reasoning'), textOf(events)]).toEqual(['Hm.', 'Yes']);
    bench.next(['{}']);
    expect(textOf(await bench.ask('A<think>', { response_format: { type: 'json_object' } }))).toBe('{}');
  });

  describe('with a budget of thoughts', () => {
    beforeEach(() => {
      bench = new AnswerBench({ thinkBudget: 2 });
    });

    it('goes on without thinking when that is spent', async () => {
      bench.next(['<think>', 'a', 'b', 'c', 'd']);
      bench.next(['Yes']);
      const events = await bench.ask('A', { max_tokens: 9 });
      expect([textOf(events, 'reasoning'), textOf(events)]).toEqual(['ab', 'Yes']);
      expect(bench.pipeline.asked[1]).toMatchObject({
        messages: [{ role: 'user', content: 'A<think>ab\n</think>\n\n' }],
        max_tokens: 6,
      });
      expect(events.filter(({ type }) => type === 'finish')).toMatchObject([
        { reason: 'stop', renderedPrompt: 'A', usage: { promptTokens: 2, completionTokens: 6 } },
      ]);
    });

    it('is untouched when it thinks less, or is cut off', async () => {
      bench.next(['<think>', 'a', '</think>', 'Yes']);
      const events = await bench.ask('A');
      expect([textOf(events, 'reasoning'), textOf(events)]).toEqual(['a', 'Yes']);
      bench.next(['<think>', 'a'], 'length');
      expect((await bench.ask('B')).at(-1)).toMatchObject({ reason: 'length' });
      expect(bench.pipeline.asked).toHaveLength(2);
    });

    it('has the length that the context allows', async () => {
      bench.next(['<think>', 'a', 'b ' + 'w '.repeat(40)]);
      expect((await bench.ask('A')).at(-1)).toMatchObject({ type: 'finish', reason: 'length' });
    });
  });
});
