/**
 * Validated requests as llama-server's parser inside wllama reads them: its names, not the package's typed ones, which
 * is why they are cast at the end.
 */
import type { ChatCompletionParams, RawCompletionParams } from '@wllama/wllama';
import { ApiError } from '#lib/core/errors.ts';
import { messageText, type ChatMessage, type ChatRequest } from '#lib/openai/chat.ts';
import type { CompletionRequest } from '#lib/openai/completion.ts';
import { isMedia, type Media, type MediaBytes, type MediaPart } from './media.ts';
import { schemaOf } from './schema.ts';
import { engineCallId } from './tool-call-id.ts';

/** What of a loaded model a request is held against. */
export interface Abilities {
  readonly media: Media;
  readonly vocabularySize: number;
}

/** Throws `invalid_request` or `unsupported_parameter` for what would be a C++ exception or be passed over. */
export function toChatParams(
  request: ChatRequest,
  abilities: Abilities,
  media: MediaBytes = new Map(),
): ChatCompletionParams {
  const schema = schemaOf(request.response_format);
  const tools = request.tool_choice === 'none' ? [] : (request.tools ?? []);
  if (request.grammar && (schema || tools.length > 0)) throw twoForms();
  return withoutGaps({
    ...sampling(request, abilities),
    messages: request.messages.map((message) => toEngineMessage(message, media)),
    stream_options: { include_usage: true },
    max_tokens: request.max_completion_tokens ?? request.max_tokens,
    // Entries come only with an alternative; what was not asked for is cut off again.
    ...(request.logprobs && { logprobs: true, top_logprobs: Math.max(1, request.top_logprobs ?? 0) }),
    response_format: schema && { type: 'json_schema', json_schema: { name: 'answer', schema } },
    ...(tools.length > 0 && { tools, parallel_tool_calls: request.parallel_tool_calls ?? true }),
    chat_template_kwargs: request.chat_template_kwargs,
    // Tells the rendered prompt, once, with the last chunk.
    verbose: true,
  }) as ChatCompletionParams;
}

export function toCompletionParams(
  request: CompletionRequest,
  prompt: string,
  abilities: Abilities,
): RawCompletionParams {
  const { logprobs } = request;
  return withoutGaps({
    ...sampling(request, abilities),
    prompt,
    max_tokens: request.max_tokens,
    logprobs: typeof logprobs === 'number' ? Math.max(1, logprobs) : undefined,
  }) as RawCompletionParams;
}

function sampling(request: ChatRequest | CompletionRequest, { vocabularySize }: Abilities): object {
  const { stop } = request;
  const stops = (typeof stop === 'string' ? [stop] : stop)?.filter((text) => text !== '');
  return {
    return_progress: true,
    temperature: request.temperature,
    top_p: request.top_p,
    top_k: request.top_k,
    min_p: request.min_p,
    seed: request.seed,
    stop: stops,
    presence_penalty: request.presence_penalty,
    frequency_penalty: request.frequency_penalty,
    repeat_penalty: request.repeat_penalty,
    ignore_eos: request.ignore_eos,
    grammar: request.grammar || undefined,
    logit_bias: checkBias(request.logit_bias, vocabularySize),
  };
}

/** The engine passes over a token that it does not know. */
function checkBias(bias: ChatRequest['logit_bias'], vocabularySize: number): ChatRequest['logit_bias'] {
  for (const token of Object.keys(bias ?? {})) {
    if (/^\d{1,9}$/.test(token) && Number(token) < vocabularySize) continue;
    throw new ApiError(
      'invalid_request',
      `“logit_bias” names “${token.slice(0, 40)}”, which is no token of this model: they are numbers from 0 to ${vocabularySize - 1}.`,
      { param: 'logit_bias' },
    );
  }
  return bias;
}

function toEngineMessage(message: ChatMessage, media: MediaBytes): object {
  const role = message.role === 'developer' ? 'system' : message.role;
  const calls = message.tool_calls?.map(({ id, type, function: called }) => ({
    id: engineCallId(id),
    type,
    function: called,
  }));
  return withoutGaps({
    role,
    content: contentOf(message, media),
    name: message.name,
    reasoning_content: message.reasoning_content,
    tool_calls: calls?.length ? calls : undefined,
    tool_call_id: message.tool_call_id && engineCallId(message.tool_call_id),
  });
}

/** Parts only where there is more than text: templates join parts in different ways. */
function contentOf(message: ChatMessage, media: MediaBytes): string | readonly object[] {
  const { content } = message;
  if (!Array.isArray(content) || content.every(({ type }) => type === 'text')) return messageText(message);
  return content.map((part) => (isMedia(part) ? mediaPart(part, media.get(part)) : part));
}

/** A part that was not read would become a place holder without anything behind it. */
function mediaPart({ type }: MediaPart, data: ArrayBuffer | undefined): object {
  if (!data) throw new ApiError('internal', 'An image or sound was not read. Send the request again.');
  return { type: type === 'image_url' ? 'image' : 'audio', data };
}

/** The engine minds `null` and `undefined`; an absent field takes its default. */
function withoutGaps(fields: object): object {
  const given = Object.entries(fields).filter(([, value]) => value !== null && value !== undefined);
  return Object.fromEntries(given);
}

function twoForms(): ApiError {
  return new ApiError(
    'invalid_request',
    'An answer has one form: leave out “grammar”, or “response_format” and “tools”.',
    { param: 'grammar' },
  );
}
