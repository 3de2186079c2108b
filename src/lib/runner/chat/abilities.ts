/** Refuses what a model cannot do before it is loaded, and says what it can. */
import { ApiError } from '#lib/core/errors.ts';
import { describeCapabilities, type Capabilities } from '#lib/model/capabilities.ts';
import type { ChatRequest } from '#lib/openai/chat.ts';

const problems = {
  chat: 'This model writes no text.',
  vision: 'This model sees no images.',
  audio: 'This model hears no sound.',
  embedding: 'This model makes no embeddings.',
  rerank: 'This model ranks no documents.',
  fim: 'This model fills no gaps.',
} satisfies Partial<Record<keyof Capabilities, string>>;

/** Throws `invalid_request`. `param`: the field that asks for it. */
export function requireAbility(model: Capabilities, wanted: keyof typeof problems, param: string): void {
  if (model[wanted]) return;
  throw new ApiError('invalid_request', `${problems[wanted]} ${describeCapabilities(model)}`, { param });
}

export function requireForChat(model: Capabilities, { messages }: ChatRequest): void {
  requireAbility(model, 'chat', 'model');
  const parts = messages.flatMap(({ content }) => (Array.isArray(content) ? content : []));
  if (parts.some(({ type }) => type === 'image_url')) requireAbility(model, 'vision', 'messages');
  if (parts.some(({ type }) => type === 'input_audio')) requireAbility(model, 'audio', 'messages');
}
