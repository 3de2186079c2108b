/** Reads what an artifact is, file by file, from its manifest and config alone: before a byte of weights is fetched. */
import { ApiError } from '#lib/core/errors.ts';
import { namedFile, readLayers, type ArtifactLayer, type Packaging } from './artifact-layers.ts';
import { parseModelConfig, type ModelConfig } from './config.ts';
import { refuseCollisions } from './file-path.ts';
import type { FileRole } from './file-role.ts';
import { layerKind } from './layer-kind.ts';
import { mediaTypes, type Manifest } from './manifest.ts';
import { modelFormat, type ModelFormat } from './model-format.ts';
import { judge, whatRuns, whatWorks, type Verdict } from './verdict.ts';

export type { ArtifactLayer, Packaging } from './artifact-layers.ts';
export type { FileRole } from './file-role.ts';

export interface Artifact {
  readonly packaging: Packaging;
  readonly format: ModelFormat;
  /** As GGUF spells it; empty when the config does not say, or says it in words of its own. */
  readonly architecture: string;
  /** In the order of the manifest, which is that of the shards in v0.1. */
  readonly layers: readonly ArtifactLayer[];
  readonly engine?: 'llama.cpp' | 'webllm' | undefined;
  /** Why nothing here runs it and what would work. Without it and `engine`, only its unpacked files can tell. */
  readonly obstacle?: string | undefined;
  /** What cannot be told yet, in whole sentences. */
  readonly notes: readonly string[];
}

const packagings: ReadonlyMap<string, Packaging> = new Map([
  [mediaTypes.configV01, 'docker-v0.1'],
  [mediaTypes.configV02, 'docker-v0.2'],
  [mediaTypes.configModelPack, 'modelpack'],
]);

/** What is no model, by the media type of its config. */
const otherConfigs: ReadonlyMap<string, string> = new Map([
  ['application/vnd.oci.image.config.v1+json', 'a container image'],
  ['application/vnd.docker.container.image.v1+json', 'a container image'],
  ['application/vnd.docker.plugin.v1+json', 'a Docker plugin'],
  ['application/vnd.cncf.helm.config.v1+json', 'a Helm chart'],
]);

/** Where two would leave it open which is meant. */
const single: readonly (readonly [FileRole, string])[] = [
  ['template', 'chat template'],
  ['projector', 'vision projector'],
];

/**
 * Throws `unsupported_model_format` for what is no model at all and for what would do harm (paths that lead out or
 * collide, two chat templates, two projectors). A model that nothing here runs is told by its `obstacle`.
 */
export function readArtifact(manifest: Manifest, configBytes: Uint8Array): Artifact {
  const packaging = packagings.get(manifest.config.mediaType);
  if (!packaging) throw notAModel(manifest);
  const config = parseModelConfig(configBytes);
  const layers = readLayers(manifest, config, packaging);
  const files = layers.filter(({ packing }) => packing === 'raw').map(namedFile);
  refuseDoubles(files);
  if (packaging !== 'docker-v0.1') refuseCollisions(files.map(({ path }) => path));
  const contents = files.length < layers.length ? 'packed' : 'listed';
  const claimedFormat = config.format;
  const format = modelFormat(files, claimedFormat);
  const architecture = ggufArchitecture(config);
  const verdict =
    packingObstacle(layers, manifest) ??
    judge({
      format,
      claimedFormat,
      architecture,
      files,
      contents,
      shards: packaging === 'docker-v0.1' ? 'by-order' : 'by-name',
    });
  return { packaging, format, architecture, layers, ...outcome(verdict), notes: notesOn(verdict) };
}

/** Whether a manifest's config says that it is a model of any known format. */
export function isModelConfigType(mediaType: string): boolean {
  return packagings.has(mediaType);
}

/** The verdict as the fields of an artifact. */
export function outcome(verdict: Verdict): Pick<Artifact, 'engine' | 'obstacle'> {
  return 'undecided' in verdict ? {} : verdict;
}

/** Throws `unsupported_model_format` for two chat templates or two projectors. */
export function refuseDoubles(files: readonly { readonly role: FileRole }[]): void {
  for (const [role, name] of single) {
    if (files.filter((file) => file.role === role).length > 1) {
      throw new ApiError(
        'unsupported_model_format',
        `This model has more than one ${name}, and one is all that can be in force. ${whatWorks}`,
      );
    }
  }
}

/** What stands in the way whatever is inside. */
function packingObstacle(layers: readonly ArtifactLayer[], manifest: Manifest): Verdict | undefined {
  if (manifest.layers.some(({ mediaType }) => layerKind(mediaType).packing === 'unreadable')) {
    return {
      obstacle:
        'The files of this model are compressed with zstd, which browsers do not unpack. Package it without compression.',
    };
  }
  if (layers.some(({ packing, unpacked }) => packing === 'tar+gzip' && unpacked === undefined)) {
    return {
      obstacle:
        'The config of this model does not name the checksums of its unpacked files, so they cannot be checked. Package it again.',
    };
  }
  return undefined;
}

/** ModelPack's word is free text ("transformer"), so it is no ground for a refusal. */
function ggufArchitecture(config: ModelConfig): string {
  if (config.modelPack) return '';
  return config.gguf?.['general.architecture'] ?? config.architecture;
}

function notesOn(verdict: Verdict): string[] {
  return 'undecided' in verdict ? ['What runs this model shows once it is unpacked.'] : [];
}

function notAModel(manifest: Manifest): ApiError {
  const type = manifest.artifactType ?? manifest.config.mediaType;
  const known = otherConfigs.get(manifest.config.mediaType);
  const what =
    known ?? (type === '' ? 'not a model' : `an artifact of type “${type.slice(0, 100)}”, not a model`);
  return new ApiError('unsupported_model_format', `This is ${what}, and ${whatRuns}. ${whatWorks}`);
}
