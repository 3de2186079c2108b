/** Builds model artifacts in Docker's format in memory, from the bytes of GGUF files; the same bytes every time. */
import { sha256, type Digest } from '#lib/core/digest.ts';
import { parseGgufHeader } from '#lib/model/gguf.ts';
import { mediaTypes, type Descriptor } from '#lib/model/manifest.ts';
import { packageFiles, type FolderFacts } from '#lib/model/package-files.ts';
import { packageModel, type PackagedWeights } from '#lib/model/package.ts';
import { utf8 } from './gguf-bytes.ts';

type Bytes = Uint8Array<ArrayBuffer>;

export interface BuiltArtifact {
  readonly id: Digest;
  readonly mediaType: string;
  readonly manifestBytes: Bytes;
  readonly configBytes: Bytes;
  readonly layers: readonly Descriptor[];
  /** Config and layers. */
  readonly blobs: ReadonlyMap<Digest, Bytes>;
}

export interface BuildOptions {
  readonly chatTemplate?: string;
  /** Layers of other kinds, such as a licence, after the others. */
  readonly extra?: readonly { readonly mediaType: string; readonly bytes: Bytes }[];
  /** Instead of the model's own, for artifacts that are something else. */
  readonly configMediaType?: string;
}

/** Several files are the shards of one model. */
export async function buildArtifact(
  files: readonly [Bytes, ...Bytes[]],
  options: BuildOptions = {},
): Promise<BuiltArtifact> {
  const [first, ...rest] = files;
  const weights: [PackagedWeights, ...PackagedWeights[]] = [await describe(first, 0, files.length)];
  for (const [index, shard] of rest.entries()) weights.push(await describe(shard, index + 1, files.length));
  const template = options.chatTemplate === undefined ? undefined : utf8(options.chatTemplate);
  const made = await packageModel({
    weights,
    chatTemplate: template && {
      name: 'template.jinja',
      digest: await sha256(template),
      sizeBytes: template.byteLength,
    },
    createdAtMs: Date.UTC(2025, 0, 1),
  });
  const extra = await Promise.all(
    (options.extra ?? []).map(async ({ mediaType, bytes }) => ({ mediaType, ...(await blob(bytes)) })),
  );
  const layers = [
    ...made.manifest.layers,
    ...extra.map(({ mediaType, digest, bytes }) => ({ mediaType, size: bytes.byteLength, digest })),
  ];
  const config = {
    ...made.manifest.config,
    mediaType: options.configMediaType ?? made.manifest.config.mediaType,
  };
  const manifestBytes = encode({ ...made.manifest, config, layers });
  const blobs = await Promise.all([...files, ...(template ? [template] : []), made.configBytes].map(blob));
  return {
    id: await sha256(manifestBytes),
    mediaType: mediaTypes.ociManifest,
    manifestBytes,
    configBytes: made.configBytes,
    layers,
    blobs: new Map([...blobs, ...extra].map(({ digest, bytes }) => [digest, bytes])),
  };
}

/** An OCI index over artifacts, which are pushed beside it. */
export async function buildIndex(artifacts: readonly BuiltArtifact[]): Promise<BuiltArtifact> {
  const manifestBytes = encode({
    schemaVersion: 2,
    mediaType: mediaTypes.ociIndex,
    manifests: artifacts.map(({ mediaType, id, manifestBytes }) => ({
      mediaType,
      digest: id,
      size: manifestBytes.byteLength,
    })),
  });
  const id = await sha256(manifestBytes);
  const none = new Uint8Array();
  return {
    id,
    mediaType: mediaTypes.ociIndex,
    manifestBytes,
    configBytes: none,
    layers: [],
    blobs: new Map(),
  };
}

async function describe(bytes: Bytes, index: number, total: number): Promise<PackagedWeights> {
  const digits = (value: number) => String(value).padStart(5, '0');
  const name = total === 1 ? 'model.gguf' : `model-${digits(index + 1)}-of-${digits(total)}.gguf`;
  const header = await parseGgufHeader(bytes);
  return { name, digest: await sha256(bytes), sizeBytes: bytes.byteLength, header };
}

async function blob(bytes: Bytes): Promise<{ digest: Digest; bytes: Bytes }> {
  return { digest: await sha256(bytes), bytes };
}

function encode(value: unknown): Bytes {
  return utf8(JSON.stringify(value));
}

/** Any folder of files in Docker's format v0.2, a layer per file, by path. */
export async function buildFolderArtifact(
  files: ReadonlyMap<string, Bytes>,
  facts: Omit<FolderFacts, 'createdAtMs'>,
): Promise<BuiltArtifact> {
  const described = await Promise.all(
    [...files].map(async ([path, bytes]) => ({
      path,
      digest: await sha256(bytes),
      sizeBytes: bytes.byteLength,
    })),
  );
  const made = await packageFiles(described, { ...facts, createdAtMs: Date.UTC(2025, 0, 1) });
  const blobs = await Promise.all([...files.values(), made.configBytes].map(blob));
  return {
    id: made.id,
    mediaType: mediaTypes.ociManifest,
    manifestBytes: made.manifestBytes,
    configBytes: made.configBytes,
    layers: made.manifest.layers,
    blobs: new Map(blobs.map(({ digest, bytes }) => [digest, bytes])),
  };
}
