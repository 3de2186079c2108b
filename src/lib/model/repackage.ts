/** Changes a stored model without touching its weights: a new manifest and config over the same blobs. */
import { sha256, type Digest } from '#lib/core/digest.ts';
import { ApiError } from '#lib/core/errors.ts';
import { readArtifact, type Artifact } from './artifact.ts';
import { parseModelConfig } from './config.ts';
import type { FileRole } from './file-role.ts';
import type { Descriptor, Manifest } from './manifest.ts';
import { writePackage, type ModelPackage } from './package-document.ts';
import { placeNewFiles, type NewFile, type PackagedFile } from './package-layers.ts';
import { checkContextSize } from './package.ts';

export type FileChange =
  { readonly action: 'set'; readonly file: PackagedFile } | { readonly action: 'remove' };

/** What is absent stays as it is. */
export interface PackageChanges {
  readonly contextSize?: number | undefined;
  readonly chatTemplate?: FileChange | undefined;
  readonly projector?: FileChange | undefined;
  /** Added to those that are there. */
  readonly licenses?: readonly PackagedFile[] | undefined;
}

export interface StoredPackage {
  readonly manifest: Manifest;
  readonly manifestBytes: Uint8Array<ArrayBuffer>;
  readonly configBytes: Uint8Array<ArrayBuffer>;
}

interface LayerWithId {
  readonly descriptor: Descriptor;
  /** Of its unpacked bytes. */
  readonly diffId: Digest | undefined;
}

interface KeptLayer extends LayerWithId {
  readonly path: string;
}

/**
 * Keeps the base's format, time and every fact it does not change; without a change it is the base itself.
 * Throws `unsupported_parameter` for a context size in ModelPack, `invalid_request` when what is to go is in an archive.
 */
export async function repackage(base: StoredPackage, changes: PackageChanges): Promise<ModelPackage> {
  const artifact = readArtifact(base.manifest, base.configBytes);
  checkContextSize(changes.contextSize, artifact.packaging);
  if (Object.values(changes).every((change) => change === undefined)) {
    return { ...base, id: await sha256(base.manifestBytes) };
  }
  const kept = keptLayers(base, artifact, changes);
  const taken = kept.map(({ path }) => path);
  const added = placeNewFiles(addedFiles(changes), artifact.packaging, taken);
  const layers = [...kept, ...added.map((descriptor) => ({ descriptor, diffId: descriptor.digest }))];
  const config = changedConfig(base.configBytes, artifact, layers, changes.contextSize);
  return writePackage(
    artifact.packaging,
    layers.map(({ descriptor }) => descriptor),
    config,
  );
}

function keptLayers(base: StoredPackage, artifact: Artifact, changes: PackageChanges): KeptLayer[] {
  const going: FileRole[] = [
    ...(changes.chatTemplate ? (['template'] as const) : []),
    ...(changes.projector ? (['projector'] as const) : []),
  ];
  if (going.length > 0 && artifact.layers.some(({ packing }) => packing !== 'raw')) throw packed();
  const { diffIds } = parseModelConfig(base.configBytes);
  return artifact.layers.flatMap(({ descriptor, path, role, packing }, at) => {
    if (going.includes(role)) return [];
    const listed = diffIds.length === artifact.layers.length ? diffIds[at] : undefined;
    return [{ path, descriptor, diffId: listed ?? (packing === 'tar+gzip' ? undefined : descriptor.digest) }];
  });
}

function addedFiles({ licenses, projector, chatTemplate }: PackageChanges): NewFile[] {
  return [
    ...(licenses ?? []).map((file): NewFile => ({ ...file, role: 'license' })),
    ...(projector?.action === 'set' ? [{ ...projector.file, role: 'projector' } as const] : []),
    ...(chatTemplate?.action === 'set' ? [{ ...chatTemplate.file, role: 'template' } as const] : []),
  ];
}

/** The base's document with its own keys in their own order, known here or not. */
function changedConfig(
  configBytes: Uint8Array,
  { packaging }: Artifact,
  layers: readonly LayerWithId[],
  contextSize: number | undefined,
): unknown {
  const document = objectOf(JSON.parse(new TextDecoder().decode(configBytes)));
  // A list with a gap would say nothing of any layer, so it is left out as a whole.
  const diffIds = layers.every(({ diffId }) => diffId !== undefined)
    ? layers.map(({ diffId }) => diffId)
    : [];
  if (packaging === 'modelpack') {
    return { ...document, modelfs: { type: 'layers', ...objectOf(document.modelfs), diffIds } };
  }
  return {
    ...document,
    config: {
      ...objectOf(document.config),
      ...(contextSize === undefined ? {} : { context_size: contextSize }),
    },
    rootfs: { type: 'rootfs', ...objectOf(document.rootfs), diff_ids: diffIds },
  };
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value))
    : {};
}

function packed(): ApiError {
  return new ApiError(
    'invalid_request',
    'The files of this model are inside archives, where none can be replaced. Package it anew from its files.',
  );
}
