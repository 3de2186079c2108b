/** Embeddings and rankings: what goes in is checked, what comes out is in the order of what went in. */
import type { EmbeddingCreateParams, Wllama } from '@wllama/wllama';
import { ApiError } from '#lib/core/errors.ts';
import type { EmbedInput, Embeddings, RankRequest, Ranking } from '#lib/engine/port.ts';

/** Throws `invalid_request`: one bad input would fail the whole batch without saying which it was. */
export function checkInputs(inputs: readonly EmbedInput[], vocabularySize: number): void {
  if (inputs.length === 0) throw badInput('it is empty');
  for (const [index, input] of inputs.entries()) {
    if (input.length === 0) throw badInput(`number ${index + 1} is empty`);
    if (typeof input === 'string') continue;
    const strange = input.find((token) => !Number.isInteger(token) || token < 0 || token >= vocabularySize);
    if (strange !== undefined) throw badInput(`${strange} in number ${index + 1} is no token of this model`);
  }
}

export async function embed(
  wllama: Wllama,
  inputs: readonly EmbedInput[],
  abortSignal: AbortSignal,
): Promise<Embeddings> {
  // The package's type leaves token lists beside texts out, and the signal, which it honours.
  const order = { input: inputs, abortSignal } as unknown as EmbeddingCreateParams;
  const { data, usage } = await wllama.createEmbedding(order);
  const vectors = data
    .toSorted((one, other) => one.index - other.index)
    .map(({ embedding }) => Float32Array.from(embedding as readonly number[]));
  return { vectors, promptTokens: usage.prompt_tokens };
}

/** One document a call, for the package's own loop cannot be stopped and sorts. */
export async function rank(
  wllama: Wllama,
  { query, documents }: RankRequest,
  signal: AbortSignal,
): Promise<Ranking> {
  const scores: number[] = [];
  let promptTokens = 0;
  for (const document of documents) {
    signal.throwIfAborted();
    const { results, usage } = await wllama.createRerank({ query, documents: [document] });
    scores.push(results[0]?.relevance_score ?? 0);
    promptTokens += usage.prompt_tokens;
  }
  return { scores, promptTokens };
}

function badInput(why: string): ApiError {
  return new ApiError('invalid_request', `“input” cannot be embedded: ${why}.`, { param: 'input' });
}
