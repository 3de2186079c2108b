import { expect, it } from 'vitest';
import { serve } from '#server/testing/http.ts';
import { preload } from './preload.ts';

interface Asked {
  readonly line: string;
  readonly body: string;
  readonly preload: string | string[] | undefined;
}

/** A companion in miniature: `answers` by “METHOD path”, 404 for the rest. */
async function companion(answers: Record<string, { status?: number; body?: string }>) {
  const asked: Asked[] = [];
  const server = await serve((request, response) => {
    const line = `${request.method} ${request.url}`;
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      asked.push({ line, body, preload: request.headers['x-preload-only'] });
      const answer = answers[line];
      response.writeHead(answer ? (answer.status ?? 200) : 404).end(answer?.body ?? '');
    });
  });
  const printed: string[] = [];
  const run = (model: string) =>
    preload({
      url: `http://${server.authority}`,
      model,
      print: (line) => printed.push(line),
      signal: new AbortController().signal,
    });
  return { ...server, asked, printed, run };
}

const chat = 'POST /engines/v1/chat/completions';
const progress = (current: number, id = 'a') =>
  JSON.stringify({ type: 'progress', message: '', total: 10_000_000, layer: { id, size: 5e6, current } });
const failure = JSON.stringify({
  error: { message: 'The model needs 9 GB.', type: 'server_error', param: null, code: 'insufficient_memory' },
});

it('loads a model that is there', async () => {
  await using server = await companion({ 'GET /models/ai/tiny': { body: '{}' }, [chat]: {} });
  await server.run('ai/tiny');
  expect(server.asked.map(({ line }) => line)).toEqual(['GET /models/ai/tiny', chat]);
  expect(server.asked[1]).toMatchObject({ preload: 'true', body: '{"model":"ai/tiny","messages":[]}' });
  expect(server.printed).toEqual(['Loading ai/tiny …', 'ai/tiny is ready.']);
});

it('pulls one that is missing, and says how far it is, over all layers', async () => {
  const success = JSON.stringify({ type: 'success', message: 'done', total: 0, layer: {}, later: 1 });
  const lines = [
    progress(500_000),
    progress(600_000),
    'not json',
    progress(5e6),
    progress(5e6, 'b'),
    success,
  ];
  await using server = await companion({ 'POST /models/create': { body: lines.join('\n') }, [chat]: {} });
  await server.run('ai/tiny');
  expect(server.asked.map(({ line }) => line)).toEqual(['GET /models/ai/tiny', 'POST /models/create', chat]);
  expect(server.printed).toEqual([
    'Pulling ai/tiny: 0 % of 10 MB',
    'Pulling ai/tiny: 50 % of 10 MB',
    'Pulling ai/tiny: 100 % of 10 MB',
    'Loading ai/tiny …',
    'ai/tiny is ready.',
  ]);
});

it('says why it cannot be pulled or loaded', async () => {
  const broken = JSON.stringify({ type: 'error', message: 'The registry is away.' });
  await using pulling = await companion({
    'POST /models/create': { body: `${progress(1)}\n${broken}\n` },
  });
  await expect(pulling.run('ai/tiny')).rejects.toThrow('The registry is away.');
  await using loading = await companion({
    'GET /models/ai/tiny': { body: '{}' },
    [chat]: { status: 503, body: failure },
  });
  await expect(loading.run('ai/tiny')).rejects.toMatchObject({ code: 'insufficient_memory' });
});
