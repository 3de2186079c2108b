// The bytes of a made-up model of any size: a true GGUF header, then noise. The registry serves them by Node, and the
// page writes them from memory, so both have one source.

/** Not a power of two, so that no two segments of a download are alike. */
const tileBytes = 16 * 1024 * 1024 - 4099;

export class ModelBytes {
  #header;
  #tile;

  /** @param {Uint8Array} header the start of the file @param {number} sizeBytes */
  constructor(header, sizeBytes) {
    this.#header = header;
    this.#tile = noise();
    this.sizeBytes = sizeBytes;
  }

  /** The longest run of bytes from `from` on that lies in one piece of memory, at most to `to`. Never a copy. */
  slice(from, to) {
    const end = Math.min(to, this.sizeBytes);
    if (from < this.#header.byteLength) return this.#header.subarray(from, Math.min(end, this.sizeBytes));
    const at = from % tileBytes;
    return this.#tile.subarray(at, Math.min(at + end - from, tileBytes));
  }

  /** All bytes in order, in pieces of at most `pieceBytes`. */
  *pieces(pieceBytes, from = 0, to = this.sizeBytes) {
    for (let at = from; at < to;) {
      const piece = this.slice(at, Math.min(at + pieceBytes, to));
      yield piece;
      at += piece.byteLength;
    }
  }
}

/** xorshift32: the same on both sides, and nothing that a disk or a wire could compress. */
function noise() {
  const words = new Uint32Array(Math.ceil(tileBytes / 4));
  let state = 0x9e3779b9;
  for (let index = 0; index < words.length; index++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words[index] = state;
  }
  return new Uint8Array(words.buffer, 0, tileBytes);
}
