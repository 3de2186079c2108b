/** Turns engine events into OpenAI chunks, or into one completion. */
import type { ChatEvent, Timings, TokenUsage } from './events.ts';
import type { ChatChunk, ChatCompletion, ChatRequest, WireTimings, WireUsage } from './chat.ts';

type Finish = Extract<ChatEvent, { type: 'finish' }>;

export class ChatWriter {
  readonly #request: ChatRequest;
  readonly #id = `chatcmpl-${crypto.randomUUID().replaceAll('-', '')}`;
  readonly #createdSeconds: number;
  #text = '';
  #reasoning = '';
  #finish: Finish | undefined;

  constructor(request: ChatRequest, nowMs: number) {
    this.#request = request;
    this.#createdSeconds = Math.floor(nowMs / 1000);
  }

  /** The first chunk, as llama-server sends it. */
  opening(): ChatChunk {
    return this.#chunk({ role: 'assistant', content: null });
  }

  chunks(event: ChatEvent): readonly ChatChunk[] {
    switch (event.type) {
      case 'text':
        return [this.#chunk({ content: event.text })];
      case 'reasoning':
        return [this.#chunk({ reasoning_content: event.text })];
      case 'prefill':
        return this.#request.return_progress ? [this.#progress(event)] : [];
      case 'finish':
        return this.#last(event);
    }
  }

  /** Gathers instead of streaming. */
  add(event: ChatEvent): void {
    if (event.type === 'text') this.#text += event.text;
    if (event.type === 'reasoning') this.#reasoning += event.text;
    if (event.type === 'finish') this.#finish = event;
  }

  completion(): ChatCompletion {
    const finish = this.#finish;
    if (!finish) throw new Error('the engine ended without a finish event');
    return {
      ...this.#head(),
      object: 'chat.completion',
      choices: [
        {
          index: 0,
          message: {
            role: 'assistant',
            content: this.#text,
            ...(this.#reasoning === '' ? {} : { reasoning_content: this.#reasoning }),
          },
          finish_reason: finish.reason,
        },
      ],
      usage: wireUsage(finish.usage),
      timings: wireTimings(finish.timings, finish.usage),
    };
  }

  /** Usage comes in a chunk of its own without choices, and only to those who asked. */
  #last(finish: Finish): readonly ChatChunk[] {
    const timings = wireTimings(finish.timings, finish.usage);
    const end = { ...this.#chunk({}, finish.reason), timings };
    if (!this.#request.stream_options?.include_usage) return [end];
    return [end, { ...this.#chunk({}), choices: [], usage: wireUsage(finish.usage), timings }];
  }

  #progress({ processedTokens, totalTokens }: Extract<ChatEvent, { type: 'prefill' }>): ChatChunk {
    return { ...this.#chunk({}), prompt_progress: { processed: processedTokens, total: totalTokens } };
  }

  #chunk(
    delta: ChatChunk['choices'][number]['delta'],
    reason: ChatChunk['choices'][number]['finish_reason'] = null,
  ): ChatChunk {
    return {
      ...this.#head(),
      object: 'chat.completion.chunk',
      choices: [{ index: 0, delta, finish_reason: reason }],
    };
  }

  #head(): Pick<ChatChunk, 'id' | 'created' | 'model' | 'system_fingerprint'> {
    return {
      id: this.#id,
      created: this.#createdSeconds,
      model: this.#request.model,
      system_fingerprint: 'sampan',
    };
  }
}

function wireUsage(usage: TokenUsage): WireUsage {
  return {
    prompt_tokens: usage.promptTokens,
    completion_tokens: usage.completionTokens,
    total_tokens: usage.promptTokens + usage.completionTokens,
    prompt_tokens_details: { cached_tokens: usage.cachedTokens },
  };
}

function wireTimings(timings: Timings, usage: TokenUsage): WireTimings {
  return {
    cache_n: usage.cachedTokens,
    prompt_n: timings.prefillTokens,
    prompt_ms: timings.prefillMs,
    prompt_per_second: perSecond(timings.prefillTokens, timings.prefillMs),
    predicted_n: timings.decodeTokens,
    predicted_ms: timings.decodeMs,
    predicted_per_second: perSecond(timings.decodeTokens, timings.decodeMs),
  };
}

function perSecond(count: number, ms: number): number {
  return ms > 0 ? (count * 1000) / ms : 0;
}
