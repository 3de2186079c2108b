/** The text of an answer as events: thoughts apart from what is said, and calls apart from both. */
import type { ToolCallParser } from '#lib/engine/tool-calls/parser.ts';
import type { ChatEvent, TokenLogprob } from '#lib/openai/events.ts';
import type { SplitText, ThoughtSplitter } from './thought-splitter.ts';

export type TextEvent = Extract<ChatEvent, { type: 'text' }>;

export interface AnswerPartsOptions {
  readonly thoughts: ThoughtSplitter;
  /** When the model was told of tools. */
  readonly calls: ToolCallParser | undefined;
  readonly severalCalls: 'allowed' | 'forbidden';
}

export class AnswerParts {
  readonly #options: AnswerPartsOptions;
  /** Of tokens whose text is still held back. */
  #logprobs: readonly TokenLogprob[] | undefined;
  #thoughtPieces = 0;

  constructor(options: AnswerPartsOptions) {
    this.#options = options;
  }

  /** Pieces of text that were thought so far; WebLLM tells one a token, rarely one for several. */
  get thoughtPieces(): number {
    return this.#options.thoughts.thinking ? this.#thoughtPieces : 0;
  }

  get hasCalls(): boolean {
    return (this.#options.calls?.calls ?? 0) > 0;
  }

  /** Whether the request wants no more than this. */
  get complete(): boolean {
    const { calls, severalCalls } = this.#options;
    return severalCalls === 'forbidden' && (calls?.completeCalls ?? 0) > 0;
  }

  add({ text, logprobs }: TextEvent): readonly ChatEvent[] {
    if (logprobs) this.#logprobs = [...(this.#logprobs ?? []), ...logprobs];
    const splits = this.#options.thoughts.add(text);
    if (this.#options.thoughts.thinking) this.#thoughtPieces++;
    return splits.flatMap((split) => this.#events(split));
  }

  end(): readonly ChatEvent[] {
    const { thoughts, calls } = this.#options;
    const rest = thoughts.end().flatMap((split) => this.#events(split));
    return [...rest, ...(calls?.end() ?? []).map((part) => this.#withLogprobs(part))];
  }

  #events({ kind, text }: SplitText): readonly ChatEvent[] {
    const { calls } = this.#options;
    if (kind === 'thought') return [this.#withLogprobs({ type: 'reasoning', text })];
    const parts = calls?.add(text) ?? [{ type: 'text' as const, text }];
    return parts.map((part) => this.#withLogprobs(part));
  }

  /** Only text has them; those of thoughts and calls are left out. */
  #withLogprobs(event: ChatEvent): ChatEvent {
    const logprobs = this.#logprobs;
    if (!logprobs) return event;
    this.#logprobs = [];
    return event.type === 'text' ? { ...event, logprobs } : event;
  }
}
