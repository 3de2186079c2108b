/** A stored model as the APIs describe it: Docker Model Runner's shape, and OpenAI's with a `dmr` block. */
import type { Digest } from '#lib/core/digest.ts';
import { formatWireSize } from '#lib/core/format.ts';
import { namedFile, readLayers } from './artifact-layers.ts';
import { parseModelConfig, type ModelConfig } from './config.ts';
import { parseManifest, type Manifest } from './manifest.ts';
import { modelFormat } from './model-format.ts';
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
  const document = parseManifest(model.manifest);
  const manifest = document.kind === 'manifest' ? document.manifest : undefined;
  return {
    id: model.id,
    tags: model.tags,
    created: Math.floor((config.createdAtMs ?? 0) / 1000),
    config: {
      ...wireConfig(config),
      ...(config.modelPack && manifest ? modelPackFacts(manifest, config) : {}),
    },
    size_bytes: manifest ? layersBytes(manifest) : 0,
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

/** ModelPack leaves the format to the names of the files, and has no field for the size of the weights. */
function modelPackFacts(
  manifest: Manifest,
  config: ModelConfig,
): Pick<ModelJson['config'], 'format' | 'size'> {
  const layers = readLayers(manifest, config, 'modelpack');
  const format = modelFormat(layers.map(namedFile), config.format);
  const weights = layers.filter(({ role }) => role === 'weights');
  const weightBytes = weights.reduce((sum, { descriptor }) => sum + descriptor.size, 0);
  return { format: format === 'unknown' ? config.format : format, size: formatWireSize(weightBytes) };
}

/** A layer that is listed twice is stored once. */
function layersBytes({ layers }: Manifest): number {
  const sizes = new Map(layers.map((layer) => [layer.digest, layer.size]));
  return [...sizes.values()].reduce((sum, size) => sum + size, 0);
}
