/** The files of an MLC model, checked before a worker is started: each that is needed is there and has its size. */
import * as v from 'valibot';
import { ApiError } from '#lib/core/errors.ts';
import { parseChatConfig, type ChatConfig } from './chat-config.ts';

export interface MlcPackage {
  readonly config: ChatConfig;
  /** By path from the folder of `mlc-chat-config.json`, under the names that WebLLM asks for. */
  readonly files: ReadonlyMap<string, Blob>;
  /** The compiled model. */
  readonly library: Blob;
}

const configName = 'mlc-chat-config.json';
/** WebLLM asks for the first; older models call it as the second. */
const shardLists = ['tensor-cache.json', 'ndarray-cache.json'] as const;
/** Those of the largest models are a few megabytes. */
const maxJsonBytes = 32 * 1024 * 1024;

const shardList = v.object({
  records: v.pipe(
    v.array(v.object({ dataPath: v.string(), nbytes: v.pipe(v.number(), v.safeInteger(), v.minValue(0)) })),
    v.minLength(1),
  ),
});

/** Throws `unsupported_model_format`, naming the file that is at fault. */
export async function readPackage(all: ReadonlyMap<string, Blob>): Promise<MlcPackage> {
  const files = filesBelow(folderOfConfig(all), all);
  const library = onlyLibrary(all);
  const config = parseChatConfig(await readJson(configName, files));
  const listName = shardLists.find((name) => files.has(name)) ?? shardLists[0];
  checkShards(await readJson(listName, files), listName, files);
  checkTokenizer(config, files);
  return { config, library, files: new Map(files).set(shardLists[0], need(listName, files)) };
}

/** With its slash; empty for the root. The uppermost, should there be several. */
function folderOfConfig(all: ReadonlyMap<string, Blob>): string {
  const paths = [...all.keys()].filter((path) => path === configName || path.endsWith(`/${configName}`));
  const [path] = paths.toSorted((a, b) => a.length - b.length);
  if (path === undefined) throw missing(configName);
  return path.slice(0, -configName.length);
}

function filesBelow(folder: string, all: ReadonlyMap<string, Blob>): ReadonlyMap<string, Blob> {
  const below = [...all].filter(([path]) => path.startsWith(folder));
  return new Map(below.map(([path, blob]) => [path.slice(folder.length), blob]));
}

function onlyLibrary(all: ReadonlyMap<string, Blob>): Blob {
  const libraries = [...all].filter(([path]) => path.endsWith('.wasm'));
  const [library] = libraries;
  if (library && libraries.length === 1) return library[1];
  throw new ApiError(
    'unsupported_model_format',
    libraries.length === 0
      ? 'The model comes without its compiled library (a .wasm file), so WebLLM cannot run it. Add the library or choose another model.'
      : `The model comes with ${libraries.length} compiled libraries (.wasm files) and one is all it can have. Package it with the right one.`,
  );
}

function checkShards(json: unknown, listName: string, files: ReadonlyMap<string, Blob>): void {
  const parsed = v.safeParse(shardList, json);
  if (!parsed.success) throw damaged(listName);
  for (const { dataPath, nbytes } of parsed.output.records) {
    if (need(dataPath, files).size !== nbytes) throw damaged(dataPath);
  }
}

function checkTokenizer(config: ChatConfig, files: ReadonlyMap<string, Blob>): void {
  const usable = ['tokenizer.json', 'tokenizer.model'];
  const name = usable.find((each) => config.tokenizerFiles.includes(each));
  need(name ?? 'tokenizer.json', files);
}

async function readJson(name: string, files: ReadonlyMap<string, Blob>): Promise<unknown> {
  const blob = need(name, files);
  if (blob.size > maxJsonBytes) throw damaged(name);
  try {
    return JSON.parse(await blob.text());
  } catch (cause) {
    throw damaged(name, cause);
  }
}

function need(name: string, files: ReadonlyMap<string, Blob>): Blob {
  const blob = files.get(name);
  if (blob) return blob;
  throw missing(name);
}

export function missing(name: string): ApiError {
  return new ApiError(
    'unsupported_model_format',
    `The model has no file “${shown(name)}”, which WebLLM needs. Delete it and pull it again, or choose another model.`,
  );
}

function damaged(name: string, cause?: unknown): ApiError {
  return new ApiError(
    'unsupported_model_format',
    `The model’s file “${shown(name)}” is damaged. Delete the model and pull it again.`,
    { cause },
  );
}

/** A name out of a stranger's file. */
function shown(name: string): string {
  return name.replaceAll(/[\p{Cc}\p{Cf}\p{Cs}]/gu, '�').slice(0, 80);
}
