/** One prompt against a loaded model: the text of the answer as it grows, and what it took. */
import type { MLCEngine, ResponseFormat } from '@mlc-ai/web-llm';
import { ApiError } from '#lib/core/errors.ts';
import { ReplyText } from '#lib/engine/reply-text.ts';
import { contextExceeded } from '#lib/engine/webllm/faults.ts';
import type { Span } from '#lib/engine/webllm/plan.ts';
import type { ChatEvent, Timings } from '#lib/openai/events.ts';
import { compile } from './constraint.ts';
import { Conversation, toMessages, type PromptPieces } from './conversation.ts';
import { LogprobTrail } from './logprob-trail.ts';
import { passagesOf, withoutMarks, type MarkedPicture, type Passage } from './pictures.ts';
import type { Pipeline } from './pipeline.ts';
import type { Sampling } from './sampling.ts';

export interface GeneratorOptions {
  readonly engine: Pick<MLCEngine, 'chat'>;
  readonly pipeline: Pipeline;
  /** Tokens before every prompt. */
  readonly prefixTokens: readonly number[];
  readonly span: Span;
}

export interface Job {
  readonly prompt: string;
  /** Those whose marks stand in the prompt. */
  readonly pictures?: readonly MarkedPicture[] | undefined;
  /** The field of the request that the prompt comes from. */
  readonly field: 'messages' | 'prompt';
  readonly sampling: Sampling;
  readonly format: ResponseFormat | undefined;
  /** The answer ends before each of them. */
  readonly stopTexts: readonly string[];
  /** Alternatives to tell of each token; `undefined` when its probability is not asked for. */
  readonly alternatives: number | undefined;
  /** Whether what was sent is all that is wanted. */
  readonly complete: () => boolean;
}

export type GeneratorEvent = Extract<ChatEvent, { type: 'prefill' | 'text' | 'finish' }>;

interface PromptTokens {
  readonly cached: number;
  readonly total: number;
}

export class Generator {
  readonly #options: GeneratorOptions;
  readonly #conversation = new Conversation();

  constructor(options: GeneratorOptions) {
    this.#options = options;
  }

  /** One at a time; ends without a `finish` when aborted. Throws what is wrong with the request before the first event. */
  async *generate(job: Job, signal: AbortSignal): AsyncGenerator<GeneratorEvent, void, undefined> {
    const { engine, pipeline } = this.#options;
    const pieces = this.#conversation.cut(job.prompt, job.pictures);
    const tokens = this.#count(pieces, job);
    if (job.format) await compile(pipeline, job.format);
    this.#conversation.forget();
    yield { type: 'prefill', processedTokens: tokens.cached, totalTokens: tokens.total };
    const messages = toMessages(pieces, job.pictures);
    const format = job.format ? { response_format: job.format } : {};
    const chunks = await engine.chat.completions.create({
      messages,
      stream: true,
      ...job.sampling,
      ...format,
    });
    const reply = new GrowingReply(job, pipeline);
    let prefilled = false;
    for await (const _ of chunks) {
      if (signal.aborted) return;
      if (!prefilled) yield { type: 'prefill', processedTokens: tokens.total, totalTokens: tokens.total };
      prefilled = true;
      yield* reply.advance();
      if (reply.stopped || job.complete()) break;
    }
    const reason = pipeline.getFinishReason();
    if (reason !== 'abort') yield* reply.end();
    if (reason === 'stop') this.#conversation.remember(pieces, pipeline.getMessage());
    yield this.#finish(job, tokens, !reply.stopped && reason === 'length' ? 'length' : 'stop');
  }

  #count({ known, rest }: PromptPieces, { field, pictures = [] }: Job): PromptTokens {
    const { pipeline, prefixTokens, span } = this.#options;
    const continues = known.length > 0;
    const cached = continues ? pipeline.filledKVCacheLength : 0;
    const passages = passagesOf(rest, pictures).map((passage) => tokensOf(passage, pipeline));
    const fresh = passages.reduce((sum, tokens) => sum + tokens, continues ? 0 : prefixTokens.length);
    const total = cached + fresh;
    if (total === 0) throw new ApiError('invalid_request', `“${field}” is empty.`, { param: field });
    if (span.kind === 'context' && total >= span.tokens) {
      throw contextExceeded({ promptTokens: total, contextSize: span.tokens, field });
    }
    return { cached, total };
  }

  #finish(job: Job, tokens: PromptTokens, reason: 'stop' | 'length'): GeneratorEvent {
    const { pipeline } = this.#options;
    return {
      type: 'finish',
      reason,
      usage: {
        promptTokens: tokens.total,
        cachedTokens: tokens.cached,
        completionTokens: pipeline.getCurRoundCompletionTotalTokens(),
      },
      timings: timingsOf(pipeline),
      renderedPrompt: withoutMarks(job.prompt, job.pictures ?? []),
    };
  }
}

/** Reads the reply itself and not its chunks: those may hold half of a stop text. */
class GrowingReply {
  readonly #pipeline: Pipeline;
  readonly #text: ReplyText;
  readonly #trail: LogprobTrail | undefined;
  #sentLength = 0;

  constructor({ stopTexts, alternatives }: Job, pipeline: Pipeline) {
    this.#pipeline = pipeline;
    this.#text = new ReplyText(stopTexts);
    this.#trail = alternatives === undefined ? undefined : new LogprobTrail(alternatives);
  }

  get stopped(): boolean {
    return this.#text.stopped;
  }

  advance(): readonly GeneratorEvent[] {
    const reply = this.#pipeline.getMessage();
    this.#trail?.grow(this.#pipeline.getTokenLogprobArray(), reply.length);
    return this.#send(this.#text.advance(reply));
  }

  end(): readonly GeneratorEvent[] {
    return this.#send(this.#text.end(this.#pipeline.getMessage()));
  }

  #send(text: string): readonly GeneratorEvent[] {
    if (text === '') return [];
    this.#sentLength += text.length;
    if (!this.#trail) return [{ type: 'text', text }];
    const logprobs = this.#trail.take(this.#pipeline.getTokenLogprobArray(), this.#sentLength);
    return [{ type: 'text', text, logprobs }];
  }
}

/** Throws `not_supported` for a picture that a library has no code for, or computes in more pieces than it can. */
function tokensOf({ picture, text }: Passage, pipeline: Pipeline): number {
  const tokens = pipeline.tokenizer.encode(text).length;
  if (!picture) return tokens;
  const size = pipeline.computeImageEmbedSize?.(picture.height, picture.width);
  if (size !== undefined && size <= pipeline.prefillChunkSize) return tokens + size;
  throw new ApiError(
    'not_supported',
    size === undefined
      ? 'The library of this model reads no images. Choose a model that does.'
      : `An image of this shape takes ${size} tokens and this model computes ${pipeline.prefillChunkSize} at once. Crop it, or load the model with a larger prefill chunk.`,
    { param: 'messages' },
  );
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
