/** A repository without GGUF as a model in Docker's format v0.2: a layer per file. */
import { isDigest, type Digest } from '#lib/core/digest.ts';
import { ApiError } from '#lib/core/errors.ts';
import { packageFiles, type FolderFile } from '#lib/model/package-files.ts';
import type { ResolvedModel } from '#lib/registry/port.ts';
import { readFacts } from './folder-facts.ts';
import type { HubFolder } from './folder.ts';
import type { Hub } from './hub.ts';
import { hasToken, isVariantTag, nameOf, type HubFile } from './select.ts';
import { readSmallFiles, sliceOf, type SmallFile, type Snapshot } from './small-files.ts';

export interface FolderRequest {
  readonly snapshot: Snapshot;
  readonly lastModifiedMs: number;
  readonly tag: string;
}

type FolderModel = Omit<ResolvedModel, 'reference'>;

/** Throws what `Registry.resolve` throws. */
export async function resolveFolder(
  hub: Hub,
  folder: HubFolder,
  { snapshot, lastModifiedMs, tag }: FolderRequest,
): Promise<FolderModel> {
  const isSmall = (file: HubFile) => file.sha256 === undefined || file === folder.factsFile;
  const small = await readSmallFiles(hub, folder.files.filter(isSmall), snapshot);
  const facts = readFacts(folder, small.find(({ path }) => path === folder.factsFile?.path)?.bytes);
  checkTag(tag, snapshot.repository, facts.quantization);
  const known = new Map(small.map((file) => [file.path, file.digest]));
  const files = folder.files.map((file) => describe(file, known.get(file.path)));
  const model = await packageFiles(files, { ...facts, format: folder.format, createdAtMs: lastModifiedMs });
  return { ...model, fetchLayer: layerFetcher(hub, { snapshot, small, files }) };
}

function describe({ path, sizeBytes, sha256 }: HubFile, known: Digest | undefined): FolderFile {
  const digest = known ?? `sha256:${sha256 ?? ''}`;
  if (!isDigest(digest)) throw noChecksum(path);
  return { path, digest, sizeBytes };
}

function layerFetcher(
  hub: Hub,
  parts: { snapshot: Snapshot; small: readonly SmallFile[]; files: readonly FolderFile[] },
): ResolvedModel['fetchLayer'] {
  const inMemory = new Map(parts.small.map((file) => [file.digest, file]));
  const paths = new Map(parts.files.map(({ digest, path }) => [digest, path]));
  return async ({ digest }, range, signal) => {
    const file = inMemory.get(digest);
    if (file) return sliceOf(file, range);
    const path = paths.get(digest);
    if (path === undefined) throw notOfThisModel();
    return hub.fetchPart({ ...parts.snapshot, path, signal }, range);
  };
}

/** The tag is a variant, and a repository of this kind has one: asked for by another name, it would be the wrong one. */
function checkTag(tag: string, repository: string, quantization: string): void {
  const isThis = tag.toLowerCase() === quantization.toLowerCase() || hasToken(nameOf(repository), tag);
  if (!isVariantTag(tag) || isThis) return;
  throw new ApiError(
    'model_not_found',
    `${repository} has no variant “${tag}”: it is one model without variants. Leave out what stands after the “:”.`,
  );
}

export function noChecksum(path: string): ApiError {
  return new ApiError(
    'unsupported_model_format',
    `Hugging Face has no SHA-256 of ${nameOf(path)}, so it cannot be checked. Choose another variant.`,
  );
}

export function notOfThisModel(): ApiError {
  return new ApiError('model_not_found', 'This file is not part of the model. Pull the model again.');
}
