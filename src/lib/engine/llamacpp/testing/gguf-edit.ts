/** Other GGUF files out of the tiny one: with other metadata, without a tensor, with one more. */
import { f32, join, text, u32, u64, type Entry } from '#tests/support/registry/gguf-bytes.ts';

interface GgufTensor {
  readonly name: string;
  /** As GGUF writes them: the fastest first. */
  readonly dimensions: readonly number[];
  readonly type: number;
  readonly data: Uint8Array<ArrayBuffer>;
}

export interface GgufParts {
  readonly entries: readonly Entry[];
  readonly tensors: readonly GgufTensor[];
}

const alignment = 32;
/** Bytes per item, by value type; 8 is text and 9 an array. */
const widths = [1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8];

export function readGguf(bytes: Uint8Array<ArrayBuffer>): GgufParts {
  const reader = new Reader(bytes);
  reader.take(8);
  const [tensorCount, entryCount] = [reader.size(), reader.size()];
  const entries = repeat(entryCount, () => reader.entry());
  const infos = repeat(tensorCount, () => reader.tensor());
  const weights = bytes.subarray(align(reader.offset));
  const offsets = [...infos.map(({ offset }) => offset), weights.byteLength];
  const tensors = infos.map(({ offset, ...info }) => {
    const end = Math.min(...offsets.filter((other) => other > offset));
    return { ...info, data: weights.slice(offset, end) };
  });
  return { entries, tensors };
}

export function writeGguf({ entries, tensors }: GgufParts): Uint8Array<ArrayBuffer> {
  let offset = 0;
  const infos = tensors.map(({ name, dimensions, type, data }) => {
    const info = join(
      text(name),
      u32(dimensions.length),
      ...dimensions.map((size) => u64(BigInt(size))),
      u32(type),
      u64(BigInt(offset)),
    );
    offset += align(data.byteLength);
    return info;
  });
  const header = join(
    new TextEncoder().encode('GGUF'),
    u32(3),
    u64(BigInt(tensors.length)),
    u64(BigInt(entries.length)),
    ...entries.map(([key, type, value]) => join(text(key), u32(type), value)),
    ...infos,
  );
  return join(padded(header), ...tensors.map(({ data }) => padded(data)));
}

/** The same file with these entries instead of those of the same keys. */
export function withEntries(parts: GgufParts, ...entries: readonly Entry[]): GgufParts {
  const keys = new Set(entries.map(([key]) => key));
  return { ...parts, entries: [...parts.entries.filter(([key]) => !keys.has(key)), ...entries] };
}

export function floatTensor(
  name: string,
  dimensions: readonly number[],
  valueAt: (index: number) => number,
): GgufTensor {
  const count = dimensions.reduce((product, size) => product * size, 1);
  return { name, dimensions, type: 0, data: join(...repeat(count, (index) => f32(valueAt(index)))) };
}

class Reader {
  offset = 0;
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #view: DataView;

  constructor(bytes: Uint8Array<ArrayBuffer>) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset);
  }

  take(count: number): Uint8Array<ArrayBuffer> {
    this.offset += count;
    return this.#bytes.slice(this.offset - count, this.offset);
  }

  size(): number {
    this.offset += 8;
    return Number(this.#view.getBigUint64(this.offset - 8, true));
  }

  #word(): number {
    this.offset += 4;
    return this.#view.getUint32(this.offset - 4, true);
  }

  #text(): string {
    return new TextDecoder().decode(this.take(this.size()));
  }

  entry(): Entry {
    const key = this.#text();
    const type = this.#word();
    const start = this.offset;
    this.#skip(type);
    return [key, type, this.#bytes.slice(start, this.offset)];
  }

  tensor(): Omit<GgufTensor, 'data'> & { readonly offset: number } {
    const name = this.#text();
    const dimensions = repeat(this.#word(), () => this.size());
    return { name, dimensions, type: this.#word(), offset: this.size() };
  }

  #skip(type: number): void {
    if (type === 8) this.take(this.size());
    else if (type === 9) this.#skipArray();
    else this.take(widths[type] ?? 0);
  }

  #skipArray(): void {
    const type = this.#word();
    for (let left = this.size(); left > 0; left--) this.#skip(type);
  }
}

function repeat<T>(count: number, make: (index: number) => T): T[] {
  return Array.from({ length: count }, (_, index) => make(index));
}

function align(offset: number): number {
  return Math.ceil(offset / alignment) * alignment;
}

function padded(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  return join(bytes, new Uint8Array(align(bytes.byteLength) - bytes.byteLength));
}
