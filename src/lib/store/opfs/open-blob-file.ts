/** Opens one unfinished blob for the store, inside the blob worker. */
import { proxy, wrap, type ProxyMarked } from 'comlink';
import type { Checkpoint } from '#lib/store/idb/progress.ts';
import { fileBusy } from '#lib/store/faults.ts';
import { BlobFile, reserve } from './blob-file.ts';
import { createSha256, type Hasher } from './sha256.ts';
import type { OpenHasher, OpenRequest } from './worker-api.ts';
import { firstAnswer } from './worker-start.ts';

/** A large blob is hashed in a worker of its own, made by `createHashWorker`: writing and hashing then run at once. */
export async function openBlobFile(
  request: OpenRequest,
  createHashWorker: () => Worker,
): Promise<BlobFile & ProxyMarked> {
  const file = await openSyncFile(request.path);
  try {
    if (request.start.kind === 'fresh') reserve(file, request.sizeBytes);
    const checkpoint = request.start.kind === 'resume' ? request.start.checkpoint : undefined;
    const open = request.sizeBytes > request.inlineHashBytes ? hasherIn(createHashWorker()) : createSha256;
    const { hasher, hashedBytes } = await startHasher(open, checkpoint);
    return proxy(new BlobFile(file, { ...request, hasher, hashedBytes }));
  } catch (error) {
    file.close();
    throw error;
  }
}

type StartHasher = (hashState?: Uint8Array<ArrayBuffer>) => Promise<Hasher>;

function hasherIn(worker: Worker): StartHasher {
  const open = wrap<OpenHasher>(worker);
  return (hashState) => firstAnswer(worker, open(hashState));
}

async function openSyncFile(path: readonly string[]): Promise<FileSystemSyncAccessHandle> {
  let directory = await navigator.storage.getDirectory();
  for (const name of path.slice(0, -1)) directory = await directory.getDirectoryHandle(name);
  const file = await directory.getFileHandle(path.at(-1) ?? '');
  try {
    return await file.createSyncAccessHandle();
  } catch (error) {
    // The Web Lock is ours, yet the worker of a tab that was just killed can hold the file a moment longer.
    if (error instanceof DOMException && error.name === 'NoModificationAllowedError') throw fileBusy();
    throw error;
  }
}

async function startHasher(
  open: StartHasher,
  checkpoint: Checkpoint | undefined,
): Promise<{ hasher: Hasher; hashedBytes: number }> {
  if (!checkpoint) return { hasher: await open(), hashedBytes: 0 };
  try {
    return { hasher: await open(checkpoint.hashState), hashedBytes: checkpoint.hashedBytes };
  } catch {
    // Another build of hash-wasm saved this state; hashing from the start costs seconds and is always right.
    return { hasher: await open(), hashedBytes: 0 };
  }
}
