/** The files of a stored model, those inside its archives too, as slices of the blobs that hold them: nothing is copied. */
import type { Digest } from '#lib/core/digest.ts';
import { ApiError } from '#lib/core/errors.ts';
import { outcome, refuseDoubles, type Artifact } from './artifact.ts';
import { namedFile, type ArtifactLayer } from './artifact-layers.ts';
import { refuseCollisions } from './file-path.ts';
import { fileRole, parseShardName, type FileRole } from './file-role.ts';
import type { Descriptor } from './manifest.ts';
import { isGguf, modelFormat } from './model-format.ts';
import { readTarIndex } from './tar/tar-index.ts';
import { judge } from './verdict.ts';

export interface ModelFile {
  readonly path: string;
  readonly role: FileRole;
  readonly blob: Blob;
  /** The layer it is, or is in. */
  readonly layer: Descriptor;
}

/** `undefined` when the blob is not there. */
export type OpenBlob = (digest: Digest) => Promise<Blob | undefined>;

/** Throws `digest_mismatch` when a blob is gone, `unsupported_model_format` when an archive is damaged or does harm. */
export async function modelFiles(artifact: Artifact, open: OpenBlob): Promise<readonly ModelFile[]> {
  const layers = await Promise.all(artifact.layers.map((layer) => layerFiles(layer, open)));
  const files = layers.flat();
  // Docker's v0.1 places files by the kind of their layer, whatever an archive beside them holds.
  if (artifact.packaging !== 'docker-v0.1') {
    refuseCollisions(files.map(({ path }) => path));
    refuseDoubles(files);
  }
  return files;
}

/** GGUF weights in the order in which llama.cpp takes them: by the numbers in their names, else that of the layers. */
export function ggufFiles(files: readonly ModelFile[]): readonly ModelFile[] {
  const weights = files.filter((file) => file.role === 'weights' && isGguf(nameOf(file)));
  const numbers = new Map(weights.map((file) => [file, parseShardName(file.path)?.number]));
  if ([...numbers.values()].includes(undefined)) return weights;
  return weights.toSorted((a, b) => (numbers.get(a) ?? 0) - (numbers.get(b) ?? 0));
}

/** The verdict again once the files are known, for an artifact that had none because its files were packed. */
export function judgeFiles(
  artifact: Artifact,
  files: readonly ModelFile[],
): Pick<Artifact, 'engine' | 'obstacle'> {
  if (artifact.obstacle !== undefined) return { obstacle: artifact.obstacle };
  const named = files.map(nameOf);
  const claimedFormat = artifact.format === 'unknown' ? '' : artifact.format;
  return outcome(
    judge({
      format: modelFormat(named, claimedFormat),
      claimedFormat,
      architecture: artifact.architecture,
      files: named,
      contents: 'listed',
      shards: artifact.packaging === 'docker-v0.1' ? 'by-order' : 'by-name',
    }),
  );
}

function nameOf({ path, role, layer }: ModelFile): ReturnType<typeof namedFile> {
  return namedFile({ path, role, descriptor: layer });
}

async function layerFiles(layer: ArtifactLayer, open: OpenBlob): Promise<ModelFile[]> {
  const { descriptor, path, role, packing } = layer;
  const blob = await openLayer(layer, open);
  return packing === 'raw' ? [{ path, role, blob, layer: descriptor }] : unpack(layer, blob);
}

async function openLayer({ descriptor, packing, unpacked }: ArtifactLayer, open: OpenBlob): Promise<Blob> {
  const digest = packing === 'tar+gzip' ? unpacked : descriptor.digest;
  const blob = digest && (await open(digest));
  if (blob) return blob;
  throw new ApiError(
    'digest_mismatch',
    'A file of this model is missing from the browser’s storage. Pull it again.',
  );
}

async function unpack({ descriptor, role }: ArtifactLayer, blob: Blob): Promise<ModelFile[]> {
  const files: ModelFile[] = [];
  const read = async (from: number, lengthBytes: number) =>
    new Uint8Array(await blob.slice(from, from + lengthBytes).arrayBuffer());
  for await (const entry of readTarIndex(read, blob.size)) {
    if (entry.type === 'link') throw leadsElsewhere(entry.path);
    if (entry.type !== 'file') continue;
    const { path, offset, sizeBytes } = entry;
    const named = fileRole(path);
    files.push({
      path,
      role: named === 'other' ? role : named,
      blob: blob.slice(offset, offset + sizeBytes),
      layer: descriptor,
    });
  }
  return files;
}

function leadsElsewhere(path: string): ApiError {
  return new ApiError(
    'unsupported_model_format',
    `“${path}” in this model is a link and no file. Package the model again with the files themselves.`,
  );
}
