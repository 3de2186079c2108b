/** What dropped or picked files are good for: a tar is loaded, GGUF files or an MLC folder are packaged into one model. */
import { ApiError } from '#lib/core/errors.ts';
import { isMlcFolder, type PickedFile } from '#lib/state/package-draft-folder.ts';

type Dropped =
  | { readonly kind: 'tar'; readonly file: File }
  | { readonly kind: 'gguf'; readonly files: readonly File[] }
  | { readonly kind: 'mlc'; readonly files: readonly PickedFile[] };

/** Throws `unsupported_model_format` for anything else, and for a mixture. */
export function sortDropped(picked: readonly PickedFile[]): Dropped {
  if (isMlcFolder(picked)) return { kind: 'mlc', files: picked };
  const files = picked.map(({ file }) => file);
  const [first] = files;
  if (first && files.length === 1 && hasEnding(first, '.tar')) return { kind: 'tar', file: first };
  if (first && files.every((file) => hasEnding(file, '.gguf'))) return { kind: 'gguf', files };
  throw new ApiError(
    'unsupported_model_format',
    'Only one .tar of an exported model, the .gguf files of one model, or the folder of one MLC model can be taken in. Drop those alone.',
  );
}

/** Of an input: with a folder, each file knows its path in it. */
export function pickedFiles(files: Iterable<File> | null | undefined): readonly PickedFile[] {
  return [...(files ?? [])].map((file) => ({ path: file.webkitRelativePath || file.name, file }));
}

/** More than any model has: somebody dropped a whole disk. */
const maxFiles = 5000;

/**
 * Everything that was dropped, folders with what is in them. Must be called while the event is handled: afterwards a
 * DataTransfer is empty. Throws `unsupported_model_format` for more files than a model has.
 */
export async function droppedFiles(transfer: DataTransfer | null): Promise<readonly PickedFile[]> {
  const entries = [...(transfer?.items ?? [])].flatMap((item) => item.webkitGetAsEntry() ?? []);
  if (!entries.some(({ isDirectory }) => isDirectory)) return pickedFiles(transfer?.files);
  const found: PickedFile[] = [];
  for (const entry of entries) await collect(entry, found);
  return found;
}

async function collect(entry: FileSystemEntry, found: PickedFile[]): Promise<void> {
  if (entry.name.startsWith('.')) return;
  if (entry instanceof FileSystemFileEntry) {
    if (found.length >= maxFiles) throw tooMany();
    const file = await new Promise<File>((resolve, reject) => entry.file(resolve, reject));
    found.push({ path: entry.fullPath.slice(1), file });
  } else if (entry instanceof FileSystemDirectoryEntry) {
    const reader = entry.createReader();
    // A reader gives at most a hundred at a time, and none when it is through.
    for (;;) {
      const batch = await new Promise<FileSystemEntry[]>((resolve, reject) =>
        reader.readEntries(resolve, reject),
      );
      if (batch.length === 0) return;
      for (const each of batch) await collect(each, found);
    }
  }
}

function tooMany(): ApiError {
  return new ApiError(
    'unsupported_model_format',
    `There are more than ${maxFiles} files in what was dropped. Drop the folder of one model.`,
  );
}

function hasEnding({ name }: File, ending: string): boolean {
  return name.toLowerCase().endsWith(ending);
}
