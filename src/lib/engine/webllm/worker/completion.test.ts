import { beforeEach, describe, expect, it } from 'vitest';
import { AnswerBench, gather, textOf } from '#lib/engine/webllm/testing/answer-bench.ts';
import type { CompletionRequest } from '#lib/openai/completion.ts';

describe('an answer', () => {
  let bench: AnswerBench;

  beforeEach(() => {
    bench = new AnswerBench();
  });

  describe('to a raw prompt', () => {
    const complete = (prompt: string, fields: Partial<CompletionRequest> = {}) =>
      gather(bench.answerer.complete({ model: 'x', prompt, ...fields }, new AbortController().signal));

    it('continues it, with the token that begins a text', async () => {
      bench.next([' c', ' <tool_call>']);
      const events = await complete('a b', { stop: 'x', max_tokens: 9, logprobs: 1 });
      expect(textOf(events)).toBe(' c <tool_call>');
      expect(events.at(-1)).toMatchObject({ reason: 'stop', renderedPrompt: '<s>a b' });
      expect(bench.pipeline.asked[0]).toMatchObject({ max_tokens: 9, top_logprobs: 1 });
      bench.next([]);
      expect((await complete('<s>a')).at(-1)).toMatchObject({ renderedPrompt: '<s>a' });
    });

    it('ends before a stop text, and names the prompt when it is too long', async () => {
      bench.next(['a', 'b']);
      expect(textOf(await complete('x', { stop: ['b'] }))).toBe('a');
      await expect(complete('w '.repeat(50))).rejects.toMatchObject({
        code: 'context_length_exceeded',
        param: 'prompt',
      });
    });

    it('fills a gap only where the model knows how', async () => {
      bench.next(['x']);
      const filled = await complete('a', { suffix: 'b' });
      expect(filled.at(-1)).toMatchObject({
        renderedPrompt: '<s><|fim_prefix|>a<|fim_suffix|>b<|fim_middle|>',
      });
      bench.pipeline.tokenizer.encode = () => [1, 2];
      await expect(complete('a', { suffix: 'b' })).rejects.toMatchObject({
        code: 'not_supported',
        param: 'suffix',
      });
    });
  });
});
