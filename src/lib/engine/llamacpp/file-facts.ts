/** What of a GGUF file the adapter must know before llama.cpp has read it. */
import type { GgufModel, Pooling } from '#lib/engine/port.ts';
import { GgufCursor } from '#lib/model/gguf-cursor.ts';
import { parseGgufHeader, type GgufHeader } from '#lib/model/gguf.ts';

export interface FileFacts {
  readonly architecture: string;
  readonly trainedContext: number | undefined;
  /** What the file asks for. */
  readonly pooling: Pooling | 'rank' | undefined;
  readonly header: GgufHeader;
}

const poolings: readonly (Pooling | 'rank')[] = ['none', 'mean', 'cls', 'last', 'rank'];

/** Throws `unsupported_model_format`. */
export async function readFacts({ weights }: GgufModel): Promise<FileFacts> {
  const header = await parseGgufHeader(weights[0] ?? new Uint8Array());
  const { architecture, contextLength, metadata } = header;
  const pooling = metadata.get(`${architecture}.pooling_type`);
  return {
    architecture,
    trainedContext: contextLength,
    pooling: typeof pooling === 'number' ? poolings[pooling] : undefined,
    header,
  };
}

/** The texts of tokens, which the header leaves out for there are so many. */
export async function tokenTexts(file: Blob, header: GgufHeader): Promise<readonly string[]> {
  const cursor = new GgufCursor(new Uint8Array(await file.slice(0, header.dataOffset).arrayBuffer()));
  cursor.skip(8 + 8);
  for (let left = cursor.count(header.metadata.size, 'metadata entries'); left > 0; left--) {
    const key = cursor.text();
    const type = cursor.u32();
    if (key === 'tokenizer.ggml.tokens') return readTexts(cursor);
    cursor.value(type);
  }
  return [];
}

function readTexts(cursor: GgufCursor): readonly string[] {
  cursor.u32();
  const count = cursor.count(cursor.remaining, 'tokens');
  return Array.from({ length: count }, () => cursor.text());
}
