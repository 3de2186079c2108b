/** The writer of a blob that is already there: nothing is missing, and nothing has to be done. */
import type { Digest } from '#lib/core/digest.ts';
import { writerClosed } from './faults.ts';
import type { BlobWriter, Segment } from './port.ts';

export class WholeBlobWriter implements BlobWriter {
  readonly digest: Digest;
  readonly sizeBytes: number;

  constructor(digest: Digest, sizeBytes: number) {
    this.digest = digest;
    this.sizeBytes = sizeBytes;
  }

  get receivedBytes(): number {
    return this.sizeBytes;
  }

  missing(): readonly Segment[] {
    return [];
  }

  lend(lengthBytes: number): Uint8Array<ArrayBuffer> {
    return new Uint8Array(lengthBytes);
  }

  write(): Promise<void> {
    return Promise.reject(writerClosed());
  }

  finish(): Promise<void> {
    return Promise.resolve();
  }

  commit(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
