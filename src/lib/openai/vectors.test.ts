import { describe, expect, it } from 'vitest';
import { ignoredEmbeddingsFields, parseEmbeddingsRequest, writeEmbeddings } from './embeddings.ts';
import { ignoredRerankFields, parseRerankRequest, writeRanking } from './rerank.ts';

describe('an embeddings request', () => {
  it.each<[string, unknown, unknown]>([
    ['a text', 'a', ['a']],
    ['texts', ['a', 'b'], ['a', 'b']],
    ['token ids', [1, 2], [[1, 2]]],
    ['lists of token ids', [[1], [2, 3]], [[1], [2, 3]]],
  ])('has %s', (_, input, inputs) => {
    expect(parseEmbeddingsRequest({ model: 'm', input }).inputs).toEqual(inputs);
  });

  it.each<[string, object, string]>([
    ['nothing', {}, 'input'],
    ['an empty text', { input: '' }, 'input'],
    ['no text', { input: [] }, 'input'],
    ['an empty text among others', { input: ['a', ''] }, 'input.1'],
    ['texts and tokens', { input: ['a', 1] }, 'input'],
    ['negative tokens', { input: [-1] }, 'input.0'],
    ['more texts than allowed', { input: Array.from({ length: 2049 }, () => 'a') }, 'input'],
    ['no dimensions', { input: 'a', dimensions: 0 }, 'dimensions'],
    ['a strange encoding', { input: 'a', encoding_format: 'hex' }, 'encoding_format'],
  ])('is refused with %s', (_, fields, param) => {
    expect(() => parseEmbeddingsRequest({ model: 'm', ...fields })).toThrow(
      expect.objectContaining({ code: 'invalid_request', param }),
    );
  });

  it('names the fields that it does not read', () => {
    expect(ignoredEmbeddingsFields({ model: 'm', input: 'a', user: 'u', x: 1 })).toEqual(['x']);
  });
});

describe('embeddings', () => {
  const vector = new Float32Array([0.6, 0.8, 0]);
  const write = (fields: object = {}) =>
    writeEmbeddings(parseEmbeddingsRequest({ model: 'm', input: 'a', ...fields }), [vector], 4);

  it('are numbers', () => {
    expect(write()).toEqual({
      object: 'list',
      model: 'm',
      data: [{ object: 'embedding', index: 0, embedding: [...vector] }],
      usage: { prompt_tokens: 4, total_tokens: 4 },
    });
  });

  it('are little-endian floats in base64', () => {
    const [first] = write({ encoding_format: 'base64' }).data;
    const bytes = Buffer.from(String(first?.embedding), 'base64');
    expect([0, 4, 8].map((at) => bytes.readFloatLE(at))).toEqual([...vector]);
  });

  it('are cut and made long again', () => {
    const [first] = write({ dimensions: 1 }).data;
    expect(first?.embedding).toEqual([1]);
    expect(() => write({ dimensions: 4 })).toThrow(expect.objectContaining({ param: 'dimensions' }));
    const zero = writeEmbeddings(
      parseEmbeddingsRequest({ model: 'm', input: 'a', dimensions: 1 }),
      [new Float32Array([0, 1])],
      1,
    );
    expect(zero.data[0]?.embedding).toEqual([0]);
  });
});

describe('a ranking', () => {
  const ask = { model: 'm', query: 'q', documents: ['a', { text: 'b' }, 'c'] };

  it('is told best first, cut, with the documents for who asked', () => {
    const request = parseRerankRequest({ ...ask, top_n: 2, return_documents: true });
    expect(writeRanking(request, [-1, 3, 2], 9)).toEqual({
      object: 'list',
      model: 'm',
      results: [
        { index: 1, relevance_score: 3, document: { text: 'b' } },
        { index: 2, relevance_score: 2, document: { text: 'c' } },
      ],
      usage: { prompt_tokens: 9, total_tokens: 9 },
    });
  });

  it('keeps the order of equals and tells no documents unasked', () => {
    const { results } = writeRanking(parseRerankRequest(ask), [1, 1, 1], 1);
    expect(results).toEqual([0, 1, 2].map((index) => ({ index, relevance_score: 1 })));
  });

  it('reads “texts” for documents', () => {
    const other = { model: 'm', query: 'q', texts: ['a'], raw: true };
    expect(parseRerankRequest(other).documents).toEqual(['a']);
    expect(ignoredRerankFields(other)).toEqual(['raw']);
  });

  it.each<[string, object, string]>([
    ['no query', { query: '' }, 'query'],
    ['no documents', { documents: [] }, 'documents'],
    ['a document of another form', { documents: [{ body: 'x' }] }, 'documents.0'],
    ['none to return', { top_n: 0 }, 'top_n'],
  ])('is refused with %s', (_, fields, param) => {
    expect(() => parseRerankRequest({ ...ask, ...fields })).toThrow(
      expect.objectContaining({ code: 'invalid_request', param }),
    );
  });
});
