/** Prompts for a gap in a text, of the tokens that a model was trained with for it. */
import { ApiError } from '#lib/core/errors.ts';
import type { FillTokens } from '#lib/model/fill-tokens.ts';

/** Throws `unsupported_parameter` for a model without such tokens. */
export function fillPrompt(tokens: FillTokens | undefined, before: string, after: string): string {
  if (tokens) return `${tokens.prefix}${before}${tokens.suffix}${after}${tokens.middle}`;
  throw new ApiError(
    'unsupported_parameter',
    'This model was not trained to fill in the middle, so it cannot use “suffix”. Leave it out, or choose a code model.',
    { param: 'suffix' },
  );
}
