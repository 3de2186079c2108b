/** What a model is loaded with, from what was wanted, what the file says and what the machine has. */
import { LogLevel, type LoadModelParams } from '@wllama/wllama';
import { ApiError } from '#lib/core/errors.ts';
import type { GgufModel, LoadConfig, LoadedConfig, Pooling } from '#lib/engine/port.ts';
import type { FileFacts } from './file-facts.ts';
import type { Plan } from './plan.ts';

/** An abort is seen between batches only, so a batch must be short where prefill is slow. */
const cpuBatch = 128;
const gpuBatch = 512;
/** Some models look at a picture as a whole, and it is no more tokens than this in those. */
const pictureBatch = 512;
/** More than any model has. */
const allLayers = 99_999;

export function loadedConfig(config: LoadConfig, { trainedContext }: FileFacts, plan: Plan): LoadedConfig {
  const { gpuLayers = allLayers, cacheTypeK = 'f16', cacheTypeV = 'f16', flashAttention = true } = config;
  const { mode = 'completion', parallel = 1 } = config;
  return {
    contextSize: Math.min(config.contextSize, trainedContext ?? Infinity),
    gpuLayers: plan.gpu ? gpuLayers : 0,
    threads: plan.threads,
    cacheTypeK,
    cacheTypeV,
    flashAttention,
    mode,
    parallel: mode === 'completion' ? parallel : 1,
  };
}

/** Throws `not_supported` for what this build of llama.cpp cannot do. */
export function loadParams(
  model: GgufModel,
  wanted: LoadConfig,
  facts: FileFacts,
  config: LoadedConfig,
): LoadModelParams {
  const { thinkBudget } = wanted;
  const batch = batchOf(config, model);
  return {
    log_level: LogLevel.INFO,
    n_ctx: config.contextSize,
    n_batch: batch,
    n_ubatch: batch,
    n_parallel: config.parallel,
    // All of the context for whoever needs it.
    kv_unified: true,
    n_threads: config.threads,
    // 0 also keeps the worker from creating a GPU device at all.
    n_gpu_layers: config.gpuLayers,
    cache_type_k: config.cacheTypeK,
    cache_type_v: config.cacheTypeV,
    flash_attn: config.flashAttention,
    // The host prompt cache may grow to 8 GiB inside a 4 GiB heap and has no option for its size.
    cache_idle_slots: false,
    ...poolingParams(config, wanted.pooling, facts),
    ...adapterParams(model),
    ...(thinkBudget === undefined ? {} : { reasoning_budget_tokens: thinkBudget }),
    ...(model.chatTemplate === undefined ? {} : { chat_template: model.chatTemplate }),
  };
}

/** Who reads a text as a whole needs it in one batch. */
function batchOf({ mode, contextSize, gpuLayers }: LoadedConfig, { projector }: GgufModel): number {
  if (mode !== 'completion') return contextSize;
  const textBatch = gpuLayers > 0 ? gpuBatch : cpuBatch;
  return Math.min(contextSize, projector ? Math.max(pictureBatch, textBatch) : textBatch);
}

function poolingParams(
  { mode }: LoadedConfig,
  wanted: Pooling | undefined,
  facts: FileFacts,
): LoadModelParams {
  if (mode === 'completion') return {};
  if (mode === 'reranking') return { embeddings: true, pooling_type: 'rank' };
  const own = facts.pooling === 'rank' || facts.pooling === 'none' ? undefined : facts.pooling;
  // A model that was made for chats says nothing.
  const pooling = wanted ?? own ?? 'mean';
  if (pooling !== 'none') return { embeddings: true, pooling_type: pooling };
  throw new ApiError(
    'not_supported',
    'Without pooling an embedding has a vector for each token, which this API cannot carry. Choose mean, cls or last.',
    { param: 'pooling' },
  );
}

/** wllama names all files as the shards of one model, in their order; an adapter is found by that name. */
function adapterParams({ weights, adapters = [] }: GgufModel): LoadModelParams {
  if (adapters.length === 0) return {};
  if (weights.length > 1) {
    throw new ApiError(
      'not_supported',
      'A model of several files cannot have LoRA adapters in this build of llama.cpp. Package its weights as one file.',
    );
  }
  const total = weights.length + adapters.length;
  const pathOf = (number: number) => `/models/model-${fiveDigits(number)}-of-${fiveDigits(total)}.gguf`;
  return {
    lora_adapters: adapters.map((_, index) => ({ path: pathOf(weights.length + index + 1), scale: 1 })),
  };
}

function fiveDigits(number: number): string {
  return String(number).padStart(5, '0');
}
