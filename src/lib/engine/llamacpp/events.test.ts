import type { ChatCompletionChunk } from '@wllama/wllama';
import { describe, expect, it } from 'vitest';
import { ChunkReader } from './events.ts';

type Choice = Record<string, unknown>;

function chunk(choice: Choice | undefined, fields: object = {}): ChatCompletionChunk {
  const choices = choice ? [{ index: 0, finish_reason: null, ...choice }] : [];
  return { id: '', object: 'chat.completion.chunk', created: 0, model: '', choices, ...fields } as never;
}

const measured = {
  usage: { prompt_tokens: 9, completion_tokens: 4, total_tokens: 13 },
  timings: { cache_n: 5, prompt_n: 4, prompt_ms: 8, predicted_n: 4, predicted_ms: 16 },
};

function entryOf(token: string, bytes: number[], top: object[] = []): object {
  return { id: 1, token, bytes, logprob: -0.5, top_logprobs: top };
}

describe('ChunkReader', () => {
  it('tells a call once, then its arguments in pieces, and why the answer ended', () => {
    const reader = new ChunkReader();
    const call = (delta: object) => chunk({ delta: { tool_calls: [{ index: 1, ...delta }] } });
    const events = [
      call({ id: 'abc', function: { name: 'f', arguments: '{' } }),
      call({ function: { arguments: '}' } }),
      chunk({ delta: {}, finish_reason: 'tool_calls' }, { __verbose: { prompt: 'rendered' } }),
      chunk(undefined, measured),
    ].flatMap((each) => reader.read(each));
    expect(events).toEqual([
      { type: 'tool-call', index: 1, id: 'call_abc', name: 'f' },
      { type: 'tool-arguments', index: 1, text: '{' },
      { type: 'tool-arguments', index: 1, text: '}' },
      {
        type: 'finish',
        reason: 'tool_calls',
        usage: { promptTokens: 9, completionTokens: 4, cachedTokens: 5 },
        timings: { prefillTokens: 4, prefillMs: 8, decodeTokens: 4, decodeMs: 16 },
        renderedPrompt: 'rendered',
      },
    ]);
  });

  it('tells thinking apart from the answer, and progress before both', () => {
    const reader = new ChunkReader();
    const first = { prompt_progress: { total: 9, cache: 0, processed: 9, time_ms: 1 } };
    expect(reader.read(chunk({ delta: { role: 'assistant', content: null } }, first))).toEqual([
      { type: 'prefill', processedTokens: 9, totalTokens: 9 },
    ]);
    expect(reader.read(chunk({ delta: { reasoning_content: 'hm', content: 'so' } }))).toEqual([
      { type: 'reasoning', text: 'hm' },
      { type: 'text', text: 'so' },
    ]);
  });

  it('keeps the probabilities of half a character until the character is whole', () => {
    const reader = new ChunkReader({ alternatives: 1 });
    const top = [
      { token: '🙂', bytes: [240], logprob: -0.1 },
      { token: 'x', bytes: [120], logprob: null },
    ];
    expect(reader.read(chunk({ delta: {}, logprobs: { content: [entryOf('', [240, 159], top)] } }))).toEqual(
      [],
    );
    const [text] = reader.read(
      chunk({ delta: { content: '🙂' }, logprobs: { content: [entryOf('', [153, 130])] } }),
    );
    expect(text).toEqual({
      type: 'text',
      text: '🙂',
      logprobs: [
        { token: '', bytes: [240, 159], logprob: -0.5, top: [{ token: '🙂', bytes: [240], logprob: -0.1 }] },
        { token: '', bytes: [153, 130], logprob: -0.5, top: [] },
      ],
    });
  });

  it('writes a number for a token that cannot come', () => {
    const reader = new ChunkReader({ alternatives: 0 });
    const entry = { ...entryOf('a', [97]), logprob: null };
    const [text] = reader.read(chunk({ delta: { content: 'a' }, logprobs: { content: [entry] } }));
    expect(text).toMatchObject({ logprobs: [{ logprob: -9999, top: [] }] });
  });

  it('tells nothing about tokens unless asked', () => {
    const given = chunk({ delta: { content: 'a' }, logprobs: { content: [entryOf('a', [97])] } });
    expect(new ChunkReader().read(given)).toEqual([{ type: 'text', text: 'a' }]);
  });

  it('reads the chunks of raw completions', () => {
    const reader = new ChunkReader({ prompt: '1, 2' });
    expect(reader.read(chunk({ text: ', 3' }))).toEqual([{ type: 'text', text: ', 3' }]);
    const [finish] = reader.read(chunk({ text: '', finish_reason: 'length' }, measured));
    expect(finish).toMatchObject({ type: 'finish', reason: 'length', renderedPrompt: '1, 2' });
  });

  const unreadable = chunk(undefined, { unreadable: true });

  it('stands a replacement character in for a piece that could not be read', () => {
    const reader = new ChunkReader();
    expect(reader.read(unreadable)).toEqual([{ type: 'text', text: '\uFFFD' }]);
    reader.read(chunk({ delta: { reasoning_content: 'hm' } }));
    expect(reader.read(unreadable)).toEqual([{ type: 'reasoning', text: '\uFFFD' }]);
    reader.read(chunk({ delta: { content: 'a' } }));
    expect(reader.read(unreadable)).toEqual([{ type: 'text', text: '\uFFFD' }]);
  });

  it('says that probabilities cannot be told of a piece that could not be read', () => {
    const reader = new ChunkReader({ alternatives: 0 });
    expect(() => reader.read(unreadable)).toThrow(
      expect.objectContaining({ code: 'not_supported', param: 'logprobs' }),
    );
  });
});
