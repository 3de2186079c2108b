/** Stored models as the pages see them: what they cost, what runs them, what is missing. */
import type { Digest } from '#lib/core/digest.ts';
import { toApiError } from '#lib/core/errors.ts';
import type { Artifact, ArtifactLayer } from '#lib/model/artifact.ts';
import type { FileJson, LocalModelJson } from '#lib/model/wire.ts';
import type { BlobStore, IndexedModel } from '#lib/store/port.ts';
import { displayName } from '#lib/runner/model-request.ts';
import type { Library } from './library.ts';

export interface LocalPorts {
  readonly library: Library;
  readonly store: Pick<BlobStore, 'digests'>;
}

/** What a look at all models needs to know of each. */
interface Overview {
  readonly stored: ReadonlySet<Digest>;
  /** First names of the models that use a blob. */
  readonly users: ReadonlyMap<Digest, readonly string[]>;
}

export async function describeAll(ports: LocalPorts): Promise<readonly LocalModelJson[]> {
  const models = await ports.library.list();
  const overview = await overviewOf(models, ports);
  return models.map((model) => describeOne(model, overview, ports.library));
}

export async function describeLocal(model: IndexedModel, ports: LocalPorts): Promise<LocalModelJson> {
  return describeOne(model, await overviewOf(await ports.library.list(), ports), ports.library);
}

/** The layers of a stored model. */
export async function describeFiles(model: IndexedModel, ports: LocalPorts): Promise<readonly FileJson[]> {
  const { stored, users } = await overviewOf(await ports.library.list(), ports);
  const name = displayName(model);
  const { artifact } = ports.library.partsOf(model);
  return filesOf(artifact).map((file) => ({
    ...file,
    stored: stored.has(file.digest),
    shared_with: (users.get(file.digest) ?? []).filter((user) => user !== name),
  }));
}

/** The layers of any model, as if nothing of it were stored. */
export function filesOf(artifact: Artifact): readonly FileJson[] {
  return artifact.layers.map(fileOf);
}

function fileOf({ descriptor, path, role }: ArtifactLayer): FileJson {
  return {
    path,
    role,
    media_type: descriptor.mediaType,
    digest: descriptor.digest,
    size_bytes: descriptor.size,
    stored: false,
    shared_with: [],
  };
}

async function overviewOf(
  models: readonly IndexedModel[],
  { library, store }: LocalPorts,
): Promise<Overview> {
  const users = new Map<Digest, string[]>();
  for (const model of models) {
    for (const digest of readable(library, model)?.digests ?? []) {
      users.set(digest, [...(users.get(digest) ?? []), displayName(model)]);
    }
  }
  return { stored: new Set(await store.digests()), users };
}

function describeOne(model: IndexedModel, { stored, users }: Overview, library: Library): LocalModelJson {
  const parts = readable(library, model);
  const own = new Map(
    parts?.artifact.layers
      .filter(({ descriptor }) => users.get(descriptor.digest)?.length === 1)
      .map(({ descriptor }) => [descriptor.digest, descriptor.size]),
  );
  const missing = parts?.digests.filter((digest) => !stored.has(digest)).length ?? 0;
  const { config, ...described } = library.describe(model);
  // The header's keys are for who looks at one model: of a full store they are megabytes in every event of the feed.
  const { gguf: _, ...facts } = config;
  return {
    ...described,
    config: facts,
    own_bytes: [...own.values()].reduce((sum, size) => sum + size, 0),
    ...(model.lastUsedAtMs === undefined ? {} : { last_used: Math.floor(model.lastUsedAtMs / 1000) }),
    ...(parts?.artifact.engine === undefined ? {} : { engine: parts.artifact.engine }),
    ...(parts?.artifact.obstacle === undefined ? {} : { obstacle: parts.artifact.obstacle }),
    ...(missing > 0 ? { missing_files: missing } : {}),
  };
}

/** A record of another version that this one cannot read is still listed, so that it can be deleted. */
function readable(library: Library, model: IndexedModel) {
  try {
    return library.partsOf(model);
  } catch (thrown) {
    if (toApiError(thrown).code === 'unsupported_model_format') return undefined;
    throw thrown;
  }
}
