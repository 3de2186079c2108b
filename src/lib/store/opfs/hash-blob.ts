/** The digest of any bytes, from the runner worker: they are read and hashed in a hash worker, and memory stays flat. */
import { wrap, type Remote } from 'comlink';
import { sha256, type Digest } from '#lib/core/digest.ts';
import { abortable } from '#lib/store/abortable.ts';
import { abortReason, fileChanged } from '#lib/store/faults.ts';
import type { HashOptions } from '#lib/store/port.ts';
import { installErrorTransfer } from '#lib/core/error-transfer.ts';
import type { Sha256 } from './sha256.ts';
import type { OpenHasher } from './worker-api.ts';
import { firstAnswer } from './worker-start.ts';

export interface HashBlobOptions extends HashOptions {
  /** `src/workers/hash.worker.ts`. */
  readonly createHashWorker: () => Worker;
  /** Up to this size the browser hashes at once, off this thread too; a worker would cost more than it gains. */
  readonly inlineHashBytes: number;
}

/** Between two of them progress is told; each costs a new stream. */
const stepBytes = 64 * 1024 * 1024;

/** Throws `invalid_request` when the file changed since it was chosen. */
export async function hashBlob(blob: Blob, options: HashBlobOptions): Promise<Digest> {
  const { signal, onProgress, inlineHashBytes } = options;
  if (signal?.aborted) throw abortReason(signal);
  if (blob.size > inlineHashBytes) return hashInWorker(blob, options);
  const digest = await abortable(hashAtOnce(blob), signal);
  onProgress?.(blob.size);
  return digest;
}

async function hashAtOnce(blob: Blob): Promise<Digest> {
  const bytes = await blob.arrayBuffer().catch((error: unknown) => {
    throw fileChanged(error);
  });
  return sha256(new Uint8Array(bytes));
}

async function hashInWorker(blob: Blob, options: HashBlobOptions): Promise<Digest> {
  installErrorTransfer();
  const worker = options.createHashWorker();
  try {
    const open = wrap<OpenHasher>(worker);
    // Around all of it: a worker that dies later does not answer either.
    return await abortable(
      firstAnswer(
        worker,
        open().then((hasher) => hashInSteps(blob, hasher, options)),
      ),
      options.signal,
    );
  } finally {
    // What is aborted stops here.
    worker.terminate();
  }
}

async function hashInSteps(blob: Blob, hasher: Remote<Sha256>, { onProgress }: HashOptions): Promise<Digest> {
  for (let hashedBytes = 0; hashedBytes < blob.size;) {
    const end = Math.min(hashedBytes + stepBytes, blob.size);
    await hasher.append(blob.slice(hashedBytes, end));
    hashedBytes = end;
    onProgress?.(hashedBytes);
  }
  return hasher.digest();
}
