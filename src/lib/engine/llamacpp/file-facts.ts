/** What of a GGUF file the adapter must know before llama.cpp has read it. */
import type { GgufModel, Pooling } from '#lib/engine/port.ts';
import { readGgufArrays } from '#lib/model/gguf-arrays.ts';
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

const tokensKey = 'tokenizer.ggml.tokens';

/** The texts of tokens, of which the header keeps only the first. */
export async function tokenTexts(file: Blob, header: GgufHeader): Promise<readonly string[]> {
  const arrays = await readGgufArrays(file, header, new Set([tokensKey]));
  return arrays.get(tokensKey)?.items.filter((item) => typeof item === 'string') ?? [];
}
