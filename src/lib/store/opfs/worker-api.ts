/** What the blob worker and the hash worker expose through Comlink. Types only: DOM libraries lack the sync handle. */
import type { ProxyMarked } from 'comlink';
import type { Checkpoint } from '#lib/store/idb/progress.ts';
import type { BlobFile } from './blob-file.ts';
import type { Sha256 } from './sha256.ts';

/** The blob worker. */
export type OpenBlobFile = (request: OpenRequest) => Promise<BlobFile & ProxyMarked>;

/** The hash worker. */
export type OpenHasher = (hashState?: Uint8Array<ArrayBuffer>) => Promise<Sha256 & ProxyMarked>;

export interface OpenRequest extends HashLimits {
  /** From the origin's root, because Safari (WebKit bug 215485) cannot send file handles to workers. */
  readonly path: readonly string[];
  readonly sizeBytes: number;
  readonly start: Start;
}

/** `fresh` empties the file and reserves its size; `resume` trusts its bytes and hashes on from the checkpoint. */
export type Start =
  { readonly kind: 'fresh' } | { readonly kind: 'resume'; readonly checkpoint: Checkpoint | undefined };

export interface HashLimits {
  /** Read and hashed at once. Below 1 MiB hash-wasm loses 40 % of its speed. */
  readonly pieceBytes: number;
  /** How much is hashed between two checkpoints; each costs a flush. */
  readonly checkpointBytes: number;
  /** Up to this size of a blob a second worker costs more than it gains. */
  readonly inlineHashBytes: number;
}
