/**
 * What a loaded model holds for the likeliest next token after every word of the text, whatever it said before. Each
 * beginning goes on from the one before it, which is in the engine's prompt cache, so that a word costs its own tokens.
 */
import { ApiError } from '#lib/core/errors.ts';
import type { LoadedModel } from '#lib/engine/port.ts';
import type { CompletionRequest } from '#lib/openai/completion.ts';
import { beginnings } from './text.ts';

/** The text of a token, which is empty where the model would end; `undefined` where the engine cannot write it, as it is half a character. */
export type Prediction = string | undefined;

/** More than the next word has in any vocabulary, with the token that is asked for. */
const spareTokens = 24;

/** Ends early where the context is full. Rejects with the signal's reason, and with what answering throws. */
export async function* predictions(
  model: LoadedModel,
  signal: AbortSignal,
): AsyncGenerator<Prediction, void, undefined> {
  for (const prompt of beginnings()) {
    const { token, promptTokens } = await predict(model, prompt, signal);
    yield token;
    if (promptTokens + spareTokens > model.contextSize) return;
  }
}

async function predict(
  model: LoadedModel,
  prompt: string,
  signal: AbortSignal,
): Promise<{ readonly token: Prediction; readonly promptTokens: number }> {
  const request: CompletionRequest = {
    model: 'check',
    prompt,
    max_tokens: 1,
    temperature: 0,
    logprobs: 1,
    ignore_eos: true,
  };
  let [token, promptTokens]: [Prediction, number] = ['', 0];
  try {
    for await (const event of model.complete(request, signal)) {
      if (event.type === 'prefill') promptTokens = event.totalTokens;
      if (event.type === 'text') token = event.logprobs?.[0]?.top[0]?.token ?? event.text;
      if (event.type === 'finish') promptTokens = event.usage.promptTokens;
    }
  } catch (thrown) {
    if (!isUnwritable(thrown)) throw thrown;
    token = undefined;
  }
  return { token, promptTokens };
}

function isUnwritable(thrown: unknown): boolean {
  return thrown instanceof ApiError && thrown.code === 'not_supported' && thrown.param === 'logprobs';
}
