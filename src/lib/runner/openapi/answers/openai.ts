/** What models answer, in OpenAI's shapes with llama-server's additions. */
import * as v from 'valibot';
import type { OpenAiModelJson } from '#lib/model/wire.ts';
import type { WireLogprob, WireTimings, WireUsage } from '#lib/openai/answer-figures.ts';
import type { ChatChunk, ChatCompletion, WireToolCall, WireToolCallPiece } from '#lib/openai/chat.ts';
import type { CompletionJson } from '#lib/openai/completion.ts';
import type { EmbeddingsJson } from '#lib/openai/embeddings.ts';
import type { RerankJson } from '#lib/openai/rerank.ts';
import { number, whole, word } from './common.ts';

export const openAiModel: v.GenericSchema<OpenAiModelJson> = v.object({
  id: word,
  object: v.literal('model'),
  created: whole,
  owned_by: v.literal('docker'),
  dmr: v.object({
    context_window: v.exactOptional(whole),
    architecture: word,
    parameters: word,
    quantization: word,
    size: word,
  }),
});

export const openAiModels = v.object({ object: v.literal('list'), data: v.array(openAiModel) });

const usage: v.GenericSchema<WireUsage> = v.object({
  prompt_tokens: whole,
  completion_tokens: whole,
  total_tokens: whole,
  prompt_tokens_details: v.object({ cached_tokens: whole }),
});

const promptUsage = v.object({ prompt_tokens: whole, total_tokens: whole });

const timings: v.GenericSchema<WireTimings> = v.object({
  cache_n: whole,
  prompt_n: whole,
  prompt_ms: number,
  prompt_per_second: number,
  predicted_n: whole,
  predicted_ms: number,
  predicted_per_second: number,
});

const alternative = { token: word, bytes: v.array(whole), logprob: number };

const logprob: v.GenericSchema<WireLogprob> = v.object({
  ...alternative,
  top_logprobs: v.array(v.object(alternative)),
});

const chatLogprobs = v.exactOptional(v.object({ content: v.array(logprob) }));
const reason = v.picklist(['stop', 'length', 'tool_calls']);

const head = { id: word, created: whole, model: word, system_fingerprint: word };

const toolCall: v.GenericSchema<WireToolCall> = v.object({
  id: word,
  type: v.literal('function'),
  function: v.object({ name: word, arguments: word }),
});

const toolCallPiece: v.GenericSchema<WireToolCallPiece> = v.object({
  index: whole,
  id: v.exactOptional(word),
  type: v.exactOptional(v.literal('function')),
  function: v.object({ name: v.exactOptional(word), arguments: v.exactOptional(word) }),
});

export const chatCompletion: v.GenericSchema<ChatCompletion> = v.object({
  ...head,
  object: v.literal('chat.completion'),
  choices: v.array(
    v.object({
      index: whole,
      message: v.object({
        role: v.literal('assistant'),
        content: v.nullable(word),
        reasoning_content: v.exactOptional(word),
        tool_calls: v.exactOptional(v.array(toolCall)),
      }),
      logprobs: chatLogprobs,
      finish_reason: reason,
    }),
  ),
  usage,
  timings,
});

export const chatChunk: v.GenericSchema<ChatChunk> = v.object({
  ...head,
  object: v.literal('chat.completion.chunk'),
  choices: v.array(
    v.object({
      index: whole,
      delta: v.object({
        role: v.exactOptional(v.literal('assistant')),
        content: v.exactOptional(v.nullable(word)),
        reasoning_content: v.exactOptional(word),
        tool_calls: v.exactOptional(v.array(toolCallPiece)),
      }),
      logprobs: chatLogprobs,
      finish_reason: v.nullable(reason),
    }),
  ),
  usage: v.exactOptional(usage),
  timings: v.exactOptional(timings),
  prompt_progress: v.exactOptional(v.object({ processed: whole, total: whole })),
});

/** A whole one, and a chunk of one. */
export const textCompletion: v.GenericSchema<CompletionJson> = v.object({
  ...head,
  object: v.literal('text_completion'),
  choices: v.array(
    v.object({
      index: whole,
      text: word,
      logprobs: v.nullable(
        v.object({
          tokens: v.array(word),
          token_logprobs: v.array(number),
          top_logprobs: v.array(v.record(v.string(), number)),
          text_offset: v.array(whole),
          content: v.array(logprob),
        }),
      ),
      finish_reason: v.nullable(reason),
    }),
  ),
  usage: v.exactOptional(usage),
  timings: v.exactOptional(timings),
});

export const embeddings: v.GenericSchema<EmbeddingsJson> = v.object({
  object: v.literal('list'),
  model: word,
  data: v.array(
    v.object({
      object: v.literal('embedding'),
      index: whole,
      embedding: v.union([v.array(number), word]),
      encoding_format: v.exactOptional(v.literal('base64')),
    }),
  ),
  usage: promptUsage,
});

export const ranking: v.GenericSchema<RerankJson> = v.object({
  object: v.literal('list'),
  model: word,
  results: v.array(
    v.object({
      index: whole,
      relevance_score: number,
      document: v.exactOptional(v.object({ text: word })),
    }),
  ),
  usage: promptUsage,
});

export const tokenized = v.object({ tokens: v.array(whole), count: whole });

export const detokenized = v.object({ content: word });
