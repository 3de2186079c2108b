/** Everything that is known of one model, stored or in its registry. */
import { toApiError } from '#lib/core/errors.ts';
import type { Capabilities } from '#lib/model/capabilities.ts';
import type { Fit } from '#lib/model/fit/judge.ts';
import { readArtifact, type Artifact, type Packaging } from '#lib/model/artifact.ts';
import { describeModel } from '#lib/model/facts.ts';
import { ggufFiles, judgeFiles, modelFiles, type ModelFile } from '#lib/model/files.ts';
import { parseGgufHeader, type GgufHeader } from '#lib/model/gguf.ts';
import { ggufMetadata } from '#lib/model/gguf-metadata.ts';
import { parseReference } from '#lib/model/reference.ts';
import type { FitJson, InForceJson, MetadataJson, ModelDetailJson } from '#lib/model/wire.ts';
import type { Registry } from '#lib/registry/port.ts';
import type { ModelSettings } from '#lib/runner/configure/settings.ts';
import type { BlobStore, IndexedModel } from '#lib/store/port.ts';
import { describeFiles, describeLocal, filesOf } from './local.ts';
import type { Library } from './library.ts';

export interface DetailPorts {
  readonly library: Library;
  readonly store: BlobStore;
  readonly registry: Registry;
  readonly settings: ModelSettings;
  /** Of a loaded model. */
  readonly inForce: (model: IndexedModel) => Promise<InForceJson | undefined>;
  /** What it can do, and whether it fits here. */
  readonly insight: (model: IndexedModel) => Promise<{
    readonly capabilities: Capabilities | undefined;
    readonly fit: Fit | undefined;
  }>;
}

const packagings: Readonly<Record<Packaging, string>> = {
  'docker-v0.1': 'Docker v0.1',
  'docker-v0.2': 'Docker v0.2',
  modelpack: 'CNCF ModelPack',
};

export async function describeModelInFull(model: IndexedModel, ports: DetailPorts): Promise<ModelDetailJson> {
  const { library, settings, inForce } = ports;
  const { artifact, manifest } = library.partsOf(model);
  const files = await openFiles(artifact, ports.store);
  const { engine, obstacle } = files ? judgeFiles(artifact, files) : {};
  const template = files && (await templateOf(files));
  const running = await inForce(model);
  const { capabilities, fit } = await ports.insight(model);
  return {
    model: {
      ...(await describeLocal(model, ports)),
      ...(engine === undefined ? {} : { engine }),
      ...(obstacle === undefined ? {} : { obstacle }),
    },
    packaging: packagings[artifact.packaging],
    files: await describeFiles(model, ports),
    ...(template ? { chat_template: template } : {}),
    notes: artifact.notes,
    manifest,
    config: parseJson(model.config),
    settings: await settings.get(model.id),
    ...(running ? { in_force: running } : {}),
    ...(capabilities ? { capabilities } : {}),
    ...(fit ? { fit: fitJson(fit) } : {}),
  };
}

/** Before a pull: what its registry says of it. */
export async function describeRemote(
  name: string,
  { registry }: DetailPorts,
  signal: AbortSignal,
): Promise<ModelDetailJson> {
  const remote = await registry.resolve(parseReference(name), { signal });
  const artifact = readArtifact(remote.manifest, remote.configBytes);
  const { id, manifestBytes: manifest, configBytes: config } = remote;
  const described = describeModel({ id, tags: [], manifest, config });
  return {
    model: {
      ...described,
      own_bytes: described.size_bytes,
      ...(artifact.engine === undefined ? {} : { engine: artifact.engine }),
      ...(artifact.obstacle === undefined ? {} : { obstacle: artifact.obstacle }),
    },
    packaging: packagings[artifact.packaging],
    files: filesOf(artifact),
    notes: artifact.notes,
    manifest: remote.manifest,
    config: parseJson(config),
    settings: {},
  };
}

/** Empty for a model that has no GGUF file. */
export async function describeMetadata(
  model: IndexedModel,
  { library, store }: DetailPorts,
): Promise<MetadataJson> {
  const files = await modelFiles(library.partsOf(model).artifact, (digest) => store.open(digest));
  const [first] = ggufFiles(files);
  return first ? ggufMetadata(await parseGgufHeader(first.blob)) : { entries: [] };
}

/** `undefined` while a file is missing: then the model is described as far as its manifest goes. */
async function openFiles(artifact: Artifact, store: BlobStore): Promise<readonly ModelFile[] | undefined> {
  const digests = artifact.layers.map(({ descriptor, unpacked }) => unpacked ?? descriptor.digest);
  const blobs = await Promise.all(digests.map((digest) => store.open(digest)));
  return blobs.includes(undefined) ? undefined : modelFiles(artifact, (digest) => store.open(digest));
}

/** The artifact's own template replaces the one inside the GGUF. */
async function templateOf(files: readonly ModelFile[]): Promise<ModelDetailJson['chat_template']> {
  const own = files.find(({ role }) => role === 'template');
  if (own) return { text: await own.blob.text(), from: 'artifact' };
  const [weights] = ggufFiles(files);
  const text = weights && (await readHeader(weights))?.metadata.get('tokenizer.chat_template');
  return typeof text === 'string' ? { text, from: 'gguf' } : undefined;
}

/** `undefined` for a file that is damaged or was stored although nothing here reads it: the rest is described all the same. */
async function readHeader({ blob }: ModelFile): Promise<GgufHeader | undefined> {
  try {
    return await parseGgufHeader(blob);
  } catch (thrown) {
    if (toApiError(thrown).code === 'unsupported_model_format') return undefined;
    throw thrown;
  }
}

function fitJson({ verdict, needBytes, haveBytes, sentence, suggestion }: Fit): FitJson {
  return {
    verdict,
    need_bytes: needBytes,
    ...(haveBytes === undefined ? {} : { have_bytes: haveBytes }),
    sentence,
    ...(suggestion ? { fitting_context_size: suggestion.contextSize } : {}),
  };
}

function parseJson(bytes: Uint8Array): unknown {
  return JSON.parse(new TextDecoder().decode(bytes));
}
