/** Judges, before a byte of weights is fetched, whether this build can run an artifact, and which layers it needs. */
import { ApiError } from '#lib/core/errors.ts';
import { parseModelConfig } from './config.ts';
import { mediaTypes, type Descriptor, type Manifest } from './manifest.ts';

export interface Artifact {
  /** GGUF layers; several are the shards of one model, in order. */
  readonly weights: readonly Descriptor[];
  /** Replaces the template inside the GGUF. */
  readonly chatTemplate?: Descriptor | undefined;
  /** What the artifact has and this build leaves aside, in whole sentences. */
  readonly notes: readonly string[];
}

const whatWorks = 'Pull a variant that is packaged as GGUF instead.';

/** What a config media type says about an artifact that is no v0.1 model. */
const otherConfigs: ReadonlyMap<string, string> = new Map([
  [mediaTypes.configV02, 'a model in Docker’s file-per-layer format v0.2 (safetensors)'],
  [mediaTypes.configModelPack, 'a model in the CNCF ModelPack format'],
  ['application/vnd.oci.image.config.v1+json', 'a container image'],
  ['application/vnd.docker.container.image.v1+json', 'a container image'],
  ['application/vnd.docker.plugin.v1+json', 'a Docker plugin'],
  ['application/vnd.cncf.helm.config.v1+json', 'a Helm chart'],
]);

const otherWeights: ReadonlyMap<string, string> = new Map([
  ['application/vnd.docker.ai.safetensors', 'safetensors weights'],
  ['application/vnd.docker.ai.dduf', 'a DDUF diffusion model'],
]);

/** Throws `unsupported_model_format`, naming what the artifact is and what would work. */
export function judgeArtifact(manifest: Manifest, configBytes: Uint8Array): Artifact {
  const { mediaType } = manifest.config;
  if (mediaType !== mediaTypes.configV01) throw unsupported(`This is ${nameConfig(manifest)}`);
  const { format } = parseModelConfig(configBytes);
  if (format !== '' && format !== 'gguf')
    throw unsupported(`This model's weights are in the format “${format}”`);
  const weights = layersOf(manifest, mediaTypes.gguf);
  if (weights.length === 0) throw unsupported(`This model has ${nameWeights(manifest)} and no GGUF file`);
  const templates = layersOf(manifest, mediaTypes.chatTemplate);
  if (templates.length > 1) throw unsupported('This model has more than one chat template');
  return { weights, chatTemplate: templates[0], notes: notesOn(manifest) };
}

/** Whether a manifest's config says that it is a model of any known format. */
export function isModelConfigType(mediaType: string): boolean {
  return (
    mediaType === mediaTypes.configV01 ||
    mediaType === mediaTypes.configV02 ||
    mediaType === mediaTypes.configModelPack
  );
}

function layersOf(manifest: Manifest, mediaType: string): Descriptor[] {
  return manifest.layers.filter((layer) => layer.mediaType === mediaType);
}

function nameConfig(manifest: Manifest): string {
  const type = manifest.artifactType ?? manifest.config.mediaType;
  const known = otherConfigs.get(manifest.config.mediaType);
  return known ?? (type === '' ? 'not a model' : `an artifact of type “${type.slice(0, 100)}”, not a model`);
}

function nameWeights(manifest: Manifest): string {
  const names = manifest.layers.flatMap((layer) => otherWeights.get(layer.mediaType) ?? []);
  return names[0] ?? 'no weights that are known here';
}

function notesOn(manifest: Manifest): string[] {
  const projectors = layersOf(manifest, mediaTypes.mmproj);
  if (projectors.length === 0) return [];
  return ['The model can see images, but this version of Sampan runs it for text only.'];
}

function unsupported(what: string): ApiError {
  return new ApiError('unsupported_model_format', `${what}, and Sampan runs GGUF models. ${whatWorks}`);
}
