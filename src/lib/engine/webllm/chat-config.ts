/** What WebLLM must know of an `mlc-chat-config.json`: written by strangers, so read leniently and checked once. */
import * as v from 'valibot';
import { ApiError } from '#lib/core/errors.ts';

export interface ChatConfig {
  /** Whether it makes text or vectors. */
  readonly purpose: 'text' | 'vectors';
  /** Whether it reads pictures beside text. */
  readonly sees: boolean;
  readonly vocabularySize: number | undefined;
  /** `q4f16_1`. */
  readonly quantization: string;
  /** What the model was trained for. */
  readonly contextSize: number | undefined;
  /** The model's own; most have none. */
  readonly slidingWindow: number | undefined;
  readonly attentionSink: number;
  readonly tokenizerFiles: readonly string[];
  readonly sampling: SamplingDefaults;
  readonly conversation: ConversationTemplate;
}

/** WebLLM throws when one of them is neither here nor in a request. */
export interface SamplingDefaults {
  readonly temperature: number;
  readonly topP: number;
  readonly repetitionPenalty: number;
  readonly presencePenalty: number;
  readonly frequencyPenalty: number;
}

/** MLC's own way to write a chat template down. */
export interface ConversationTemplate {
  readonly systemTemplate: string;
  /** When the conversation has none. */
  readonly systemMessage: string;
  readonly roles: { readonly user: string; readonly assistant: string; readonly tool: string };
  readonly roleTemplates: Readonly<Record<string, string>>;
  /** Between a role and its message, and after a role that is yet to speak. */
  readonly contentSeparator: string;
  readonly emptySeparator: string;
  /** After the first message, after the second, and so on in turn. */
  readonly separators: readonly string[];
  readonly roleAfterSystem: boolean;
  readonly stopTexts: readonly string[];
  readonly stopTokens: readonly number[];
  readonly prefixTokens: readonly number[];
}

const word = v.pipe(v.string(), v.maxLength(200));
const text = v.pipe(v.string(), v.maxLength(65_536));
const token = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
/** -1 and `null` stand for none. */
const size = v.fallback(v.nullish(v.pipe(v.number(), v.safeInteger(), v.minValue(1))), null);
const between = (least: number, most: number) =>
  v.fallback(v.nullish(v.pipe(v.number(), v.minValue(least), v.maxValue(most))), null);
/** 0 is what some files have for none, and WebLLM refuses it. */
const above0 = (most: number) =>
  v.fallback(v.nullish(v.pipe(v.number(), v.gtValue(0), v.maxValue(most))), null);

const conversation = v.object({
  system_template: v.fallback(text, '{system_message}'),
  system_message: v.fallback(text, ''),
  roles: v.object({ user: text, assistant: text, tool: v.nullish(text) }),
  role_templates: v.nullish(v.record(v.string(), text)),
  role_content_sep: v.nullish(text),
  role_empty_sep: v.nullish(text),
  seps: v.pipe(v.array(text), v.minLength(1)),
  add_role_after_system_message: v.nullish(v.boolean()),
  stop_str: v.nullish(v.array(text)),
  stop_token_ids: v.nullish(v.array(token)),
  system_prefix_token_ids: v.nullish(v.array(token)),
});

/** The one architecture of embedding models that MLC has libraries for. */
const vectorModels = /bert/i;
/** The one with a vision tower that this version of WebLLM prepares pictures for. */
const seeingModel = 'phi3_v';

const schema = v.object({
  model_type: v.fallback(v.nullish(word), null),
  vocab_size: size,
  eos_token_id: v.fallback(v.nullish(v.union([token, v.array(token)])), null),
  quantization: word,
  context_window_size: size,
  sliding_window_size: size,
  attention_sink_size: v.fallback(v.nullish(token), null),
  tokenizer_files: v.pipe(v.array(word), v.minLength(1)),
  temperature: between(0, 100),
  top_p: above0(1),
  repetition_penalty: above0(100),
  presence_penalty: between(-2, 2),
  frequency_penalty: between(-2, 2),
  conv_template: v.nullish(v.record(v.string(), v.unknown())),
  /** Changes to the template, in older files. */
  conv_config: v.nullish(v.record(v.string(), v.unknown())),
});

/** Throws `unsupported_model_format`. */
export function parseChatConfig(json: unknown): ChatConfig {
  const parsed = v.safeParse(schema, json);
  if (!parsed.success) throw unreadable(v.getDotPath(parsed.issues[0]));
  const raw = parsed.output;
  const purpose = vectorModels.test(raw.model_type ?? '') ? 'vectors' : 'text';
  return {
    purpose,
    sees: raw.model_type === seeingModel,
    vocabularySize: raw.vocab_size ?? undefined,
    quantization: raw.quantization,
    contextSize: raw.context_window_size ?? undefined,
    slidingWindow: raw.sliding_window_size ?? undefined,
    attentionSink: raw.attention_sink_size ?? 0,
    tokenizerFiles: raw.tokenizer_files,
    sampling: {
      temperature: raw.temperature ?? 1,
      topP: raw.top_p ?? 1,
      repetitionPenalty: raw.repetition_penalty ?? 1,
      presencePenalty: raw.presence_penalty ?? 0,
      frequencyPenalty: raw.frequency_penalty ?? 0,
    },
    conversation:
      purpose === 'vectors'
        ? noConversation
        : parseConversation({ ...raw.conv_template, ...raw.conv_config }, [raw.eos_token_id ?? []].flat()),
  };
}

const noConversation: ConversationTemplate = {
  systemTemplate: '',
  systemMessage: '',
  roles: { user: '', assistant: '', tool: '' },
  roleTemplates: {},
  contentSeparator: '',
  emptySeparator: '',
  separators: [''],
  roleAfterSystem: true,
  stopTexts: [],
  stopTokens: [],
  prefixTokens: [],
};

function parseConversation(json: unknown, endTokens: readonly number[]): ConversationTemplate {
  const parsed = v.safeParse(conversation, json);
  if (!parsed.success) throw unreadable(`conv_template.${v.getDotPath(parsed.issues[0]) ?? ''}`);
  const raw = parsed.output;
  return {
    systemTemplate: raw.system_template,
    systemMessage: raw.system_message,
    roles: { ...raw.roles, tool: raw.roles.tool ?? raw.roles.user },
    roleTemplates: raw.role_templates ?? {},
    contentSeparator: raw.role_content_sep ?? ': ',
    emptySeparator: raw.role_empty_sep ?? ': ',
    separators: raw.seps,
    roleAfterSystem: raw.add_role_after_system_message ?? true,
    // An empty text would stop every answer before its first word.
    stopTexts: (raw.stop_str ?? []).filter((stop) => stop !== ''),
    // Without any, nothing would end an answer whose form is held.
    stopTokens: raw.stop_token_ids?.length ? raw.stop_token_ids : endTokens,
    prefixTokens: raw.system_prefix_token_ids ?? [],
  };
}

function unreadable(field: string | null): ApiError {
  return new ApiError(
    'unsupported_model_format',
    `The model’s mlc-chat-config.json cannot be used: “${field ?? 'it'}” is missing or wrong. Choose a model that was converted for MLC by a current version.`,
  );
}
