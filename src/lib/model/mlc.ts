/** The `mlc-chat-config.json` of an MLC model: what the model is, as far as a package says it. */
import * as v from 'valibot';
import { ApiError } from '#lib/core/errors.ts';

export interface MlcConfig {
  /** `llama`, `qwen2`. */
  readonly architecture: string;
  /** `q4f16_1`. */
  readonly quantization: string;
  readonly contextSize: number | undefined;
  /** Of which WebLLM takes one; empty when the config does not say. */
  readonly tokenizerFiles: readonly string[];
}

/** Of the model libraries that the engine here can run: the version of WebLLM since which they have not changed. */
export const mlcLibraryVersion = 'v0_2_86';

const word = v.pipe(v.string(), v.maxLength(100));
const size = v.fallback(v.optional(v.pipe(v.number(), v.safeInteger(), v.minValue(1))), undefined);

const schema = v.object({
  model_type: word,
  quantization: word,
  context_window_size: size,
  tokenizer_files: v.fallback(v.optional(v.array(word), []), []),
});

/** Parses untrusted bytes; throws `unsupported_model_format`. */
export function parseMlcConfig(bytes: Uint8Array): MlcConfig {
  const parsed = v.safeParse(schema, parseJson(bytes));
  if (!parsed.success) throw notMlc();
  const { model_type, quantization, context_window_size, tokenizer_files } = parsed.output;
  return {
    architecture: model_type,
    quantization,
    contextSize: context_window_size,
    tokenizerFiles: tokenizer_files,
  };
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw notMlc(cause);
  }
}

function notMlc(cause?: unknown): ApiError {
  return new ApiError(
    'unsupported_model_format',
    'The file mlc-chat-config.json cannot be read. Choose the folder of a model that was converted for MLC.',
    { cause },
  );
}
