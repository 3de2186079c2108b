/** A repository of an MLC model as a package: the files that WebLLM needs, and a library to run them. */
import { ApiError } from '#lib/core/errors.ts';
import { parseMlcConfig, type MlcConfig } from '#lib/model/mlc.ts';
import type { MlcListEntry } from '#lib/model/mlc-list.ts';
import { parseMlcShards } from '#lib/model/mlc-shards.ts';
import type { Facts } from './folder-facts.ts';
import { isOwnName, noVariant, packFolder, type FolderModel, type FolderRequest } from './folder-model.ts';
import type { Hub } from './hub.ts';
import { ownLibrary, selectMlcFiles, type MlcFolder } from './mlc-folder.ts';
import type { MlcLibraries } from './mlc-libraries.ts';
import type { HubFile } from './select.ts';
import { readSmallFiles, type SmallFile } from './small-files.ts';

/** Where the library comes from; without both the model is kept, and its verdict says what it lacks. */
interface Build {
  readonly own: HubFile | undefined;
  readonly listed: MlcListEntry | undefined;
  /** When the tag asks for one. */
  readonly contextSize: number | undefined;
}

type MlcRequest = FolderRequest & { readonly libraries: MlcLibraries };

/** Throws what `Registry.resolve` throws. A library is fetched last: first it must be worth it. */
export async function resolveMlc(hub: Hub, folder: MlcFolder, request: MlcRequest): Promise<FolderModel> {
  const { snapshot, libraries } = request;
  const documents = [folder.config, folder.shardList];
  const read = await readSmallFiles(hub, documents, snapshot);
  const config = parseMlcConfig(bytesOf(folder.config, read));
  const shards = parseMlcShards(bytesOf(folder.shardList, read));
  const selected = selectMlcFiles(folder, { config, shards });
  const { own, listed, contextSize = config.contextSize } = await chooseBuild(folder, config, request);
  const rest = [...selected, ...(own ? [own] : [])].filter((file) => !documents.includes(file));
  const isLarge = (file: HubFile) => file.sha256 !== undefined;
  const others = rest.filter((file) => !isLarge(file));
  const small = [...read, ...(await readSmallFiles(hub, others, snapshot))];
  if (listed) small.push(await libraries.download(listed, snapshot.signal));
  const facts = factsOf({ ...config, contextSize });
  return packFolder(hub, request, { small, large: rest.filter(isLarge), facts });
}

function factsOf({ architecture, quantization, contextSize }: MlcConfig): Facts {
  return { format: 'mlc', architecture, quantization, parameters: '', contextSize };
}

/** The repository's own library goes before the list's. Throws `model_not_found` for a variant that nobody knows. */
async function chooseBuild(
  folder: MlcFolder,
  { quantization }: MlcConfig,
  { snapshot, tag, libraries }: MlcRequest,
): Promise<Build> {
  const { repository } = snapshot;
  const own = ownLibrary(folder);
  const isUsual = isOwnName(tag, repository, quantization);
  if (own && isUsual) return { own, listed: undefined, contextSize: undefined };
  const entries = await libraries.listed(repository);
  const named = entries.find(({ variant }) => variant?.toLowerCase() === tag.toLowerCase());
  if (!named && !isUsual) throw noVariant(tag, repository, variantsOf(entries));
  const listed = own ? undefined : (named ?? usualOf(entries));
  return { own, listed, contextSize: named?.contextSize };
}

/** Where all are variants, the one that fits most GPUs. */
function usualOf(entries: readonly MlcListEntry[]): MlcListEntry | undefined {
  const byMemory = entries.toSorted((a, b) => a.vramBytes - b.vramBytes);
  return entries.find(({ variant }) => variant === undefined) ?? byMemory[0];
}

function variantsOf(entries: readonly MlcListEntry[]): readonly string[] {
  return entries.flatMap(({ variant }) => variant ?? []);
}

function bytesOf({ path }: HubFile, files: readonly SmallFile[]): Uint8Array {
  const file = files.find((each) => each.path === path);
  if (file) return file.bytes;
  throw new ApiError('internal', `The file ${path} was not read. Try again.`);
}
