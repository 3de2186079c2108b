/** The layers of an artifact as files: what each is for, where it belongs, how it is packed. */
import type { Digest } from '#lib/core/digest.ts';
import type { ModelConfig } from './config.ts';
import { checkPath } from './file-path.ts';
import type { FileRole } from './file-role.ts';
import { layerKind, layerRole, weightFormat, type Packing } from './layer-kind.ts';
import { placeLayers, type DraftLayer } from './layer-paths.ts';
import { annotations, type Descriptor, type Manifest } from './manifest.ts';
import type { NamedFile } from './model-format.ts';

export interface ArtifactLayer {
  readonly descriptor: Descriptor;
  /** Of an archive: what its files are for, unless their names say more. */
  readonly role: FileRole;
  /** Relative, safe, and of one file only. */
  readonly path: string;
  readonly packing: Packing;
  /** Digest of the tar inside a `tar+gzip` layer. */
  readonly unpacked?: Digest | undefined;
}

export type Packaging = 'docker-v0.1' | 'docker-v0.2' | 'modelpack';

/** Throws `unsupported_model_format` for paths that would do harm; collisions are the caller's to judge. */
export function readLayers(manifest: Manifest, config: ModelConfig, packaging: Packaging): ArtifactLayer[] {
  const drafts = manifest.layers.map((descriptor, at) =>
    draftLayer(descriptor, unpackedDigest(config, manifest, at)),
  );
  const paths = placeLayers(drafts, {
    claimedFormat: config.format,
    names: packaging === 'docker-v0.1' ? 'free' : 'binding',
  });
  return drafts.map(({ given: _, ...layer }, at) => ({ ...layer, path: paths[at] ?? '' }));
}

function draftLayer(descriptor: Descriptor, unpacked: Digest | undefined): DraftLayer {
  const kind = layerKind(descriptor.mediaType);
  const annotated = descriptor.annotations?.[annotations.path] ?? '';
  const given = annotated === '' ? '' : checkPath(annotated);
  const packing = kind.packing === 'unreadable' ? 'raw' : kind.packing;
  return {
    descriptor,
    role: layerRole(kind, given),
    packing,
    given,
    ...(packing === 'tar+gzip' && unpacked !== undefined ? { unpacked } : {}),
  };
}

/** A list that does not fit the layers says nothing about any of them. */
function unpackedDigest({ diffIds }: ModelConfig, { layers }: Manifest, at: number): Digest | undefined {
  return diffIds.length === layers.length ? diffIds[at] : undefined;
}

export function namedFile({
  descriptor,
  role,
  path,
}: Pick<ArtifactLayer, 'descriptor' | 'role' | 'path'>): NamedFile {
  return { path, role, format: weightFormat(descriptor.mediaType) };
}
