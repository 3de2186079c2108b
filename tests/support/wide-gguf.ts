/**
 * The tiny model as large as one likes, with the same replies: its feed-forward layers get neurons whose weights are zero,
 * and what such a neuron adds is zero.
 */
import { openAsBlob } from 'node:fs';
import { parseGgufHeader } from '#lib/model/gguf.ts';
import { readGgufIndex, type RawTensor } from '#lib/model/gguf-shards-index.ts';
import { entryBytes, headerBytes } from '#lib/model/gguf-shards-writer.ts';

type Bytes = Uint8Array<ArrayBuffer>;

const tinyPath = new URL('../fixtures/tiny.gguf', import.meta.url);
const widthKey = 'llama.feed_forward_length';
const tinyWidth = 256;
const embeddingBytes = 128 * 4;
const pieceBytes = 1024 * 1024;

export interface WideGguf {
  readonly sizeBytes: number;
  /** From start to end. */
  pieces(): AsyncGenerator<Bytes, void, undefined>;
}

/** `width` is the number of neurons in a layer, a multiple of 32; each takes 3 KB of the file. */
export async function wideGguf(width: number): Promise<WideGguf> {
  const file = await openAsBlob(tinyPath);
  const { metadata, tensors, alignment } = await readGgufIndex(file, await parseGgufHeader(file));
  const wide = tensors.map((tensor) => widened(tensor, width));
  const entries = metadata.map((entry) => (entry.key === widthKey ? entryBytes.u32(widthKey, width) : entry));
  const header = headerBytes(
    entries,
    wide.map(({ bytes, sizeBytes }) => ({ bytes, data: { size: sizeBytes } as Blob })),
    alignment,
  );
  return {
    sizeBytes: wide.reduce((sum, { sizeBytes }) => sum + sizeBytes, header.byteLength),
    async *pieces() {
      yield header;
      for (const tensor of wide) yield* tensor.pieces();
    },
  };
}

interface WideTensor {
  readonly bytes: Bytes;
  readonly sizeBytes: number;
  pieces(): AsyncGenerator<Bytes, void, undefined>;
}

function widened({ bytes, data }: RawTensor, width: number): WideTensor {
  const name = new TextDecoder().decode(bytes);
  const scale = width / tinyWidth;
  if (/ffn_(gate|up)/.test(name)) {
    // A row for each neuron: the new rows follow.
    const more = (width - tinyWidth) * embeddingBytes;
    return {
      bytes: withWidth(bytes),
      sizeBytes: data.size * scale,
      async *pieces() {
        yield await bytesOf(data);
        yield* zeros(more);
      },
    };
  }
  if (name.includes('ffn_down')) {
    // A column for each neuron: the rows get longer.
    const rowBytes = tinyWidth * 4;
    return {
      bytes: withWidth(bytes),
      sizeBytes: data.size * scale,
      async *pieces() {
        for (let at = 0; at < data.size; at += rowBytes) {
          yield await bytesOf(data.slice(at, at + rowBytes));
          yield* zeros(width * 4 - rowBytes);
        }
      },
    };
  }
  return {
    bytes,
    sizeBytes: data.size,
    async *pieces() {
      yield await bytesOf(data);
    },
  };

  /** Name, count of dimensions, the dimensions, type: the one that is 256 is the width. */
  function withWidth(said: Bytes): Bytes {
    const changed = said.slice();
    const view = new DataView(changed.buffer);
    const first = 8 + Number(view.getBigUint64(0, true)) + 4;
    for (const at of [first, first + 8]) {
      if (view.getBigUint64(at, true) === BigInt(tinyWidth)) view.setBigUint64(at, BigInt(width), true);
    }
    return changed;
  }
}

function* zeros(sizeBytes: number): Generator<Bytes, void, undefined> {
  const piece = new Uint8Array(pieceBytes);
  for (let left = sizeBytes; left > 0; left -= pieceBytes)
    yield piece.subarray(0, Math.min(left, pieceBytes));
}

async function bytesOf(blob: Blob): Promise<Bytes> {
  return new Uint8Array(await blob.arrayBuffer());
}
