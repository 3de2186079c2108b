/** What a loaded model runs with, beside what is asked for by now. */
import { formatGoDuration } from '#lib/core/go-duration.ts';
import type { InForceJson } from '#lib/model/wire.ts';
import { sameConfig, type ModelRequest, type Scheduler } from '#lib/runner/scheduler.ts';

/** `undefined` while the model of `wanted` is not loaded. */
export function inForce(scheduler: Scheduler, wanted: ModelRequest): InForceJson | undefined {
  const { resident } = scheduler;
  if (!resident?.loaded || resident.request.id !== wanted.id) return undefined;
  const { contextSize, gpuLayers, threads, cacheTypeK, cacheTypeV, flashAttention } = resident.loaded.inForce;
  return {
    context_size: contextSize,
    keep_alive: formatGoDuration(resident.request.keepAliveMs ?? scheduler.keepAliveMs),
    gpu_layers: gpuLayers,
    threads,
    cache_type_k: cacheTypeK,
    cache_type_v: cacheTypeV,
    flash_attention: flashAttention,
    // Requests of one model take turns.
    parallel: 1,
    outdated: !sameConfig(resident.request, wanted),
  };
}
