/** WebLLM's models in words. */
import { formatBytes } from '#lib/core/format.ts';
import { runsOn, twinOf, type MlcDevice, type MlcModel, type MlcVariant } from '#lib/state/catalog-mlc.ts';

export const kindTags = {
  llm: ['chat', 'Chat'],
  embedding: ['vector', 'Embeddings'],
  vision: ['eye', 'Vision'],
} as const satisfies Record<MlcModel['kind'], readonly [icon: string, word: string]>;

export function describeMlc({ kind }: MlcModel, { lowResource }: MlcVariant): string {
  if (kind === 'embedding') return 'Turns text into vectors, for search by meaning. Runs on the GPU.';
  if (kind === 'vision') return 'Reads images as well as text. Runs on the GPU.';
  return lowResource
    ? 'Compiled for WebGPU, and meant for phones and small GPUs too.'
    : 'Compiled for WebGPU. For a GPU with memory to spare.';
}

/** The line of a variant in a list: "q4f16_1 · 922 MB". */
export function variantLine(variant: MlcVariant, device: MlcDevice): string {
  const line = `${variant.label} · ${formatBytes(variant.vramBytes)}`;
  return lacksF16(variant, device) ? `${line} · needs 16-bit shaders` : line;
}

export interface Lack {
  readonly sentence: string;
  /** To take instead. */
  readonly twin: MlcVariant | undefined;
}

/** Why this GPU cannot run a variant; that there is no GPU is said once for all of them. */
export function lackOf(model: MlcModel, variant: MlcVariant, device: MlcDevice): Lack | undefined {
  if (!lacksF16(variant, device)) return undefined;
  const twin = twinOf(model, variant);
  const why = `This GPU has no 16-bit shaders, which ${variant.quantization} needs.`;
  return { twin, sentence: twin ? why : `${why} There is no variant of this model without them.` };
}

export function lacksF16(variant: MlcVariant, device: MlcDevice): boolean {
  return device !== null && !runsOn(variant, device);
}

export function contextWords({ contextSize }: MlcVariant): string {
  return contextSize === undefined ? '' : contextSize.toLocaleString('en');
}
