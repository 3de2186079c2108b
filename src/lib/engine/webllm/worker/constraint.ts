/** How the text of an answer is held, as WebLLM takes it. */
import type { ResponseFormat as WebLlmFormat } from '@mlc-ai/web-llm';
import { ApiError } from '#lib/core/errors.ts';
import { grammarLost } from '#lib/engine/webllm/faults.ts';
import type { ResponseFormat } from '#lib/openai/chat.ts';
import type { Pipeline } from './pipeline.ts';
import { heldSchema } from './schema.ts';

const anyObject: WebLlmFormat = { type: 'json_object', schema: '{"type":"object"}' };

interface Held {
  readonly response_format?: ResponseFormat | null | undefined;
  readonly grammar?: string | null | undefined;
  readonly ignore_eos?: boolean | null | undefined;
}

/** `undefined` when it may say what it likes. Throws `invalid_request` and `unsupported_parameter`. */
export function constraintOf(request: Held): WebLlmFormat | undefined {
  const format = formatOf(request.response_format);
  if (request.grammar) {
    if (format) throw both('grammar', 'response_format');
    return withEnd(request, { type: 'grammar', grammar: request.grammar });
  }
  return format && withEnd(request, format);
}

/** Before a prompt is computed: a grammar that cannot be compiled refuses the request, and is compiled once. */
export async function compile(pipeline: Pipeline, format: WebLlmFormat): Promise<void> {
  const param = format.type === 'grammar' ? 'grammar' : 'response_format';
  try {
    await pipeline.prepareGrammarMatcherForSampling({ response_format: format });
  } catch (cause) {
    await checkCompiler(pipeline);
    throw unusable(param, cause);
  }
  const allowed = await pipeline.grammarMatcher?.getNextTokenBitmask();
  if (allowed?.every((bits) => bits === 0)) throw unusable(param);
}

/** What it refuses may have been its last. */
async function checkCompiler(pipeline: Pipeline): Promise<void> {
  try {
    await pipeline.prepareGrammarMatcherForSampling({ response_format: anyObject });
  } catch (cause) {
    throw grammarLost(cause);
  }
}

/** WebLLM wants a schema always, and as text. */
function formatOf(format: ResponseFormat | null | undefined): WebLlmFormat | undefined {
  if (!format || format.type === 'text') return undefined;
  if (format.type !== 'json_schema' || !format.json_schema.schema) return anyObject;
  const { schema, strict } = format.json_schema;
  return { type: 'json_object', schema: heldSchema(schema, strict === false ? 'loose' : 'strict') };
}

/** A text that is held ends where the grammar does. */
function withEnd({ ignore_eos: endless }: Held, format: WebLlmFormat): WebLlmFormat {
  if (endless) throw both('ignore_eos', format.type === 'grammar' ? 'grammar' : 'response_format');
  return format;
}

function both(one: string, other: string): ApiError {
  return new ApiError('unsupported_parameter', `“${one}” and “${other}” exclude each other. Leave one out.`, {
    param: one,
  });
}

function unusable(param: string, cause?: unknown): ApiError {
  const what = param === 'grammar' ? 'grammar (“root” is where it begins)' : 'JSON Schema';
  return new ApiError(
    'invalid_request',
    `WebLLM cannot hold this ${what}, or no text fits it. Make it simpler, or use the model’s GGUF variant.`,
    { param, cause },
  );
}
