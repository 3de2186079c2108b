/** OpenAI chat completions: what a request may say, checked by name, and the shapes of the answers. */
import * as v from 'valibot';
import type { WireLogprob, WireTimings, WireUsage } from './answer-figures.ts';
import { checkChat, refuseUnsupported } from './chat-rules.ts';
import type { FinishReason } from './events.ts';
import { isSchema, type JsonSchema } from './json-schema.ts';
import { isBase64, isJson, parseFields, refuseLists, unreadFields } from './parse.ts';

export type { JsonSchema };

const text = v.pipe(v.string(), v.minLength(1));

/** The runner fetches nothing for anybody, so an image comes inside of the request. */
const imageUrl = v.pipe(
  v.string(),
  v.startsWith('data:', 'must be a data: URL; images on the web are not fetched, send their bytes'),
  v.check(isImageUrl, 'must be “data:image/…;base64,” with a PNG, JPEG, WebP, GIF or BMP in base64'),
);

const contentPart = v.variant('type', [
  v.object({ type: v.literal('text'), text: v.string() }),
  v.object({
    type: v.literal('image_url'),
    image_url: v.object({ url: imageUrl, detail: v.nullish(v.string()) }),
  }),
  v.object({
    type: v.literal('input_audio'),
    input_audio: v.object({
      data: v.pipe(v.string(), v.check(isBase64, 'must be base64')),
      format: v.picklist(['wav', 'mp3', 'flac']),
    }),
  }),
]);

export type ContentPart = v.InferOutput<typeof contentPart>;

/** JSON text; some clients send nothing for a call without arguments. */
const argumentsText = v.pipe(
  v.string(),
  v.transform((given) => (given.trim() === '' ? '{}' : given)),
  v.check(isJson, 'must be JSON text'),
);

const toolCall = v.object({
  id: v.string(),
  type: v.literal('function'),
  function: v.object({ name: text, arguments: argumentsText }),
});

const message = v.object({
  role: v.picklist(['system', 'developer', 'user', 'assistant', 'tool']),
  content: v.nullish(v.union([v.string(), v.array(contentPart)])),
  name: v.nullish(v.string()),
  reasoning_content: v.nullish(v.string()),
  tool_calls: v.nullish(v.array(toolCall)),
  tool_call_id: v.nullish(v.string()),
});

export type ChatMessage = v.InferOutput<typeof message>;

const jsonSchema = v.pipe(
  v.custom<JsonSchema>(isSchema, 'must be a JSON Schema object'),
  v.metadata({ type: 'object' }),
);

const tool = v.object({
  type: v.literal('function'),
  function: v.object({
    name: v.pipe(v.string(), v.regex(/^[\w-]{1,64}$/, 'must be 1 to 64 letters, digits, “_” or “-”')),
    description: v.nullish(v.string()),
    parameters: v.nullish(jsonSchema),
    strict: v.nullish(v.boolean()),
  }),
});

export type Tool = v.InferOutput<typeof tool>;

const toolChoice = v.union([
  v.picklist(['none', 'auto', 'required']),
  v.object({ type: v.literal('function'), function: v.object({ name: text }) }),
]);

/** How the text of an answer is held. Without it the model says what it likes. */
const responseFormat = v.variant('type', [
  v.object({ type: v.literal('text') }),
  v.object({ type: v.literal('json_object') }),
  v.object({
    type: v.literal('json_schema'),
    json_schema: v.object({
      name: v.nullish(v.string()),
      description: v.nullish(v.string()),
      schema: v.nullish(jsonSchema),
      strict: v.nullish(v.boolean()),
    }),
  }),
]);

export type ResponseFormat = v.InferOutput<typeof responseFormat>;

const between = (low: number, high: number) =>
  v.nullish(v.pipe(v.number(), v.minValue(low), v.maxValue(high)));
const positive = v.nullish(v.pipe(v.number(), v.safeInteger(), v.minValue(1)));

/** What chat and text completions share. */
export const samplingFields = {
  model: text,
  stream: v.nullish(v.boolean()),
  stream_options: v.nullish(v.object({ include_usage: v.nullish(v.boolean()) })),
  temperature: between(0, 2),
  top_p: between(0, 1),
  top_k: v.nullish(v.pipe(v.number(), v.safeInteger(), v.minValue(0))),
  min_p: between(0, 1),
  seed: v.nullish(v.pipe(v.number(), v.safeInteger())),
  max_tokens: positive,
  stop: v.nullish(v.union([v.string(), v.pipe(v.array(text), v.maxLength(4))])),
  presence_penalty: between(-2, 2),
  frequency_penalty: between(-2, 2),
  repeat_penalty: between(0, 10),
  /** By token id, as text. */
  logit_bias: v.nullish(v.record(v.string(), v.pipe(v.number(), v.minValue(-100), v.maxValue(100)))),
  n: v.nullish(v.pipe(v.number(), v.safeInteger(), v.minValue(1), v.maxValue(16))),
  /** GBNF of llama.cpp. */
  grammar: v.nullish(v.string()),
  /** Goes on to `max_tokens` whatever the model says; for benchmarks. */
  ignore_eos: v.nullish(v.boolean()),
};

export const chatBody = v.object({
  ...samplingFields,
  messages: v.pipe(v.array(message), v.minLength(1)),
  max_completion_tokens: positive,
  logprobs: v.nullish(v.boolean()),
  top_logprobs: v.nullish(v.pipe(v.number(), v.safeInteger(), v.minValue(0), v.maxValue(20))),
  response_format: v.nullish(responseFormat),
  tools: v.nullish(v.pipe(v.array(tool), v.maxLength(512))),
  tool_choice: v.nullish(toolChoice),
  parallel_tool_calls: v.nullish(v.boolean()),
  reasoning_effort: v.nullish(v.picklist(['none', 'minimal', 'low', 'medium', 'high'])),
  /** Values for the model's own template, e.g. `enable_thinking`. */
  chat_template_kwargs: v.nullish(v.record(v.string(), v.unknown())),
  /** llama-server's own: prefill progress between the chunks of a stream. */
  return_progress: v.nullish(v.boolean()),
});

export type ChatRequest = v.InferOutput<typeof chatBody>;

const objectFields = ['stream_options', 'logit_bias', 'chat_template_kwargs', 'response_format.json_schema'];

/** Parses an untrusted body; throws `invalid_request` or `unsupported_parameter`, naming the field. */
export function parseChatRequest(body: unknown): ChatRequest {
  refuseUnsupported(body);
  refuseLists(body, objectFields);
  const parsed = parseFields(chatBody, body);
  checkChat(parsed);
  return parsed;
}

/** Fields of a body that change nothing here, by name. */
export function ignoredFields(body: unknown): readonly string[] {
  return unreadFields(body, chatBody);
}

/** The text of a message; parts are joined as llama-server does. */
export function messageText(chatMessage: ChatMessage): string {
  const { content } = chatMessage;
  if (typeof content === 'string') return content;
  return content?.map((part) => (part.type === 'text' ? part.text : '')).join('') ?? '';
}

function isImageUrl(url: string): boolean {
  const [head = ''] = url.slice(0, 40).split(',');
  return /^data:image\/(png|jpe?g|webp|gif|bmp);base64$/i.test(head) && isBase64(url.slice(head.length + 1));
}

export interface WireToolCall {
  readonly id: string;
  readonly type: 'function';
  readonly function: { readonly name: string; readonly arguments: string };
}

/** `id`, `type` and `name` come with the first piece of a call, `arguments` in pieces. */
export interface WireToolCallPiece {
  readonly index: number;
  readonly id?: string;
  readonly type?: 'function';
  readonly function: { readonly name?: string; readonly arguments?: string };
}

export interface ChatLogprobs {
  readonly content: readonly WireLogprob[];
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
      readonly tool_calls?: readonly WireToolCallPiece[];
    };
    readonly logprobs?: ChatLogprobs;
    readonly finish_reason: FinishReason | null;
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
      /** `null` where there is nothing but calls. */
      readonly content: string | null;
      readonly reasoning_content?: string;
      readonly tool_calls?: readonly WireToolCall[];
    };
    readonly logprobs?: ChatLogprobs;
    readonly finish_reason: FinishReason;
  }[];
  readonly usage: WireUsage;
  readonly timings: WireTimings;
}
