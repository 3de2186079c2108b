/** Makes new models: from files that were brought in, or from a stored model over the same blobs. */
import type { Clock } from '#lib/core/clock.ts';
import { ApiError } from '#lib/core/errors.ts';
import { ggufFiles, modelFiles, type ModelFile } from '#lib/model/files.ts';
import { parseGgufHeader } from '#lib/model/gguf.ts';
import {
  packageModel,
  type ModelPackage,
  type PackagedFile,
  type PackagedWeights,
} from '#lib/model/package.ts';
import { canonicalReference, parseReference } from '#lib/model/reference.ts';
import { repackage, type FileChange } from '#lib/model/repackage.ts';
import type { PackagedFileJson, PackageRequestJson } from '#lib/model/wire.ts';
import type { Registry } from '#lib/registry/port.ts';
import type { BlobStore, IndexedModel } from '#lib/store/port.ts';
import { packageFolder } from './folder-packager.ts';
import type { Library } from './library.ts';
import type { Uploads } from './uploads.ts';

export interface PackagerPorts {
  readonly library: Library;
  readonly store: BlobStore;
  readonly uploads: Uploads;
  /** For the compiled library of an MLC model that comes without. */
  readonly registry: Registry;
  readonly clock: Clock;
}

/** Resolves when the model is listed under its new name. Throws `invalid_request` naming the field, and what packaging throws. */
export async function makeModel(
  request: PackageRequestJson,
  ports: PackagerPorts,
  signal: AbortSignal = AbortSignal.any([]),
): Promise<IndexedModel> {
  const { library, uploads, clock } = ports;
  const target = parseReference(request.target);
  if (target.digest !== undefined) {
    throw new ApiError('invalid_reference', 'A new model needs a name and no digest.', { param: 'target' });
  }
  const made = await madeOf(request, ports, signal);
  const { id, manifestBytes: manifest, configBytes: config } = made;
  await library.put({ id, manifest, config, addedAtMs: clock.now() }, [canonicalReference(target)]);
  uploads.settle(made.manifest.layers.map(({ digest }) => digest));
  return library.get(id);
}

function madeOf(
  request: PackageRequestJson,
  ports: PackagerPorts,
  signal: AbortSignal,
): Promise<ModelPackage> {
  if (request.files) return packageFolder(request, ports, signal);
  if (request.from === undefined) return fromFiles(request, ports);
  return fromModel(request.from, request, ports);
}

async function fromFiles(request: PackageRequestJson, { store }: PackagerPorts): Promise<ModelPackage> {
  const weights = await Promise.all((request.weights ?? []).map((file) => uploadedWeights(file, store)));
  return packageModel({
    ...(await givenFiles(request, store)),
    format: request.format,
    weights: atLeastOne(weights),
    contextSize: request.context_size,
    createdAtMs: request.created_ms ?? 0,
  });
}

async function fromModel(
  from: string,
  request: PackageRequestJson,
  ports: PackagerPorts,
): Promise<ModelPackage> {
  const { library, store } = ports;
  if (request.weights) {
    throw new ApiError('invalid_request', 'Give either “from” or “weights”.', { param: 'weights' });
  }
  const base = await library.getLenient(from);
  const { manifest, artifact } = library.partsOf(base);
  if ((artifact.packaging === 'modelpack') !== (request.format === 'cncf'))
    return converted(base, request, ports);
  return repackage(
    { manifest, manifestBytes: base.manifest, configBytes: base.config },
    {
      contextSize: request.context_size,
      chatTemplate: await changeOf(request.chat_template, 'chat_template', store),
      projector: await changeOf(request.projector, 'projector', store),
      licenses: request.licenses && (await uploadedAll(request.licenses, 'licenses', store)),
    },
  );
}

/** The same files under the other specification. */
async function converted(
  base: IndexedModel,
  request: PackageRequestJson,
  { library, store }: PackagerPorts,
): Promise<ModelPackage> {
  const { artifact } = library.partsOf(base);
  if (artifact.layers.some(({ packing }) => packing !== 'raw')) {
    throw new ApiError(
      'invalid_request',
      'The files of this model are inside archives. Package it in the format it has, or anew from its files.',
      { param: 'format' },
    );
  }
  const files = await modelFiles(artifact, (digest) => store.open(digest));
  const given = await givenFiles(request, store);
  const own = (role: ModelFile['role']) => files.filter((file) => file.role === role).map(packaged);
  const [template] = request.chat_template === undefined ? own('template') : [];
  const [projector] = request.projector === undefined ? own('projector') : [];
  return packageModel({
    format: request.format,
    weights: atLeastOne(await Promise.all(ggufFiles(files).map(weightsOf))),
    chatTemplate: given.chatTemplate ?? template,
    projector: given.projector ?? projector,
    licenses: [...own('license'), ...(given.licenses ?? [])],
    contextSize: request.context_size,
    createdAtMs: library.describe(base).created * 1000,
  });
}

async function givenFiles(request: PackageRequestJson, store: BlobStore) {
  const { chat_template: template, projector, licenses } = request;
  return {
    chatTemplate: template ? await uploaded(template, 'chat_template', store) : undefined,
    projector: projector ? await uploaded(projector, 'projector', store) : undefined,
    licenses: licenses && (await uploadedAll(licenses, 'licenses', store)),
  };
}

async function changeOf(
  file: PackagedFileJson | null | undefined,
  param: string,
  store: BlobStore,
): Promise<FileChange | undefined> {
  if (file === undefined) return undefined;
  return file === null ? { action: 'remove' } : { action: 'set', file: await uploaded(file, param, store) };
}

function uploadedAll(
  files: readonly PackagedFileJson[],
  param: string,
  store: BlobStore,
): Promise<readonly PackagedFile[]> {
  return Promise.all(files.map((file) => uploaded(file, param, store)));
}

async function uploaded(file: PackagedFileJson, param: string, store: BlobStore): Promise<PackagedFile> {
  const { size } = await openUploaded(file, param, store);
  return { name: file.name, digest: file.digest, sizeBytes: size };
}

async function uploadedWeights(file: PackagedFileJson, store: BlobStore): Promise<PackagedWeights> {
  const blob = await openUploaded(file, 'weights', store);
  return { name: file.name, digest: file.digest, sizeBytes: blob.size, header: await parseGgufHeader(blob) };
}

async function openUploaded(
  { digest, name }: PackagedFileJson,
  param: string,
  store: BlobStore,
): Promise<Blob> {
  const blob = await store.open(digest);
  if (blob) return blob;
  throw new ApiError('invalid_request', `The file “${name}” was not sent, or too long ago. Send it again.`, {
    param,
  });
}

function packaged({ path, layer }: ModelFile): PackagedFile {
  return { name: path, digest: layer.digest, sizeBytes: layer.size };
}

async function weightsOf(file: ModelFile): Promise<PackagedWeights> {
  return { ...packaged(file), header: await parseGgufHeader(file.blob) };
}

function atLeastOne(weights: readonly PackagedWeights[]): readonly [PackagedWeights, ...PackagedWeights[]] {
  const [first, ...others] = weights;
  if (first) return [first, ...others];
  throw new ApiError('invalid_request', 'A model needs at least one GGUF file. Name it under “weights”.', {
    param: 'weights',
  });
}
