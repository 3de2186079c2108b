/** Turns engine events into OpenAI chunks, or into one completion. */
import { wireLogprob, wireTimings, wireUsage } from './answer-figures.ts';
import { ChatChoice } from './chat-choice.ts';
import type { ChatChunk, ChatCompletion, ChatRequest, WireToolCallPiece } from './chat.ts';
import type { ChatEvent, FinishReason } from './events.ts';

type Event<Type extends ChatEvent['type']> = Extract<ChatEvent, { type: Type }>;
type Delta = ChatChunk['choices'][number]['delta'];

export class ChatWriter {
  readonly #request: ChatRequest;
  readonly #id = `chatcmpl-${crypto.randomUUID().replaceAll('-', '')}`;
  readonly #createdSeconds: number;
  readonly #choices = new Map<number, ChatChoice>();
  /** The answers whose first chunk was sent. */
  readonly #opened = new Set([0]);
  #finish: Event<'finish'> | undefined;

  constructor(request: ChatRequest, nowMs: number) {
    this.#request = request;
    this.#createdSeconds = Math.floor(nowMs / 1000);
  }

  /** The first chunk, as llama-server sends it. */
  opening(): ChatChunk {
    return this.#chunk(0, { role: 'assistant', content: null });
  }

  chunks(event: ChatEvent): readonly ChatChunk[] {
    const index = event.choice ?? 0;
    if (this.#opened.has(index)) return this.#told(event, index);
    this.#opened.add(index);
    return [this.#chunk(index, { role: 'assistant', content: null }), ...this.#told(event, index)];
  }

  /** Gathers instead of streaming. */
  add(event: ChatEvent): void {
    const index = event.choice ?? 0;
    const choice = this.#choices.get(index) ?? new ChatChoice(index);
    this.#choices.set(index, choice);
    choice.add(event);
    if (event.type === 'finish') this.#finish = event;
  }

  completion(): ChatCompletion {
    const finish = this.#finish;
    if (!finish) throw new Error('the engine ended without a finish event');
    return {
      ...this.#head(),
      object: 'chat.completion',
      choices: [...this.#choices.values()].map((choice) => choice.toWire()),
      usage: wireUsage(finish.usage),
      timings: wireTimings(finish.timings, finish.usage),
    };
  }

  #told(event: ChatEvent, index: number): readonly ChatChunk[] {
    switch (event.type) {
      case 'text':
        return [this.#text(event, index)];
      case 'reasoning':
        return [this.#chunk(index, { reasoning_content: event.text })];
      case 'tool-call':
      case 'tool-arguments':
        return [this.#chunk(index, { tool_calls: [callPiece(event)] })];
      case 'prefill':
        return this.#request.return_progress ? [this.#progress(event, index)] : [];
      case 'finish':
        return this.#last(event, index);
    }
  }

  #text({ text, logprobs }: Event<'text'>, index: number): ChatChunk {
    const chunk = this.#chunk(index, { content: text });
    if (!logprobs) return chunk;
    const content = logprobs.map(wireLogprob);
    return { ...chunk, choices: chunk.choices.map((choice) => ({ ...choice, logprobs: { content } })) };
  }

  /** Usage comes in a chunk of its own without choices, after the last answer, and only to those who asked. */
  #last(finish: Event<'finish'>, index: number): readonly ChatChunk[] {
    const timings = wireTimings(finish.timings, finish.usage);
    const end = { ...this.#chunk(index, {}, finish.reason), timings };
    const isLast = index + 1 >= (this.#request.n ?? 1);
    if (!isLast || !this.#request.stream_options?.include_usage) return [end];
    return [end, { ...this.#chunk(index, {}), choices: [], usage: wireUsage(finish.usage), timings }];
  }

  #progress({ processedTokens, totalTokens }: Event<'prefill'>, index: number): ChatChunk {
    return {
      ...this.#chunk(index, {}),
      prompt_progress: { processed: processedTokens, total: totalTokens },
    };
  }

  #chunk(index: number, delta: Delta, reason: FinishReason | null = null): ChatChunk {
    return {
      ...this.#head(),
      object: 'chat.completion.chunk',
      choices: [{ index, delta, finish_reason: reason }],
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

function callPiece(event: Event<'tool-call'> | Event<'tool-arguments'>): WireToolCallPiece {
  const { index } = event;
  if (event.type === 'tool-arguments') return { index, function: { arguments: event.text } };
  return { index, id: event.id, type: 'function', function: { name: event.name, arguments: '' } };
}
