/** Makes a model of the files of an MLC model's folder, one layer a file. */
import { ApiError } from '#lib/core/errors.ts';
import { readArtifact } from '#lib/model/artifact.ts';
import { checkPath } from '#lib/model/file-path.ts';
import { fileRole } from '#lib/model/file-role.ts';
import { parseMlcConfig } from '#lib/model/mlc.ts';
import { packageFiles, type FolderFile } from '#lib/model/package-files.ts';
import type { ModelPackage } from '#lib/model/package.ts';
import { parseReference } from '#lib/model/reference.ts';
import type { FolderFileJson, PackageRequestJson } from '#lib/model/wire.ts';
import type { Registry } from '#lib/registry/port.ts';
import type { BlobStore } from '#lib/store/port.ts';
import type { Uploads } from './uploads.ts';

export interface FolderPorts {
  readonly store: BlobStore;
  readonly uploads: Uploads;
  readonly registry: Registry;
}

const configPath = 'mlc-chat-config.json';
const mebibyte = 2 ** 20;
const maxConfigBytes = mebibyte;
const maxLibraryBytes = 16 * mebibyte;

/**
 * Throws `invalid_request` for a request that does not fit together or a file that was not sent,
 * `unsupported_model_format` for a folder of something else, and what the registry throws for the library.
 */
export async function packageFolder(
  request: PackageRequestJson,
  ports: FolderPorts,
  signal: AbortSignal,
): Promise<ModelPackage> {
  refuseOtherFields(request);
  const files = await Promise.all((request.files ?? []).map((file) => sentFile(file, ports.store)));
  const facts = await readFacts(files, ports.store);
  if (request.library_from !== undefined && !files.some(isLibrary))
    files.push(await fetchLibrary(request.library_from, ports, signal));
  return packageFiles(files, {
    ...facts,
    contextSize: request.context_size ?? facts.contextSize,
    createdAtMs: request.created_ms ?? 0,
  });
}

function refuseOtherFields({ from, weights, format }: PackageRequestJson): void {
  if (from !== undefined || weights)
    throw new ApiError('invalid_request', 'Give one of “from”, “weights” and “files”.', { param: 'files' });
  if (format === 'docker') return;
  throw new ApiError(
    'unsupported_parameter',
    'An MLC model can be packaged in Docker’s format only. Set “format” to “docker”.',
    { param: 'format' },
  );
}

async function sentFile({ path, digest }: FolderFileJson, store: BlobStore): Promise<FolderFile> {
  const blob = await store.open(digest);
  if (blob) return { path: checkPath(path), digest, sizeBytes: blob.size };
  throw new ApiError('invalid_request', `The file “${path}” was not sent, or too long ago. Send it again.`, {
    param: 'files',
  });
}

async function readFacts(files: readonly FolderFile[], store: BlobStore) {
  const file = files.find(({ path }) => path === configPath);
  const blob = file && file.sizeBytes <= maxConfigBytes ? await store.open(file.digest) : undefined;
  if (!blob) {
    throw new ApiError(
      'unsupported_model_format',
      `A folder becomes a model when a readable ${configPath} is in it. Choose the folder of a model that was converted for MLC.`,
      { param: 'files' },
    );
  }
  const { architecture, quantization, contextSize } = parseMlcConfig(
    new Uint8Array(await blob.arrayBuffer()),
  );
  return { format: 'mlc', architecture, quantization, contextSize, parameters: '' };
}

function isLibrary({ path }: { readonly path: string }): boolean {
  return fileRole(path) === 'library';
}

/** The compiled library of another model, whose weights stay where they are. */
async function fetchLibrary(
  reference: string,
  { registry, uploads }: FolderPorts,
  signal: AbortSignal,
): Promise<FolderFile> {
  const resolved = await registry.resolve(parseReference(reference), { signal });
  const library = readArtifact(resolved.manifest, resolved.configBytes).layers.find(isLibrary);
  if (!library || library.descriptor.size > maxLibraryBytes) throw noLibrary(reference);
  const { size, digest } = library.descriptor;
  const { stream } = await resolved.fetchLayer(library.descriptor, { from: 0, to: size }, signal);
  const blob = await new Response(stream).blob();
  const stored = await uploads.add(blob, { signal, onProgress: () => undefined });
  if (stored.digest === digest) return { path: library.path, digest, sizeBytes: size };
  throw new ApiError('digest_mismatch', `The library of “${reference}” arrived damaged. Try again.`);
}

function noLibrary(reference: string): ApiError {
  return new ApiError(
    'model_not_found',
    `“${reference}” has no compiled library to take over. Put the model’s .wasm file into its folder.`,
    { param: 'library_from' },
  );
}
