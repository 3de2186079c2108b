/**
 * The tiny model that is built into the app, in the form of either engine: artifacts in the read-only registry among
 * the app's files. Fetched when the self-test first needs it, and never stored.
 */
import { sha256, type Digest } from '#lib/core/digest.ts';
import { ApiError } from '#lib/core/errors.ts';
import type { EngineName, LoadableModel } from '#lib/engine/port.ts';
import { readArtifact } from '#lib/model/artifact.ts';
import { parseManifest } from '#lib/model/manifest.ts';
import { openArtifact } from '#lib/runner/library/open.ts';

const repositories: Readonly<Record<EngineName, string>> = {
  'llama.cpp': '/v2/sampan/tiny',
  webllm: '/v2/sampan/tiny-mlc',
};

export function selfTestModel(fetch: typeof globalThis.fetch) {
  return async (engine: EngineName): Promise<LoadableModel> => {
    const repository = repositories[engine];
    const manifestBytes = await bytesAt(fetch, [`${repository}/manifests/latest`]);
    const document = parseManifest(manifestBytes);
    if (document.kind === 'index') throw missing();
    const blob = (digest: Digest) => fetchBlob(fetch, repository, digest);
    const config = await (await blob(document.manifest.config.digest)).arrayBuffer();
    const artifact = readArtifact(document.manifest, new Uint8Array(config));
    return openArtifact(artifact, await sha256(manifestBytes), blob);
  };
}

type Fetch = typeof globalThis.fetch;

async function fetchBlob(fetch: Fetch, repository: string, digest: Digest): Promise<Blob> {
  // The companion answers as a registry does; a static host has the files by their own names.
  const paths = [digest, digest.replace(':', '-')].map((name) => `${repository}/blobs/${name}`);
  const bytes = await bytesAt(fetch, paths);
  if ((await sha256(bytes)) !== digest) throw missing();
  return new Blob([bytes]);
}

async function bytesAt(fetch: Fetch, paths: readonly string[]): Promise<Uint8Array<ArrayBuffer>> {
  for (const path of paths) {
    const response = await fetch(path);
    if (response.ok) return new Uint8Array(await response.arrayBuffer());
  }
  throw missing();
}

function missing(): ApiError {
  return new ApiError(
    'engine_unavailable',
    'The built-in model could not be fetched whole. Reload the page and run the test again.',
  );
}
