/** Where everything lies in a GGUF file: its metadata as raw bytes, its tensors as slices of the file. */
import type { GgufHeader } from './gguf.ts';
import { GgufCursor } from './gguf-cursor.ts';

export interface GgufIndex {
  readonly metadata: readonly RawEntry[];
  /** In the order of the file, which is that of their data. */
  readonly tensors: readonly RawTensor[];
  readonly alignment: number;
}

export interface RawEntry {
  readonly key: string;
  /** Key, type and value. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

export interface RawTensor {
  /** Name, dimensions and type: all that is said of it but its place. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Up to where the next one starts, or the file ends. */
  readonly data: Blob;
}

interface PlacedTensor {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly offset: number;
}

export const defaultAlignment = 32;

/** `header` is that of the same file. Throws `unsupported_model_format` when tensors overlap or lie outside of it. */
export async function readGgufIndex(file: Blob, header: GgufHeader): Promise<GgufIndex> {
  const bytes = new Uint8Array(await file.slice(0, header.dataOffset).arrayBuffer());
  const cursor = new GgufCursor(bytes);
  cursor.skip(4 + 4 + 8);
  const entryCount = cursor.count(Number.MAX_SAFE_INTEGER, 'metadata entries');
  const metadata = Array.from({ length: entryCount }, () => readEntry(cursor, bytes));
  const tensors = Array.from({ length: header.tensorCount }, () => readTensor(cursor, bytes));
  const stated = header.metadata.get('general.alignment');
  const alignment = typeof stated === 'number' && stated > 0 ? stated : defaultAlignment;
  const data = file.slice(header.dataOffset);
  return {
    metadata,
    alignment,
    tensors: tensors.map((tensor, at) => withData(cursor, data, tensor, tensors[at + 1])),
  };
}

function readEntry(cursor: GgufCursor, bytes: Uint8Array<ArrayBuffer>): RawEntry {
  const start = cursor.offset;
  const key = cursor.text();
  cursor.value(cursor.u32());
  return { key, bytes: bytes.subarray(start, cursor.offset) };
}

function readTensor(cursor: GgufCursor, bytes: Uint8Array<ArrayBuffer>): PlacedTensor {
  const start = cursor.offset;
  cursor.skipText();
  cursor.skip(cursor.u32() * 8 + 4);
  const end = cursor.offset;
  return {
    bytes: bytes.subarray(start, end),
    offset: cursor.count(Number.MAX_SAFE_INTEGER, 'bytes of weights'),
  };
}

function withData(
  cursor: GgufCursor,
  data: Blob,
  tensor: PlacedTensor,
  next: PlacedTensor | undefined,
): RawTensor {
  const end = next?.offset ?? data.size;
  if (tensor.offset > end || end > data.size) throw cursor.damaged('its tensors lie outside of it');
  return { bytes: tensor.bytes, data: data.slice(tensor.offset, end) };
}
