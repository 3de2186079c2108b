/** Fills the sampling of a text completion with what the model's settings say, where the request says nothing. */
import type { ModelSettingsJson } from '#lib/model/wire.ts';
import type { CompletionWireRequest } from '#lib/openai/completion.ts';

const keys = [
  'temperature',
  'top_p',
  'top_k',
  'min_p',
  'repeat_penalty',
  'presence_penalty',
  'frequency_penalty',
  'seed',
  'max_tokens',
] as const;

export function withSampling<R extends Pick<CompletionWireRequest, (typeof keys)[number]>>(
  request: R,
  settings: ModelSettingsJson,
): R {
  const missing = keys.flatMap((key) => {
    const value = settings[key];
    return value === undefined || typeof request[key] === 'number' ? [] : [[key, value] as const];
  });
  return { ...request, ...Object.fromEntries(missing) };
}
