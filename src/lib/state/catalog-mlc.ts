/** WebLLM's list as people choose from it: one model with its variants, and which of these suits a device. */
import type { MlcListEntry } from '#lib/model/mlc-list.ts';

export interface MlcVariant {
  /** To pull it by. */
  readonly reference: string;
  /** Of the quantization, and what else tells it from the others: `q4f16_1`, `q4f32_1 · 1K context`. */
  readonly label: string;
  readonly quantization: string;
  /** In use, with `contextSize` tokens of context. */
  readonly vramBytes: number;
  readonly contextSize: number | undefined;
  /** Computes in 16-bit floats, which not every GPU does. */
  readonly needsF16: boolean;
  readonly lowResource: boolean;
}

export interface MlcModel {
  /** What the repositories of all variants have in common: `Llama-3.2-1B-Instruct`. */
  readonly stem: string;
  readonly name: string;
  readonly kind: MlcListEntry['kind'];
  /** The lightest first. */
  readonly variants: readonly [MlcVariant, ...MlcVariant[]];
}

/** What is known of the GPU: `undefined` before the runner told, `null` where there is none. */
export type MlcDevice = { readonly f16: boolean } | null | undefined;

export function groupMlc(entries: readonly MlcListEntry[]): readonly MlcModel[] {
  const models = new Map<string, MlcModel>();
  for (const entry of entries) {
    const { stem } = parts(entry.repository);
    const known = models.get(stem);
    const variant = toVariant(entry);
    models.set(stem, {
      stem,
      name: nameOf(stem),
      kind: entry.kind,
      variants: known ? [...known.variants, variant] : [variant],
    });
  }
  return [...models.values()].map(lightestFirst);
}

export function runsOn(variant: MlcVariant, device: MlcDevice): boolean {
  return device !== null && (device?.f16 !== false || !variant.needsF16);
}

/** The one to offer first: it runs, has the whole context, and is small without being rough. */
export function bestVariant(model: MlcModel, device: MlcDevice): MlcVariant {
  const [first, ...others] = model.variants;
  const score = (variant: MlcVariant) =>
    (runsOn(variant, device) ? 4 : 0) +
    (variant.quantization.startsWith('q4') ? 2 : 0) +
    ((variant.contextSize ?? 0) === largestContext(model) ? 1 : 0);
  // Of equals the lightest, which is the earlier one.
  return others.reduce((best, each) => (score(each) > score(best) ? each : best), first);
}

/** The same model for a GPU without 16-bit floats, as like it as there is. */
export function twinOf(model: MlcModel, { quantization, contextSize }: MlcVariant): MlcVariant | undefined {
  const twins = model.variants.filter(
    (each) => !each.needsF16 && each.quantization === quantization.replace('f16', 'f32'),
  );
  return twins.find((each) => each.contextSize === contextSize) ?? twins[0];
}

/** Every word has to be in what is known of the model; `undefined` when one is not. */
export function matchMlc(model: MlcModel, words: readonly string[]): MlcVariant | 'any' | undefined {
  const common = [model.name, model.stem, kindWords[model.kind], 'webllm mlc'].join(' ').toLowerCase();
  const open = words.filter((word) => !common.includes(word));
  if (open.length === 0) return 'any';
  return model.variants.find(({ label, reference }) =>
    open.every((word) => `${label} ${reference}`.toLowerCase().includes(word)),
  );
}

const kindWords = { llm: 'chat', embedding: 'embeddings', vision: 'vision images' } as const;

function toVariant(entry: MlcListEntry): MlcVariant {
  const { quantization } = parts(entry.repository);
  return {
    reference: entry.reference,
    label: [quantization, ...variantWords(entry)].join(' · '),
    quantization,
    vramBytes: entry.vramBytes,
    contextSize: entry.contextSize,
    needsF16: entry.requiredFeatures.includes('shader-f16'),
    lowResource: entry.lowResource,
  };
}

/** WebLLM names the variants of one repository by what was compiled in: a short context, or a size of batches. */
function variantWords({ variant }: MlcListEntry): readonly string[] {
  if (variant === undefined) return [];
  const [, context] = /^(\d+)k$/i.exec(variant) ?? [];
  if (context !== undefined) return [`${context}K context`];
  const [, batch] = /^b(\d+)$/i.exec(variant) ?? [];
  return [batch === undefined ? variant : `batches of ${batch}`];
}

/** `mlc-ai/gemma-2b-it-q4f16_1-MLC` → `gemma-2b-it` and `q4f16_1`. */
function parts(repository: string): { readonly stem: string; readonly quantization: string } {
  const name = repository.slice(repository.indexOf('/') + 1).replace(/-MLC$/i, '');
  const [, stem, quantization] = /^(.+)-(q\d+f\d+(?:_\d+)?)$/.exec(name) ?? [];
  return { stem: stem ?? name, quantization: quantization ?? '' };
}

/** `stablelm-2-zephyr-1_6b` → `Stablelm 2 zephyr 1.6B`. */
function nameOf(stem: string): string {
  const words = stem
    .replaceAll(/(?<=\d)_(?=\d)/g, '.')
    .replaceAll(/(?<=\d)b(?=-|$)/g, 'B')
    .replaceAll('-', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function lightestFirst(model: MlcModel): MlcModel {
  const [first, ...others] = model.variants.toSorted((a, b) => a.vramBytes - b.vramBytes);
  return first ? { ...model, variants: [first, ...others] } : model;
}

function largestContext({ variants }: MlcModel): number {
  return Math.max(...variants.map(({ contextSize }) => contextSize ?? 0));
}
