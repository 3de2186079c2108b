/** OpenAI text completions: what a request may say, checked by name, and the shapes of the answers. */
import * as v from 'valibot';
import { ApiError } from '#lib/core/errors.ts';
import type { WireLogprob, WireTimings, WireUsage } from './answer-figures.ts';
import { checkLogitBias } from './chat-rules.ts';
import { samplingFields } from './chat.ts';
import type { FinishReason } from './events.ts';
import { invalid, parseFields, refuseFields, refuseLists, unreadFields } from './parse.ts';

/** Prompts times `n`. */
const maxChoices = 64;

const promptText = v.pipe(v.string(), v.minLength(1, 'must not be empty'));
const prompt = v.union(
  [
    promptText,
    v.pipe(v.array(promptText), v.minLength(1)),
    v.pipe(v.array(v.pipe(v.number(), v.safeInteger(), v.minValue(0))), v.minLength(1)),
    v.pipe(v.array(v.array(v.pipe(v.number(), v.safeInteger(), v.minValue(0)))), v.minLength(1)),
  ],
  'must be a text or a list of texts, none of them empty',
);

export const completionBody = v.object({
  ...samplingFields,
  prompt,
  /** Text after the gap that is to be filled: only for models with fill-in-the-middle tokens. */
  suffix: v.nullish(v.string()),
  echo: v.nullish(v.boolean()),
  best_of: v.nullish(v.pipe(v.number(), v.safeInteger(), v.minValue(1), v.maxValue(16))),
  /** How many alternatives of each token are told. */
  logprobs: v.nullish(v.pipe(v.number(), v.safeInteger(), v.minValue(0), v.maxValue(20))),
});

export type CompletionWireRequest = v.InferOutput<typeof completionBody>;

/** One prompt for an engine. */
export interface CompletionRequest extends Omit<CompletionWireRequest, 'prompt' | 'n' | 'echo' | 'best_of'> {
  readonly prompt: string;
}

/** Other servers' fields that would change the answer. */
const refusedFields = {
  n_predict: [-1],
  json_schema: [],
  response_format: [],
  typical_p: [1],
  mirostat: [0],
  dynatemp_range: [0],
  xtc_probability: [0],
  dry_multiplier: [0],
  samplers: [],
  n_probs: [0],
};

/** Throws `invalid_request`, `unsupported_parameter` or `not_supported`, naming the field. */
export function parseCompletionRequest(
  body: unknown,
): CompletionWireRequest & { readonly prompts: readonly string[] } {
  refuseFields(body, refusedFields);
  refuseLists(body, ['stream_options', 'logit_bias']);
  const request = parseFields(completionBody, body);
  checkLogitBias(request);
  const prompts = promptsOf(request);
  const { n, best_of: bestOf, echo, logprobs } = request;
  if (typeof bestOf === 'number' && bestOf !== (n ?? 1)) {
    throw new ApiError(
      'unsupported_parameter',
      'Sampan answers as often as “n” says and does not choose among the answers. Leave “best_of” out.',
      { param: 'best_of' },
    );
  }
  if (prompts.length * (n ?? 1) > maxChoices) {
    throw invalid('n', `prompts times “n” may be ${maxChoices} answers at most`);
  }
  if (echo && typeof logprobs === 'number') {
    throw new ApiError('not_supported', 'The engines do not tell how likely a prompt is. Leave “echo” out.', {
      param: 'echo',
    });
  }
  return { ...request, prompts };
}

/** Fields of a body that change nothing here, by name. */
export function ignoredCompletionFields(body: unknown): readonly string[] {
  return unreadFields(body, completionBody);
}

function promptsOf({ prompt: given }: CompletionWireRequest): readonly string[] {
  const prompts = typeof given === 'string' ? [given] : given;
  const texts = prompts.filter((each) => typeof each === 'string');
  if (texts.length === prompts.length) return texts;
  throw new ApiError(
    'not_supported',
    'A prompt of token ids cannot be given to the engines in a browser. Send its text.',
    { param: 'prompt' },
  );
}

/** OpenAI's lists, and llama-server's `content` besides. */
export interface CompletionLogprobs {
  readonly tokens: readonly string[];
  readonly token_logprobs: readonly number[];
  readonly top_logprobs: readonly Readonly<Record<string, number>>[];
  /** Characters before each token, the prompt included where it is echoed. */
  readonly text_offset: readonly number[];
  readonly content: readonly WireLogprob[];
}

/** A whole answer, or a chunk of one. */
export interface CompletionJson {
  readonly id: string;
  readonly object: 'text_completion';
  readonly created: number;
  readonly model: string;
  readonly system_fingerprint: string;
  readonly choices: readonly {
    readonly index: number;
    readonly text: string;
    readonly logprobs: CompletionLogprobs | null;
    readonly finish_reason: FinishReason | null;
  }[];
  readonly usage?: WireUsage;
  readonly timings?: WireTimings;
}
