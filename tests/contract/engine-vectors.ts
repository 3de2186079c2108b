/** What engines promise about embeddings and rankings; a part of the engines' contract suite. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ApiError } from '#lib/core/errors.ts';
import type { Engine, LoadableModel, LoadedModel } from '#lib/engine/port.ts';

export interface EmbeddingCase {
  readonly model: LoadableModel;
  /** Two texts that mean different things; the first is shorter. */
  readonly texts: readonly [string, string];
  /** How far vectors of one text may be apart when it is computed alone and in a batch: 0.01 when absent. */
  readonly tolerance?: number;
}

export interface RankingCase {
  readonly model: LoadableModel;
  readonly query: string;
  readonly documents: readonly string[];
  /** The number of the document that must come first. */
  readonly best: number;
}

interface VectorCase {
  readonly engine: Engine;
  readonly contextSize: number;
  readonly embedding?: EmbeddingCase;
  readonly ranking?: RankingCase;
}

/** Loading takes as long as on a software GPU. */
const patienceMs = 120_000;
const never = new AbortController().signal;

export function describeEmbedding(given: () => VectorCase): void {
  describe('embeddings', () => {
    let loaded: LoadedModel | undefined;

    beforeAll(async () => {
      const { engine, embedding, contextSize } = given();
      if (embedding) loaded = await engine.load(embedding.model, { contextSize, mode: 'embedding' });
    }, patienceMs);
    afterAll(() => loaded?.close());

    it('have length 1, come in order, and are the same for the same text', async ({ skip }) => {
      const { embedding } = given();
      if (!loaded || !embedding) return skip();
      const [one, other] = embedding.texts;
      const batch = await loaded.embed([one, other, one], never);
      expect(batch.vectors).toHaveLength(3);
      expect(batch.promptTokens).toBeGreaterThan(2);
      for (const vector of batch.vectors) expect(Math.hypot(...vector)).toBeCloseTo(1, 3);
      const tolerance = embedding.tolerance ?? 0.01;
      const alone = await loaded.embed([other], never);
      expect(distance(batch.vectors[0], batch.vectors[2])).toBeLessThan(tolerance);
      expect(distance(batch.vectors[1], alone.vectors[0])).toBeLessThan(tolerance);
      expect(distance(batch.vectors[0], batch.vectors[1])).toBeGreaterThan(tolerance);
    });

    it('are refused for a text that is longer than the context, and when aborted', async ({ skip }) => {
      const { embedding, contextSize } = given();
      if (!loaded || !embedding) return skip();
      const long = loaded.embed(['word '.repeat(2 * contextSize)], never);
      await expect(long).rejects.toBeInstanceOf(ApiError);
      await expect(long).rejects.toMatchObject({ code: 'context_length_exceeded' });
      await expect(loaded.embed(['x'], AbortSignal.abort())).rejects.toMatchObject({ name: 'AbortError' });
      expect((await loaded.embed([embedding.texts[0]], never)).vectors).toHaveLength(1);
    });
  });
}

export function describeRanking(given: () => VectorCase): void {
  describe('ranking', () => {
    let loaded: LoadedModel | undefined;

    beforeAll(async () => {
      const { engine, ranking, contextSize } = given();
      if (ranking) loaded = await engine.load(ranking.model, { contextSize, mode: 'reranking' });
    }, patienceMs);
    afterAll(() => loaded?.close());

    it('gives every document a score, in the order of the documents', async ({ skip }) => {
      const { ranking } = given();
      if (!loaded || !ranking) return skip();
      const { query, documents, best } = ranking;
      const { scores, promptTokens } = await loaded.rerank({ query, documents }, never);
      expect(scores).toHaveLength(documents.length);
      expect(promptTokens).toBeGreaterThan(0);
      expect(scores.indexOf(Math.max(...scores))).toBe(best);
      const turned = await loaded.rerank({ query, documents: documents.toReversed() }, never);
      for (const [index, score] of turned.scores.toReversed().entries()) {
        expect(score).toBeCloseTo(scores[index] ?? NaN, 3);
      }
    });
  });
}

function distance(one: Float32Array | undefined, other: Float32Array | undefined): number {
  if (!one || one.length !== other?.length) return NaN;
  return Math.hypot(...one.map((value, index) => value - (other[index] ?? NaN)));
}
