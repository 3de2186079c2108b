/** One request against a loaded model: prompt in, events out. */
import type { MLCEngine } from '@mlc-ai/web-llm';
import { ReplyText, stopTextsOf } from '#lib/engine/reply-text.ts';
import { contextExceeded } from '#lib/engine/webllm/faults.ts';
import type { Span } from '#lib/engine/webllm/plan.ts';
import type { ChatRequest } from '#lib/openai/chat.ts';
import type { ChatEvent, Timings } from '#lib/openai/events.ts';
import { Conversation, toMessages, type PromptPieces } from './conversation.ts';
import type { Pipeline } from './pipeline.ts';
import type { PromptForm } from './prompt.ts';
import { samplingOf } from './sampling.ts';

export interface AnswererOptions {
  readonly engine: Pick<MLCEngine, 'chat'>;
  readonly pipeline: Pipeline;
  readonly form: PromptForm;
  readonly span: Span;
  /** The model's own, besides its stop tokens. */
  readonly stopTexts: readonly string[];
}

interface PromptTokens {
  readonly cached: number;
  readonly total: number;
}

export class Answerer {
  readonly #options: AnswererOptions;
  readonly #conversation = new Conversation();

  constructor(options: AnswererOptions) {
    this.#options = options;
  }

  /** One at a time; ends without a `finish` when aborted. Throws `context_length_exceeded`, `invalid_request`, `unsupported_parameter` before the first event. */
  async *answer(request: ChatRequest, signal: AbortSignal): AsyncGenerator<ChatEvent, void, undefined> {
    const { engine, pipeline, form } = this.#options;
    const sampling = samplingOf(request);
    const pieces = this.#conversation.cut(form.render(request));
    const tokens = this.#count(pieces);
    this.#conversation.forget();
    yield { type: 'prefill', processedTokens: tokens.cached, totalTokens: tokens.total };
    const messages = toMessages(pieces);
    const chunks = await engine.chat.completions.create({ messages, stream: true, ...sampling });
    const reply = new ReplyText([...this.#options.stopTexts, ...stopTextsOf(request)]);
    let prefilled = false;
    for await (const _ of chunks) {
      if (signal.aborted) return;
      if (!prefilled) yield { type: 'prefill', processedTokens: tokens.total, totalTokens: tokens.total };
      prefilled = true;
      // Not the chunk's own text: it may hold half of a stop text.
      const text = reply.advance(pipeline.getMessage());
      if (text !== '') yield { type: 'text', text };
      if (reply.stopped) break;
    }
    const rest = reply.end(pipeline.getMessage());
    if (rest !== '') yield { type: 'text', text: rest };
    if (pipeline.getFinishReason() === 'stop') this.#conversation.remember(pieces, pipeline.getMessage());
    yield this.#finish(tokens, reply.stopped);
  }

  #count({ known, rest }: PromptPieces): PromptTokens {
    const { pipeline, form, span } = this.#options;
    const continues = known.length > 0;
    const cached = continues ? pipeline.filledKVCacheLength : 0;
    const fresh = pipeline.tokenizer.encode(rest).length + (continues ? 0 : form.prefixTokens.length);
    const total = cached + fresh;
    if (span.kind === 'context' && total >= span.tokens) {
      throw contextExceeded({ promptTokens: total, contextSize: span.tokens });
    }
    return { cached, total };
  }

  #finish(tokens: PromptTokens, stopped: boolean): ChatEvent {
    const { pipeline } = this.#options;
    return {
      type: 'finish',
      reason: !stopped && pipeline.getFinishReason() === 'length' ? 'length' : 'stop',
      usage: {
        promptTokens: tokens.total,
        cachedTokens: tokens.cached,
        completionTokens: pipeline.getCurRoundCompletionTotalTokens(),
      },
      timings: timingsOf(pipeline),
    };
  }
}

/** WebLLM counts in seconds, and the first token as part of the prefill. */
function timingsOf(pipeline: Pipeline): Timings {
  return {
    prefillTokens: pipeline.getCurRoundPrefillTotalTokens(),
    prefillMs: pipeline.getCurRoundPrefillTotalTime() * 1000,
    decodeTokens: pipeline.getCurRoundDecodingTotalTokens(),
    decodeMs: pipeline.getCurRoundDecodingTotalTime() * 1000,
  };
}
