/** Turns engine events into the chunks of a text completion, or into a whole one. */
import { wireLogprob, wireTimings, wireUsage } from './answer-figures.ts';
import type { CompletionJson, CompletionLogprobs, CompletionWireRequest } from './completion.ts';
import type { ChatEvent, FinishReason, TokenLogprob } from './events.ts';

type Finish = Extract<ChatEvent, { type: 'finish' }>;

interface Choice {
  text: string;
  readonly logprobs: TokenLogprob[];
  reason: FinishReason | null;
}

export interface CompletionWriterOptions {
  readonly request: CompletionWireRequest;
  readonly prompts: readonly string[];
  readonly nowMs: number;
}

export class CompletionWriter {
  readonly #options: CompletionWriterOptions;
  readonly #id = `cmpl-${crypto.randomUUID().replaceAll('-', '')}`;
  readonly #choices = new Map<number, Choice>();
  /** Characters that were sent of each answer; for the offsets of tokens. */
  readonly #sent = new Map<number, number>();
  #finish: Finish | undefined;

  constructor(options: CompletionWriterOptions) {
    this.#options = options;
  }

  chunks(event: ChatEvent): readonly CompletionJson[] {
    const index = event.choice ?? 0;
    const opening = this.#sent.has(index) ? '' : this.#echoed(index);
    if (!this.#sent.has(index)) this.#sent.set(index, opening.length);
    const echo = opening === '' ? [] : [this.#chunk(index, opening)];
    if (event.type === 'text') return [...echo, this.#text(event, index)];
    if (event.type === 'finish') return [...echo, ...this.#last(event, index)];
    return echo;
  }

  /** Gathers instead of streaming. */
  add(event: ChatEvent): void {
    const index = event.choice ?? 0;
    const choice = this.#choices.get(index) ?? { text: this.#echoed(index), logprobs: [], reason: null };
    this.#choices.set(index, choice);
    if (event.type === 'text') {
      choice.text += event.text;
      choice.logprobs.push(...(event.logprobs ?? []));
    }
    if (event.type !== 'finish') return;
    choice.reason = event.reason;
    this.#finish = event;
  }

  completion(): CompletionJson {
    const finish = this.#finish;
    if (!finish) throw new Error('the engine ended without a finish event');
    return {
      ...this.#head(),
      choices: [...this.#choices].map(([index, { text, logprobs, reason }]) => ({
        index,
        text,
        logprobs: logprobs.length === 0 ? null : wireLogprobs(logprobs, this.#echoed(index).length),
        finish_reason: reason,
      })),
      usage: wireUsage(finish.usage),
      timings: wireTimings(finish.timings, finish.usage),
    };
  }

  #echoed(index: number): string {
    const { request, prompts } = this.#options;
    return request.echo ? (prompts[Math.floor(index / (request.n ?? 1))] ?? '') : '';
  }

  #text({ text, logprobs }: Extract<ChatEvent, { type: 'text' }>, index: number): CompletionJson {
    const offset = this.#sent.get(index) ?? 0;
    this.#sent.set(index, offset + text.length);
    return this.#chunk(index, text, logprobs?.length ? wireLogprobs(logprobs, offset) : null);
  }

  /** As OpenAI: usage in a chunk without choices, after the last answer, for those who asked. */
  #last(finish: Finish, index: number): readonly CompletionJson[] {
    const { request, prompts } = this.#options;
    const timings = wireTimings(finish.timings, finish.usage);
    const end = this.#chunk(index, '').choices.map((choice) => ({ ...choice, finish_reason: finish.reason }));
    const chunk = { ...this.#head(), choices: end, timings };
    const isLast = index + 1 >= prompts.length * (request.n ?? 1);
    if (!isLast || !request.stream_options?.include_usage) return [chunk];
    return [chunk, { ...this.#head(), choices: [], usage: wireUsage(finish.usage), timings }];
  }

  #chunk(index: number, text: string, logprobs: CompletionLogprobs | null = null): CompletionJson {
    return { ...this.#head(), choices: [{ index, text, logprobs, finish_reason: null }] };
  }

  #head(): Pick<CompletionJson, 'id' | 'object' | 'created' | 'model' | 'system_fingerprint'> {
    const { request, nowMs } = this.#options;
    return {
      id: this.#id,
      object: 'text_completion',
      created: Math.floor(nowMs / 1000),
      model: request.model,
      system_fingerprint: 'sampan',
    };
  }
}

function wireLogprobs(logprobs: readonly TokenLogprob[], offset: number): CompletionLogprobs {
  const content = logprobs.map(wireLogprob);
  let at = offset;
  return {
    tokens: content.map(({ token }) => token),
    token_logprobs: content.map(({ logprob }) => logprob),
    top_logprobs: content.map(({ top_logprobs: top }) =>
      Object.fromEntries(top.map(({ token, logprob }) => [token, logprob])),
    ),
    text_offset: content.map(({ token }) => (at += token.length) - token.length),
    content,
  };
}
