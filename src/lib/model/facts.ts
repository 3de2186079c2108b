/** A stored model as the APIs describe it: Docker Model Runner's shape, and OpenAI's with a `dmr` block. */
import type { Digest } from '#lib/core/digest.ts';
import { parseModelConfig, type ModelConfig } from './config.ts';
import { parseManifest } from './manifest.ts';
import type { ModelJson, OpenAiModelJson } from './wire.ts';

/** What the index keeps of a model, or what a registry says of one (then without tags). */
export interface DescribableModel {
  readonly id: Digest;
  readonly tags: readonly string[];
  /** Raw bytes. */
  readonly manifest: Uint8Array;
  /** Raw bytes. */
  readonly config: Uint8Array;
}

/** Throws `unsupported_model_format` when the manifest or the config is none. */
export function describeModel(model: DescribableModel): ModelJson {
  const config = parseModelConfig(model.config);
  return {
    id: model.id,
    tags: model.tags,
    created: Math.floor((config.createdAtMs ?? 0) / 1000),
    config: wireConfig(config),
    size_bytes: layersBytes(model.manifest),
  };
}

/** An entry of `/engines/v1/models`: one per model, under its oldest tag, or its ID when it has none. */
export function describeForOpenAi(model: ModelJson): OpenAiModelJson {
  const { config } = model;
  return {
    id: model.tags[0] ?? model.id,
    object: 'model',
    created: model.created,
    owned_by: 'docker',
    dmr: {
      ...(config.context_size === undefined ? {} : { context_window: config.context_size }),
      architecture: config.architecture,
      parameters: config.parameters,
      quantization: config.quantization,
      size: config.size,
    },
  };
}

function wireConfig(config: ModelConfig): ModelJson['config'] {
  return {
    format: config.format,
    quantization: config.quantization,
    parameters: config.parameters,
    architecture: config.architecture,
    size: config.size,
    ...(config.gguf === undefined ? {} : { gguf: config.gguf }),
    ...(config.contextSize === undefined ? {} : { context_size: config.contextSize }),
  };
}

/** A layer that is listed twice is stored once. */
function layersBytes(manifestBytes: Uint8Array): number {
  const document = parseManifest(manifestBytes);
  if (document.kind === 'index') return 0;
  const sizes = new Map(document.manifest.layers.map((layer) => [layer.digest, layer.size]));
  return [...sizes.values()].reduce((sum, size) => sum + size, 0);
}
