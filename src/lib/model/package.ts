/** Builds the manifest and config of a model in Docker's format v0.1 from GGUF files: same files, same bytes, same ID. */
import { sha256, type Digest } from '#lib/core/digest.ts';
import { formatParameters, formatWireSize } from '#lib/core/format.ts';
import type { GgufHeader } from './gguf.ts';
import { mediaTypes, parseManifest, type Descriptor, type Manifest } from './manifest.ts';

export interface PackagedFile {
  /** Without folders. */
  readonly name: string;
  readonly digest: Digest;
  readonly sizeBytes: number;
}

export interface PackagedWeights extends PackagedFile {
  readonly header: GgufHeader;
}

export interface PackageInput {
  /** The shards of one model, in order; the first says what the model is. */
  readonly weights: readonly [PackagedWeights, ...PackagedWeights[]];
  readonly chatTemplate?: PackagedFile | undefined;
  readonly createdAtMs: number;
}

export interface ModelPackage {
  /** sha256 of `manifestBytes`. */
  readonly id: Digest;
  readonly manifest: Manifest;
  readonly manifestBytes: Uint8Array<ArrayBuffer>;
  readonly configBytes: Uint8Array<ArrayBuffer>;
}

/** Key for key in the order in which Docker Model Runner writes. */
export async function packageModel(input: PackageInput): Promise<ModelPackage> {
  const layers = input.weights.map((file) => layer(mediaTypes.gguf, file));
  if (input.chatTemplate) layers.push(layer(mediaTypes.chatTemplate, input.chatTemplate));
  const configBytes = encode({
    config: modelFacts(input.weights),
    descriptor: { created: rfc3339(input.createdAtMs) },
    rootfs: { type: 'rootfs', diff_ids: layers.map(({ digest }) => digest) },
  });
  const manifestBytes = encode({
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: {
      mediaType: mediaTypes.configV01,
      size: configBytes.byteLength,
      digest: await sha256(configBytes),
    },
    layers,
  });
  const document = parseManifest(manifestBytes);
  if (document.kind !== 'manifest') throw new Error('a packaged model is no index');
  return { id: await sha256(manifestBytes), manifest: document.manifest, manifestBytes, configBytes };
}

function modelFacts(weights: PackageInput['weights']): Record<string, unknown> {
  const { header } = weights[0];
  const parameters = weights.reduce((sum, file) => sum + file.header.parameters, 0);
  const weightBytes = weights.reduce(
    (sum, file) => sum + Math.max(0, file.sizeBytes - file.header.dataOffset),
    0,
  );
  return {
    format: 'gguf',
    quantization: header.quantization ?? '',
    parameters: formatParameters(parameters),
    architecture: header.architecture,
    size: formatWireSize(weightBytes),
    gguf: header.wireMetadata,
    ...(header.contextLength === undefined ? {} : { context_size: header.contextLength }),
  };
}

function layer(mediaType: string, file: PackagedFile): Descriptor {
  return {
    mediaType,
    size: file.sizeBytes,
    digest: file.digest,
    annotations: { 'org.cncf.model.filepath': file.name },
  };
}

/** As Go prints a time: no trailing zeros after the point. */
function rfc3339(timeMs: number): string {
  return new Date(timeMs).toISOString().replace(/\.?0+Z$/, 'Z');
}

function encode(value: unknown): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(JSON.stringify(value));
}
