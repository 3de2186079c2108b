/** Whether a body that a person writes would be taken, told before it is sent. */
import { toApiError } from '#lib/core/errors.ts';
import { parseChatRequest } from '#lib/openai/chat.ts';
import { parseCompletionRequest } from '#lib/openai/completion.ts';
import { parseEmbeddingsRequest } from '#lib/openai/embeddings.ts';
import { parseRerankRequest } from '#lib/openai/rerank.ts';

/** By the end of the path, which has several beginnings; the runner checks with the very same. */
const parsers: readonly (readonly [end: string, parse: (body: unknown) => unknown])[] = [
  ['/chat/completions', parseChatRequest],
  ['/completions', parseCompletionRequest],
  ['/embeddings', parseEmbeddingsRequest],
  ['/rerank', parseRerankRequest],
];

/** A sentence on what is wrong with it; `undefined` when nothing is known to be. */
export function problemOf(path: string, text: string): string | undefined {
  try {
    const body: unknown = JSON.parse(text);
    parsers.find(([end]) => path.endsWith(end))?.[1](body);
    return undefined;
  } catch (thrown) {
    if (thrown instanceof SyntaxError) return `This is not JSON yet: ${thrown.message}.`;
    return toApiError(thrown).message;
  }
}
