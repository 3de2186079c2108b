/** OCI manifests and indexes, and the media types a model artifact is made of. Parsing is the trust boundary. */
import * as v from 'valibot';
import { isDigest, type Digest } from '#lib/core/digest.ts';
import { ApiError } from '#lib/core/errors.ts';

export const mediaTypes = {
  ociManifest: 'application/vnd.oci.image.manifest.v1+json',
  ociIndex: 'application/vnd.oci.image.index.v1+json',
  dockerManifest: 'application/vnd.docker.distribution.manifest.v2+json',
  dockerList: 'application/vnd.docker.distribution.manifest.list.v2+json',
  configV01: 'application/vnd.docker.ai.model.config.v0.1+json',
  configV02: 'application/vnd.docker.ai.model.config.v0.2+json',
  configModelPack: 'application/vnd.cncf.model.config.v1+json',
  gguf: 'application/vnd.docker.ai.gguf.v3',
  mmproj: 'application/vnd.docker.ai.mmproj',
  chatTemplate: 'application/vnd.docker.ai.chat.template.jinja',
  license: 'application/vnd.docker.ai.license',
} as const;

/** Registries refuse larger ones too; a hostile one must not fill the memory. */
export const maxManifestBytes = 4 * 1024 * 1024;
const maxLayers = 1000;

const digest = v.custom<Digest>(
  (value) => typeof value === 'string' && isDigest(value),
  'not a sha256 digest',
);

const descriptor = v.object({
  mediaType: v.string(),
  digest,
  size: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  annotations: v.optional(v.record(v.string(), v.string())),
});

export type Descriptor = v.InferOutput<typeof descriptor>;

const manifest = v.object({
  schemaVersion: v.literal(2),
  mediaType: v.optional(v.string()),
  artifactType: v.optional(v.string()),
  config: descriptor,
  layers: v.pipe(v.array(descriptor), v.maxLength(maxLayers)),
  annotations: v.optional(v.record(v.string(), v.string())),
});

export type Manifest = v.InferOutput<typeof manifest>;

const index = v.object({
  schemaVersion: v.literal(2),
  mediaType: v.optional(v.string()),
  manifests: v.pipe(v.array(descriptor), v.maxLength(maxLayers)),
});

export type Index = v.InferOutput<typeof index>;

export type ManifestDocument =
  | { readonly kind: 'manifest'; readonly manifest: Manifest }
  | { readonly kind: 'index'; readonly index: Index };

/** Parses untrusted bytes; throws `unsupported_model_format`. */
export function parseManifest(bytes: Uint8Array): ManifestDocument {
  if (bytes.byteLength > maxManifestBytes) throw notAManifest(`it is larger than ${maxManifestBytes} bytes`);
  const json = parseJson(bytes);
  if (typeof json === 'object' && json !== null && 'manifests' in json) {
    const parsed = v.safeParse(index, json);
    if (parsed.success) return { kind: 'index', index: parsed.output };
    throw notAManifest(v.summarize(parsed.issues));
  }
  const parsed = v.safeParse(manifest, json);
  if (parsed.success) return { kind: 'manifest', manifest: parsed.output };
  throw notAManifest(v.summarize(parsed.issues));
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw notAManifest('it is not JSON, or it was cut short', cause);
  }
}

function notAManifest(why: string, cause?: unknown): ApiError {
  return new ApiError('unsupported_model_format', `The registry's manifest cannot be read: ${why}.`, {
    cause,
  });
}
