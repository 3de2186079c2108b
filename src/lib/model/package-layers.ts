/** The layers of files that are packaged: their media types and annotations in each of the three formats. */
import type { Digest } from '#lib/core/digest.ts';
import type { Packaging } from './artifact-layers.ts';
import { checkPath, freePath } from './file-path.ts';
import { fileRole, type FileRole } from './file-role.ts';
import { annotations, mediaTypes, type Descriptor } from './manifest.ts';

export interface PackagedFile {
  /** Without folders. */
  readonly name: string;
  readonly digest: Digest;
  readonly sizeBytes: number;
}

export interface NewFile extends PackagedFile {
  readonly role: FileRole;
}

/** `taken` are the paths of layers that are there already. Throws `unsupported_model_format` for a bad name. */
export function placeNewFiles(
  files: readonly NewFile[],
  packaging: Packaging,
  taken: readonly string[] = [],
): Descriptor[] {
  const paths = new Set(taken);
  return files.map((file) => {
    const path = freePath(telling(checkPath(file.name), file.role, packaging), paths);
    paths.add(path);
    return fileLayer(file, path, packaging);
  });
}

/** Nothing of the machine that packaged it goes in, so that the same files give the same layer everywhere. */
function fileLayer(file: NewFile, path: string, packaging: Packaging): Descriptor {
  const { digest, sizeBytes: size } = file;
  if (packaging !== 'modelpack') {
    return {
      mediaType: dockerMediaType(file.role, path, packaging),
      size,
      digest,
      annotations: { [annotations.path]: path },
    };
  }
  return {
    mediaType: modelPackMediaType(file.role),
    size,
    digest,
    annotations: {
      [annotations.path]: path,
      [annotations.metadata]: fileMetadata(path, size),
      [annotations.untested]: 'false',
    },
  };
}

/** By role; any other file is a plain one. */
const dockerMediaTypes: Readonly<Partial<Record<FileRole, string>>> = {
  projector: mediaTypes.mmproj,
  template: mediaTypes.chatTemplate,
  license: mediaTypes.license,
};

function dockerMediaType(role: FileRole, path: string, packaging: Packaging): string {
  if (role === 'weights') return weightsMediaType(path, packaging);
  if (role === 'adapter' && packaging === 'docker-v0.1') return mediaTypes.lora;
  return dockerMediaTypes[role] ?? mediaTypes.modelFile;
}

/** A v0.1 model is GGUF, whatever its files are called. */
function weightsMediaType(path: string, packaging: Packaging): string {
  if (packaging === 'docker-v0.1' || /\.gguf$/i.test(path)) return mediaTypes.gguf;
  if (/\.safetensors$/i.test(path)) return mediaTypes.safetensors;
  return /\.dduf$/i.test(path) ? mediaTypes.dduf : mediaTypes.modelFile;
}

function modelPackMediaType(role: FileRole): string {
  if (role === 'weights' || role === 'projector' || role === 'adapter') return mediaTypes.modelPackWeight;
  if (role === 'license' || role === 'document' || role === 'other') return mediaTypes.modelPackDocument;
  return mediaTypes.modelPackWeightConfig;
}

/** ModelPack has no media type for these: readers go by the name, so it has to say what the file is. */
function telling(path: string, role: FileRole, packaging: Packaging): string {
  if (packaging !== 'modelpack' || fileRole(path) === role) return path;
  if (role === 'projector') return `mmproj-${path.replace(/\.gguf$/i, '')}.gguf`;
  if (role === 'template') return `${path}.jinja`;
  if (role === 'license') return `LICENSE-${path}`;
  return role === 'weights' && !/\.gguf$/i.test(path) ? `${path}.gguf` : path;
}

/** A plain file of no one, from 1970. */
function fileMetadata(path: string, size: number): string {
  const regularFile = '0'.charCodeAt(0);
  return JSON.stringify({
    name: path,
    mode: 0o644,
    uid: 0,
    gid: 0,
    size,
    mtime: '1970-01-01T00:00:00Z',
    typeflag: regularFile,
  });
}
