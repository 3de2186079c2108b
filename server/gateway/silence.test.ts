import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { decodeCompanionFrame, encodeFrame, type CompanionFrame } from '#lib/bridge/socket/protocol.ts';
import { ManualClock } from '#lib/core/clock.ts';
import { scratchCompanion } from '#server/testing/companion.ts';
import { openTab } from '#server/testing/fake-tab.ts';
import { call, codeOf } from '#server/testing/http.ts';

const chatPath = '/engines/v1/chat/completions';

/** A tab of which every frame is written by the test. */
async function bareTab(url: string) {
  const introduction = await fetch(`${url}/_sampan/companion`, {
    headers: { 'sec-fetch-site': 'same-origin' },
  });
  const { token } = (await introduction.json()) as { token: string };
  const socket = new WebSocket(
    `${url.replace('http', 'ws')}/_sampan/gateway`,
    ['sampan.gateway.2', `sampan.token.${token}`],
    { origin: url },
  );
  const frames: CompanionFrame[] = [];
  socket.on('message', (data: Buffer) => {
    const frame = decodeCompanionFrame(new Uint8Array(data));
    if (frame) frames.push(frame);
  });
  await once(socket, 'open');
  return { socket, frames };
}

it('says that the tab is stalled when it does not take a request', async () => {
  const clock = new ManualClock();
  await using companion = await scratchCompanion({ clock });
  const tab = await bareTab(companion.url);
  const waiting = call(companion.port, chatPath, { method: 'POST', body: '{}' });
  await expect.poll(() => tab.frames).toHaveLength(3);
  await clock.advance(10_000);
  const reply = await waiting;
  expect(reply.status).toBe(503);
  expect(codeOf(reply)).toBe('host_stalled');
  await expect.poll(() => tab.frames.map(({ kind }) => kind)).toContain('cancel');
});

it('gives up on a tab that stays silent when it is asked', async () => {
  const clock = new ManualClock();
  await using companion = await scratchCompanion({ clock });
  const tab = await bareTab(companion.url);
  const waiting = call(companion.port, chatPath, { method: 'POST', body: '{}' });
  await expect.poll(() => tab.frames).toHaveLength(3);
  tab.socket.send(encodeFrame({ kind: 'ack', request: 1 }));
  // Its answer to a WebSocket's own ping shows that the companion has read the acknowledgement before it.
  tab.socket.ping();
  await once(tab.socket, 'pong');
  await clock.advance(10_000);
  await expect.poll(() => tab.frames.map(({ kind }) => kind)).toContain('ping');
  await clock.advance(10_000);
  expect(codeOf(await waiting)).toBe('host_stalled');
  await expect.poll(() => tab.socket.readyState).toBe(WebSocket.CLOSED);
});

it('keeps a stream alive in between its events', async () => {
  const clock = new ManualClock();
  await using companion = await scratchCompanion({ clock });
  const tab = await bareTab(companion.url);
  const responding = fetch(`${companion.url}${chatPath}`, { method: 'POST', body: '{}' });
  await expect.poll(() => tab.frames).toHaveLength(3);
  const headers: [string, string][] = [['content-type', 'text/event-stream']];
  tab.socket.send(encodeFrame({ kind: 'head', request: 1, status: 200, headers }));
  const reader = ((await responding).body as ReadableStream<Uint8Array>).getReader();
  const write = (text: string) =>
    tab.socket.send(encodeFrame({ kind: 'data', request: 1, bytes: new TextEncoder().encode(text) }));
  const read = async () => new TextDecoder().decode((await reader.read()).value);

  await clock.advance(10_000);
  expect(await read()).toBe(': waiting\n\n');
  write('data: half');
  expect(await read()).toBe('data: half');
  // Nothing may come into the middle of an event.
  await clock.advance(10_000);
  write(' and half\n\n');
  expect(await read()).toBe(' and half\n\n');
  await clock.advance(10_000);
  expect(await read()).toBe(': waiting\n\n');
  tab.socket.send(encodeFrame({ kind: 'end', request: 1 }));
  expect((await reader.read()).done).toBe(true);
});

it('does not wait for ever for a body that stopped half-way', async () => {
  const clock = new ManualClock();
  await using companion = await scratchCompanion({ clock, firstTabMs: 1000 });
  await using tab = openTab(companion.url, async (request) => {
    if (request.method === 'POST') await request.blob();
    return new Response('ok');
  });
  await call(companion.port, '/version');
  const socket = connect(companion.port, '127.0.0.1');
  const closed = once(socket, 'close');
  let received = '';
  socket.on('data', (chunk: Buffer) => (received += chunk.toString()));
  socket.write('POST /models/load HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nhalf');
  await expect.poll(() => tab.spooledBytes()).toBe(4);
  for (let elapsedMs = 0; elapsedMs < 60_000; elapsedMs += 6000) {
    expect(received).toBe('');
    await clock.advance(6000);
    // Meanwhile the tab answers others.
    await call(companion.port, '/version');
  }
  await closed;
  expect(received).toMatch(/^HTTP\/1\.1 400 /);
  expect(received).toContain('The body stopped half-way.');
});
