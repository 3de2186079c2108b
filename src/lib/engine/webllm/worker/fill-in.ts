/** A prompt with a gap to fill, for models that learned to: their tokenizer has one token for each mark. */
import { ApiError } from '#lib/core/errors.ts';
import type { CompletionRequest } from '#lib/openai/completion.ts';
import type { Tokenizer } from './pipeline.ts';

const marks = { prefix: '<|fim_prefix|>', suffix: '<|fim_suffix|>', middle: '<|fim_middle|>' } as const;

/** The prompt itself when no text comes after the gap. Throws `not_supported`. */
export function filledIn({ prompt, suffix }: CompletionRequest, tokenizer: Tokenizer): string {
  if (!suffix) return prompt;
  if (Object.values(marks).some((mark) => tokenizer.encode(mark).length !== 1)) {
    throw new ApiError(
      'not_supported',
      'This model cannot fill a gap before a “suffix”. Leave it out, or choose a coder model that has fill-in-the-middle tokens.',
      { param: 'suffix' },
    );
  }
  return `${marks.prefix}${prompt}${marks.suffix}${suffix}${marks.middle}`;
}
