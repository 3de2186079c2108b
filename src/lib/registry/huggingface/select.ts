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

/**
 * The shards of one model, in order; empty when the repository has no GGUF model. A quant that is not there falls
 * back to Q4_K_M and then to the first file, as in Docker Model Runner. Throws `unsupported_model_format` when
 * shards are missing.
 */
export function selectWeights(files: readonly HubFile[], tag: string): readonly HubFile[] {
  const models = files
    .filter(({ path }) => /\.gguf$/i.test(path) && !/mmproj/i.test(nameOf(path)))
    .toSorted((a, b) => compare(nameOf(a.path), nameOf(b.path)) || compare(a.path, b.path));
  const [first] = candidates(models, tag);
  return first === undefined ? [] : shardsOf(first, models);
}

/** The file's name without its folders. */
export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

function candidates(models: readonly HubFile[], tag: string): readonly HubFile[] {
  const isHint = tag !== '' && tag !== 'latest' && tag !== 'main';
  const hinted = isHint ? models.filter(({ path }) => hasQuant(path, tag)) : [];
  if (hinted.length > 0) return hinted;
  const usual = models.filter(({ path }) => hasQuant(path, defaultQuant));
  return usual.length > 0 ? usual : models;
}

/** Whether `quant` stands in the name between `-`, `.`, `_` or its ends, in any case. */
function hasQuant(path: string, quant: string): boolean {
  const name = nameOf(path)
    .toLowerCase()
    .replace(/\.gguf$/, '');
  const wanted = quant.toLowerCase();
  for (let at = name.indexOf(wanted); at !== -1; at = name.indexOf(wanted, at + 1)) {
    if (isBoundary(name[at - 1]) && isBoundary(name[at + wanted.length])) return true;
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
