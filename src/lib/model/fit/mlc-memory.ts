/**
 * What an MLC model takes of GPU memory in WebLLM. Weights and cache are counted; the buffers of a prefill are a formula
 * that reproduces WebLLM's own list within 10 %, where that list does not contradict itself (see the test).
 */
import type { MemoryNeed } from './gguf-memory.ts';
import type { MlcSizes } from './mlc-sizes.ts';

export interface MlcMemoryOptions {
  readonly contextSize: number;
  /** Of all shards in `tensor-cache.json`. */
  readonly weightsBytes: number;
  /** Prompt tokens computed at once; as the library was built when absent. */
  readonly prefillChunk?: number | undefined;
}

const floatBytes = 4;
const halfBytes = 2;
/** How many rows of each width are alive at once during a prefill. */
const liveNetworkRows = 5;
const liveHiddenRows = 2;

/** Their libraries compute the logits of a whole chunk, those of the others only of its last token. */
const wholeLogits: ReadonlySet<string> = new Set([
  'gpt_neox',
  'ministral3',
  'olmo2',
  'phi-msft',
  'qwen2',
  'qwen3',
  'stablelm',
]);

export function mlcMemory(sizes: MlcSizes, options: MlcMemoryOptions): MemoryNeed {
  const { weightsBytes, contextSize } = options;
  const cacheBytes = mlcCacheBytes(sizes, contextSize);
  const chunk = Math.min(options.prefillChunk ?? sizes.prefillChunk, contextSize);
  const rows = liveNetworkRows * sizes.networkSize + liveHiddenRows * sizes.hiddenSize;
  const logits = hasWholeLogits(sizes) ? sizes.vocabularySize * floatBytes : 0;
  const computeBytes = chunk * (rows * valueBytes(sizes) + logits);
  return { weightsBytes, cacheBytes, computeBytes, totalBytes: weightsBytes + cacheBytes + computeBytes };
}

/**
 * Of a model on WebLLM's list: its number there, which is of one context, for another one. Of `sizes` only the cache
 * matters here.
 */
export function listedMlcMemory(
  listed: { readonly vramBytes: number; readonly contextSize: number },
  sizes: MlcSizes,
  { contextSize, weightsBytes }: MlcMemoryOptions,
): MemoryNeed {
  const cacheBytes = mlcCacheBytes(sizes, contextSize);
  const fixedBytes = listed.vramBytes - mlcCacheBytes(sizes, listed.contextSize);
  const computeBytes = Math.max(0, fixedBytes - weightsBytes);
  return { weightsBytes, cacheBytes, computeBytes, totalBytes: weightsBytes + cacheBytes + computeBytes };
}

/** Keys and values. */
function mlcCacheBytes(sizes: MlcSizes, contextSize: number): number {
  return 2 * sizes.attentionLayers * sizes.kvHeads * sizes.headSize * valueBytes(sizes) * contextSize;
}

/** `q4f16_1` computes in 16 bits. */
function valueBytes({ quantization }: MlcSizes): number {
  return quantization.includes('f16') ? halfBytes : floatBytes;
}

/** Phi-4-mini is of the type phi3 too; it differs in that its matrices are tied. */
function hasWholeLogits({ modelType, tied }: MlcSizes): boolean {
  return wholeLogits.has(modelType) || (modelType === 'phi3' && tied);
}
