/** wllama's chunks, of chats and of raw completions, as the engine port's events. */
import type { ChatCompletionChunk, ChatCompletionChunkDelta, RawCompletionChunk } from '@wllama/wllama';
import type { ChatEvent, FinishReason, Timings, TokenLogprob, TokenUsage } from '#lib/openai/events.ts';
import { isUnreadable, noLogprobs, replacementCharacter } from './half-characters.ts';
import { readLogprobs } from './logprobs.ts';
import { clientCallId } from './tool-call-id.ts';

type Chunk = ChatCompletionChunk | RawCompletionChunk;

interface ReaderOptions {
  /** How many alternatives of each token are told; undefined: nothing about tokens is. */
  readonly alternatives?: number | undefined;
  /** Of a raw completion, which does not tell it. */
  readonly prompt?: string | undefined;
}

/** The stream's last chunks hold the reason, the prompt, then usage and timings; together they are one `finish`. */
export class ChunkReader {
  readonly #alternatives: number | undefined;
  #reason: FinishReason = 'stop';
  #prompt: string | undefined;
  /** Of tokens that made no whole character yet. */
  #held: readonly TokenLogprob[] = [];
  /** What a piece that could not be read most likely was. */
  #speech: 'text' | 'reasoning' = 'text';

  constructor({ alternatives, prompt }: ReaderOptions = {}) {
    this.#alternatives = alternatives;
    this.#prompt = prompt;
  }

  /** Throws `not_supported` for a piece that could not be read, when something about its tokens was asked. */
  read(chunk: Chunk): readonly ChatEvent[] {
    if (isUnreadable(chunk)) return this.#replacement();
    const events: ChatEvent[] = [];
    const progress = chunk.prompt_progress;
    if (progress) {
      events.push({ type: 'prefill', processedTokens: progress.processed, totalTokens: progress.total });
    }
    this.#prompt ??= promptOf(chunk);
    for (const choice of chunk.choices) {
      this.#hold(choice.logprobs);
      events.push(...('delta' in choice ? this.#delta(choice.delta) : this.#text(choice.text)));
      if (choice.finish_reason) this.#reason = reasonOf(choice.finish_reason);
    }
    if (chunk.usage && chunk.timings) events.push(this.#finish(chunk.usage, chunk.timings));
    return events;
  }

  #delta(delta: ChatCompletionChunkDelta): readonly ChatEvent[] {
    const reasoning = reasoningOf(delta);
    if (reasoning) this.#speech = 'reasoning';
    return [
      ...(reasoning ? [{ type: 'reasoning', text: reasoning } as const] : []),
      ...this.#text(delta.content ?? ''),
      ...(delta.tool_calls ?? []).flatMap(readCall),
    ];
  }

  #text(text: string): readonly ChatEvent[] {
    if (text === '') return [];
    this.#speech = 'text';
    const logprobs = this.#held;
    this.#held = [];
    return [{ type: 'text', text, ...(this.#alternatives !== undefined && { logprobs }) }];
  }

  #replacement(): readonly ChatEvent[] {
    if (this.#alternatives !== undefined) throw noLogprobs();
    return [{ type: this.#speech, text: replacementCharacter }];
  }

  #hold(logprobs: unknown): void {
    if (this.#alternatives === undefined) return;
    this.#held = [...this.#held, ...readLogprobs(logprobs, this.#alternatives)];
  }

  #finish(usage: Usage, timings: WllamaTimings): ChatEvent {
    return {
      type: 'finish',
      reason: this.#reason,
      usage: readUsage(usage, timings),
      timings: readTimings(timings),
      renderedPrompt: this.#prompt,
    };
  }
}

type Usage = NonNullable<Chunk['usage']>;
type WllamaTimings = NonNullable<Chunk['timings']>;
type CallDelta = NonNullable<ChatCompletionChunkDelta['tool_calls']>[number];

/** The name comes with the first piece, whole. */
function readCall({ index, id, function: called }: CallDelta): readonly ChatEvent[] {
  const name = called?.name;
  const text = called?.arguments;
  return [
    ...(name ? [{ type: 'tool-call', index, id: clientCallId(id), name } as const] : []),
    ...(text ? [{ type: 'tool-arguments', index, text } as const] : []),
  ];
}

function reasonOf(reason: string): FinishReason {
  return reason === 'length' || reason === 'tool_calls' ? reason : 'stop';
}

/** wllama's types leave these two fields out; the engine sends them. */
function reasoningOf(delta: object): string | undefined {
  if (!('reasoning_content' in delta)) return undefined;
  return typeof delta.reasoning_content === 'string' ? delta.reasoning_content : undefined;
}

function promptOf(chunk: object): string | undefined {
  const verbose: unknown = '__verbose' in chunk ? chunk.__verbose : undefined;
  if (typeof verbose !== 'object' || verbose === null || !('prompt' in verbose)) return undefined;
  return typeof verbose.prompt === 'string' ? verbose.prompt : undefined;
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
