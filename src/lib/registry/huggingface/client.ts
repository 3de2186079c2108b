/** Hugging Face as a registry: its GGUF files become a model in Docker's format, the same one every time. */
import { isDigest, sha256, type Digest } from '#lib/core/digest.ts';
import { ApiError } from '#lib/core/errors.ts';
import { parseGgufHeader } from '#lib/model/gguf.ts';
import { packageModel, type PackagedFile, type PackagedWeights } from '#lib/model/package.ts';
import type { Reference } from '#lib/model/reference.ts';
import type {
  ByteRange,
  Credentials,
  LayerBody,
  Registry,
  ResolvedModel,
  ResolveOptions,
} from '#lib/registry/port.ts';
import { Hub, type HubOptions } from './hub.ts';
import type { HubRequest } from './refusal.ts';
import { nameOf, selectWeights, type HubFile } from './select.ts';

export type HuggingFaceRegistryOptions = HubOptions;

/** A repository at one commit. */
interface Snapshot extends HubRequest {
  readonly commit: string;
}

/** Small files have no sha256 on the Hub, so they are fetched to get one, and kept until they are stored. */
interface Template {
  readonly file: PackagedFile;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

const maxTemplateBytes = 1024 * 1024;

export class HuggingFaceRegistry implements Registry {
  readonly #hub: Hub;

  constructor(options: HuggingFaceRegistryOptions) {
    this.#hub = new Hub(options);
  }

  async resolve(reference: Reference, options: ResolveOptions): Promise<ResolvedModel> {
    const token = tokenOf(options.credentials);
    const asked: HubRequest = { repository: reference.typedRepository, token, signal: options.signal };
    const { commit, lastModifiedMs } = await this.#hub.revision(asked);
    const snapshot: Snapshot = { ...asked, commit };
    const files = await this.#hub.files(asked, commit);
    const [first, ...rest] = selectWeights(files, reference.tag);
    if (!first) throw nothingToRun(snapshot, files);
    const paths = new Map<Digest, string>();
    const weights: [PackagedWeights, ...PackagedWeights[]] = [await this.#describe(first, snapshot, paths)];
    for (const shard of rest) weights.push(await this.#describe(shard, snapshot, paths));
    const template = await this.#readTemplate(files, snapshot);
    const model = await packageModel({ weights, chatTemplate: template?.file, createdAtMs: lastModifiedMs });
    return {
      ...model,
      reference,
      fetchLayer: async ({ digest }, range, signal) => {
        if (template?.file.digest === digest) return slice(template.bytes, range);
        const path = paths.get(digest);
        if (path === undefined) throw notOfThisModel();
        return this.#hub.fetchPart({ ...snapshot, path, signal }, range);
      },
    };
  }

  /** Reads the file's header by ranges, so that what cannot run is refused before it is downloaded. */
  async #describe(file: HubFile, snapshot: Snapshot, paths: Map<Digest, string>): Promise<PackagedWeights> {
    const { path, sizeBytes } = file;
    const digest = `sha256:${file.sha256 ?? ''}`;
    if (!isDigest(digest)) throw noChecksum(path);
    const header = await parseGgufHeader({
      size: sizeBytes,
      read: (from, to) => this.#hub.read({ ...snapshot, path }, { from, to }),
    });
    paths.set(digest, path);
    return { name: nameOf(path), digest, sizeBytes, header };
  }

  async #readTemplate(files: readonly HubFile[], snapshot: Snapshot): Promise<Template | undefined> {
    const found = findTemplate(files);
    if (!found) return undefined;
    const bytes = await this.#hub.read({ ...snapshot, path: found.path }, { from: 0, to: found.sizeBytes });
    const file = { name: nameOf(found.path), digest: await sha256(bytes), sizeBytes: bytes.byteLength };
    return { file, bytes };
  }
}

/**
 * `chat_template.jinja`, or else the first `.jinja` of the top folder. Docker Model Runner also takes
 * `tokenizer_config.json`, which is no template and would break the chat.
 */
function findTemplate(files: readonly HubFile[]): HubFile | undefined {
  const templates = files.filter(
    ({ path, sizeBytes }) => /^[^/]+\.jinja$/i.test(path) && sizeBytes > 0 && sizeBytes <= maxTemplateBytes,
  );
  return templates.find(({ path }) => path === 'chat_template.jinja') ?? templates[0];
}

function slice(bytes: Uint8Array<ArrayBuffer>, { from, to }: ByteRange): LayerBody {
  return { from, stream: new Blob([bytes.subarray(from, to)]).stream() };
}

function tokenOf(credentials: Credentials | undefined): string | undefined {
  if (!credentials) return undefined;
  const token = credentials.kind === 'token' ? credentials.token : credentials.password;
  if (/^[\x21-\x7e]+$/.test(token)) return token;
  throw new ApiError(
    'unauthorized',
    'The Hugging Face token has characters that no token has. Copy it again.',
  );
}

function nothingToRun({ repository }: Snapshot, files: readonly HubFile[]): ApiError {
  const has = files.some(({ path }) => path.endsWith('.safetensors'))
    ? 'safetensors weights only'
    : 'no GGUF file';
  return new ApiError(
    'unsupported_model_format',
    `${repository} has ${has}, and Sampan runs GGUF models. Look for a repository whose name ends in “-GGUF”.`,
  );
}

function noChecksum(path: string): ApiError {
  return new ApiError(
    'unsupported_model_format',
    `Hugging Face has no SHA-256 of ${nameOf(path)}, so it cannot be checked. Choose another variant.`,
  );
}

function notOfThisModel(): ApiError {
  return new ApiError('model_not_found', 'This file is not part of the model. Pull the model again.');
}
