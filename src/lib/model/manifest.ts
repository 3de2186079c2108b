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
  lora: 'application/vnd.docker.ai.gguf.v3.lora',
  mmproj: 'application/vnd.docker.ai.mmproj',
  /** As the draft of the specification spells it. */
  draftMmproj: 'application/vnd.docker.ai.gguf.v3.mmproj',
  safetensors: 'application/vnd.docker.ai.safetensors',
  dduf: 'application/vnd.docker.ai.dduf',
  chatTemplate: 'application/vnd.docker.ai.chat.template.jinja',
  license: 'application/vnd.docker.ai.license',
  /** Any file of a v0.2 model; its name says what it is. */
  modelFile: 'application/vnd.docker.ai.model.file',
  configTar: 'application/vnd.docker.ai.vllm.config.tar',
  folderTar: 'application/vnd.docker.ai.dir.tar',
  modelPack: 'application/vnd.cncf.model.manifest.v1+json',
  modelPackWeight: 'application/vnd.cncf.model.weight.v1.raw',
  modelPackWeightConfig: 'application/vnd.cncf.model.weight.config.v1.raw',
  modelPackDocument: 'application/vnd.cncf.model.doc.v1.raw',
} as const;

/** Annotations of a layer. */
export const annotations = {
  path: 'org.cncf.model.filepath',
  metadata: 'org.cncf.model.file.metadata+json',
  untested: 'org.cncf.model.file.mediatype.untested',
} as const;

/** Registries refuse larger ones too; a hostile one must not fill the memory. */
export const maxManifestBytes = 4 * 1024 * 1024;
const maxLayers = 1000;

const digest = v.custom<Digest>(
  (value) => typeof value === 'string' && isDigest(value),
  ({ input }) => explainDigest(input),
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
  layers: v.array(descriptor),
  annotations: v.optional(v.record(v.string(), v.string())),
});

export type Manifest = v.InferOutput<typeof manifest>;

const index = v.object({
  schemaVersion: v.literal(2),
  mediaType: v.optional(v.string()),
  manifests: v.array(descriptor),
});

export type Index = v.InferOutput<typeof index>;

export type ManifestDocument =
  | { readonly kind: 'manifest'; readonly manifest: Manifest }
  | { readonly kind: 'index'; readonly index: Index };

/** Parses untrusted bytes; throws `unsupported_model_format`. */
export function parseManifest(bytes: Uint8Array): ManifestDocument {
  if (bytes.byteLength > maxManifestBytes) throw notAManifest(`it is larger than ${maxManifestBytes} bytes`);
  const json = parseJson(bytes);
  refuseEndlessLists(json);
  if (typeof json === 'object' && json !== null && 'manifests' in json) {
    return { kind: 'index', index: parse(index, json) };
  }
  return { kind: 'manifest', manifest: parse(manifest, json) };
}

function parse<Schema extends typeof index | typeof manifest>(
  schema: Schema,
  json: unknown,
): v.InferOutput<Schema> {
  const parsed = v.safeParse(schema, json, { abortEarly: true });
  if (parsed.success) return parsed.output;
  const [issue] = parsed.issues;
  throw notAManifest(`${v.getDotPath(issue) ?? 'the document'}: ${issue.message}`);
}

/** Before the entries are looked at: ten thousand of them are refused, not judged one by one. */
function refuseEndlessLists(json: unknown): void {
  if (typeof json !== 'object' || json === null) return;
  for (const list of [
    ...('layers' in json ? [json.layers] : []),
    ...('manifests' in json ? [json.manifests] : []),
  ]) {
    if (Array.isArray(list) && list.length > maxLayers) {
      throw notAManifest(`it lists ${list.length} entries, and no model has more than ${maxLayers}`);
    }
  }
}

/** Another algorithm cannot be checked here, and is never taken on trust. */
function explainDigest(input: unknown): string {
  const algorithm = typeof input === 'string' ? /^([a-z0-9+._-]{1,20}):/.exec(input)?.[1] : undefined;
  if (algorithm === undefined || algorithm === 'sha256') return 'not a sha256 digest';
  return `a digest of the algorithm ${algorithm}, and only sha256 can be checked here`;
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
