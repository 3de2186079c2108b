/** Prompts for a gap in a text, of the tokens that a model was trained with for it. */
import { ApiError } from '#lib/core/errors.ts';
import type { GgufHeader } from '#lib/model/gguf.ts';

export interface FillTokens {
  readonly prefix: string;
  readonly suffix: string;
  readonly middle: string;
}

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

export function fillTokensOf(
  { metadata }: Pick<GgufHeader, 'metadata'>,
  vocabulary: readonly string[],
): FillTokens | undefined {
  const textOf = (name: string) => {
    const id = metadata.get(`tokenizer.ggml.${name}_token_id`);
    return typeof id === 'number' ? vocabulary[id] : undefined;
  };
  const prefix = textOf('fim_pre') ?? textOf('prefix');
  const suffix = textOf('fim_suf') ?? textOf('suffix');
  const middle = textOf('fim_mid') ?? textOf('middle');
  if (prefix && suffix && middle) return { prefix, suffix, middle };
  const texts = new Set(vocabulary);
  return known.find((tokens) => Object.values(tokens).every((text: string) => texts.has(text)));
}

/** Throws `unsupported_parameter` for a model without such tokens. */
export function fillPrompt(tokens: FillTokens | undefined, before: string, after: string): string {
  if (tokens) return `${tokens.prefix}${before}${tokens.suffix}${after}${tokens.middle}`;
  throw new ApiError(
    'unsupported_parameter',
    'This model was not trained to fill in the middle, so it cannot use “suffix”. Leave it out, or choose a code model.',
    { param: 'suffix' },
  );
}
