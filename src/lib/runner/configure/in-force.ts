/** What a loaded model runs with, beside what is asked for by now. */
import { formatGoDuration } from '#lib/core/go-duration.ts';
import type { InForceJson } from '#lib/model/wire.ts';
import { sameConfig, type ModelRequest } from '#lib/runner/scheduler/request.ts';
import type { Scheduler } from '#lib/runner/scheduler/scheduler.ts';

/** `undefined` while the model of `wanted` is not loaded in its mode. */
export function inForce(scheduler: Scheduler, wanted: ModelRequest): InForceJson | undefined {
  const resident = scheduler.residentOf(wanted.id, wanted.mode);
  if (!resident?.loaded) return undefined;
  const { contextSize, gpuLayers, threads, cacheTypeK, cacheTypeV, flashAttention, parallel } =
    resident.loaded.inForce;
  return {
    context_size: contextSize,
    keep_alive: formatGoDuration(resident.request.keepAliveMs ?? scheduler.keepAliveMs),
    gpu_layers: gpuLayers,
    threads,
    cache_type_k: cacheTypeK,
    cache_type_v: cacheTypeV,
    flash_attention: flashAttention,
    parallel,
    outdated: !sameConfig(resident.request, wanted),
  };
}
