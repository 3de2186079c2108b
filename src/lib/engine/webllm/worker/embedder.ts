/**
 * Texts to vectors. WebLLM takes no notice of its own padding, so only inputs of one length go together; it adds no
 * special tokens and does not bring vectors to unit length, so both are done here.
 */
import type { MLCEngine } from '@mlc-ai/web-llm';
import { ApiError } from '#lib/core/errors.ts';
import type { EmbedInput, Embeddings } from '#lib/engine/port.ts';
import { inputExceeded } from '#lib/engine/webllm/faults.ts';
import type { VectorPipeline } from './pipeline.ts';

export interface EmbedderOptions {
  readonly engine: { readonly embeddings: Pick<MLCEngine['embeddings'], 'create'> };
  readonly pipeline: VectorPipeline;
  readonly vocabularySize: number | undefined;
}

/** So that a request can be aborted between two. */
const batchSize = 32;

export class Embedder {
  readonly #options: EmbedderOptions;

  constructor(options: EmbedderOptions) {
    this.#options = options;
  }

  /** One at a time. Throws `context_length_exceeded` and `invalid_request` before anything is computed. */
  async embed(inputs: readonly EmbedInput[], signal: AbortSignal): Promise<Embeddings> {
    const tokens = inputs.map((input) => this.#tokensOf(input));
    const vectors: Float32Array[] = [];
    for (const indexes of batchesOf(tokens)) {
      signal.throwIfAborted();
      const input = indexes.map((index) => [...(tokens[index] ?? [])]);
      const { data } = await this.#options.engine.embeddings.create({ input });
      for (const [place, index] of indexes.entries())
        vectors[index] = unitVector(data[place]?.embedding ?? []);
    }
    return { vectors, promptTokens: tokens.reduce((sum, { length }) => sum + length, 0) };
  }

  #tokensOf(input: EmbedInput): readonly number[] {
    const { tokenizer, contextWindowSize } = this.#options.pipeline;
    const tokens = typeof input === 'string' ? Array.from(tokenizer.encode(this.#marked(input))) : input;
    if (tokens.length === 0) {
      throw new ApiError('invalid_request', 'An input is empty. Give every one some text.', {
        param: 'input',
      });
    }
    if (tokens.some((token) => token >= (this.#options.vocabularySize ?? Infinity))) {
      throw new ApiError('invalid_request', 'An input has a token that this model does not know.', {
        param: 'input',
      });
    }
    if (tokens.length > contextWindowSize) throw inputExceeded(tokens.length, contextWindowSize);
    return tokens;
  }

  /** The vector is that of the first token, which BERT models were taught to be this. */
  #marked(text: string): string {
    const { tokenizer } = this.#options.pipeline;
    return tokenizer.encode('[CLS]').length === 1 ? `[CLS]${text}[SEP]` : text;
  }
}

/** Indexes of inputs that have as many tokens as each other. */
function batchesOf(tokens: readonly (readonly number[])[]): readonly (readonly number[])[] {
  const byLength = new Map<number, number[]>();
  for (const [index, { length }] of tokens.entries()) {
    byLength.set(length, [...(byLength.get(length) ?? []), index]);
  }
  return [...byLength.values()].flatMap((indexes) =>
    Array.from({ length: Math.ceil(indexes.length / batchSize) }, (_, batch) =>
      indexes.slice(batch * batchSize, (batch + 1) * batchSize),
    ),
  );
}

function unitVector(values: readonly number[]): Float32Array {
  const length = Math.hypot(...values);
  return Float32Array.from(values, (value) => (length === 0 ? 0 : value / length));
}
