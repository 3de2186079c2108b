/** Docker Model Runner's rule for which GGUF files of a Hugging Face repository a reference means: its tag is a quant. */
import { ApiError } from '#lib/core/errors.ts';

export interface HubFile {
  readonly path: string;
  readonly sizeBytes: number;
  /** Hex; only large files have one. */
  readonly sha256?: string | undefined;
}

const defaultQuant = 'Q4_K_M';
const shardPattern = /^(.*)-(\d{5})-of-(\d{5})\.gguf$/i;
/** How the files of a repository name what they are quantized to. */
const quantPattern = /(?:^|[-._])((?:I?Q|TQ|MXFP)\d\w*|BF16|FP?16|FP?32)(?=$|[-._])/i;
const maxNamed = 24;

/**
 * The shards of one model, in order; empty when the repository has no GGUF model. Without a variant in the tag it is
 * Q4_K_M or else the first file. Docker Model Runner falls back to those from a variant that is not there, without a
 * word; here that is `model_not_found` with the list. Throws `unsupported_model_format` when shards are missing.
 */
export function selectWeights(files: readonly HubFile[], tag: string): readonly HubFile[] {
  const models = files
    .filter(({ path }) => /\.gguf$/i.test(path) && !/mmproj/i.test(nameOf(path)))
    .toSorted((a, b) => compare(nameOf(a.path), nameOf(b.path)) || compare(a.path, b.path));
  const [first] = isVariantTag(tag) ? variant(models, tag) : usual(models);
  return first === undefined ? [] : shardsOf(first, models);
}

/** In this order: the usual one, a smaller one, and those that are read more slowly or are larger for nothing. */
const projectorKinds = ['F16', 'FP16', 'Q8_0', 'BF16', 'F32', 'FP32'] as const;

/**
 * What lets a model see or hear, whatever variant of it is taken; beside the model's own files rather than elsewhere.
 * Docker Model Runner takes any whose name has “f16” in it, which BF16 has as well.
 */
export function selectProjector(
  files: readonly HubFile[],
  [model]: readonly [HubFile, ...HubFile[]],
): HubFile | undefined {
  const projectors = files
    .filter(({ path }) => /mmproj.*\.gguf$/i.test(nameOf(path)) && !shardPattern.test(path))
    .toSorted((a, b) => compare(a.path, b.path));
  const beside = projectors.filter(({ path }) => folderOf(path) === folderOf(model.path));
  const candidates = beside.length > 0 ? beside : projectors.filter(({ path }) => folderOf(path) === '');
  const kind = projectorKinds.find((each) => candidates.some(({ path }) => hasToken(stemOf(path), each)));
  return candidates.find(({ path }) => kind === undefined || hasToken(stemOf(path), kind));
}

/** Whether the tag asks for a variant. */
export function isVariantTag(tag: string): boolean {
  return tag !== '' && tag !== 'latest' && tag !== 'main';
}

/** The file's name without its folders. */
export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

function folderOf(path: string): string {
  return path.slice(0, -nameOf(path).length);
}

function variant(models: readonly HubFile[], tag: string): readonly HubFile[] {
  const found = models.filter(({ path }) => hasToken(stemOf(path), tag));
  if (found.length > 0 || models.length === 0) return found;
  const quants = models.flatMap(({ path }) => quantPattern.exec(stemOf(path))?.[1] ?? []);
  // A single file that does not say what it is may well be the one that is meant.
  if (quants.length === 0 && models.length === 1) return models;
  throw noVariant(tag, quants.length > 0 ? quants : models.map(({ path }) => nameOf(path)));
}

function usual(models: readonly HubFile[]): readonly HubFile[] {
  const found = models.filter(({ path }) => hasToken(stemOf(path), defaultQuant));
  return found.length > 0 ? found : models;
}

function stemOf(path: string): string {
  return nameOf(path).replace(/\.gguf$/i, '');
}

/** Whether `token` stands in the name between `-`, `.`, `_` or its ends, in any case. */
export function hasToken(name: string, token: string): boolean {
  const text = name.toLowerCase();
  const wanted = token.toLowerCase();
  for (let at = text.indexOf(wanted); at !== -1; at = text.indexOf(wanted, at + 1)) {
    if (isBoundary(text[at - 1]) && isBoundary(text[at + wanted.length])) return true;
  }
  return false;
}

function isBoundary(character: string | undefined): boolean {
  return character === undefined || '-._'.includes(character);
}

/** Of several models with the same quant, one is taken whole: mixed, their files would be no model. */
function shardsOf(first: HubFile, models: readonly HubFile[]): readonly HubFile[] {
  const match = shardPattern.exec(first.path);
  if (!match) return [first];
  const [, prefix, , total] = match;
  const shards = models.filter(({ path }) => {
    const other = shardPattern.exec(path);
    return other?.[1] === prefix && other?.[3] === total;
  });
  const isWhole = shards.every(({ path }, index) => Number(shardPattern.exec(path)?.[2]) === index + 1);
  if (isWhole && shards.length === Number(total)) return shards;
  throw new ApiError(
    'unsupported_model_format',
    `${nameOf(first.path)} is one of ${Number(total)} parts and the repository does not have them all. Choose another variant.`,
  );
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function noVariant(tag: string, names: readonly string[]): ApiError {
  const distinct = [...new Set(names)];
  const more = distinct.length > maxNamed ? ` and ${distinct.length - maxNamed} more` : '';
  return new ApiError(
    'model_not_found',
    `This repository has no variant “${tag}”. It has ${distinct.slice(0, maxNamed).join(', ')}${more}.`,
  );
}
