/** Buffers that were used and will be used again: a gigabyte of dead ones waits long for the garbage collector. */

export class SpareBuffers {
  readonly #limitBytes: number;
  readonly #spares: ArrayBuffer[] = [];
  #keptBytes = 0;

  /** Not everyone who writes borrows: beyond `limitBytes` in all, a buffer is left to the collector. */
  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  add(buffer: ArrayBuffer): void {
    if (this.#keptBytes + buffer.byteLength > this.#limitBytes) return;
    this.#keptBytes += buffer.byteLength;
    this.#spares.push(buffer);
  }

  /** What it holds is undefined. A new one where no spare is large enough. */
  lend(lengthBytes: number): Uint8Array<ArrayBuffer> {
    const at = this.#spares.findLastIndex((spare) => spare.byteLength >= lengthBytes);
    const [spare] = at < 0 ? [] : this.#spares.splice(at, 1);
    this.#keptBytes -= spare?.byteLength ?? 0;
    return new Uint8Array(spare ?? new ArrayBuffer(lengthBytes), 0, lengthBytes);
  }
}
