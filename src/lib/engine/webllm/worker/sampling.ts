/** The sampling parameters of a request as WebLLM takes them. It throws at `null` and drops what it does not know. */
import type { ChatCompletionRequestBase } from '@mlc-ai/web-llm';
import { ApiError } from '#lib/core/errors.ts';
import type { ChatRequest } from '#lib/openai/chat.ts';

export type Sampling = Pick<
  ChatCompletionRequestBase,
  | 'temperature'
  | 'top_p'
  | 'seed'
  | 'max_tokens'
  | 'presence_penalty'
  | 'frequency_penalty'
  | 'repetition_penalty'
  | 'logit_bias'
  | 'logprobs'
  | 'top_logprobs'
  | 'ignore_eos'
>;

/** Alike in chats and in text completions. */
export type SamplingFields = Pick<
  ChatRequest,
  | 'temperature'
  | 'top_p'
  | 'top_k'
  | 'min_p'
  | 'seed'
  | 'presence_penalty'
  | 'frequency_penalty'
  | 'repeat_penalty'
  | 'logit_bias'
  | 'ignore_eos'
>;

export interface SamplingLimits {
  readonly maxTokens: number | null | undefined;
  /** Alternatives to tell of each token; `undefined` when its probability is not asked for. */
  readonly alternatives: number | undefined;
  /** The field that asks for them. */
  readonly alternativesField: 'top_logprobs' | 'logprobs';
  readonly vocabularySize: number;
}

/** WebLLM refuses 0; so little leaves the likeliest token alone. */
const leastTopP = 1e-6;
/** Of its random numbers. */
const seedModulus = 2_147_483_647;
const mostAlternatives = 5;

/** Throws `unsupported_parameter` for what would change the answer and cannot be done. */
export function samplingOf(request: SamplingFields, limits: SamplingLimits): Sampling {
  const greedy = request.temperature === 0 || request.top_k === 1;
  if (!greedy) refuseUnknown(request);
  return {
    ...(greedy ? greedySampling(limits) : freeSampling(request)),
    ...present('seed', seedOf(request.seed)),
    ...present('max_tokens', limits.maxTokens),
    ...present('presence_penalty', request.presence_penalty),
    ...present('frequency_penalty', request.frequency_penalty),
    // llama.cpp's word for none is 0 too.
    ...present('repetition_penalty', request.repeat_penalty === 0 ? undefined : request.repeat_penalty),
    ...biasOf(request.logit_bias, limits.vocabularySize),
    ...probabilitiesOf(limits),
    ...(request.ignore_eos ? { ignore_eos: true } : {}),
  };
}

/** WebLLM tells probabilities as the temperature makes them, which at 0 are all one and nothing. */
function greedySampling({ alternatives }: SamplingLimits): Sampling {
  return alternatives === undefined ? { temperature: 0 } : { temperature: 1, top_p: leastTopP };
}

function freeSampling({ temperature, top_p: topP }: SamplingFields): Sampling {
  return { ...present('temperature', temperature), ...present('top_p', atLeast(leastTopP, topP)) };
}

/** 0 turns each of them off. */
function refuseUnknown(request: SamplingFields): void {
  const param = (['top_k', 'min_p'] as const).find((name) => request[name]);
  if (param === undefined) return;
  throw new ApiError(
    'unsupported_parameter',
    `WebLLM cannot sample by “${param}”. Leave it out, or use “top_p”.`,
    { param },
  );
}

/** A token that is not in the vocabulary would write beside the GPU's memory of it. */
function biasOf(bias: SamplingFields['logit_bias'], vocabularySize: number): Pick<Sampling, 'logit_bias'> {
  const entries = Object.entries(bias ?? {});
  for (const [token] of entries) {
    if (/^\d{1,9}$/.test(token) && Number(token) < vocabularySize) continue;
    throw new ApiError(
      'invalid_request',
      `“logit_bias” names what is no token of this model: they are numbers below ${vocabularySize}.`,
      { param: 'logit_bias' },
    );
  }
  if (entries.length === 0) return {};
  return { logit_bias: Object.fromEntries(entries.map(([token, by]) => [String(Number(token)), by])) };
}

/** WebLLM tells of no token when no alternative is asked for. */
function probabilitiesOf({ alternatives, alternativesField: param }: SamplingLimits): Sampling {
  if (alternatives === undefined) return {};
  if (alternatives > mostAlternatives) {
    const message = `WebLLM tells at most ${mostAlternatives} alternatives of a token. Lower “${param}”.`;
    throw new ApiError('unsupported_parameter', message, { param });
  }
  return { logprobs: true, top_logprobs: Math.max(1, alternatives) };
}

/** -1 is llama.cpp's word for a random one. */
function seedOf(seed: number | null | undefined): number | undefined {
  if (seed === null || seed === undefined || seed === -1) return undefined;
  return ((seed % seedModulus) + seedModulus) % seedModulus;
}

function atLeast(least: number, value: number | null | undefined): number | undefined {
  return value === null || value === undefined ? undefined : Math.max(least, value);
}

type NumberField = Exclude<keyof Sampling, 'logit_bias' | 'logprobs' | 'ignore_eos'>;

function present<K extends NumberField>(
  name: K,
  value: number | null | undefined,
): Partial<Record<K, number>> {
  const field: Partial<Record<K, number>> = {};
  if (value !== null && value !== undefined) field[name] = value;
  return field;
}
