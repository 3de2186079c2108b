import { expect, it } from 'vitest';
import type { PageMessage } from '#lib/bridge/foreign/protocol.ts';
import { Carried } from './carried.ts';

function request() {
  const caller = new AbortController();
  const sent: PageMessage[] = [];
  let overs = 0;
  const carried = new Carried({
    id: 1,
    signal: caller.signal,
    send: (message) => sent.push(message),
    onOver: () => overs++,
  });
  const head = (contentType: string, status = 200) =>
    carried.receive({ type: 'head', id: 1, status, headers: [['content-type', contentType]] });
  const data = (text: string) =>
    carried.receive({ type: 'data', id: 1, bytes: new TextEncoder().encode(text) });
  return { carried, caller, sent, head, data, overs: () => overs };
}

const why = { code: 'host_lost', message: 'closed' };

it('answers as fetch does', async () => {
  const { carried, head, data, overs } = request();
  head('application/json', 404);
  const response = await carried.response;
  data('{"a":');
  data('1}');
  carried.receive({ type: 'end', id: 1 });
  expect(response.status).toBe(404);
  expect(await response.json()).toEqual({ a: 1 });
  expect(overs()).toBe(1);
});

it('has no body where HTTP has none', async () => {
  const { carried, head } = request();
  head('text/plain', 204);
  expect((await carried.response).body).toBeNull();
  carried.receive({ type: 'end', id: 1 });
});

it('asks for more only when it was read', async () => {
  const { carried, head, data, sent } = request();
  head('text/plain');
  const reader = (await carried.response).body?.getReader();
  data('a'.repeat(40_000));
  data('b'.repeat(40_000));
  await reader?.read();
  expect(sent).toEqual([]);
  await reader?.read();
  void reader?.read();
  await expect.poll(() => sent).toEqual([{ type: 'credit', id: 1, bytes: 80_000 }]);
});

it('is a 503 when the window goes before it answers', async () => {
  const { carried, overs } = request();
  carried.fail(why);
  const response = await carried.response;
  expect(response.status).toBe(503);
  expect(response.headers.get('x-should-retry')).toBe('false');
  expect(await response.json()).toEqual({ error: why });
  expect(overs()).toBe(1);
});

it('ends an event stream with an error event when the window goes', async () => {
  const { carried, head, data } = request();
  head('text/event-stream');
  data('data: 1\n\n');
  carried.fail(why);
  expect(await (await carried.response).text()).toBe(
    `data: 1\n\ndata: ${JSON.stringify({ error: why })}\n\n`,
  );
});

it('breaks any other body with the code of what failed', async () => {
  const { carried, head, data } = request();
  head('application/json');
  data('{"half":');
  carried.fail(why);
  await expect((await carried.response).text()).rejects.toMatchObject({
    code: 'host_lost',
    name: 'SampanError',
  });
  const other = request();
  other.head('application/json');
  const body = { error: { ...why, type: 'server_error', param: null, code: 'device_lost' } } as const;
  other.carried.receive({ type: 'error', id: 1, body });
  await expect((await other.carried.response).text()).rejects.toMatchObject({ code: 'device_lost' });
});

it('stops when its caller aborts, before the answer and in the middle of it', async () => {
  const early = request();
  early.caller.abort();
  await expect(early.carried.response).rejects.toMatchObject({ name: 'AbortError' });
  expect(early.sent).toEqual([{ type: 'cancel', id: 1 }]);
  const late = request();
  late.head('text/plain');
  const response = await late.carried.response;
  late.caller.abort();
  await expect(response.text()).rejects.toMatchObject({ name: 'AbortError' });
  expect(late.sent).toEqual([{ type: 'cancel', id: 1 }]);
  expect(late.overs()).toBe(1);
});

it('stops when its body is cancelled', async () => {
  const { carried, head, sent, overs } = request();
  head('text/plain');
  await (await carried.response).body?.cancel();
  expect(sent).toEqual([{ type: 'cancel', id: 1 }]);
  expect(overs()).toBe(1);
});
