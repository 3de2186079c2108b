/**
 * What we read of WebLLM's pipeline, which its package does not export: token counts before a prompt is computed, how
 * much of the context is filled, and the reply as it grows. The package is pinned to one version; this file is the
 * only one that knows its inside, and says so when that changes.
 */
import type { MLCEngine } from '@mlc-ai/web-llm';
import { ApiError } from '#lib/core/errors.ts';

export interface Pipeline {
  readonly tokenizer: { encode(text: string): ArrayLike<number> };
  /** Tokens in the KV cache. */
  readonly filledKVCacheLength: number;
  /** As compiled into the library; a smaller one works too. */
  prefillChunkSize: number;
  /** The reply so far, decoded. */
  getMessage(): string;
  /** `stop` is a stop token. */
  getFinishReason(): 'stop' | 'length' | 'abort' | 'tool_calls' | undefined;
  /** Of the current request, with the token that ended it. */
  getCurRoundCompletionTotalTokens(): number;
  getCurRoundPrefillTotalTokens(): number;
  getCurRoundPrefillTotalTime(): number;
  getCurRoundDecodingTotalTokens(): number;
  getCurRoundDecodingTotalTime(): number;
}

const methods = [
  'getMessage',
  'getFinishReason',
  'getCurRoundCompletionTotalTokens',
  'getCurRoundPrefillTotalTokens',
  'getCurRoundPrefillTotalTime',
  'getCurRoundDecodingTotalTokens',
  'getCurRoundDecodingTotalTime',
] as const;

/** `undefined` when no such model is loaded: `reload` resolves also when it gave up. */
export function pipelineOf(engine: MLCEngine, modelId: string): Pipeline | undefined {
  const loaded: unknown = Reflect.get(engine, 'loadedModelIdToPipeline');
  if (!(loaded instanceof Map)) throw unknownInside();
  const pipeline: unknown = loaded.get(modelId);
  if (pipeline === undefined) return undefined;
  if (!isPipeline(pipeline)) throw unknownInside();
  return pipeline;
}

function isPipeline(value: unknown): value is Pipeline {
  if (typeof value !== 'object' || value === null) return false;
  const tokenizer: unknown = Reflect.get(value, 'tokenizer');
  return (
    typeof tokenizer === 'object' &&
    tokenizer !== null &&
    typeof Reflect.get(tokenizer, 'encode') === 'function' &&
    typeof Reflect.get(value, 'filledKVCacheLength') === 'number' &&
    typeof Reflect.get(value, 'prefillChunkSize') === 'number' &&
    methods.every((name) => typeof Reflect.get(value, name) === 'function')
  );
}

function unknownInside(): ApiError {
  return new ApiError(
    'internal',
    'This version of WebLLM is not the one that Sampan was made for. Reload the page.',
  );
}
