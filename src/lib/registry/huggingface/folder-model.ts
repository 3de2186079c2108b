/** A repository without GGUF as a model in Docker's format v0.2: a layer per file. */
import { isDigest, type Digest } from '#lib/core/digest.ts';
import { ApiError } from '#lib/core/errors.ts';
import { packageFiles, type FolderFile } from '#lib/model/package-files.ts';
import type { ResolvedModel } from '#lib/registry/port.ts';
import { readFacts, type Facts } from './folder-facts.ts';
import type { HubFolder } from './folder.ts';
import type { Hub } from './hub.ts';
import { hasToken, isVariantTag, nameOf, type HubFile } from './select.ts';
import { readSmallFiles, sliceOf, type SmallFile, type Snapshot } from './small-files.ts';

export interface FolderRequest {
  readonly snapshot: Snapshot;
  readonly lastModifiedMs: number;
  readonly tag: string;
}

export type FolderModel = Omit<ResolvedModel, 'reference'>;

export interface FolderContents {
  /** Served from memory. */
  readonly small: readonly SmallFile[];
  /** Served from the Hub, and named by the sha256 that it has of them. */
  readonly large: readonly HubFile[];
  readonly facts: Facts;
}

/** Of safetensors. Throws what `Registry.resolve` throws. */
export async function resolveFolder(
  hub: Hub,
  { files, factsFile }: HubFolder,
  request: FolderRequest,
): Promise<FolderModel> {
  const { snapshot, tag } = request;
  const isSmall = (file: HubFile) => file.sha256 === undefined || file === factsFile;
  const small = await readSmallFiles(hub, files.filter(isSmall), snapshot);
  const facts = readFacts(small.find(({ path }) => path === factsFile?.path)?.bytes);
  if (!isOwnName(tag, snapshot.repository, facts.quantization)) throw noVariant(tag, snapshot.repository, []);
  return packFolder(hub, request, { small, large: files.filter((file) => !isSmall(file)), facts });
}

export async function packFolder(
  hub: Hub,
  { snapshot, lastModifiedMs }: FolderRequest,
  { small, large, facts }: FolderContents,
): Promise<FolderModel> {
  const inMemory = new Map(small.map((file) => [file.digest, file]));
  const onHub = new Map(large.map((file) => [digestOf(file), file]));
  const files: readonly FolderFile[] = [
    ...small.map(({ path, digest, bytes }) => ({ path, digest, sizeBytes: bytes.byteLength })),
    ...large.map((file) => ({ path: file.path, digest: digestOf(file), sizeBytes: file.sizeBytes })),
  ];
  const model = await packageFiles(files, { ...facts, createdAtMs: lastModifiedMs });
  return {
    ...model,
    fetchLayer: async ({ digest }, range, signal) => {
      const file = inMemory.get(digest);
      if (file) return sliceOf(file, range);
      const path = onHub.get(digest)?.path;
      if (path === undefined) throw notOfThisModel();
      return hub.fetchPart({ ...snapshot, path, signal }, range);
    },
  };
}

/** The tag is a variant, and a repository of this kind is one: asked for by another name, it would be the wrong one. */
export function isOwnName(tag: string, repository: string, quantization: string): boolean {
  if (!isVariantTag(tag)) return true;
  return tag.toLowerCase() === quantization.toLowerCase() || hasToken(nameOf(repository), tag);
}

/** `others` are the variants that there are. */
export function noVariant(tag: string, repository: string, others: readonly string[]): ApiError {
  const what = others.length > 0 ? ` besides ${others.join(', ')}` : ': it is one model without variants';
  return new ApiError(
    'model_not_found',
    `${repository} has no variant “${tag}”${what}. Leave out what stands after the “:”.`,
  );
}

function digestOf({ path, sha256 }: HubFile): Digest {
  const digest = `sha256:${sha256 ?? ''}`;
  if (!isDigest(digest)) throw noChecksum(path);
  return digest;
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
