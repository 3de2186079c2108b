/** Writes down a packaged model: config and manifest as bytes, and the ID that follows from them. */
import { sha256, type Digest } from '#lib/core/digest.ts';
import { readArtifact } from './artifact.ts';
import type { Packaging } from './artifact-layers.ts';
import { mediaTypes, parseManifest, type Descriptor, type Manifest } from './manifest.ts';

export interface ModelPackage {
  /** sha256 of `manifestBytes`. */
  readonly id: Digest;
  readonly manifest: Manifest;
  readonly manifestBytes: Uint8Array<ArrayBuffer>;
  readonly configBytes: Uint8Array<ArrayBuffer>;
}

const configTypes: Readonly<Record<Packaging, string>> = {
  'docker-v0.1': mediaTypes.configV01,
  'docker-v0.2': mediaTypes.configV02,
  modelpack: mediaTypes.configModelPack,
};

/** Throws `unsupported_model_format` for what `readArtifact` would refuse: nothing is packaged that cannot be read. */
export async function writePackage(
  packaging: Packaging,
  layers: readonly Descriptor[],
  config: unknown,
): Promise<ModelPackage> {
  const configBytes = encode(config);
  const manifestBytes = encode({
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    ...(packaging === 'modelpack' ? { artifactType: mediaTypes.modelPack } : {}),
    config: {
      mediaType: configTypes[packaging],
      size: configBytes.byteLength,
      digest: await sha256(configBytes),
    },
    layers,
  });
  const manifest = readManifest(manifestBytes);
  readArtifact(manifest, configBytes);
  return { id: await sha256(manifestBytes), manifest, manifestBytes, configBytes };
}

/** As Go prints a time: no trailing zeros after the point. */
export function rfc3339(timeMs: number): string {
  return new Date(timeMs).toISOString().replace(/\.?0+Z$/, 'Z');
}

function readManifest(bytes: Uint8Array): Manifest {
  const document = parseManifest(bytes);
  if (document.kind === 'index') throw new Error('a packaged model is no index');
  return document.manifest;
}

function encode(value: unknown): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(JSON.stringify(value));
}
