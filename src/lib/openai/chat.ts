/** OpenAI chat completions: what a request may say, checked by name, and the shapes of the answers. */
import * as v from 'valibot';
import { ApiError } from '#lib/core/errors.ts';

const textPart = v.object({ type: v.literal('text'), text: v.string() });

const message = v.object({
  role: v.picklist(['system', 'developer', 'user', 'assistant', 'tool']),
  content: v.nullish(v.union([v.string(), v.array(textPart)])),
  name: v.optional(v.string()),
  reasoning_content: v.nullish(v.string()),
});

export type ChatMessage = v.InferOutput<typeof message>;

const between = (low: number, high: number) =>
  v.nullish(v.pipe(v.number(), v.minValue(low), v.maxValue(high)));
const positive = v.nullish(v.pipe(v.number(), v.safeInteger(), v.minValue(1)));

const request = v.object({
  model: v.pipe(v.string(), v.minLength(1)),
  messages: v.pipe(v.array(message), v.minLength(1)),
  stream: v.nullish(v.boolean()),
  stream_options: v.nullish(v.object({ include_usage: v.nullish(v.boolean()) })),
  temperature: between(0, 2),
  top_p: between(0, 1),
  top_k: v.nullish(v.pipe(v.number(), v.safeInteger(), v.minValue(0))),
  min_p: between(0, 1),
  seed: v.nullish(v.pipe(v.number(), v.safeInteger())),
  max_tokens: positive,
  max_completion_tokens: positive,
  stop: v.nullish(v.union([v.string(), v.pipe(v.array(v.pipe(v.string(), v.minLength(1))), v.maxLength(4))])),
  presence_penalty: between(-2, 2),
  frequency_penalty: between(-2, 2),
  repeat_penalty: between(0, 10),
  /** Values for the model's own template, e.g. `enable_thinking`. */
  chat_template_kwargs: v.nullish(v.record(v.string(), v.unknown())),
  /** llama-server's own: prefill progress between the chunks of a stream. */
  return_progress: v.nullish(v.boolean()),
});

export type ChatRequest = v.InferOutput<typeof request>;

/** Fields that would change the result and that this build cannot honour: refused by name, never dropped. */
const unsupported: Readonly<Record<string, (value: unknown) => boolean>> = {
  tools: (value) => Array.isArray(value) && value.length > 0,
  tool_choice: (value) => value !== 'none' && value !== 'auto',
  functions: (value) => Array.isArray(value) && value.length > 0,
  response_format: (value) => !isTextFormat(value),
  logprobs: (value) => value === true,
  logit_bias: (value) => typeof value === 'object' && value !== null && Object.keys(value).length > 0,
  grammar: (value) => typeof value === 'string' && value !== '',
  audio: (value) => value !== null,
  n: (value) => value !== 1,
};

/** Parses an untrusted body; throws `invalid_request` or `unsupported_parameter`, naming the field. */
export function parseChatRequest(body: unknown): ChatRequest {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new ApiError('invalid_request', 'The body must be a JSON object with “model” and “messages”.');
  }
  for (const [field, value] of Object.entries(body)) {
    if (value !== null && unsupported[field]?.(value)) {
      throw new ApiError(
        'unsupported_parameter',
        `“${field}” is not supported by this version of Sampan. Leave it out.`,
        {
          param: field,
        },
      );
    }
  }
  const parsed = v.safeParse(request, body);
  if (parsed.success) return parsed.output;
  const [issue] = parsed.issues;
  const param = v.getDotPath(issue) ?? 'body';
  throw new ApiError('invalid_request', `“${param}”: ${issue.message}.`, { param });
}

/** The text of a message; parts are joined as llama-server does. */
export function messageText(chatMessage: ChatMessage): string {
  const { content } = chatMessage;
  if (typeof content === 'string') return content;
  return content?.map((part) => part.text).join('') ?? '';
}

function isTextFormat(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'type' in value && value.type === 'text';
}

export interface WireUsage {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly total_tokens: number;
  readonly prompt_tokens_details: { readonly cached_tokens: number };
}

/** llama-server's own block, on the last chunk and on every whole answer. */
export interface WireTimings {
  readonly cache_n: number;
  readonly prompt_n: number;
  readonly prompt_ms: number;
  readonly prompt_per_second: number;
  readonly predicted_n: number;
  readonly predicted_ms: number;
  readonly predicted_per_second: number;
}

export interface ChatChunk {
  readonly id: string;
  readonly object: 'chat.completion.chunk';
  readonly created: number;
  readonly model: string;
  readonly system_fingerprint: string;
  readonly choices: readonly {
    readonly index: number;
    readonly delta: {
      readonly role?: 'assistant';
      readonly content?: string | null;
      readonly reasoning_content?: string;
    };
    readonly finish_reason: 'stop' | 'length' | null;
  }[];
  readonly usage?: WireUsage;
  readonly timings?: WireTimings;
  readonly prompt_progress?: { readonly processed: number; readonly total: number };
}

export interface ChatCompletion {
  readonly id: string;
  readonly object: 'chat.completion';
  readonly created: number;
  readonly model: string;
  readonly system_fingerprint: string;
  readonly choices: readonly {
    readonly index: number;
    readonly message: {
      readonly role: 'assistant';
      readonly content: string;
      readonly reasoning_content?: string;
    };
    readonly finish_reason: 'stop' | 'length';
  }[];
  readonly usage: WireUsage;
  readonly timings: WireTimings;
}
