/** What a GGUF model takes of memory once it runs in llama.cpp. */
import type { GgufValue } from '#lib/model/gguf-cursor.ts';
import type { CacheType } from '#lib/model/wire.ts';
import { cacheBytes, headLength, heads, paddedContext, type CacheOptions } from './gguf-cache.ts';
import { Hyperparameters } from './hyperparameters.ts';

/** `totalBytes` is the sum of the others. */
export interface MemoryNeed {
  readonly weightsBytes: number;
  readonly cacheBytes: number;
  /** An estimate, on the high side. */
  readonly computeBytes: number;
  readonly totalBytes: number;
}

export interface GgufMemoryOptions {
  readonly contextSize: number;
  /** Of all shards, the projector and the adapters. */
  readonly weightsBytes: number;
  /** f16 when absent, as the engine has it. */
  readonly cacheTypeK?: CacheType | undefined;
  readonly cacheTypeV?: CacheType | undefined;
  /** 1 when absent. */
  readonly parallel?: number | undefined;
  /** Tokens computed at once; 512 when absent. */
  readonly batch?: number | undefined;
  /** On when absent. */
  readonly flashAttention?: boolean | undefined;
}

const floatBytes = 4;
const halfBytes = 2;
/** How many rows of each width are alive at once; taken from the engine's log, rounded up. */
const liveRows = 4;

/** The cache is exact; a model that does not say its sizes is counted without one. */
export function ggufMemory(metadata: ReadonlyMap<string, GgufValue>, options: GgufMemoryOptions): MemoryNeed {
  const parameters = new Hyperparameters(metadata);
  const { weightsBytes } = options;
  const cacheOptions = withDefaults(options);
  const cache = cacheBytes(parameters, cacheOptions);
  const compute = computeBytes(parameters, cacheOptions);
  return {
    weightsBytes,
    cacheBytes: cache,
    computeBytes: compute,
    totalBytes: weightsBytes + cache + compute,
  };
}

function withDefaults(options: GgufMemoryOptions): CacheOptions {
  const { contextSize, cacheTypeK = 'f16', cacheTypeV = 'f16', parallel = 1, batch = 512 } = options;
  // llama.cpp turns it on for quantized values, whatever was asked for.
  const needsFlash = cacheTypeV !== 'f16' && cacheTypeV !== 'f32';
  const flashAttention = needsFlash || (options.flashAttention ?? true);
  return {
    contextSize,
    cacheTypeK,
    cacheTypeV,
    parallel,
    batch: Math.min(batch, contextSize),
    flashAttention,
  };
}

/** The rows of a layer for each token of a batch, the mask over the context, and the logits of one token a slot. */
function computeBytes(parameters: Hyperparameters, options: CacheOptions): number {
  const { batch, contextSize, parallel, flashAttention } = options;
  const cells = paddedContext(contextSize);
  const width = parameters.count('embedding_length') ?? 0;
  const queries = heads(parameters, 0) * headLength(parameters, 'key', false);
  const rows = liveRows * (width + networkWidth(parameters)) + queries;
  const scores = flashAttention ? halfBytes : floatBytes * (1 + heads(parameters, 0));
  const logits = 2 * Math.max(1, parallel) * parameters.vocabulary * floatBytes;
  return batch * (rows * floatBytes + cells * scores) + logits;
}

/** Of a mixture of experts, those that work at once. */
function networkWidth(parameters: Hyperparameters): number {
  const dense = parameters.ofLayer('feed_forward_length', 0) ?? 0;
  const experts = parameters.count('expert_used_count') ?? 0;
  return Math.max(dense, experts * (parameters.count('expert_feed_forward_length') ?? 0));
}
