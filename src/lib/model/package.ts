/** Builds the manifest and config of a model from GGUF files, as Docker v0.1 or ModelPack: same files, same bytes, same ID. */
import type { Digest } from '#lib/core/digest.ts';
import { ApiError } from '#lib/core/errors.ts';
import { formatParameters, formatWireSize } from '#lib/core/format.ts';
import type { GgufHeader } from './gguf.ts';
import type { Packaging } from './artifact-layers.ts';
import { placeNewFiles, type NewFile, type PackagedFile } from './package-layers.ts';
import { rfc3339, writePackage, type ModelPackage } from './package-document.ts';

export type { PackagedFile } from './package-layers.ts';
export type { ModelPackage } from './package-document.ts';

export interface PackagedWeights extends PackagedFile {
  readonly header: GgufHeader;
}

export interface PackageInput {
  /** Docker's v0.1 unless it says otherwise. */
  readonly format?: 'docker' | 'cncf' | undefined;
  /** The shards of one model, in order; the first says what the model is. */
  readonly weights: readonly [PackagedWeights, ...PackagedWeights[]];
  readonly licenses?: readonly PackagedFile[] | undefined;
  readonly projector?: PackagedFile | undefined;
  readonly chatTemplate?: PackagedFile | undefined;
  /** Instead of the maximum that the model was trained for. */
  readonly contextSize?: number | undefined;
  readonly createdAtMs: number;
}

/**
 * Throws `unsupported_parameter` for a context size in ModelPack, `invalid_request` for one that is none, and
 * `unsupported_model_format` for file names that no model may have.
 */
export async function packageModel(input: PackageInput): Promise<ModelPackage> {
  const packaging: Packaging = input.format === 'cncf' ? 'modelpack' : 'docker-v0.1';
  checkContextSize(input.contextSize, packaging);
  const layers = placeNewFiles(newFiles(input), packaging);
  const diffIds = layers.map(({ digest }) => digest);
  const config = packaging === 'modelpack' ? modelPackConfig(input, diffIds) : dockerConfig(input, diffIds);
  return writePackage(packaging, layers, config);
}

/** Shared with `repackage`: what Docker Model Runner drops without a word is refused here. */
export function checkContextSize(contextSize: number | undefined, packaging: Packaging): void {
  if (contextSize === undefined) return;
  if (packaging === 'modelpack') {
    throw new ApiError(
      'unsupported_parameter',
      'A model in the ModelPack format cannot hold a context size. Package it in Docker’s format, or set the context size in its settings.',
      { param: 'context_size' },
    );
  }
  if (Number.isSafeInteger(contextSize) && contextSize > 0) return;
  throw new ApiError('invalid_request', 'The context size must be a whole number of tokens above 0.', {
    param: 'context_size',
  });
}

function newFiles(input: PackageInput): NewFile[] {
  return [
    ...input.weights.map((file): NewFile => ({ ...file, role: 'weights' })),
    ...(input.licenses ?? []).map((file): NewFile => ({ ...file, role: 'license' })),
    ...(input.projector ? [{ ...input.projector, role: 'projector' } as const] : []),
    ...(input.chatTemplate ? [{ ...input.chatTemplate, role: 'template' } as const] : []),
  ];
}

/** Key for key in the order in which Docker Model Runner writes. */
function dockerConfig(input: PackageInput, diffIds: readonly Digest[]): unknown {
  const { header } = input.weights[0];
  const contextSize = input.contextSize ?? header.contextLength;
  const weightBytes = input.weights.reduce(
    (sum, file) => sum + Math.max(0, file.sizeBytes - file.header.dataOffset),
    0,
  );
  return {
    config: {
      format: 'gguf',
      quantization: header.quantization ?? '',
      parameters: parameters(input),
      architecture: header.architecture,
      size: formatWireSize(weightBytes),
      gguf: header.wireMetadata,
      ...(contextSize === undefined ? {} : { context_size: contextSize }),
    },
    descriptor: { created: rfc3339(input.createdAtMs) },
    rootfs: { type: 'rootfs', diff_ids: diffIds },
  };
}

function modelPackConfig(input: PackageInput, diffIds: readonly Digest[]): unknown {
  const { header } = input.weights[0];
  const name = header.metadata.get('general.name');
  return {
    descriptor: {
      createdAt: rfc3339(input.createdAtMs),
      ...(typeof name === 'string' && name !== '' ? { name } : {}),
    },
    modelfs: { type: 'layers', diffIds },
    config: {
      architecture: header.architecture,
      format: 'gguf',
      paramSize: parameters(input),
      ...(header.quantization === undefined ? {} : { quantization: header.quantization }),
    },
  };
}

function parameters({ weights }: PackageInput): string {
  return formatParameters(weights.reduce((sum, file) => sum + file.header.parameters, 0));
}
