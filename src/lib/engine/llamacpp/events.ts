/** wllama's chunks as the engine port's events. */
import type { ChatCompletionChunk } from '@wllama/wllama';
import type { ChatEvent, Timings, TokenUsage } from '#lib/openai/events.ts';

/** The stream's last two chunks hold the reason, then usage and timings; together they are one `finish`. */
export class ChunkReader {
  #reason: 'stop' | 'length' = 'stop';

  read(chunk: ChatCompletionChunk): readonly ChatEvent[] {
    const events: ChatEvent[] = [];
    const progress = chunk.prompt_progress;
    if (progress) {
      events.push({ type: 'prefill', processedTokens: progress.processed, totalTokens: progress.total });
    }
    for (const { delta, finish_reason: reason } of chunk.choices) {
      const reasoning = reasoningOf(delta);
      if (reasoning) events.push({ type: 'reasoning', text: reasoning });
      if (delta.content) events.push({ type: 'text', text: delta.content });
      if (reason) this.#reason = reason === 'length' ? 'length' : 'stop';
    }
    if (chunk.usage && chunk.timings) events.push(this.#finish(chunk.usage, chunk.timings));
    return events;
  }

  #finish(usage: Usage, timings: WllamaTimings): ChatEvent {
    return {
      type: 'finish',
      reason: this.#reason,
      usage: readUsage(usage, timings),
      timings: readTimings(timings),
    };
  }
}

type Usage = NonNullable<ChatCompletionChunk['usage']>;
type WllamaTimings = NonNullable<ChatCompletionChunk['timings']>;

/** wllama's types leave the field out; the engine sends it. */
function reasoningOf(delta: object): string | undefined {
  if (!('reasoning_content' in delta)) return undefined;
  return typeof delta.reasoning_content === 'string' ? delta.reasoning_content : undefined;
}

function readUsage(usage: Usage, timings: WllamaTimings): TokenUsage {
  return {
    promptTokens: usage.prompt_tokens,
    completionTokens: usage.completion_tokens,
    cachedTokens: timings.cache_n,
  };
}

function readTimings(timings: WllamaTimings): Timings {
  return {
    prefillTokens: timings.prompt_n,
    prefillMs: timings.prompt_ms,
    decodeTokens: timings.predicted_n,
    decodeMs: timings.predicted_ms,
  };
}
