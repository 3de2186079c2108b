/** Requests against a loaded model: what they say is made into a prompt and parameters, and the answer into events. */
import { ApiError } from '#lib/core/errors.ts';
import { stopTextsOf } from '#lib/engine/reply-text.ts';
import { ToolCallParser } from '#lib/engine/tool-calls/parser.ts';
import type { ChatRequest } from '#lib/openai/chat.ts';
import type { CompletionRequest } from '#lib/openai/completion.ts';
import type { ChatEvent } from '#lib/openai/events.ts';
import { AnswerParts } from './answer-parts.ts';
import { constraintOf } from './constraint.ts';
import { filledIn } from './fill-in.ts';
import { Generator, type GeneratorOptions, type Job } from './generator.ts';
import type { PictureShelf } from './pictures.ts';
import { toolsOf, type PromptForm } from './prompt.ts';
import { samplingOf, type SamplingFields } from './sampling.ts';
import { withinBudget } from './think-budget.ts';
import { ThoughtSplitter } from './thought-splitter.ts';

export interface AnswererOptions extends Omit<GeneratorOptions, 'prefixTokens'> {
  readonly form: PromptForm;
  /** The model's own, besides its stop tokens. */
  readonly stopTexts: readonly string[];
  /** Tokens of thought; without limit when absent or below 0. */
  readonly thinkBudget?: number | undefined;
  /** Of a model that sees. */
  readonly shelf?: PictureShelf | undefined;
}

export class Answerer {
  readonly #options: AnswererOptions;
  readonly #generator: Generator;

  constructor(options: AnswererOptions) {
    this.#options = options;
    this.#generator = new Generator({ ...options, prefixTokens: options.form.prefixTokens });
  }

  /** One at a time; ends without a `finish` when aborted. Throws `context_length_exceeded`, `invalid_request`, `unsupported_parameter` before the first event. */
  async *chat(asked: ChatRequest, signal: AbortSignal): AsyncGenerator<ChatEvent, void, undefined> {
    const { form, shelf } = this.#options;
    refuseMedia(asked, shelf);
    const { request, pictures } = (await shelf?.take(asked, signal)) ?? {
      request: asked,
      pictures: undefined,
    };
    const prompt = form.render(request);
    const format = constraintOf(request);
    const parts = this.#partsOf(request, format ? '' : prompt, format ? 'held' : 'free');
    const job = {
      prompt,
      pictures,
      field: 'messages' as const,
      format,
      sampling: samplingOf(request, {
        maxTokens: request.max_completion_tokens ?? request.max_tokens,
        alternatives: alternativesOf(request),
        alternativesField: 'top_logprobs',
        vocabularySize: this.#options.pipeline.fullVocabSize,
      }),
      stopTexts: this.#stopTexts(request, stopTextsOf(request)),
      alternatives: alternativesOf(request),
    };
    const { thinkBudget } = this.#options;
    const budget = thinkBudget !== undefined && thinkBudget >= 0 ? thinkBudget : undefined;
    yield* withinBudget({ generator: this.#generator, job, parts, budget }, signal);
  }

  /** As `chat`, without a template. */
  async *complete(
    request: CompletionRequest,
    signal: AbortSignal,
  ): AsyncGenerator<ChatEvent, void, undefined> {
    const { form, pipeline } = this.#options;
    const alternatives = request.logprobs ?? undefined;
    const text = filledIn(request, pipeline.tokenizer);
    const job: Job = {
      prompt: text.startsWith(form.beginText) ? text : form.beginText + text,
      field: 'prompt',
      format: constraintOf({ grammar: request.grammar, ignore_eos: request.ignore_eos }),
      sampling: samplingOf(request, {
        maxTokens: request.max_tokens,
        alternatives,
        alternativesField: 'logprobs',
        vocabularySize: pipeline.fullVocabSize,
      }),
      stopTexts: this.#stopTexts(request, [request.stop ?? []].flat()),
      alternatives,
      complete: () => false,
    };
    yield* this.#generator.generate(job, signal);
  }

  #partsOf(request: ChatRequest, prompt: string, text: 'held' | 'free'): AnswerParts {
    const tools = text === 'held' ? [] : toolsOf(request);
    const format = this.#options.form.callFormat;
    return new AnswerParts({
      thoughts: new ThoughtSplitter(prompt),
      calls: tools.length > 0 ? new ToolCallParser({ format, tools }) : undefined,
      severalCalls: request.parallel_tool_calls === false ? 'forbidden' : 'allowed',
    });
  }

  #stopTexts({ ignore_eos: endless }: SamplingFields, asked: readonly string[]): readonly string[] {
    return [...(endless ? [] : this.#options.stopTexts), ...asked];
  }
}

function alternativesOf(request: ChatRequest): number | undefined {
  return request.logprobs ? (request.top_logprobs ?? 0) : undefined;
}

function refuseMedia({ messages }: ChatRequest, shelf: PictureShelf | undefined): void {
  const parts = messages.flatMap(({ content }) => (typeof content === 'string' ? [] : (content ?? [])));
  const other = parts.find(({ type }) => type !== 'text' && !(shelf && type === 'image_url'));
  if (!other) return;
  const kind = other.type === 'image_url' ? 'images' : 'sound';
  throw new ApiError(
    'unsupported_parameter',
    shelf
      ? 'WebLLM hears no sound. Send text and images only, or use a GGUF model that hears.'
      : `This model reads no ${kind} in WebLLM. Send text only, or use a model that does.`,
    { param: 'messages' },
  );
}
