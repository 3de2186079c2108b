import { expect, it } from 'vitest';
import { Client } from './client.ts';
import {
  errorCode,
  expectNothingLeft,
  newScope,
  puppetEngine,
  serve,
  serveFromWorker,
  streamOf,
  bytes,
  textReader,
  writable,
} from './testing/support.ts';

it('fetches by path', async () => {
  const scope = newScope();
  await serve(scope, async (request) => new Response(`${request.method} ${await request.text()}`));
  const response = await new Client({ scope }).fetch('/v1/x', { method: 'POST', body: 'hello' });
  expect(await response.text()).toBe('POST hello');
  await expectNothingLeft(scope);
});

it('waits a second time for a host before it gives up', async () => {
  const scope = newScope();
  const response = await new Client({ scope, waitForHostMs: 20 }).fetch('/v1/x');
  expect(response.status).toBe(503);
  expect(await errorCode(response)).toBe('no_host');
});

it('asks the next host when the first one dies before the head', async () => {
  const scope = newScope();
  const worker = await serveFromWorker(scope, 'first');
  const answer = new Client({ scope }).fetch('/v1/hang');
  await serve(scope, async () => new Response('second'), 'second');
  worker.terminate();
  expect(await (await answer).text()).toBe('second');
  await expectNothingLeft(scope);
});

it('asks the next host when the first one dies before the first byte', async () => {
  const scope = newScope();
  const first = await serve(scope, async () => writable().response, 'first');
  const response = await new Client({ scope }).fetch('/v1/x');
  const text = response.text();
  first.close();
  await serve(
    scope,
    async () =>
      new Response(streamOf(bytes('data: second\n\n')), { headers: { 'content-type': 'text/event-stream' } }),
    'second',
  );
  expect(await text).toBe('data: second\n\n');
  await expectNothingLeft(scope);
});

it('surfaces the loss when the next host answers with another status', async () => {
  const scope = newScope();
  const first = await serve(scope, async () => writable().response, 'first');
  const text = (await new Client({ scope }).fetch('/v1/x')).text();
  first.close();
  await serve(scope, async () => new Response('gone', { status: 404 }), 'second');
  expect(await text).toContain('"code":"host_lost"');
  await expectNothingLeft(scope);
});

it('surfaces the loss after the first byte', async () => {
  const scope = newScope();
  const stream = writable();
  const first = await serve(scope, async () => stream.response, 'first');
  const reader = textReader(await new Client({ scope }).fetch('/v1/x'));
  void stream.write('data: 1\n\n').catch(() => undefined);
  expect(await reader.next()).toBe('data: 1\n\n');
  first.close();
  await serve(scope, async () => new Response('unasked'), 'second');
  expect(await reader.next()).toContain('"code":"host_lost"');
  expect(await reader.next()).toBeUndefined();
  await expectNothingLeft(scope);
});

it('retries only once', async () => {
  const scope = newScope();
  let asked = 0;
  const client = new Client({ scope, waitForHostMs: 20 });
  const first = await puppetEngine(scope, 1, 'first');
  const answer = client.fetch('/v1/x');
  await expect.poll(() => first.opened.length).toBe(1);
  first.say({ type: 'ack' });
  const second = await puppetEngine(scope, 2, 'second');
  first.release();
  await expect.poll(() => second.opened.length).toBe(1);
  second.say({ type: 'ack' });
  await serve(scope, async () => new Response(String(++asked)), 'third');
  second.release();
  expect(await errorCode(await answer)).toBe('host_lost');
  expect(asked).toBe(0);
});

it('rejects when it is aborted', async () => {
  const scope = newScope();
  const answer = new Client({ scope }).fetch('/v1/x', { signal: AbortSignal.abort() });
  await expect(answer).rejects.toThrow(expect.objectContaining({ name: 'AbortError' }));
});
