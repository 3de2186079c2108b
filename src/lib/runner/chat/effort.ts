/** `reasoning_effort` as templates read it: `none` closes the thinking, the rest is for those that know degrees. */
import type { ChatRequest } from '#lib/openai/chat.ts';

export function withEffort(request: ChatRequest): ChatRequest {
  const { reasoning_effort: effort, chat_template_kwargs: given } = request;
  if (!effort) return request;
  const degree = effort === 'minimal' ? 'low' : effort;
  const wanted =
    effort === 'none' ? { enable_thinking: false } : { enable_thinking: true, reasoning_effort: degree };
  return { ...request, chat_template_kwargs: { ...wanted, ...given } };
}
