/** OpenAI embeddings: what a request may say, and the answer with its vectors as numbers or as base64. */
import * as v from 'valibot';
import { invalid, parseFields, unreadFields } from './parse.ts';

const tokens = v.pipe(v.array(v.pipe(v.number(), v.safeInteger(), v.minValue(0))), v.minLength(1));
const inputText = v.pipe(v.string(), v.minLength(1, 'must not be empty'));
const maxInputs = 2048;

export const embeddingsBody = v.object({
  model: v.pipe(v.string(), v.minLength(1)),
  input: v.union(
    [
      inputText,
      v.pipe(v.array(inputText), v.minLength(1), v.maxLength(maxInputs)),
      tokens,
      v.pipe(v.array(tokens), v.minLength(1), v.maxLength(maxInputs)),
    ],
    `must be a text, a list of 1 to ${maxInputs} texts, or token ids; none of them empty`,
  ),
  /** Keeps the first so many numbers of each vector. */
  dimensions: v.nullish(v.pipe(v.number(), v.safeInteger(), v.minValue(1))),
  encoding_format: v.nullish(v.picklist(['float', 'base64'])),
  user: v.nullish(v.string()),
});

export type EmbeddingsRequest = Omit<v.InferOutput<typeof embeddingsBody>, 'input'> & {
  readonly inputs: readonly (string | readonly number[])[];
};

export interface EmbeddingsJson {
  readonly object: 'list';
  readonly model: string;
  readonly data: readonly {
    readonly object: 'embedding';
    readonly index: number;
    readonly embedding: readonly number[] | string;
    /** llama-server tells it where it is not numbers. */
    readonly encoding_format?: 'base64';
  }[];
  readonly usage: { readonly prompt_tokens: number; readonly total_tokens: number };
}

/** Throws `invalid_request`, naming the field. */
export function parseEmbeddingsRequest(body: unknown): EmbeddingsRequest {
  const { input, ...rest } = parseFields(embeddingsBody, body);
  if (typeof input === 'string') return { ...rest, inputs: [input] };
  const isOneOfTokens = input.every((each) => typeof each === 'number');
  return { ...rest, inputs: isOneOfTokens ? [input] : input.filter((each) => typeof each !== 'number') };
}

/** Fields of a body that change nothing here, by name. */
export function ignoredEmbeddingsFields(body: unknown): readonly string[] {
  return unreadFields(body, embeddingsBody);
}

/** Throws `invalid_request` where more dimensions are asked for than the model has. */
export function writeEmbeddings(
  { model, dimensions, encoding_format: format }: EmbeddingsRequest,
  vectors: readonly Float32Array[],
  promptTokens: number,
): EmbeddingsJson {
  return {
    object: 'list',
    model,
    data: vectors.map((whole, index) => {
      const vector = cut(whole, dimensions ?? whole.length);
      if (format !== 'base64') return { object: 'embedding', index, embedding: [...vector] };
      return { object: 'embedding', index, embedding: base64Of(vector), encoding_format: 'base64' };
    }),
    usage: { prompt_tokens: promptTokens, total_tokens: promptTokens },
  };
}

/** The beginning of a vector, of length 1 again. */
function cut(vector: Float32Array, dimensions: number): Float32Array {
  if (dimensions > vector.length) throw invalid('dimensions', `this model has ${vector.length} at most`);
  if (dimensions === vector.length) return vector;
  const kept = vector.slice(0, dimensions);
  const length = Math.hypot(...kept);
  return length > 0 ? kept.map((value) => value / length) : kept;
}

/** Little-endian floats of 32 bits, whatever the machine. */
function base64Of(vector: Float32Array): string {
  const view = new DataView(new ArrayBuffer(vector.length * 4));
  vector.forEach((value, index) => view.setFloat32(index * 4, value, true));
  const letters = Array.from(new Uint8Array(view.buffer), (byte) => String.fromCharCode(byte));
  return btoa(letters.join(''));
}
