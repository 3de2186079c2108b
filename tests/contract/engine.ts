/** What every engine promises, run on each with a model that it can load. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ApiError } from '#lib/core/errors.ts';
import type { Engine, LoadableModel, LoadedModel } from '#lib/engine/port.ts';
import { parseChatRequest, type ChatRequest } from '#lib/openai/chat.ts';
import type { CompletionRequest } from '#lib/openai/completion.ts';
import type { ChatEvent } from '#lib/openai/events.ts';
import {
  describeEmbedding,
  describeRanking,
  type EmbeddingCase,
  type RankingCase,
} from './engine-vectors.ts';

export interface EngineCase {
  readonly engine: Engine;
  readonly model: LoadableModel;
  /** Something the engine must refuse to load. */
  readonly garbage: LoadableModel;
  /** A prompt with a long answer. */
  readonly longPrompt: string;
  /** A text in that answer that is more than one token long, and what comes before it. */
  readonly stop: { readonly text: string; readonly before: string };
  readonly contextSize: number;
  /** A raw prompt that is continued with at least three tokens, and a stop text as above. Absent: text completion is not tested. */
  readonly completion?: {
    readonly prompt: string;
    readonly stop: { readonly text: string; readonly before: string };
  };
  /** What else the engine does with this model. */
  readonly can?: readonly ('logprobs' | 'completion-logprobs' | 'schema')[];
  /** A chat that makes the model call one of its tools by itself. */
  readonly tools?: Pick<ChatRequest, 'messages' | 'tools'>;
  /** Two prompts with different answers, given at once to a model that is loaded for two. */
  readonly parallel?: readonly [string, string];
  readonly embedding?: EmbeddingCase;
  readonly ranking?: RankingCase;
}

/** For a software GPU on a busy machine. */
const patience = { timeout: 120_000 };

export function describeEngine(name: string, make: () => Promise<EngineCase>): void {
  describe(`engine contract: ${name}`, patience, () => {
    let subject: EngineCase;
    let loaded: LoadedModel;

    beforeAll(async () => {
      subject = await make();
      loaded = await subject.engine.load(subject.model, { contextSize: subject.contextSize });
    }, patience.timeout);

    afterAll(async () => {
      await loaded.close();
      await loaded.close();
    });

    const never = new AbortController().signal;
    const chat = (fields: Partial<ChatRequest> = {}, signal = never) =>
      loaded.chat(
        parseChatRequest({
          model: 'x',
          temperature: 0,
          messages: [{ role: 'user', content: subject.longPrompt }],
          ...fields,
        }),
        signal,
      );

    it('ends with one finish event whose counts agree with what was sent', async () => {
      const events = await gather(chat());
      const finish = events.at(-1);
      if (finish?.type !== 'finish') return expect.fail('no finish event at the end');
      expect(events.filter((event) => event.type === 'finish')).toHaveLength(1);
      expect(finish.reason).toBe('stop');
      expect(finish.usage.promptTokens).toBeGreaterThan(0);
      expect(finish.usage.completionTokens).toBeGreaterThanOrEqual(
        events.filter((e) => e.type === 'text').length,
      );
      expect(finish.timings.decodeTokens).toBeGreaterThan(0);
    });

    it('tells of its prompt before its first word, up to the whole of it', async () => {
      const events = await gather(chat({ max_tokens: 1 }));
      const firstWord = events.findIndex((event) => event.type === 'text');
      const prefills = events.slice(0, firstWord).filter((event) => event.type === 'prefill');
      const [last] = prefills.slice(-1);
      expect(last?.processedTokens).toBe(last?.totalTokens);
      expect(events.at(-1)).toMatchObject({ usage: { promptTokens: last?.totalTokens } });
      expect(events.slice(firstWord).some((event) => event.type === 'prefill')).toBe(false);
    });

    it('ends before a stop text and never sends a part of it', async () => {
      const events = await gather(chat({ stop: subject.stop.text }));
      expect(textOf(events)).toBe(subject.stop.before);
      expect(events.at(-1)).toMatchObject({ type: 'finish', reason: 'stop' });
    });

    it('refuses what the parser lets through only with an ApiError', async () => {
      const odd: Partial<ChatRequest>[] = [
        { seed: Number.MIN_SAFE_INTEGER, max_tokens: 1 },
        { top_p: 0, max_tokens: 1 },
        { repeat_penalty: 0, max_tokens: 1 },
        { max_tokens: Number.MAX_SAFE_INTEGER, stop: subject.stop.text },
        { temperature: 1, top_k: Number.MAX_SAFE_INTEGER, max_tokens: 1 },
        { stop: '', max_tokens: 1 },
      ];
      for (const fields of odd) {
        const answered = await gather(chat(fields)).catch((thrown: unknown) => thrown);
        if (!(answered instanceof ApiError)) expect(answered).toBeInstanceOf(Array);
      }
      expect((await gather(chat({ max_tokens: 1 }))).at(-1)).toMatchObject({ type: 'finish' });
    });

    it('gives the same greedy text twice', async () => {
      expect(textOf(await gather(chat()))).toBe(textOf(await gather(chat())));
    });

    it('stops at max_tokens with the reason “length”', async () => {
      const events = await gather(chat({ max_tokens: 2 }));
      expect(events.at(-1)).toMatchObject({
        type: 'finish',
        reason: 'length',
        usage: { completionTokens: 2 },
      });
    });

    it('ends with an AbortError within one token when aborted, and stays usable', async () => {
      const abort = new AbortController();
      let texts = 0;
      const reading = (async () => {
        for await (const event of chat({}, abort.signal)) {
          if (event.type !== 'text') continue;
          texts++;
          abort.abort();
        }
      })();
      await expect(reading).rejects.toMatchObject({ name: 'AbortError' });
      expect(texts).toBe(1);
      expect((await gather(chat({ max_tokens: 1 }))).at(-1)).toMatchObject({ type: 'finish' });
    });

    it('stops when the reader leaves the loop, and stays usable', async () => {
      for await (const event of chat()) if (event.type === 'text') break;
      expect((await gather(chat({ max_tokens: 1 }))).at(-1)).toMatchObject({ type: 'finish' });
    });

    it('refuses a prompt that is longer than the context with its code, and stays usable', async () => {
      const messages = [{ role: 'user' as const, content: 'word '.repeat(subject.contextSize) }];
      await expect(gather(chat({ messages }))).rejects.toMatchObject({ code: 'context_length_exceeded' });
      expect((await gather(chat({ max_tokens: 1 }))).at(-1)).toMatchObject({ type: 'finish' });
    });

    const complete = (fields: Partial<CompletionRequest> = {}, signal = never) =>
      loaded.complete(
        { model: 'x', temperature: 0, max_tokens: 24, prompt: subject.completion?.prompt ?? '', ...fields },
        signal,
      );

    it('continues a raw prompt, up to max_tokens and before a stop text', async ({ skip }) => {
      const { completion } = subject;
      if (!completion) return skip();
      const events = await gather(complete({ max_tokens: 2 }));
      expect(textOf(events)).not.toBe('');
      expect(events.at(-1)).toMatchObject({ reason: 'length', usage: { completionTokens: 2 } });
      expect(textOf(await gather(complete()))).toBe(textOf(await gather(complete())));
      const stopped = await gather(complete({ stop: completion.stop.text }));
      expect(textOf(stopped)).toBe(completion.stop.before);
      expect(stopped.at(-1)).toMatchObject({ type: 'finish', reason: 'stop' });
    });

    it('refuses a raw prompt that is longer than the context, and ends one that is aborted', async ({
      skip,
    }) => {
      if (!subject.completion) return skip();
      const prompt = 'word '.repeat(subject.contextSize);
      await expect(gather(complete({ prompt }))).rejects.toMatchObject({ code: 'context_length_exceeded' });
      await expect(gather(complete({}, AbortSignal.abort()))).rejects.toMatchObject({ name: 'AbortError' });
      expect((await gather(complete({ max_tokens: 1 }))).at(-1)).toMatchObject({ type: 'finish' });
    });

    it('tells how likely each token was, with as many alternatives as asked for', async ({ skip }) => {
      if (!subject.can?.includes('logprobs')) return skip();
      const events = await gather(chat({ max_tokens: 3, logprobs: true, top_logprobs: 2 }));
      expectLogprobs(events, 2);
      expectLogprobs(await gather(chat({ max_tokens: 3, logprobs: true })), 0);
      const silent = await gather(chat({ max_tokens: 3 }));
      expect(silent.some((event) => event.type === 'text' && event.logprobs !== undefined)).toBe(false);
    });

    it('tells it of raw prompts too', async ({ skip }) => {
      if (!subject.can?.includes('completion-logprobs')) return skip();
      expectLogprobs(await gather(complete({ max_tokens: 3, logprobs: 2 })), 2);
    });

    it('is held by a schema with definitions, whatever the model would rather say', async ({ skip }) => {
      if (!subject.can?.includes('schema')) return skip();
      const held = { type: 'json_schema' as const, json_schema: { name: 'animal', schema: animalSchema } };
      for (let turn = 0; turn < 2; turn++) {
        const events = await gather(chat({ response_format: held, max_tokens: 200 }));
        const said: unknown = JSON.parse(textOf(events));
        expect(Object.keys(said ?? {})).toEqual(['kind', 'tame']);
        expect(said).toMatchObject({ kind: expect.stringMatching(/^(cat|dog)$/), tame: expect.any(Boolean) });
        expect(events.at(-1)).toMatchObject({ type: 'finish', reason: 'stop' });
      }
      // And is free again afterwards.
      expect(textOf(await gather(chat()))).not.toContain('"kind"');
    });

    it('tells of a call as a name and JSON arguments in pieces', async ({ skip }) => {
      const { tools } = subject;
      if (!tools) return skip();
      const events = await gather(chat({ ...tools, tool_choice: 'auto' }));
      const [call] = events.filter((event) => event.type === 'tool-call');
      expect(call).toMatchObject({ index: 0, id: expect.stringMatching(/^call_/) });
      expect(tools.tools?.map((tool) => tool.function.name)).toContain(call?.name);
      const pieces = events.flatMap((event) => (event.type === 'tool-arguments' ? [event] : []));
      const argumentsText = pieces.filter(({ index }) => index === 0).map(({ text }) => text);
      expect(() => JSON.parse(argumentsText.join(''))).not.toThrow();
      expect(events.at(-1)).toMatchObject({ type: 'finish', reason: 'tool_calls' });
    });

    it('answers two requests at once, each as if it were alone', async ({ skip }) => {
      const { parallel } = subject;
      if (!parallel) return skip();
      const config = { contextSize: 2 * subject.contextSize, parallel: 2 };
      const both = await subject.engine.load(subject.model, config);
      const ask = (content: string, signal = never) =>
        gather(
          both.chat(
            parseChatRequest({ model: 'x', temperature: 0, messages: [{ role: 'user', content }] }),
            signal,
          ),
        );
      try {
        expect(both.inForce.parallel).toBe(2);
        const [one, other] = [textOf(await ask(parallel[0])), textOf(await ask(parallel[1]))];
        expect(one).not.toBe(other);
        const together = await Promise.all([ask(parallel[0]), ask(parallel[1])]);
        expect(together.map(textOf)).toEqual([one, other]);
        const abort = new AbortController();
        const left = ask(parallel[0], abort.signal);
        const stayed = ask(parallel[1]);
        abort.abort();
        await expect(left).rejects.toMatchObject({ name: 'AbortError' });
        expect(textOf(await stayed)).toBe(other);
      } finally {
        await both.close();
      }
    });

    it('refuses what is no model with an ApiError', async () => {
      const loading = subject.engine.load(subject.garbage, { contextSize: 64 });
      await expect(loading).rejects.toBeInstanceOf(ApiError);
      await expect(loading).rejects.toMatchObject({ code: 'unsupported_model_format' });
    });

    it('gives up a load when aborted', async () => {
      const abort = new AbortController();
      const loading = subject.engine.load(subject.model, { contextSize: 64 }, { signal: abort.signal });
      abort.abort();
      await expect(loading).rejects.toMatchObject({ name: 'AbortError' });
    });

    describeEmbedding(() => subject);
    describeRanking(() => subject);
  });
}

/** Bounded, so that a small model cannot ramble inside of it. */
const animalSchema = {
  type: 'object',
  properties: { kind: { $ref: '#/$defs/kind' }, tame: { type: 'boolean' } },
  required: ['kind', 'tame'],
  additionalProperties: false,
  $defs: { kind: { type: 'string', enum: ['cat', 'dog'] } },
};

/** One entry a token, best alternatives first. */
function expectLogprobs(events: readonly ChatEvent[], alternatives: number): void {
  const told = events.flatMap((event) => (event.type === 'text' ? (event.logprobs ?? []) : []));
  expect(told.length).toBeGreaterThan(0);
  for (const { token, bytes, logprob, top } of told) {
    expect(bytes.length).toBeGreaterThanOrEqual(token === '' ? 0 : 1);
    expect(logprob).toBeLessThanOrEqual(0);
    expect(top).toHaveLength(alternatives);
    expect(top.map((each) => each.logprob)).toEqual(
      top.map((each) => each.logprob).toSorted((a, b) => b - a),
    );
  }
}

async function gather(events: AsyncIterable<ChatEvent>): Promise<ChatEvent[]> {
  const gathered: ChatEvent[] = [];
  for await (const event of events) gathered.push(event);
  return gathered;
}

function textOf(events: readonly ChatEvent[]): string {
  return events.map((event) => (event.type === 'text' ? event.text : '')).join('');
}
