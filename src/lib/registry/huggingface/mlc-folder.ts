/** Which files of a repository make an MLC model: those that WebLLM asks for and those its prompts are made with. */
import { ApiError } from '#lib/core/errors.ts';
import { mlcLibraryVersion, type MlcConfig } from '#lib/model/mlc.ts';
import type { MlcShard } from '#lib/model/mlc-shards.ts';
import { templateOf } from './folder.ts';
import { nameOf, type HubFile } from './select.ts';

export interface MlcFolder {
  /** `mlc-chat-config.json` */
  readonly config: HubFile;
  /** `tensor-cache.json`, or `ndarray-cache.json`, as it was called before. */
  readonly shardList: HubFile;
  /** All files of the repository. */
  readonly files: readonly HubFile[];
}

/** What the repository's own documents say. */
export interface MlcContents {
  readonly config: MlcConfig;
  readonly shards: readonly MlcShard[];
}

/** WebLLM takes the first that the config names. */
const tokenizers = ['tokenizer.json', 'tokenizer.model'] as const;
/** The tokenizer's own config has the chat template; the manifest is what models with several inputs have. */
const companions = ['tokenizer_config.json', 'mlc-model-manifest.json'];

/** `undefined` when the repository is no model that was converted for MLC. */
export function findMlc(files: readonly HubFile[]): MlcFolder | undefined {
  const config = fileAt('mlc-chat-config.json', files);
  const shardList = fileAt('tensor-cache.json', files) ?? fileAt('ndarray-cache.json', files);
  return config && shardList && { config, shardList, files };
}

/** Throws `unsupported_model_format` for a model that is not whole. A tokenizer may be missing: the verdict says so. */
export function selectMlcFiles(
  { config, shardList, files }: MlcFolder,
  contents: MlcContents,
): readonly HubFile[] {
  const named = tokenizers.filter((name) => contents.config.tokenizerFiles.includes(name));
  const tokenizer = (named.length > 0 ? named.slice(0, 1) : tokenizers).flatMap((name) =>
    filesAt(name, files),
  );
  return [
    ...new Set([
      config,
      shardList,
      ...contents.shards.map((shard) => shardFile(shard, files)),
      ...tokenizer.slice(0, 1),
      ...companions.flatMap((name) => filesAt(name, files)),
      ...templateOf(files),
    ]),
  ];
}

/** A library of the repository's own, unless its name says that it is for another version of WebLLM. */
export function ownLibrary({ files }: MlcFolder): HubFile | undefined {
  const libraries = files
    .filter(({ path }) => path.endsWith('.wasm') && isUsable(path))
    .toSorted((a, b) => rank(a) - rank(b) || (a.path < b.path ? -1 : 1));
  return libraries[0];
}

function isUsable(path: string): boolean {
  const version = /v\d+_\d+_\d+/.exec(path)?.[0];
  return version === undefined || version === mlcLibraryVersion;
}

/** The one that names the version comes first, then those that are for browsers by their name. */
function rank({ path }: HubFile): number {
  if (path.includes(mlcLibraryVersion)) return 0;
  return /webgpu/i.test(nameOf(path)) ? 1 : 2;
}

function shardFile({ path, sizeBytes }: MlcShard, files: readonly HubFile[]): HubFile {
  const file = fileAt(path, files);
  if (file?.sizeBytes === sizeBytes) return file;
  const what = file ? 'has another size than its list of weights says' : 'is missing';
  throw new ApiError(
    'unsupported_model_format',
    `This MLC model is not whole: ${shown(path)} ${what}. Choose another repository.`,
  );
}

function fileAt(path: string, files: readonly HubFile[]): HubFile | undefined {
  return files.find((file) => file.path === path);
}

function filesAt(path: string, files: readonly HubFile[]): readonly HubFile[] {
  return files.filter((file) => file.path === path);
}

/** A name out of a stranger's file. */
function shown(name: string): string {
  return name.replaceAll(/[\p{Cc}\p{Cf}\p{Cs}]/gu, '�').slice(0, 80);
}
