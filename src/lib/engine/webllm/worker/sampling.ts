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
>;

/** WebLLM refuses 0; so little leaves the likeliest token alone. */
const leastTopP = 1e-6;
/** Of its random numbers. */
const seedModulus = 2_147_483_647;

/** Throws `unsupported_parameter` for what would change the answer and cannot be done. */
export function samplingOf(request: ChatRequest): Sampling {
  const greedy = request.temperature === 0 || request.top_k === 1;
  if (!greedy) refuseUnknown(request);
  return {
    ...present('temperature', greedy ? 0 : request.temperature),
    ...present('top_p', atLeast(leastTopP, request.top_p)),
    ...present('seed', seedOf(request.seed)),
    ...present('max_tokens', request.max_completion_tokens ?? request.max_tokens),
    ...present('presence_penalty', request.presence_penalty),
    ...present('frequency_penalty', request.frequency_penalty),
    // llama.cpp's word for none is 0 too.
    ...present('repetition_penalty', request.repeat_penalty === 0 ? undefined : request.repeat_penalty),
  };
}

/** 0 turns each of them off. */
function refuseUnknown(request: ChatRequest): void {
  const param = (['top_k', 'min_p'] as const).find((name) => request[name]);
  if (param === undefined) return;
  throw new ApiError(
    'unsupported_parameter',
    `WebLLM cannot sample by “${param}”. Leave it out, or use “top_p”.`,
    { param },
  );
}

/** -1 is llama.cpp's word for a random one. */
function seedOf(seed: number | null | undefined): number | undefined {
  if (seed === null || seed === undefined || seed === -1) return undefined;
  return ((seed % seedModulus) + seedModulus) % seedModulus;
}

function atLeast(least: number, value: number | null | undefined): number | undefined {
  return value === null || value === undefined ? undefined : Math.max(least, value);
}

function present<K extends keyof Sampling>(
  name: K,
  value: number | null | undefined,
): Partial<Record<K, number>> {
  const field: Partial<Record<K, number>> = {};
  if (value !== null && value !== undefined) field[name] = value;
  return field;
}
