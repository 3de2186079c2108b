/** Clears what killed tabs and forgotten downloads left. Runs once when the runner starts. */
import type { Clock } from '#lib/core/clock.ts';
import { digestHex, type Digest } from '#lib/core/digest.ts';
import type { ProgressStore } from '#lib/store/idb/progress.ts';
import { blobsDirectory, digestOfName, fileNames, partialDirectory, removeFile } from './directories.ts';
import { tryLockBlob, type Locks } from './lock.ts';

export interface SweepOptions {
  readonly root: FileSystemDirectoryHandle;
  readonly locks: Locks;
  readonly progress: ProgressStore;
  readonly clock: Clock;
}

/** As long as Docker Model Runner keeps them. */
const staleAfterMs = 7 * 24 * 60 * 60 * 1000;

/** Leaves alone every digest that a writer holds. */
export async function sweep(options: SweepOptions): Promise<void> {
  const partial = await partialDirectory(options.root);
  for (const directory of [options.root, partial, await blobsDirectory(options.root)]) {
    await removeSwapFiles(directory);
  }
  const names = await fileNames(partial);
  const records = await options.progress.list();
  const digests = new Set([...names.map(digestOfName).filter((d) => d !== undefined), ...records.keys()]);
  for (const digest of digests) await sweepPartial(digest, partial, options);
}

/** What Chromium leaves of a `createWritable()` that was killed; it counts against the disk but not in `usage`. */
async function removeSwapFiles(directory: FileSystemDirectoryHandle): Promise<void> {
  for (const name of await fileNames(directory)) {
    if (name.endsWith('.crswap')) await removeFile(directory, name);
  }
}

async function sweepPartial(
  digest: Digest,
  partial: FileSystemDirectoryHandle,
  { locks, progress, clock }: SweepOptions,
): Promise<void> {
  const lock = await tryLockBlob(locks, digest);
  if (!lock) return;
  try {
    // Asked again under the lock: a writer may have come and gone since the listing.
    const record = await progress.get(digest);
    const names = await fileNames(partial);
    const isWhole = record !== undefined && names.includes(digestHex(digest));
    if (isWhole && clock.now() - record.touchedAtMs <= staleAfterMs) return;
    await progress.remove(digest);
    await removeFile(partial, digestHex(digest));
  } finally {
    await lock.release();
  }
}
