/** What a refusal of Hugging Face means to the person who asked for a model. */
import { ApiError } from '#lib/core/errors.ts';
import { retryAdvice, unreachable } from '#lib/registry/http.ts';

export interface HubRequest {
  /** As typed: `org/Repo-GGUF`. */
  readonly repository: string;
  readonly token?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The error of a response that is neither 200 nor an answer to a range. */
export function refusal(response: Response, { repository, token }: HubRequest): ApiError {
  const { status, headers } = response;
  if (status === 401 || status === 403) return closed(headers.get('x-error-code'), repository, token);
  if (status === 404) {
    return new ApiError('model_not_found', `${repository} is not on Hugging Face. Check the name.`);
  }
  if (status === 429) {
    const advice = `${retryAdvice(response)}${token === undefined ? ' A token allows more.' : ''}`;
    return new ApiError('rate_limited', `Hugging Face allows no more requests for now. ${advice}`);
  }
  return unreachable(`Hugging Face answered with an error (HTTP ${status}). ${retryAdvice(response)}`);
}

/** Without a code, a missing repository and a private one look the same (registries.md, Hub API facts). */
function closed(code: string | null, repository: string, token: string | undefined): ApiError {
  if (code === 'GatedRepo') {
    const message = `${repository} is gated. Accept its licence on huggingface.co, then pull with a token of that account.`;
    return new ApiError('unauthorized', message);
  }
  if (token !== undefined) {
    return new ApiError(
      'unauthorized',
      `Hugging Face does not open ${repository} to this token. Check the token and the name.`,
    );
  }
  return new ApiError(
    'unauthorized',
    `${repository} is private or does not exist on Hugging Face. Check the name, or add a token.`,
  );
}
