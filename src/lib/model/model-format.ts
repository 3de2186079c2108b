/** Tells the format of a model by its files, for configs that do not say, and for MLC, which they have no word for. */
import { baseName, type FileRole } from './file-role.ts';

export type ModelFormat = 'gguf' | 'mlc' | 'safetensors' | 'dduf' | 'diffusers' | 'unknown';

export interface NamedFile {
  readonly path: string;
  readonly role: FileRole;
  /** What the media type of its layer gives away. */
  readonly format?: 'gguf' | 'safetensors' | 'dduf' | undefined;
}

const named: readonly ModelFormat[] = ['gguf', 'mlc', 'safetensors', 'dduf', 'diffusers'];

/** `claimed` is the config's word and wins, except that the files of an MLC model speak for themselves. */
export function modelFormat(files: readonly NamedFile[], claimed: string): ModelFormat {
  if (claimed !== 'gguf' && isMlc(files)) return 'mlc';
  if (claimed !== '') return named.find((format) => format === claimed.toLowerCase()) ?? 'unknown';
  const weights = files.filter(({ role }) => role === 'weights');
  if (weights.some(isGguf)) return 'gguf';
  if (weights.some((file) => isKind(file, 'safetensors'))) return 'safetensors';
  return weights.some((file) => isKind(file, 'dduf')) ? 'dduf' : 'unknown';
}

export function isGguf(file: NamedFile): boolean {
  return isKind(file, 'gguf');
}

/** `ndarray-cache.json` is how older ones call their list of shards. */
function isMlc(files: readonly NamedFile[]): boolean {
  const names = new Set(files.map(({ path }) => baseName(path)));
  return (
    names.has('mlc-chat-config.json') && (names.has('tensor-cache.json') || names.has('ndarray-cache.json'))
  );
}

function isKind({ path, format }: NamedFile, kind: 'gguf' | 'safetensors' | 'dduf'): boolean {
  return format === kind || (format === undefined && path.toLowerCase().endsWith(`.${kind}`));
}
