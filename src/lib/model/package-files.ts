/** Packages any folder as a model in Docker's format v0.2, a layer per file: MLC models, and others to keep or pass on. */
import type { Digest } from '#lib/core/digest.ts';
import { formatWireSize } from '#lib/core/format.ts';
import { refuseCollisions } from './file-path.ts';
import { fileRole, type FileRole } from './file-role.ts';
import { rfc3339, writePackage, type ModelPackage } from './package-document.ts';
import { placeNewFiles, type NewFile } from './package-layers.ts';
import { checkContextSize } from './package.ts';

export interface FolderFile {
  /** Relative to the folder. */
  readonly path: string;
  readonly digest: Digest;
  readonly sizeBytes: number;
  /** What its name says, unless it is given. */
  readonly role?: FileRole | undefined;
}

export interface FolderFacts {
  /** `mlc`, `safetensors` … */
  readonly format: string;
  readonly architecture: string;
  readonly quantization: string;
  /** For people: "135M"; empty when it is not known. */
  readonly parameters: string;
  readonly contextSize?: number | undefined;
  readonly createdAtMs: number;
}

/** The order of `files` does not matter: layers stand in the order of their paths. Throws `unsupported_model_format`. */
export async function packageFiles(files: readonly FolderFile[], facts: FolderFacts): Promise<ModelPackage> {
  checkContextSize(facts.contextSize, 'docker-v0.2');
  const sorted = files.toSorted((a, b) => (a.path < b.path ? -1 : 1)).map(newFile);
  refuseCollisions(sorted.map(({ name }) => name));
  const layers = placeNewFiles(sorted, 'docker-v0.2');
  const { format, quantization, parameters, architecture, contextSize } = facts;
  const weights = sorted.filter(({ role }) => role === 'weights');
  return writePackage('docker-v0.2', layers, {
    config: {
      format,
      quantization,
      parameters,
      architecture,
      size: formatWireSize(weights.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)),
      ...(contextSize === undefined ? {} : { context_size: contextSize }),
    },
    descriptor: { created: rfc3339(facts.createdAtMs) },
    rootfs: { type: 'rootfs', diff_ids: layers.map(({ digest }) => digest) },
  });
}

function newFile({ path, digest, sizeBytes, role }: FolderFile): NewFile {
  return { name: path, digest, sizeBytes, role: role ?? fileRole(path) };
}
