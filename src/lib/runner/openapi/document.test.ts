import { describe, expect, it } from 'vitest';
import { bytesOf, makeBench, type Bench } from '#tests/support/runner-bench.ts';
import { describeApi, type OpenApiDocument } from './document.ts';

const model = 'localhost:5000/ai/tiny:latest';
const facts = { version: '1', origin: 'http://localhost', model };

async function served(bench: Bench): Promise<OpenApiDocument> {
  const response = await bench.call('/openapi.json');
  expect(response.headers.get('content-type')).toBe('application/json');
  return (await response.json()) as OpenApiDocument;
}

function operationsOf({ paths }: OpenApiDocument) {
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      on: `${method.toUpperCase()} ${path}`,
      operation,
    })),
  );
}

describe('/openapi.json', async () => {
  const plain = makeBench();
  const document = await served(plain);

  it('describes every route of the runner', () => {
    const forgotten = operationsOf(document).filter(({ operation }) =>
      operation.tags.includes('Not described'),
    );
    expect(forgotten.map(({ on }) => on)).toEqual([]);
    expect(operationsOf(document).length).toBeGreaterThan(60);
  });

  it('invents no path: each is answered by the runner, aliases too', async () => {
    for (const { on, operation } of operationsOf(document)) {
      const [method = '', path = ''] = on.split(' ');
      for (const each of [path, ...(operation['x-aliases'] ?? [])]) {
        // A body that no endpoint takes, and a name that no model has.
        const response = await plain.call(each.replace(/\{\w+\}/, 'no-such-thing'), undefined, {
          method,
          ...(method === 'GET' ? {} : { body: '' }),
        });
        const text = response.headers.get('content-type')?.includes('event-stream')
          ? String(await response.body?.cancel())
          : await response.text();
        expect([each, text.includes('There is nothing at')]).toEqual([each, false]);
        expect([each, response.status]).not.toEqual([each, 405]);
      }
    }
  });

  it('names its own origin, and a stored model in the examples', async () => {
    const bench = makeBench();
    await bench.registry.publish(model, [bytesOf('GGUF')]);
    await (await bench.call('/models/create', { from: model })).text();
    const furnished = await served(bench);
    expect(furnished.servers).toEqual([{ url: 'http://localhost' }]);
    const chat = furnished.paths['/engines/v1/chat/completions']?.post;
    expect(chat?.requestBody?.content['application/json']?.example).toMatchObject({ model });
  });

  it('says what a model’s endpoint refuses, by status, in the shape of every error', () => {
    const chat = document.paths['/engines/v1/chat/completions']?.post;
    expect(Object.keys(chat?.responses ?? {})).toEqual(
      expect.arrayContaining(['200', '400', '403', '404', '413', '429', '499', '500', '501', '503']),
    );
    expect(chat?.responses['404']).toMatchObject({
      description: '`model_not_found`',
      content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } },
    });
  });

  it('refers to schemas that are there', () => {
    const text = JSON.stringify(document);
    const references = [...text.matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)];
    const named = Object.keys(document.components.schemas);
    expect(references.length).toBeGreaterThan(100);
    expect(references.map(([, name]) => name).filter((name) => !named.includes(name ?? ''))).toEqual([]);
    expect(text).not.toContain('$defs');
  });

  it('tells of a route that nobody described', () => {
    const { paths } = describeApi([{ method: 'PUT', pattern: '/new/*/thing' }], facts);
    expect(paths).toMatchObject({ '/new/{rest}/thing': { put: { summary: 'Not described yet' } } });
  });

  it('has one id for each operation', () => {
    const ids = operationsOf(document).map(({ operation }) => operation.operationId);
    expect(ids).toEqual([...new Set(ids)]);
  });
});
