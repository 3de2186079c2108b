/** Writes GGUF headers, version 3, little-endian. */
import type { RawEntry, RawTensor } from './gguf-shards-index.ts';

type Bytes = Uint8Array<ArrayBuffer>;

const version = 3;

/** Metadata, ready to be written. */
export const entryBytes = {
  u16: (key: string, value: number) => entry(key, 2, 2, (view) => view.setUint16(0, value, true)),
  u32: (key: string, value: number) => entry(key, 4, 4, (view) => view.setUint32(0, value, true)),
  i32: (key: string, value: number) => entry(key, 5, 4, (view) => view.setInt32(0, value, true)),
};

/** Padded up to where the data of the tensors starts, which follows in the same order, each piece padded too. */
export function headerBytes(
  metadata: readonly RawEntry[],
  tensors: readonly RawTensor[],
  alignment: number,
): Bytes {
  const parts: Bytes[] = [
    new TextEncoder().encode('GGUF'),
    u32(version),
    u64(tensors.length),
    u64(metadata.length),
    ...metadata.map(({ bytes }) => bytes),
  ];
  let offset = 0;
  for (const { bytes, data } of tensors) {
    parts.push(bytes, u64(offset));
    offset += data.size;
  }
  return concatenate(parts, alignment);
}

function entry(key: string, type: number, width: number, write: (view: DataView) => void): RawEntry {
  const name = new TextEncoder().encode(key);
  const value = new Uint8Array(width);
  write(new DataView(value.buffer));
  return { key, bytes: concatenate([u64(name.byteLength), name, u32(type), value], 1) };
}

function concatenate(parts: readonly Bytes[], alignment: number): Bytes {
  const length = parts.reduce((sum, part) => sum + part.byteLength, 0);
  const whole = new Uint8Array(Math.ceil(length / alignment) * alignment);
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.byteLength;
  }
  return whole;
}

function u32(value: number): Bytes {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return bytes;
}

function u64(value: number): Bytes {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value), true);
  return bytes;
}
