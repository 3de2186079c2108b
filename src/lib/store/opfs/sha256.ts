/** Incremental SHA-256 that can stop and go on in another life of the browser. Runs in the blob worker or in its own. */
import { transfer } from 'comlink';
import { createSHA256 } from 'hash-wasm';
import type { Digest } from '#lib/core/digest.ts';
import { readBytes } from '#lib/core/byte-reader.ts';
import { fileChanged } from '#lib/store/faults.ts';

/** A buffer on its way back, and the state after its bytes. */
export interface Hashed {
  readonly buffer: ArrayBuffer;
  readonly hashState: Uint8Array<ArrayBuffer>;
}

/** `Sha256` here, or a Comlink proxy of one in another worker. Calls take effect in order. */
export interface Hasher {
  /** Takes the buffer over and gives it back. */
  update(buffer: ArrayBuffer, lengthBytes: number): Hashed | Promise<Hashed>;
  digest(): Digest | Promise<Digest>;
}

/** Below 1 MiB hash-wasm loses 40 % of its speed. */
const appendBytes = 1024 * 1024;

type WasmHasher = Awaited<ReturnType<typeof createSHA256>>;

export class Sha256 implements Hasher {
  readonly #hasher: WasmHasher;

  constructor(hasher: WasmHasher) {
    this.#hasher = hasher;
  }

  update(buffer: ArrayBuffer, lengthBytes: number): Hashed {
    this.#hasher.update(new Uint8Array(buffer, 0, lengthBytes));
    const hashed = { buffer, hashState: new Uint8Array(this.#hasher.save()) };
    return transfer(hashed, [buffer]);
  }

  /** Reads here, so that nothing of it crosses threads. Throws `invalid_request` when the file has changed. */
  async append(blob: Blob): Promise<void> {
    const reader = readBytes(blob.stream());
    let buffer = new ArrayBuffer(Math.min(appendBytes, blob.size));
    for (let leftBytes = blob.size; leftBytes > 0;) {
      const room = new Uint8Array(buffer, 0, Math.min(buffer.byteLength, leftBytes));
      const wantedBytes = room.byteLength;
      const piece = await reader.fill(room).catch((error: unknown) => {
        throw fileChanged(error);
      });
      if (piece.byteLength < wantedBytes) throw fileChanged();
      this.#hasher.update(piece);
      leftBytes -= wantedBytes;
      ({ buffer } = piece);
    }
  }

  /** The last call. */
  digest(): Digest {
    return `sha256:${this.#hasher.digest()}`;
  }
}

/** Starts anew, or after a state that an earlier one gave; throws when another build of hash-wasm saved that. */
export async function createSha256(hashState?: Uint8Array<ArrayBuffer>): Promise<Sha256> {
  const hasher = await createSHA256();
  return new Sha256(hashState ? hasher.load(hashState) : hasher.init());
}
