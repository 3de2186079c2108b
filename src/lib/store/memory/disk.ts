/** What outlives a tab, for the memory twin of the blob store. */
import type { Digest } from '#lib/core/digest.ts';

export interface MemoryPartial {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly segmentBytes: number;
  readonly bitmap: Uint8Array<ArrayBuffer>;
  readonly touchedAtMs: number;
}

export class MemoryDisk {
  readonly blobs = new Map<Digest, Blob>();
  readonly partials = new Map<Digest, MemoryPartial>();
  /** Digests that a writer holds. */
  readonly held = new Set<Digest>();

  get usedBytes(): number {
    let usedBytes = 0;
    for (const { size } of this.blobs.values()) usedBytes += size;
    for (const { bytes } of this.partials.values()) usedBytes += bytes.byteLength;
    return usedBytes;
  }

  /** What the death of the browser does: locks are gone, nothing was closed. */
  kill(): void {
    this.held.clear();
  }
}
