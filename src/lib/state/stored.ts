/** A conversation as it is kept: what is written to IndexedDB, and checked when it comes back. */
import * as v from 'valibot';

const statuses = v.variant('status', [
  v.object({ status: v.literal('waiting') }),
  v.object({ status: v.literal('writing') }),
  v.object({ status: v.literal('done'), finish: v.picklist(['stop', 'length']) }),
  v.object({ status: v.literal('stopped') }),
  v.object({ status: v.literal('failed'), code: v.string(), message: v.string() }),
]);

const number = v.optional(v.number());

const stats = v.object({
  tokens: number,
  tokensPerSecond: number,
  firstTokenMs: number,
  /** The first token had to wait for the model to load. */
  withLoading: v.optional(v.boolean()),
  thoughtMs: number,
  promptTokens: number,
  cachedTokens: number,
});

const answer = v.object({
  model: v.string(),
  text: v.string(),
  reasoning: v.string(),
  state: statuses,
  stats,
  /** Of the record of its request. */
  requestId: v.optional(v.string()),
});

const message = v.variant('role', [
  v.object({ role: v.literal('user'), id: v.string(), text: v.string() }),
  v.object({
    role: v.literal('assistant'),
    id: v.string(),
    versions: v.pipe(v.array(answer), v.minLength(1)),
    shown: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  }),
]);

const conversation = v.object({
  id: v.string(),
  title: v.string(),
  model: v.string(),
  updatedMs: v.number(),
  settings: v.object({ systemPrompt: v.string(), temperature: number, maxTokens: number }),
  messages: v.array(message),
});

export type AnswerState = Readonly<v.InferOutput<typeof statuses>>;
export type AnswerStats = Readonly<v.InferOutput<typeof stats>>;
export type StoredAnswer = v.InferOutput<typeof answer>;
export type StoredMessage = v.InferOutput<typeof message>;
export type StoredConversation = v.InferOutput<typeof conversation>;
export type ConversationSettings = StoredConversation['settings'];

/** `undefined` for what an older or broken build wrote: better one conversation missing than a page that does not open. */
export function parseStored(value: unknown): StoredConversation | undefined {
  const parsed = v.safeParse(conversation, value);
  return parsed.success ? parsed.output : undefined;
}
