import { expect, it } from 'vitest';
import { ManualClock } from '#lib/core/clock.ts';
import { linkToCompanion } from './link.ts';
import { closeCodes, decodeTabFrame, encodeFrame, type CompanionFrame } from './protocol.ts';

type Answer = () => Promise<Response>;

/** As much of a WebSocket as the link uses; what the other side does is up to the test. */
class ScriptedSocket extends EventTarget {
  readonly OPEN = 1;
  readyState = 1;
  binaryType = 'blob';
  readonly url: string;
  readonly subprotocols: readonly string[];
  readonly sent: (string | undefined)[] = [];

  constructor(url: string, subprotocols: readonly string[]) {
    super();
    this.url = url;
    this.subprotocols = subprotocols;
  }

  send(bytes: Uint8Array<ArrayBuffer>): void {
    this.sent.push(decodeTabFrame(bytes)?.kind);
  }

  close(code = 1000): void {
    if (this.readyState === 3) return;
    this.readyState = 3;
    this.dispatchEvent(Object.assign(new Event('close'), { code }));
  }

  hear(frame: CompanionFrame): void {
    this.dispatchEvent(Object.assign(new Event('message'), { data: encodeFrame(frame).buffer }));
  }
}

/** Knows what was asked of it, so that time is moved only when something waits for it. */
class AskedClock extends ManualClock {
  readonly delaysMs: number[] = [];

  override after(delayMs: number, callback: () => void): () => void {
    this.delaysMs.push(delayMs);
    return super.after(delayMs, callback);
  }
}

const introduction: Answer = async () => Response.json({ token: 'secret', version: 2 });

function link(answer: Answer, handle = async () => new Response('ok')) {
  const clock = new AskedClock();
  const closing = new AbortController();
  const sockets: ScriptedSocket[] = [];
  const asked: string[] = [];
  let isOver = false;
  const linked = linkToCompanion({
    origin: 'http://localhost:12434',
    handle,
    spool: () => Promise.reject(new Error('No upload is expected.')),
    clock,
    random: () => 1,
    fetch: (input) => {
      asked.push(input as string);
      return answer();
    },
    openSocket: (url, subprotocols) => {
      const socket = new ScriptedSocket(url, subprotocols);
      sockets.push(socket);
      return socket as unknown as WebSocket;
    },
    signal: closing.signal,
  }).then(() => (isOver = true));
  return { clock, closing, sockets, asked, linked, isOver: () => isOver };
}

it('connects with the token that it was given', async () => {
  const { sockets, asked, closing, linked } = link(introduction);
  await expect.poll(() => sockets).toHaveLength(1);
  expect(asked).toEqual(['http://localhost:12434/_sampan/companion']);
  expect(sockets[0]).toMatchObject({
    url: 'ws://localhost:12434/_sampan/gateway',
    subprotocols: ['sampan.gateway.2', 'sampan.token.secret'],
    binaryType: 'arraybuffer',
  });
  closing.abort();
  await linked;
  expect(sockets[0]?.readyState).toBe(3);
});

it.each<[string, Answer]>([
  ['a 404', async () => new Response('no', { status: 404 })],
  ['a page', async () => new Response('<html>', { headers: { 'content-type': 'text/html' } })],
  ['other JSON', async () => Response.json({ hello: 1 })],
  ['a refusal', async () => new Response('{}', { status: 403 })],
])('ends where the app came without a companion: %s', async (_name, answer) => {
  const { linked, sockets } = link(answer);
  await linked;
  expect(sockets).toEqual([]);
});

it.each<[string, Answer]>([
  ['is down', () => Promise.reject(new TypeError('network'))],
  ['is of another version', async () => Response.json({ token: 'secret', version: 1 })],
  ['is in trouble', async () => new Response('', { status: 503 })],
])('asks again later, less and less often, while the companion %s', async (_name, answer) => {
  const { clock, asked, closing, linked } = link(answer);
  const delaysMs = [500, 1000, 2000, 4000, 8000, 15_000, 15_000];
  for (const [index, delayMs] of delaysMs.entries()) {
    await expect.poll(() => clock.delaysMs).toHaveLength(index + 1);
    expect(asked).toHaveLength(index + 1);
    await clock.advance(delayMs);
  }
  expect(clock.delaysMs.slice(0, delaysMs.length)).toEqual(delaysMs);
  closing.abort();
  await linked;
});

it('comes back after a loss with a fresh token, at once after a long connection', async () => {
  const { clock, sockets, asked, closing, linked } = link(introduction);
  for (let losses = 0; losses < 3; losses++) {
    await expect.poll(() => sockets).toHaveLength(losses + 1);
    await clock.advance(10_000);
    sockets[losses]?.close(1006);
    await expect.poll(() => clock.delaysMs).toHaveLength(losses + 1);
    await clock.advance(500);
  }
  expect(clock.delaysMs).toEqual([500, 500, 500]);
  await expect.poll(() => asked).toHaveLength(4);
  closing.abort();
  await linked;
});

it('that was pushed out comes back only where no other one is', async () => {
  const { clock, sockets, closing, linked } = link(introduction);
  await expect.poll(() => sockets).toHaveLength(1);
  sockets[0]?.close(closeCodes.replaced);
  await expect.poll(() => clock.delaysMs).toEqual([15_000]);
  await clock.advance(15_000);
  await expect.poll(() => sockets).toHaveLength(2);
  expect(sockets[1]?.url).toBe('ws://localhost:12434/_sampan/gateway?when=vacant');
  closing.abort();
  await linked;
});

it('leaves a companion that breaks the protocol', async () => {
  const { sockets, closing, linked } = link(introduction, () => new Promise(() => undefined));
  await expect.poll(() => sockets).toHaveLength(1);
  const open: CompanionFrame = {
    kind: 'open',
    request: 1,
    method: 'GET',
    url: '/',
    headers: [],
    body: 'none',
  };
  sockets[0]?.hear({ kind: 'ping', request: 0 });
  sockets[0]?.hear(open);
  expect(sockets[0]?.sent).toEqual(['pong', 'ack']);
  // The same number twice.
  sockets[0]?.hear(open);
  expect(sockets[0]?.readyState).toBe(3);
  closing.abort();
  await linked;
});

it('takes no frame for a call that is over amiss', async () => {
  const { sockets, closing, linked } = link(introduction);
  await expect.poll(() => sockets).toHaveLength(1);
  for (const kind of ['cancel', 'body-end'] as const) sockets[0]?.hear({ kind, request: 9 });
  sockets[0]?.hear({ kind: 'credit', request: 9, sizeBytes: 1 });
  expect(sockets[0]?.readyState).toBe(1);
  closing.abort();
  await linked;
});
