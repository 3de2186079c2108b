/** Hugging Face as a registry: a repository becomes a model in Docker's format, the same one every time. */
import { isDigest, type Digest } from '#lib/core/digest.ts';
import { ApiError } from '#lib/core/errors.ts';
import { parseGgufHeader } from '#lib/model/gguf.ts';
import { packageModel, type PackagedFile, type PackagedWeights } from '#lib/model/package.ts';
import type { Reference } from '#lib/model/reference.ts';
import type { Credentials, Registry, ResolvedModel, ResolveOptions } from '#lib/registry/port.ts';
import { noChecksum, notOfThisModel, resolveFolder, type FolderModel } from './folder-model.ts';
import { findSafetensors } from './folder.ts';
import { Hub, type HubOptions } from './hub.ts';
import { findMlc } from './mlc-folder.ts';
import { MlcLibraries, type MlcList } from './mlc-libraries.ts';
import { resolveMlc } from './mlc-model.ts';
import type { HubRequest } from './refusal.ts';
import { nameOf, selectProjector, selectWeights, type HubFile } from './select.ts';
import { readSmallFile, sliceOf, type SmallFile, type Snapshot } from './small-files.ts';

export interface HuggingFaceRegistryOptions extends HubOptions {
  /** For MLC models without a library of their own; without it these are kept and nothing runs them. */
  readonly mlcList?: MlcList | undefined;
}

/** The shards of one GGUF model, in order. */
type Shards = readonly [HubFile, ...HubFile[]];

interface Repository {
  readonly snapshot: Snapshot;
  readonly files: readonly HubFile[];
  readonly lastModifiedMs: number;
}

const maxTemplateBytes = 1024 * 1024;

export class HuggingFaceRegistry implements Registry {
  readonly #hub: Hub;
  readonly #libraries: MlcLibraries;

  constructor(options: HuggingFaceRegistryOptions) {
    const { fetch, clock, mlcList: list = () => Promise.resolve([]) } = options;
    this.#hub = new Hub(options);
    this.#libraries = new MlcLibraries({ fetch, clock, list });
  }

  async resolve(reference: Reference, options: ResolveOptions): Promise<ResolvedModel> {
    const token = tokenOf(options.credentials);
    const asked: HubRequest = { repository: reference.typedRepository, token, signal: options.signal };
    const { commit, lastModifiedMs } = await this.#hub.revision(asked);
    const files = await this.#hub.files(asked, commit);
    const repository: Repository = { snapshot: { ...asked, commit }, files, lastModifiedMs };
    const [first, ...rest] = selectWeights(files, reference.tag);
    if (first) return { ...(await this.#resolveGguf([first, ...rest], repository)), reference };
    return { ...(await this.#resolveFolder(repository, reference.tag)), reference };
  }

  /** Uploads there go through Git and a storage of its own, which no page has been seen to reach. */
  push(): Promise<void> {
    return Promise.reject(
      new ApiError(
        'invalid_request',
        'Sampan cannot push to Hugging Face. Push to an OCI registry, or export the model and upload the file on huggingface.co.',
      ),
    );
  }

  #resolveFolder(repository: Repository, tag: string): Promise<FolderModel> {
    const { files, snapshot } = repository;
    const mlc = findMlc(files);
    if (mlc) return resolveMlc(this.#hub, mlc, { ...repository, tag, libraries: this.#libraries });
    const folder = findSafetensors(files);
    if (folder) return resolveFolder(this.#hub, folder, { ...repository, tag });
    throw nothingToKeep(snapshot);
  }

  async #resolveGguf([first, ...rest]: Shards, repository: Repository): Promise<FolderModel> {
    const { snapshot, lastModifiedMs } = repository;
    const paths = new Map<Digest, string>();
    const weights: [PackagedWeights, ...PackagedWeights[]] = [await this.#describe(first, snapshot, paths)];
    for (const shard of rest) weights.push(await this.#describe(shard, snapshot, paths));
    const projector = await this.#describeProjector([first, ...rest], repository, paths);
    const template = await this.#readTemplate(repository);
    const model = await packageModel({
      weights,
      projector,
      chatTemplate: template && packagedFile(template),
      createdAtMs: lastModifiedMs,
    });
    return {
      ...model,
      fetchLayer: async ({ digest }, range, signal) => {
        if (template?.digest === digest) return sliceOf(template, range);
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

  /** A file that is only called so is left aside: the model itself is whole without it. */
  async #describeProjector(
    weights: Shards,
    { files, snapshot }: Repository,
    paths: Map<Digest, string>,
  ): Promise<PackagedFile | undefined> {
    const file = selectProjector(files, weights);
    const described = file && (await this.#describe(file, snapshot, paths));
    if (described?.header.architecture !== 'clip') return undefined;
    const { name, digest, sizeBytes } = described;
    return { name, digest, sizeBytes };
  }

  async #readTemplate({ files, snapshot }: Repository): Promise<SmallFile | undefined> {
    const found = findTemplate(files);
    return found && readSmallFile(this.#hub, found, snapshot);
  }
}

function packagedFile({ path, digest, bytes }: SmallFile): PackagedFile {
  return { name: nameOf(path), digest, sizeBytes: bytes.byteLength };
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

function tokenOf(credentials: Credentials | undefined): string | undefined {
  if (!credentials) return undefined;
  const token = credentials.kind === 'token' ? credentials.token : credentials.password;
  if (/^[\x21-\x7e]+$/.test(token)) return token;
  throw new ApiError(
    'unauthorized',
    'The Hugging Face token has characters that no token has. Copy it again.',
  );
}

function nothingToKeep({ repository }: HubRequest): ApiError {
  return new ApiError(
    'unsupported_model_format',
    `${repository} has no GGUF file, and no weights in another format that is known here. ` +
      'Look for a repository whose name ends in “-GGUF”.',
  );
}
