/** The folder of an MLC model as it is brought in: which of its files make the model, and where its library comes from. */
import { ApiError } from '#lib/core/errors.ts';
import { baseName, fileRole, type FileRole } from '#lib/model/file-role.ts';
import { mlcLibraryVersion, parseMlcConfig, type MlcConfig } from '#lib/model/mlc.ts';
import type { MlcListEntry } from '#lib/model/mlc-list.ts';
import { parseMlcShards, type MlcShard } from '#lib/model/mlc-shards.ts';

export interface PickedFile {
  /** From where it was picked, with `/`: `Llama-MLC/params_shard_0.bin`. */
  readonly path: string;
  readonly file: File;
}

export type FolderLibrary =
  | { readonly kind: 'own'; readonly path: string }
  /** The model of WebLLM's list whose library runs this one. */
  | { readonly kind: 'listed'; readonly reference: string }
  | { readonly kind: 'none' };

export interface MlcFolder {
  /** Of the folder; empty when loose files were picked. */
  readonly name: string;
  readonly architecture: string;
  readonly quantization: string;
  /** What the model needs, with paths inside of it. */
  readonly files: readonly PickedFile[];
  readonly sizeBytes: number;
  readonly library: FolderLibrary;
}

const configName = 'mlc-chat-config.json';
const shardLists = ['tensor-cache.json', 'ndarray-cache.json'] as const;
const kept: readonly FileRole[] = ['tokenizer', 'template', 'license'];
const maxDocumentBytes = 2 ** 24;

export function isMlcFolder(files: readonly { readonly path: string }[]): boolean {
  return files.some(({ path }) => baseName(path) === configName);
}

/** `list` is asked only when the folder has no library. Throws `unsupported_model_format`, and what `list` throws. */
export async function readMlcFolder(
  picked: readonly PickedFile[],
  list: () => Promise<readonly MlcListEntry[]>,
): Promise<MlcFolder> {
  const { name, files } = rootOf(picked);
  const config = parseMlcConfig(await bytesOf(fileAt(configName, files)));
  const shardList = shardLists.map((each) => fileAt(each, files)).find(Boolean);
  const shards = parseMlcShards(await bytesOf(shardList));
  const library = usableLibrary(files);
  const chosen = [
    ...files.filter(({ path }) => path === configName || path === 'mlc-model-manifest.json'),
    ...(shardList ? [shardList] : []),
    ...shards.map((shard) => shardFile(shard, files)),
    ...files.filter(
      ({ path, file }) => !path.includes('/') && file.size > 0 && kept.includes(fileRole(path)),
    ),
    ...(library ? [library] : []),
  ];
  const needed = [...new Set(chosen)];
  return {
    name,
    architecture: config.architecture,
    quantization: config.quantization,
    files: needed,
    sizeBytes: needed.reduce((sum, { file }) => sum + file.size, 0),
    library: library ? { kind: 'own', path: library.path } : listedLibrary(name, config, await list()),
  };
}

/** The folder that the config is in, wherever in what was picked; the uppermost when there are several. */
function rootOf(picked: readonly PickedFile[]): {
  readonly name: string;
  readonly files: readonly PickedFile[];
} {
  const [config] = picked
    .filter(({ path }) => baseName(path) === configName)
    .toSorted((a, b) => a.path.split('/').length - b.path.split('/').length);
  if (!config) throw notMlc(`has no ${configName}`);
  const root = config.path.slice(0, -configName.length);
  const files = picked
    .filter(({ path }) => path.startsWith(root))
    .map(({ path, file }) => ({ path: path.slice(root.length), file }));
  return { name: baseName(root.slice(0, -1)), files };
}

/** One is all a model can have: the one for this version of WebLLM, else one that names no version. */
function usableLibrary(files: readonly PickedFile[]): PickedFile | undefined {
  const libraries = files.filter(({ path }) => fileRole(path) === 'library');
  const version = (path: string) => /v\d+_\d+_\d+/.exec(path)?.[0];
  return (
    libraries.find(({ path }) => version(path) === mlcLibraryVersion) ??
    libraries.find(({ path }) => version(path) === undefined)
  );
}

/** The config does not say which model it is, so its folder must be called as the model's repository is. */
function listedLibrary(
  name: string,
  { quantization }: MlcConfig,
  entries: readonly MlcListEntry[],
): FolderLibrary {
  const wanted = name.toLowerCase().replace(/-mlc$/, '');
  const named = entries.filter(
    ({ repository }) => baseName(repository).toLowerCase().replace(/-mlc$/, '') === wanted,
  );
  const entry = named.find(({ variant }) => variant === undefined) ?? named[0];
  if (!entry || !wanted.endsWith(quantization.toLowerCase())) return { kind: 'none' };
  return { kind: 'listed', reference: entry.reference };
}

function shardFile({ path, sizeBytes }: MlcShard, files: readonly PickedFile[]): PickedFile {
  const found = fileAt(path, files);
  if (found?.file.size === sizeBytes) return found;
  const shown = path.replaceAll(/[\p{Cc}\p{Cf}\p{Cs}]/gu, '�').slice(0, 80);
  throw notMlc(found ? `has ${shown} in another size than its list of weights says` : `lacks ${shown}`);
}

async function bytesOf(picked: PickedFile | undefined): Promise<Uint8Array> {
  if (!picked) throw notMlc('has no tensor-cache.json');
  if (picked.file.size > maxDocumentBytes) throw notMlc(`has a ${picked.path} that is too large`);
  return new Uint8Array(await picked.file.arrayBuffer());
}

function fileAt(path: string, files: readonly PickedFile[]): PickedFile | undefined {
  return files.find((each) => each.path === path);
}

function notMlc(what: string): ApiError {
  return new ApiError(
    'unsupported_model_format',
    `This folder ${what}. Choose the whole folder of a model that was converted for MLC.`,
    { param: 'folder' },
  );
}
