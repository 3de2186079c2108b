import { expect, it, onTestFinished } from 'vitest';
import { ApiError } from '#lib/core/errors.ts';
import type { Handle } from '#lib/bridge/served-request.ts';
import { bytes, expectNothingLeft, newScope, serve, writable } from '#lib/bridge/testing/support.ts';
import type { BridgeMessage, PageMessage } from './protocol.ts';
import { ForeignRelay } from './relay.ts';

type Told = BridgeMessage & { readonly id?: number };

/** A session with an engine of its own, and the page's end of it in the test's hand. */
async function session(handle: Handle) {
  const scope = newScope();
  await serve(scope, handle);
  const { port1, port2 } = new MessageChannel();
  const told: Told[] = [];
  port2.onmessage = ({ data }: MessageEvent<Told>) => told.push(data);
  onTestFinished(() => port2.close());
  const visitor = { origin: 'http://site.example', port: port1 };
  const relay = new ForeignRelay({ scope, visitor, once: ['ai/a'] });
  return {
    scope,
    relay,
    told,
    send: (message: PageMessage | object) => port2.postMessage(message),
    typesOf: (id: number) => told.filter((message) => message.id === id).map(({ type }) => type),
    textOf: (id: number) =>
      told.map((m) => (m.type === 'data' && m.id === id ? new TextDecoder().decode(m.bytes) : '')).join(''),
  };
}

const ask = (id: number, changes: Partial<Extract<PageMessage, { type: 'open' }>> = {}): PageMessage => ({
  type: 'open',
  id,
  method: 'POST',
  url: '/engines/v1/chat/completions',
  headers: [],
  body: bytes('{}'),
  ...changes,
});

it('carries a request to the engine, with the page’s origin, and the answer back', async () => {
  let seen: Request | undefined;
  const { send, told, typesOf, textOf, relay, scope } = await session(async (request) => {
    seen = request;
    return new Response('hello', { status: 201, headers: { 'content-type': 'text/plain' } });
  });
  send(ask(1));
  await expect.poll(() => typesOf(1)).toEqual(['head', 'data', 'end']);
  expect(told[0]).toEqual({ type: 'welcome' });
  expect(told[1]).toMatchObject({ status: 201, headers: [['content-type', 'text/plain']] });
  expect(textOf(1)).toBe('hello');
  expect(Object.fromEntries(seen?.headers ?? [])).toMatchObject({
    'x-sampan-source': 'site',
    'x-sampan-origin': 'http://site.example',
    'x-sampan-models': '%5B%22ai%2Fa%22%5D',
  });
  await expect.poll(() => [relay.requests, relay.running]).toEqual([1, 0]);
  await expectNothingLeft(scope);
});

it('stops the engine when the page cancels, and sends nothing more of it', async () => {
  const answer = writable();
  let isStopped = false;
  const { send, typesOf, scope } = await session(async ({ signal }) => {
    signal.addEventListener('abort', () => (isStopped = true));
    return answer.response;
  });
  send(ask(1));
  await answer.write('data: 1\n\n');
  await expect.poll(() => typesOf(1)).toEqual(['head', 'data']);
  send({ type: 'cancel', id: 1 });
  await expect.poll(() => isStopped).toBe(true);
  expect(typesOf(1)).toEqual(['head', 'data']);
  await expectNothingLeft(scope);
});

it('produces no more than a page reads', async () => {
  const chunk = new Uint8Array(64 * 1024);
  let producedBytes = 0;
  const { send, told } = await session(async () => {
    const body = new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          producedBytes += chunk.byteLength;
          controller.enqueue(chunk.slice());
        },
      },
      { highWaterMark: 0 },
    );
    return new Response(body);
  });
  const receivedBytes = () =>
    told.reduce((sum, message) => sum + (message.type === 'data' ? message.bytes.byteLength : 0), 0);
  send(ask(1));
  await expect.poll(receivedBytes).toBe(256 * 1024);
  send({ type: 'credit', id: 1, bytes: 128 * 1024 });
  await expect.poll(receivedBytes).toBe(384 * 1024);
  // What is still under way between the engine and this window.
  expect(producedBytes).toBeLessThan(1024 * 1024);
});

it('answers what it cannot carry, and goes on', async () => {
  const { send, told, typesOf } = await session(() => Promise.reject(new ApiError('storage_full', 'full')));
  const statusOf = (id: number) => told.find((m) => m.type === 'head' && m.id === id);
  send(ask(1, { body: new Uint8Array(10 * 1024 * 1024 + 1) }));
  send(ask(2));
  await expect.poll(() => [...typesOf(1), ...typesOf(2)]).toHaveLength(6);
  expect(statusOf(1)).toMatchObject({ status: 413 });
  expect(statusOf(2)).toMatchObject({ status: 507 });
});

it('lets a page have so many requests under way, and refuses those beyond', async () => {
  const { send, told, relay } = await session(() => new Promise(() => undefined));
  for (let id = 1; id <= 1000; id++) send(ask(id));
  await expect.poll(() => told.filter((message) => message.type === 'end')).toHaveLength(968);
  expect(told.find((message) => message.type === 'head')).toMatchObject({ id: 33, status: 429 });
  expect(relay.running).toBe(32);
  relay.stop(new ApiError('host_lost', 'over'));
  await expect.poll(() => relay.running).toBe(0);
});

it.each<[string, (send: (message: object) => void) => void]>([
  ['is of the wrong shape', (send) => send({ type: 'open', id: 1 })],
  ['uses a number twice', (send) => [ask(2), ask(2)].forEach(send)],
  ['goes back to an earlier number', (send) => [ask(2), ask(1)].forEach(send)],
])('ends a session whose page %s', async (_name, misbehave) => {
  let isStopped = false;
  const { send, told, relay, scope } = await session(({ signal }) => {
    signal.addEventListener('abort', () => (isStopped = true));
    return new Promise(() => undefined);
  });
  send(ask(1, { method: 'GET' }));
  await expect.poll(() => relay.running).toBe(1);
  misbehave(send);
  await expect
    .poll(() => told.at(-1))
    .toMatchObject({ type: 'bye', body: { error: { code: 'invalid_request' } } });
  await expect.poll(() => isStopped).toBe(true);
  expect(relay.isOver).toBe(true);
  await expectNothingLeft(scope);
});

it('stops everything when the page leaves or the user stops it', async () => {
  const first = await session(() => new Promise(() => undefined));
  first.send(ask(1));
  await expect.poll(() => first.relay.running).toBe(1);
  first.send({ type: 'bye' });
  await expect.poll(() => first.relay.isOver).toBe(true);
  await expectNothingLeft(first.scope);

  const second = await session(() => new Promise(() => undefined));
  second.send(ask(1));
  await expect.poll(() => second.relay.running).toBe(1);
  second.relay.stop(new ApiError('forbidden_origin', 'taken back'));
  second.relay.stop(new ApiError('host_lost', 'again'));
  await expect.poll(() => second.told.filter(({ type }) => type === 'bye')).toHaveLength(1);
  expect(second.told.at(-1)).toMatchObject({ body: { error: { code: 'forbidden_origin' } } });
  await expectNothingLeft(second.scope);
});

it('says so where no tab runs the models', async () => {
  const { port1, port2 } = new MessageChannel();
  const told: Told[] = [];
  port2.onmessage = ({ data }: MessageEvent<Told>) => told.push(data);
  onTestFinished(() => port2.close());
  new ForeignRelay({
    scope: newScope(),
    visitor: { origin: 'http://site.example', port: port1 },
    once: 'all',
    waitForHostMs: 1,
  });
  port2.postMessage(ask(1));
  await expect.poll(() => told.find(({ type }) => type === 'head')).toMatchObject({ status: 503 });
});
