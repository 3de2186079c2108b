/** What a record takes over from an engine, in the words of the wire. */
import type { EngineName, LoadedModel } from '#lib/engine/port.ts';
import type { RequestUsageJson } from '#lib/model/wire-requests.ts';
import type { ChatEvent } from '#lib/openai/events.ts';

export type Finish = Extract<ChatEvent, { type: 'finish' }>;

export interface Granted {
  readonly engine: EngineName | undefined;
  readonly model: Pick<LoadedModel, 'contextSize' | 'device' | 'inForce'>;
  /** What the request runs with, after the defaults of the model. */
  readonly parameters: Readonly<Record<string, unknown>>;
}

export function usageOf({ usage }: Finish): RequestUsageJson {
  return {
    prompt_tokens: usage.promptTokens,
    cached_tokens: usage.cachedTokens,
    completion_tokens: usage.completionTokens,
  };
}

export function speedOf({ timings }: Finish): number {
  return (timings.decodeTokens * 1000) / timings.decodeMs;
}

export function inForceOf({ inForce }: Granted['model']): Readonly<Record<string, unknown>> {
  return {
    context_size: inForce.contextSize,
    gpu_layers: inForce.gpuLayers,
    threads: inForce.threads,
    cache_type_k: inForce.cacheTypeK,
    cache_type_v: inForce.cacheTypeV,
    flash_attention: inForce.flashAttention,
  };
}
