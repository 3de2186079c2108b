/** The tokens with which a model was trained to fill a gap in a text. */
import type { GgufValue } from './gguf-cursor.ts';

type Metadata = ReadonlyMap<string, GgufValue>;

export interface FillTokens {
  readonly prefix: string;
  readonly suffix: string;
  readonly middle: string;
}

/** Today's name of a key, and yesterday's. */
const keys = {
  prefix: ['fim_pre', 'prefix'],
  suffix: ['fim_suf', 'suffix'],
  middle: ['fim_mid', 'middle'],
} as const;

/** Files from before GGUF had keys for them; each is used only if all three are in the vocabulary. */
const known: readonly FillTokens[] = [
  { prefix: '<|fim_prefix|>', suffix: '<|fim_suffix|>', middle: '<|fim_middle|>' },
  { prefix: '<fim_prefix>', suffix: '<fim_suffix>', middle: '<fim_middle>' },
  { prefix: '<fim-prefix>', suffix: '<fim-suffix>', middle: '<fim-middle>' },
  { prefix: '<｜fim▁begin｜>', suffix: '<｜fim▁hole｜>', middle: '<｜fim▁end｜>' },
  { prefix: '▁<PRE>', suffix: '▁<SUF>', middle: '▁<MID>' },
  { prefix: '[PREFIX]', suffix: '[SUFFIX]', middle: '[MIDDLE]' },
  { prefix: '<|code_prefix|>', suffix: '<|code_suffix|>', middle: '<|code_middle|>' },
];

/** `undefined` for a model that was not trained for it. */
export function fillTokensOf(metadata: Metadata, vocabulary: readonly string[]): FillTokens | undefined {
  const textOf = (name: keyof FillTokens) => {
    const id = keys[name].map((key) => metadata.get(`tokenizer.ggml.${key}_token_id`)).find(isNumber);
    return id === undefined ? undefined : vocabulary[id];
  };
  const [prefix, suffix, middle] = [textOf('prefix'), textOf('suffix'), textOf('middle')];
  if (prefix && suffix && middle) return { prefix, suffix, middle };
  const texts = new Set(vocabulary);
  return known.find((tokens) => Object.values(tokens).every((text: string) => texts.has(text)));
}

/** Whether the header itself points to such tokens; then the vocabulary need not be read to know that they exist. */
export function namesFillTokens(metadata: Metadata): boolean {
  return Object.values(keys).every((names) =>
    names.some((key) => metadata.has(`tokenizer.ggml.${key}_token_id`)),
  );
}

function isNumber(value: GgufValue | undefined): value is number {
  return typeof value === 'number';
}
