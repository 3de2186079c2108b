/** How much of a file goes into one request: enough that requests cost nothing, little enough that progress moves. */

export interface ChunkLimits {
  /** The registry's `OCI-Chunk-Min-Length`; 0 when it names none. */
  readonly minBytes: number;
  /** The relay holds each chunk in memory until it has all of it (registries.md section 3, rule 7). */
  readonly carrier: 'direct' | 'relay';
}

const mebibyte = 2 ** 20;
const startBytes = 8 * mebibyte;
const floorBytes = mebibyte / 4;
const ceilingBytes = { direct: 64 * mebibyte, relay: 16 * mebibyte };
/** The relay takes twice its ceiling from a registry that wants that much. */
const largestBytes = { direct: 64 * mebibyte, relay: 32 * mebibyte };

const quickMs = 1000;
const slowMs = 6000;

/** Whether there are chunks at all that a registry and what lies before it both take. */
export function takesChunks({ minBytes, carrier }: ChunkLimits): boolean {
  return minBytes <= largestBytes[carrier];
}

export class ChunkSize {
  #bytes: number;
  #ceilingBytes: number;
  readonly #floorBytes: number;

  constructor({ minBytes, carrier }: ChunkLimits) {
    this.#floorBytes = Math.max(floorBytes, minBytes);
    this.#ceilingBytes = Math.max(ceilingBytes[carrier], minBytes);
    this.#bytes = Math.max(startBytes, minBytes);
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** After a chunk that took `durationMs`: the next one should take some seconds. */
  adapt(durationMs: number): void {
    if (durationMs < quickMs) this.#bytes = Math.min(this.#ceilingBytes, this.#bytes * 2);
    if (durationMs > slowMs) this.#bytes = Math.max(this.#floorBytes, this.#bytes / 2);
  }

  /** After a chunk that was too large for a server on the way. `exhausted` when it cannot be smaller. */
  shrink(): 'smaller' | 'exhausted' {
    if (this.#bytes <= this.#floorBytes) return 'exhausted';
    this.#bytes = Math.max(this.#floorBytes, Math.floor(this.#bytes / 2));
    this.#ceilingBytes = this.#bytes;
    return 'smaller';
  }
}
