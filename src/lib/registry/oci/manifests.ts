/** Fetches the manifest that a reference means, verified, through an index when there is one. */
import { isDigest, sha256, type Digest } from '#lib/core/digest.ts';
import { ApiError } from '#lib/core/errors.ts';
import { isModelConfigType } from '#lib/model/artifact.ts';
import {
  maxManifestBytes,
  mediaTypes,
  parseManifest,
  type Index,
  type Manifest,
  type ManifestDocument,
} from '#lib/model/manifest.ts';
import { readAtMost } from '#lib/registry/http.ts';
import type { Transport, TransportRequest } from './transport.ts';

export interface FetchedManifest {
  readonly id: Digest;
  readonly manifest: Manifest;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

type Request = Omit<TransportRequest, 'path'>;

/** With no OCI type in it, some registries answer 404 for what they have (registries.md section 2). */
const accept = [
  mediaTypes.ociManifest,
  mediaTypes.ociIndex,
  mediaTypes.dockerManifest,
  mediaTypes.dockerList,
].join(', ');

/** A hostile index must not turn one pull into a thousand requests. */
const maxChildren = 20;

export async function fetchManifest(transport: Transport, request: Request): Promise<FetchedManifest> {
  const { tag, digest } = request.reference;
  const found = await fetchDocument(transport, request, digest ?? tag);
  if (found.document.kind === 'manifest') return { ...found, manifest: found.document.manifest };
  return fetchModelOf(found.document.index, transport, request);
}

/** The first entry that is a model; indexes of variants for other engines come with it. */
async function fetchModelOf(index: Index, transport: Transport, request: Request): Promise<FetchedManifest> {
  for (const child of index.manifests.slice(0, maxChildren)) {
    if (child.size > maxManifestBytes) continue;
    const found = await fetchDocument(transport, request, child.digest);
    if (found.document.kind === 'index') continue;
    const { manifest } = found.document;
    if (isModelConfigType(manifest.config.mediaType)) return { ...found, manifest };
  }
  throw new ApiError(
    'unsupported_model_format',
    `This is an index of ${index.manifests.length} artifacts and none of them is a model. Check the name and the tag.`,
  );
}

async function fetchDocument(
  transport: Transport,
  request: Request,
  name: string,
): Promise<{ id: Digest; bytes: Uint8Array<ArrayBuffer>; document: ManifestDocument }> {
  const fetched = await transport.send(
    { ...request, path: `manifests/${name}`, headers: { accept } },
    async (response) => ({
      bytes: await readAtMost(response, maxManifestBytes, tooLarge),
      claimed: response.headers.get('docker-content-digest'),
    }),
  );
  const id = await sha256(fetched.bytes);
  if (isDigest(name) && id !== name) throw mismatch();
  // A digest of another algorithm cannot be checked here, and what was asked for by digest was checked above.
  if (fetched.claimed !== null && isDigest(fetched.claimed) && id !== fetched.claimed) throw mismatch();
  return { id, bytes: fetched.bytes, document: parseManifest(fetched.bytes) };
}

function tooLarge(): ApiError {
  return new ApiError(
    'unsupported_model_format',
    `The manifest is larger than ${maxManifestBytes / 1024 / 1024} MiB, which no model's is. Check the name and the tag.`,
  );
}

function mismatch(): ApiError {
  return new ApiError(
    'digest_mismatch',
    'The manifest does not match its checksum. It was thrown away; try again, or ask who runs the registry.',
  );
}
