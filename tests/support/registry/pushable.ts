/** Models to push whose files are any bytes. */
import { sha256, type Digest } from '#lib/core/digest.ts';
import { mediaTypes, type Descriptor } from '#lib/model/manifest.ts';
import type { PushableModel } from '#lib/registry/port.ts';
import type { BuiltArtifact } from './artifact.ts';
import { utf8 } from './gguf-bytes.ts';

type Bytes = Uint8Array<ArrayBuffer>;

export interface TestPushable extends PushableModel {
  readonly id: Digest;
  readonly layers: readonly Descriptor[];
  /** Digests that were opened, in order. */
  readonly opened: readonly Digest[];
}

export async function pushable(files: readonly Bytes[]): Promise<TestPushable> {
  const configBytes = utf8('{"config":{"format":"gguf"}}');
  const config = await descriptorOf(mediaTypes.configV01, configBytes);
  const layers = await Promise.all(files.map((bytes) => descriptorOf(mediaTypes.gguf, bytes)));
  const manifest = { schemaVersion: 2 as const, mediaType: mediaTypes.ociManifest, config, layers };
  const blobs = new Map(layers.map(({ digest }, index) => [digest, files[index] ?? new Uint8Array()]));
  const manifestBytes = utf8(JSON.stringify(manifest));
  return { ...opening(blobs), id: await sha256(manifestBytes), layers, manifest, manifestBytes, configBytes };
}

/** An artifact as if it lay in the store. */
export function pushableArtifact(artifact: BuiltArtifact): TestPushable {
  const { id, layers, manifestBytes, configBytes, blobs } = artifact;
  const manifest = JSON.parse(new TextDecoder().decode(manifestBytes)) as PushableModel['manifest'];
  return { ...opening(blobs), id, layers, manifest, manifestBytes, configBytes };
}

function opening(blobs: ReadonlyMap<Digest, Bytes>): Pick<TestPushable, 'open' | 'opened'> {
  const opened: Digest[] = [];
  return {
    opened,
    open: async (digest) => {
      opened.push(digest);
      const bytes = blobs.get(digest);
      if (!bytes) throw new Error(`the model has no ${digest}`);
      return new Blob([bytes]);
    },
  };
}

async function descriptorOf(mediaType: string, bytes: Bytes): Promise<Descriptor> {
  return { mediaType, size: bytes.byteLength, digest: await sha256(bytes) };
}
