/** Ranking, as llama-server and Jina have it: documents in the order of what they have to do with a query. */
import * as v from 'valibot';
import type { WireUsage } from './answer-figures.ts';
import { parseFields, unreadFields } from './parse.ts';

const maxDocuments = 1024;

const documentText = v.union(
  [
    v.string(),
    v.pipe(
      v.object({ text: v.string() }),
      v.transform(({ text }) => text),
    ),
  ],
  'must be a text, or an object with “text”',
);

export const rerankBody = v.object({
  model: v.pipe(v.string(), v.minLength(1)),
  query: v.pipe(v.string(), v.minLength(1, 'must not be empty')),
  documents: v.pipe(v.array(documentText), v.minLength(1), v.maxLength(maxDocuments)),
  top_n: v.nullish(v.pipe(v.number(), v.safeInteger(), v.minValue(1))),
  return_documents: v.nullish(v.boolean()),
});

export type RerankRequest = v.InferOutput<typeof rerankBody>;

export interface RerankJson {
  readonly object: 'list';
  readonly model: string;
  readonly results: readonly {
    readonly index: number;
    readonly relevance_score: number;
    readonly document?: { readonly text: string };
  }[];
  readonly usage: Pick<WireUsage, 'prompt_tokens' | 'total_tokens'>;
}

/** Throws `invalid_request`, naming the field. `texts` is Text Embeddings Inference's word for the documents. */
export function parseRerankRequest(body: unknown): RerankRequest {
  const isOther = typeof body === 'object' && body !== null && 'texts' in body && !('documents' in body);
  return parseFields(rerankBody, isOther ? { ...body, documents: body.texts } : body);
}

/** Fields of a body that change nothing here, by name. */
export function ignoredRerankFields(body: unknown): readonly string[] {
  return unreadFields(body, rerankBody).filter((field) => field !== 'texts');
}

/** Best first; equal scores in the order of the documents. */
export function writeRanking(
  { model, documents, top_n: limit, return_documents: returned }: RerankRequest,
  scores: readonly number[],
  promptTokens: number,
): RerankJson {
  const results = documents.map((text, index) => ({
    index,
    relevance_score: scores[index] ?? 0,
    ...(returned ? { document: { text } } : {}),
  }));
  return {
    object: 'list',
    model,
    results: results
      .toSorted((one, other) => other.relevance_score - one.relevance_score)
      .slice(0, limit ?? results.length),
    usage: { prompt_tokens: promptTokens, total_tokens: promptTokens },
  };
}
