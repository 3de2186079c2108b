/** How a model will run: what is asked for, cut to what the model and this machine can do. */
import { ApiError } from '#lib/core/errors.ts';
import type { LoadConfig, LoadedConfig, RunnerMode } from '#lib/engine/port.ts';
import type { Hardware } from '#lib/engine/probe.ts';
import type { ChatConfig } from './chat-config.ts';
import { cannot } from './faults.ts';

/** What the model remembers: all up to a limit, or the last so many tokens with no limit. */
export type Span =
  | { readonly kind: 'context'; readonly tokens: number }
  | { readonly kind: 'sliding'; readonly tokens: number; readonly attentionSink: number };

/** More than any model has: in WebLLM every layer is on the GPU. */
const allLayers = 99_999;

export function planSpan(config: ChatConfig, wanted: LoadConfig): Span {
  // Its library takes no other.
  if (config.purpose === 'vectors') return { kind: 'context', tokens: config.contextSize ?? vectorTokens };
  const tokens =
    wanted.slidingWindow ?? (config.contextSize === undefined ? config.slidingWindow : undefined);
  if (tokens !== undefined) return { kind: 'sliding', tokens, attentionSink: config.attentionSink };
  return { kind: 'context', tokens: Math.min(wanted.contextSize, config.contextSize ?? Infinity) };
}

/** What BERT models read. */
const vectorTokens = 512;

/** Throws `not_supported` for a mode that the model does not have; its own when none is asked for. */
export function planMode({ purpose }: ChatConfig, { mode }: LoadConfig): RunnerMode {
  if (mode === 'reranking') throw cannot('rerank');
  const own = purpose === 'vectors' ? 'embedding' : 'completion';
  if (mode !== undefined && mode !== own) throw cannot(mode === 'embedding' ? 'embed' : 'chat');
  return own;
}

/** Whether the library's shaders compute in 16-bit floats, as `q4f16_1` says; `bf16` is only how weights are kept. */
export function needsF16({ quantization }: ChatConfig): boolean {
  return /(?<!b)f16/.test(quantization);
}

export function loadedConfig(config: ChatConfig, span: Span, mode: RunnerMode): LoadedConfig {
  const cacheType = needsF16(config) ? 'f16' : 'f32';
  return {
    contextSize: span.tokens,
    gpuLayers: allLayers,
    threads: 1,
    cacheTypeK: cacheType,
    cacheTypeV: cacheType,
    flashAttention: true,
    mode,
    // The GPU computes one conversation; others wait.
    parallel: 1,
  };
}

/** "GPU, Radeon", or why there is none. */
export function describeGpu({ gpu, pinned }: Pick<Hardware, 'gpu' | 'pinned'>): string {
  if (!gpu) return pinned ?? 'no WebGPU';
  return pinned === undefined ? `GPU, ${gpu.name}` : `GPU, ${gpu.name} (${pinned})`;
}

/** Throws `engine_unavailable`; returns where it will compute, for people. */
export function requireGpu({ gpu, pinned }: Hardware): string {
  if (gpu) return describeGpu({ gpu, pinned });
  if (pinned !== undefined) {
    throw new ApiError(
      'engine_unavailable',
      `WebLLM needs WebGPU, and models are ${pinned}. Choose automatic in the settings, or the model’s GGUF variant.`,
    );
  }
  throw new ApiError(
    'engine_unavailable',
    'WebLLM needs WebGPU, which this browser does not offer. Use a current browser with hardware acceleration on, or choose the model’s GGUF variant.',
  );
}

/** Throws `engine_unavailable`. */
export function requireFeatures(config: ChatConfig, { gpu, pinned }: Hardware): void {
  if (gpu?.f16 || !needsF16(config)) return;
  if (pinned !== undefined) {
    throw new ApiError(
      'engine_unavailable',
      `This model computes in 16-bit floats, and models are ${pinned}. Choose automatic in the settings, or its variant with “f32” in the name.`,
    );
  }
  throw new ApiError(
    'engine_unavailable',
    'This model computes in 16-bit floats, which this GPU or its driver does not offer. Choose its variant with “f32” in the name.',
  );
}
