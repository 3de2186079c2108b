import { describe, expect, it } from 'vitest';
import { Embedder } from './embedder.ts';

/** Tokens are characters, and `[CLS]` and `[SEP]` are one; a vector is the first token and how many there are. */
function fakeEmbedder(): { embedder: Embedder; batches: number[][][] } {
  const batches: number[][][] = [];
  const encode = (text: string) =>
    (text.match(/\[CLS\]|\[SEP\]|./g) ?? []).map((part) => (part.length > 1 ? 1 : part.charCodeAt(0)));
  const create = ({ input }: { input: unknown }) => {
    const tokens = input as number[][];
    batches.push(tokens);
    return Promise.resolve({
      data: tokens.map((ids) => ({ embedding: [3 * (ids[1] ?? 0), 4 * (ids[1] ?? 0)] })),
    });
  };
  const engine = { embeddings: { create } } as unknown as ConstructorParameters<typeof Embedder>[0]['engine'];
  const pipeline = { tokenizer: { encode }, contextWindowSize: 8 };
  return { embedder: new Embedder({ engine, pipeline, vocabularySize: 200 }), batches };
}

const never = new AbortController().signal;

describe('embeddings', () => {
  it('are of unit length, in order, each with its marks, and only of one length in a batch', async () => {
    const { embedder, batches } = fakeEmbedder();
    const { vectors, promptTokens } = await embedder.embed(['ab', 'c', 'de', [1, 0, 1]], never);
    expect(batches).toEqual([
      [
        [1, 97, 98, 1],
        [1, 100, 101, 1],
      ],
      [
        [1, 99, 1],
        [1, 0, 1],
      ],
    ]);
    for (const vector of vectors.slice(0, 3)) expect([...vector]).toEqual([0.6, 0.8].map(Math.fround));
    expect([...(vectors[3] ?? [])]).toEqual([0, 0]);
    expect(promptTokens).toBe(4 + 3 + 4 + 3);
  });

  it('come in batches, between which a request can end', async () => {
    const { embedder, batches } = fakeEmbedder();
    const many = Array.from({ length: 70 }, () => 'a');
    expect((await embedder.embed(many, never)).vectors).toHaveLength(70);
    expect(batches.map(({ length }) => length)).toEqual([32, 32, 6]);
    await expect(embedder.embed(many, AbortSignal.abort())).rejects.toMatchObject({ name: 'AbortError' });
    expect(batches).toHaveLength(3);
  });

  it.each([
    ['is too long', 'abcdefgh', 'context_length_exceeded'],
    ['has no tokens', [], 'invalid_request'],
    ['has a token of another model', [200], 'invalid_request'],
  ])('are refused when an input %s, before any is computed', async (_, input, code) => {
    const { embedder, batches } = fakeEmbedder();
    await expect(embedder.embed(['a', input], never)).rejects.toMatchObject({ code, param: 'input' });
    expect(batches).toEqual([]);
  });
});
