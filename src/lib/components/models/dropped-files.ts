/** What dropped or picked files are good for: a tar is loaded, GGUF files are packaged into one model. */
import { ApiError } from '#lib/core/errors.ts';

type Dropped =
  { readonly kind: 'tar'; readonly file: File } | { readonly kind: 'gguf'; readonly files: readonly File[] };

/** Throws `unsupported_model_format` for anything else, and for a mixture. */
export function sortDropped(files: readonly File[]): Dropped {
  const [first] = files;
  if (first && files.length === 1 && hasEnding(first, '.tar')) return { kind: 'tar', file: first };
  if (first && files.every((file) => hasEnding(file, '.gguf'))) return { kind: 'gguf', files };
  throw new ApiError(
    'unsupported_model_format',
    'Only one .tar of an exported model, or the .gguf files of one model, can be taken in. Drop those alone.',
  );
}

function hasEnding({ name }: File, ending: string): boolean {
  return name.toLowerCase().endsWith(ending);
}
