/** What every engine promises, run on each with a model that it can load. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ApiError } from '#lib/core/errors.ts';
import type { Engine, LoadableModel, LoadedModel } from '#lib/engine/port.ts';
import { parseChatRequest, type ChatRequest } from '#lib/openai/chat.ts';
import type { ChatEvent } from '#lib/openai/events.ts';

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
  });
}

async function gather(events: AsyncIterable<ChatEvent>): Promise<ChatEvent[]> {
  const gathered: ChatEvent[] = [];
  for await (const event of events) gathered.push(event);
  return gathered;
}

function textOf(events: readonly ChatEvent[]): string {
  return events.map((event) => (event.type === 'text' ? event.text : '')).join('');
}
