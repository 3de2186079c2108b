/**
 * What we read of WebLLM's pipelines, which its package does not export: token counts before a prompt is computed, how
 * much of the context is filled, and the reply as it grows. The package is pinned to one version; this file is the
 * only one that knows its inside, and says so when that changes.
 */
import type { ChatCompletionTokenLogprob, MLCEngine, ResponseFormat } from '@mlc-ai/web-llm';
import { ApiError } from '#lib/core/errors.ts';

export interface Tokenizer {
  encode(text: string): ArrayLike<number>;
}

export interface Pipeline {
  readonly tokenizer: Tokenizer;
  /** Tokens in the KV cache. */
  readonly filledKVCacheLength: number;
  readonly fullVocabSize: number;
  /** As compiled into the library; a smaller one works too. */
  prefillChunkSize: number;
  /** Tokens that a picture becomes, of a model that sees. */
  computeImageEmbedSize?(height: number, width: number): number;
  /** Of the last response format that was compiled. */
  readonly grammarMatcher?: { getNextTokenBitmask(): Promise<Int32Array> } | undefined;
  /** Compiles a response format unless it was the last one; the request that comes with it finds it compiled. */
  prepareGrammarMatcherForSampling(config: {
    readonly response_format: ResponseFormat;
  }): Promise<void> | undefined;
  /** The reply so far, decoded. */
  getMessage(): string;
  /** `stop` is a stop token. */
  getFinishReason(): 'stop' | 'length' | 'abort' | 'tool_calls' | undefined;
  /** Of the current request, one a token, with the token that ended it. */
  getTokenLogprobArray(): readonly ChatCompletionTokenLogprob[];
  /** Of the current request, with the token that ended it. */
  getCurRoundCompletionTotalTokens(): number;
  getCurRoundPrefillTotalTokens(): number;
  getCurRoundPrefillTotalTime(): number;
  getCurRoundDecodingTotalTokens(): number;
  getCurRoundDecodingTotalTime(): number;
}

/** Of a model that makes embeddings. */
export interface VectorPipeline {
  readonly tokenizer: Tokenizer;
  readonly contextWindowSize: number;
}

const chatShape = {
  numbers: ['filledKVCacheLength', 'fullVocabSize', 'prefillChunkSize'],
  methods: [
    'prepareGrammarMatcherForSampling',
    'getMessage',
    'getFinishReason',
    'getTokenLogprobArray',
    'getCurRoundCompletionTotalTokens',
    'getCurRoundPrefillTotalTokens',
    'getCurRoundPrefillTotalTime',
    'getCurRoundDecodingTotalTokens',
    'getCurRoundDecodingTotalTime',
  ],
} as const;
const vectorShape = { numbers: ['contextWindowSize'], methods: ['embedStep'] } as const;

/** `undefined` when no such model is loaded: `reload` resolves also when it gave up. */
export function pipelineOf(engine: MLCEngine, modelId: string): Pipeline | undefined {
  const pipeline = loaded(engine, modelId);
  if (pipeline === undefined || isPipeline(pipeline)) return pipeline;
  throw unknownInside();
}

/** As `pipelineOf`, of a model that was loaded for embeddings. */
export function vectorPipelineOf(engine: MLCEngine, modelId: string): VectorPipeline | undefined {
  const pipeline = loaded(engine, modelId);
  if (pipeline === undefined || isVectorPipeline(pipeline)) return pipeline;
  throw unknownInside();
}

function loaded(engine: MLCEngine, modelId: string): unknown {
  const pipelines: unknown = Reflect.get(engine, 'loadedModelIdToPipeline');
  if (!(pipelines instanceof Map)) throw unknownInside();
  return pipelines.get(modelId);
}

interface Shape {
  readonly numbers: readonly string[];
  readonly methods: readonly string[];
}

function isPipeline(value: unknown): value is Pipeline {
  return hasShape(value, chatShape);
}

function isVectorPipeline(value: unknown): value is VectorPipeline {
  return hasShape(value, vectorShape);
}

function hasShape(value: unknown, { numbers, methods }: Shape): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const tokenizer: unknown = Reflect.get(value, 'tokenizer');
  return (
    typeof tokenizer === 'object' &&
    tokenizer !== null &&
    typeof Reflect.get(tokenizer, 'encode') === 'function' &&
    numbers.every((name) => typeof Reflect.get(value, name) === 'number') &&
    methods.every((name) => typeof Reflect.get(value, name) === 'function')
  );
}

function unknownInside(): ApiError {
  return new ApiError(
    'internal',
    'This version of WebLLM is not the one that Sampan was made for. Reload the page.',
  );
}
