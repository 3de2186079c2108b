/** A validated chat request as llama-server's parser inside wllama reads it: its names, not the package's typed ones. */
import type { ChatCompletionParams } from '@wllama/wllama';
import { messageText, type ChatRequest } from '#lib/openai/chat.ts';

export function toWllamaRequest(request: ChatRequest): ChatCompletionParams {
  const fields = {
    messages: request.messages.map((message) => ({
      role: message.role === 'developer' ? ('system' as const) : message.role,
      content: messageText(message),
    })),
    stream_options: { include_usage: true },
    return_progress: true,
    temperature: request.temperature,
    top_p: request.top_p,
    top_k: request.top_k,
    min_p: request.min_p,
    seed: request.seed,
    max_tokens: request.max_completion_tokens ?? request.max_tokens,
    stop: typeof request.stop === 'string' ? [request.stop] : request.stop,
    presence_penalty: request.presence_penalty,
    frequency_penalty: request.frequency_penalty,
    repeat_penalty: request.repeat_penalty,
    chat_template_kwargs: request.chat_template_kwargs,
  };
  // The engine minds `null` and `undefined`; an absent field takes its default.
  const present = Object.entries(fields).filter(([, value]) => value !== null && value !== undefined);
  return Object.fromEntries(present) as unknown as ChatCompletionParams;
}
