/** What the media type of a layer says of it, in each of the formats that a model is packaged in. */
import { fileRole, type FileRole } from './file-role.ts';
import { mediaTypes } from './manifest.ts';

export type Packing = 'raw' | 'tar' | 'tar+gzip';

/** `named`: only the name of the file tells. The three of ModelPack are overruled by a name that says more. */
type Content = FileRole | 'named' | 'modelpack-weights' | 'modelpack-config' | 'modelpack-document';

export interface LayerKind {
  readonly content: Content;
  /** `unreadable`: compressed in a way that no browser unpacks. */
  readonly packing: Packing | 'unreadable';
}

const kinds: ReadonlyMap<string, LayerKind> = new Map([
  [mediaTypes.gguf, { content: 'weights', packing: 'raw' }],
  [mediaTypes.lora, { content: 'adapter', packing: 'raw' }],
  [mediaTypes.mmproj, { content: 'projector', packing: 'raw' }],
  [mediaTypes.draftMmproj, { content: 'projector', packing: 'raw' }],
  [mediaTypes.safetensors, { content: 'weights', packing: 'raw' }],
  [mediaTypes.dduf, { content: 'weights', packing: 'raw' }],
  [mediaTypes.chatTemplate, { content: 'template', packing: 'raw' }],
  [mediaTypes.license, { content: 'license', packing: 'raw' }],
  [mediaTypes.modelFile, { content: 'named', packing: 'raw' }],
  [mediaTypes.configTar, { content: 'config', packing: 'tar' }],
  [mediaTypes.folderTar, { content: 'named', packing: 'tar' }],
]);

/** `gguf` and `safetensors` in the place of the packing are old spellings of Docker Model Runner. */
const modelPackPattern =
  /^application\/vnd\.cncf\.model\.(weight\.config|weight|doc|code|dataset)\.v1\.(raw|tar|tar\+gzip|tar\+zstd|gguf|safetensors)$/;

const modelPackContents: ReadonlyMap<string, Content> = new Map([
  ['weight', 'modelpack-weights'],
  ['weight.config', 'modelpack-config'],
  ['doc', 'modelpack-document'],
  ['code', 'named'],
  ['dataset', 'other'],
]);

export function layerKind(mediaType: string): LayerKind {
  const known = kinds.get(mediaType);
  if (known) return known;
  const [, content, packing] = modelPackPattern.exec(mediaType) ?? [];
  return { content: modelPackContents.get(content ?? '') ?? 'other', packing: modelPackPacking(packing) };
}

/** What a layer is for; `path` is empty when it has none. */
export function layerRole(kind: LayerKind, path: string): FileRole {
  if (kind.packing === 'unreadable') return 'other';
  if (kind.content === 'named') return fileRole(path);
  if (kind.content === 'modelpack-weights')
    return ruledBy(path, ['projector', 'adapter', 'library'], 'weights');
  if (kind.content === 'modelpack-config')
    return ruledBy(path, ['template', 'tokenizer', 'library'], 'config');
  return kind.content === 'modelpack-document' ? ruledBy(path, ['license'], 'document') : kind.content;
}

/** The format that a media type alone gives away. */
export function weightFormat(mediaType: string): 'gguf' | 'safetensors' | 'dduf' | undefined {
  if (mediaType === mediaTypes.gguf || mediaType.endsWith('.weight.v1.gguf')) return 'gguf';
  if (mediaType === mediaTypes.safetensors || mediaType.endsWith('.weight.v1.safetensors'))
    return 'safetensors';
  return mediaType === mediaTypes.dduf ? 'dduf' : undefined;
}

function ruledBy(path: string, roles: readonly FileRole[], otherwise: FileRole): FileRole {
  const named = fileRole(path);
  return roles.includes(named) ? named : otherwise;
}

function modelPackPacking(packing: string | undefined): LayerKind['packing'] {
  if (packing === 'tar' || packing === 'tar+gzip') return packing;
  return packing === 'tar+zstd' ? 'unreadable' : 'raw';
}
