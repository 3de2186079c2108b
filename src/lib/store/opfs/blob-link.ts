/** The connection to one blob worker: a worker per writer, because terminating it surely frees its file. */
import { wrap, type Remote } from 'comlink';
import type { BlobFile } from './blob-file.ts';
import { installErrorTransfer } from '#lib/core/error-transfer.ts';
import type { OpenBlobFile, OpenRequest } from './worker-api.ts';
import { firstAnswer } from './worker-start.ts';

export interface BlobLink {
  readonly file: Pick<Remote<BlobFile>, 'write' | 'advance' | 'digest' | 'close'>;
  /** Calls that are not answered by then never are. */
  terminate(): void;
}

/** Throws `storage_full` when the size cannot be reserved. */
export async function openBlobLink(worker: Worker, request: OpenRequest): Promise<BlobLink> {
  installErrorTransfer();
  try {
    const file = await firstAnswer(worker, wrap<OpenBlobFile>(worker)(request));
    return { file, terminate: () => worker.terminate() };
  } catch (error) {
    worker.terminate();
    throw error;
  }
}
