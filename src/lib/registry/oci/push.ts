/** Sends a model to a registry: what it lacks of the files first, the manifest that names them last. */
import type { Clock } from '#lib/core/clock.ts';
import { isDigest, sha256, type Digest } from '#lib/core/digest.ts';
import { ApiError } from '#lib/core/errors.ts';
import { mediaTypes, type Descriptor } from '#lib/model/manifest.ts';
import { discard } from '#lib/registry/http.ts';
import type { PushableModel, PushOptions } from '#lib/registry/port.ts';
import { inLanes } from '#lib/registry/lanes.ts';
import { pushBlob, type BlobContext } from './push-blob.ts';
import { retrying } from './retry.ts';
import { registryName, type Asked } from './status.ts';
import type { Transport } from './transport.ts';

export interface PushContext extends Pick<PushOptions, 'signal' | 'mountFrom' | 'onProgress'> {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly random: () => number;
  readonly asked: Asked;
}

/** Docker Model Runner's five would leave too little of the relay's eight requests to everyone else. */
const lanes = 4;

/** As `Registry.push`. */
export async function pushModel(model: PushableModel, context: PushContext): Promise<void> {
  const { reference } = context.asked;
  if (reference.digest !== undefined) throw needsTag();
  const signal = context.signal ?? new AbortController().signal;
  signal.throwIfAborted();
  const { config } = model.manifest;
  const open = (digest: Digest) =>
    digest === config.digest ? Promise.resolve(new Blob([model.configBytes])) : model.open(digest);
  const send = (blob: Descriptor, limited: AbortSignal, onProgress: (sentBytes: number) => void) =>
    pushBlob(blob, () => open(blob.digest), blobContext(context, limited, onProgress));
  // Alone: one request finds the route and signs in, and the lanes go through the open door.
  await send(config, signal, () => undefined);
  await inLanes(
    uniqueLayers(model.manifest.layers),
    (layer, limited) => send(layer, limited, (sentBytes) => context.onProgress?.(layer, sentBytes)),
    { lanes, signal },
  );
  await retrying(
    () => putManifest(model, context, signal),
    () => 0,
    { ...context, signal },
  );
}

function blobContext(
  context: PushContext,
  signal: AbortSignal,
  onProgress: (sentBytes: number) => void,
): BlobContext {
  const { repository } = context.asked.reference;
  const mountFrom = (context.mountFrom ?? []).filter((other) => other !== repository);
  return { ...context, signal, mountFrom, onProgress };
}

function uniqueLayers(layers: readonly Descriptor[]): readonly Descriptor[] {
  const first = new Map<Digest, Descriptor>();
  for (const layer of layers) if (!first.has(layer.digest)) first.set(layer.digest, layer);
  return [...first.values()];
}

async function putManifest(
  { manifest, manifestBytes }: PushableModel,
  { transport, asked }: PushContext,
  signal: AbortSignal,
): Promise<void> {
  const claimed = await transport.send(
    {
      ...asked,
      method: 'PUT',
      path: `manifests/${asked.reference.tag}`,
      headers: { 'content-type': manifest.mediaType ?? mediaTypes.ociManifest },
      body: manifestBytes,
      accepts: [200, 201, 202, 204],
      signal,
    },
    async (response) => {
      await discard(response);
      return response.headers.get('docker-content-digest');
    },
  );
  const id = await sha256(manifestBytes);
  if (claimed === null || !isDigest(claimed) || claimed === id) return;
  throw new ApiError(
    'digest_mismatch',
    `${registryName(asked.reference.registry)} stored another manifest than the one sent, so the model has another ID there. ` +
      'Ask who runs the registry.',
  );
}

function needsTag(): ApiError {
  return new ApiError(
    'invalid_reference',
    'A model is pushed to a tag, not to a digest. Leave out what stands after the “@”.',
  );
}
