import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { WebSocket as NodeWebSocket } from 'ws';
import { ManualClock } from '#lib/core/clock.ts';
import { ApiError } from '#lib/core/errors.ts';
import { Signal } from '#lib/core/observable.ts';
import { FileResponse } from '#lib/core/file-response.ts';
import { uploadOf } from '#lib/core/upload.ts';
import { scratchCompanion } from '#server/testing/companion.ts';
import { openTab, type FakeTab } from '#server/testing/fake-tab.ts';
import { call, codeOf, exchange, messageOf } from '#server/testing/http.ts';

const chatPath = '/engines/v1/chat/completions';

async function companionWithTab(handle: (request: Request) => Promise<Response>) {
  const companion = await scratchCompanion({ firstTabMs: 10_000 });
  const tab = openTab(companion.url, handle);
  return {
    ...companion,
    tab,
    async [Symbol.asyncDispose]() {
      await tab[Symbol.asyncDispose]();
      await companion[Symbol.asyncDispose]();
    },
  };
}

/** The event stream that a test writes by hand. */
function handWritten() {
  let controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>> | undefined;
  let cancelled = false;
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
    start: (given) => {
      controller = given;
    },
    cancel: () => {
      cancelled = true;
    },
  });
  const response = new Response(body, { headers: { 'content-type': 'text/event-stream' } });
  const write = (text: string) => controller?.enqueue(new TextEncoder().encode(text));
  return { response, write, end: () => controller?.close(), isCancelled: () => cancelled };
}

async function uploadedBytes(request: Request): Promise<Uint8Array> {
  const upload = await uploadOf(request);
  const body = upload instanceof Blob ? upload : upload.stream;
  return new Uint8Array(await new Response(body).arrayBuffer());
}

describe('a request', () => {
  it('reaches the tab as it was sent, and its answer the program', async () => {
    let seen: Request | undefined;
    await using companion = await companionWithTab(async (request) => {
      seen = request;
      const headers = { 'x-request-id': 'abc', 'content-type': 'application/json', vary: 'Accept' };
      return new Response(`{"echo":${await request.text()}}`, { status: 201, headers });
    });
    const reply = await call(companion.port, `${chatPath}?a=b`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'user-agent': 'curl/8' },
      body: '{"model":"ai/tiny"}',
    });
    expect(reply).toMatchObject({ status: 201, text: '{"echo":{"model":"ai/tiny"}}' });
    expect(reply.headers).toMatchObject({ 'x-request-id': 'abc', vary: 'Origin, Accept' });
    expect(seen?.url).toBe(`${companion.url}${chatPath}?a=b`);
    expect(Object.fromEntries(seen?.headers ?? [])).toMatchObject({
      'content-type': 'application/json',
      'user-agent': 'curl/8',
      'x-sampan-source': 'program',
    });
  });

  it('cannot say itself who it is from, and leaves its secrets here', async () => {
    let seen = new Headers();
    await using companion = await companionWithTab(async ({ headers }) => {
      seen = headers;
      return new Response('ok');
    });
    await call(companion.port, '/models', {
      headers: {
        authorization: 'Bearer secret',
        cookie: 'secret=1',
        'x-sampan-source': 'page',
        connection: 'close, x-private',
        'x-private': 'secret',
        origin: companion.url,
        host: new URL(companion.url).host,
      },
    });
    expect(JSON.stringify([...seen])).not.toMatch(/secret/);
    expect(seen.get('x-sampan-source')).toBe('program');
    expect(seen.get('origin')).toBe(companion.url);
  });

  it('without an answer of the runner gets its error', async () => {
    await using companion = await companionWithTab(async () => {
      throw new ApiError('model_not_found', 'There is no such model.');
    });
    const reply = await call(companion.port, '/models/x');
    expect(reply.status).toBe(404);
    expect(codeOf(reply)).toBe('model_not_found');
    expect(reply.headers).toHaveProperty('x-should-retry', 'false');
  });

  it.each([204, 304])('may have an answer without a body: %i', async (status) => {
    await using companion = await companionWithTab(async () => new Response(null, { status }));
    expect(await call(companion.port, '/models')).toMatchObject({ status, text: '' });
  });

  it('of more than 10 MiB is refused, and the program reads the refusal', async () => {
    await using companion = await companionWithTab(async () => expect.unreachable());
    const reply = await call(companion.port, chatPath, { method: 'POST', body: Buffer.alloc(11 * 2 ** 20) });
    expect(reply.status).toBe(413);
    expect(codeOf(reply)).toBe('request_too_large');
  });

  it('whose answer HTTP cannot carry fails alone', async () => {
    await using companion = await companionWithTab(async (request) => {
      if (request.url.endsWith('/version')) return new Response('{}');
      const split = new Response('x');
      Object.defineProperty(split, 'headers', { value: [['x-split', 'a\r\nset-cookie: b=c']] });
      return split;
    });
    const reply = await call(companion.port, '/models');
    expect(reply.status).toBe(500);
    expect(reply.headers).not.toHaveProperty('set-cookie');
    expect((await call(companion.port, '/version')).status).toBe(200);
  });

  it('is not answered for the tab what the companion decides', async () => {
    const headers = { 'access-control-allow-origin': '*', 'cross-origin-embedder-policy': 'none' };
    await using companion = await companionWithTab(async () => new Response('x', { headers }));
    const reply = await call(companion.port, '/models');
    expect(reply.headers).not.toHaveProperty('access-control-allow-origin');
    expect(reply.headers).toHaveProperty('cross-origin-embedder-policy', 'require-corp');
  });
});

describe('a stream', () => {
  it('comes token by token', async () => {
    const answer = handWritten();
    await using companion = await companionWithTab(async () => answer.response);
    const response = await fetch(`${companion.url}${chatPath}`, { method: 'POST', body: '{}' });
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    for (const token of ['data: a\n\n', 'data: b\n\n']) {
      answer.write(token);
      expect(new TextDecoder().decode((await reader.read()).value)).toBe(token);
    }
    answer.end();
    expect((await reader.read()).done).toBe(true);
  });

  it('is stopped in the tab when its program leaves', async () => {
    const answer = handWritten();
    await using companion = await companionWithTab(async () => answer.response);
    const leaving = new AbortController();
    await fetch(`${companion.url}${chatPath}`, { method: 'POST', body: '{}', signal: leaving.signal });
    leaving.abort();
    await expect.poll(answer.isCancelled).toBe(true);
  });

  it('tells of a tab that is lost in its last event, completing a broken one', async () => {
    const answer = handWritten();
    await using companion = await companionWithTab(async () => answer.response);
    const response = await fetch(`${companion.url}${chatPath}`, { method: 'POST', body: '{}' });
    answer.write('data: ha');
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    await reader.read();
    companion.tab.sockets.at(-1)?.close();
    const last = new TextDecoder().decode((await reader.read()).value);
    expect(last).toMatch(/^\n\ndata: \{"error":\{.*"code":"host_lost"\}\}\n\n$/);
    expect((await reader.read()).done).toBe(true);
    await expect.poll(answer.isCancelled).toBe(true);
  });

  it('that fails in the tab ends in an error event', async () => {
    const failing = new ReadableStream<Uint8Array<ArrayBuffer>>({
      pull: () => Promise.reject(new ApiError('device_lost', 'The GPU was reset. Try again.')),
    });
    const headers = { 'content-type': 'text/event-stream' };
    await using companion = await companionWithTab(async () => new Response(failing, { headers }));
    expect((await call(companion.port, chatPath, { method: 'POST' })).text).toContain('"code":"device_lost"');
  });

  it('of another kind is cut off when it fails, so that it does not look whole', async () => {
    let isFirst = true;
    const failing = new ReadableStream<Uint8Array<ArrayBuffer>>({
      pull: (controller) => {
        if (!isFirst) throw new Error('disk');
        isFirst = false;
        controller.enqueue(new Uint8Array([1]));
      },
    });
    await using companion = await companionWithTab(async () => new Response(failing));
    await expect(call(companion.port, '/models/x/export')).rejects.toThrow();
  });

  it('waits in the tab while its program does not read', async () => {
    const piece = new Uint8Array(64 * 1024);
    let producedBytes = 0;
    const endless = new ReadableStream<Uint8Array<ArrayBuffer>>(
      {
        pull: (controller) => {
          producedBytes += piece.byteLength;
          controller.enqueue(piece);
        },
      },
      { highWaterMark: 0 },
    );
    await using companion = await companionWithTab(async () => new Response(endless));
    const socket = connect(companion.port, '127.0.0.1');
    socket.write('GET /models/x/export HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await new Promise((resolve) => socket.once('readable', resolve));
    const settled = await untilSteady(() => producedBytes);
    // Kernel buffers of both ends and one window.
    expect(settled).toBeLessThan(16 * 2 ** 20);
    socket.resume();
    await expect.poll(() => producedBytes).toBeGreaterThan(settled + 2 ** 20);
    socket.destroy();
  });
});

describe('a file', () => {
  const bytes = Buffer.alloc(3 * 2 ** 20, 'sampan');

  it('is downloaded from its handle, which is given back', async () => {
    let ends = 0;
    await using companion = await companionWithTab(
      async () => new FileResponse(new Blob([bytes]), {}, () => ends++),
    );
    const reply = await call(companion.port, '/models/x/export');
    expect(reply.bytes.equals(bytes)).toBe(true);
    expect(ends).toBe(1);
  });

  it('is uploaded piece by piece and handed over whole', async () => {
    let received = Buffer.alloc(0);
    await using companion = await companionWithTab(async (request) => {
      received = Buffer.from(await (await request.blob()).arrayBuffer());
      return new Response('loaded');
    });
    const reply = await call(companion.port, '/models/load', { method: 'POST', body: bytes });
    expect(reply.text).toBe('loaded');
    expect(received.equals(bytes)).toBe(true);
  });

  it('is held back while the tab does not take it', async () => {
    const release = deferred();
    let producedBytes = 0;
    const companion = await scratchCompanion({ firstTabMs: 10_000 });
    const tab = openTab(companion.url, async (request) => {
      await release.promise;
      await uploadedBytes(request);
      return new Response('loaded');
    });
    const sizeBytes = 64 * 2 ** 20;
    const answered = new Promise<number | undefined>((resolve, reject) => {
      const outgoing = httpRequest(
        { port: companion.port, path: '/models/load', method: 'POST', headers: { host: 'localhost' } },
        (response) => resolve(response.resume().statusCode),
      );
      outgoing.on('error', reject);
      const more = () => {
        while (producedBytes < sizeBytes) {
          producedBytes += 2 ** 20;
          if (!outgoing.write(Buffer.alloc(2 ** 20))) return void outgoing.once('drain', more);
        }
        outgoing.end();
      };
      more();
    });
    expect(await untilSteady(() => producedBytes)).toBeLessThan(sizeBytes / 2);
    release.resolve();
    expect(await answered).toBe(200);
    await tab[Symbol.asyncDispose]();
    await companion[Symbol.asyncDispose]();
  });

  it('is taken as it comes, by who wants no file', async () => {
    let received: Uint8Array = new Uint8Array(0);
    await using companion = await companionWithTab(async (request) => {
      received = await uploadedBytes(request);
      return new Response('loaded');
    });
    const reply = await call(companion.port, '/models/load', { method: 'POST', body: bytes });
    expect(reply.text).toBe('loaded');
    expect(bytes.equals(received)).toBe(true);
    expect(companion.tab.spooledBytes()).toBe(0);
  });

  it('is read line by line too, as a list of records is', async () => {
    let received = '';
    await using companion = await companionWithTab(async (request) => {
      received = await new Response(request.body).text();
      return new Response('imported');
    });
    const body = '{"id":1}\n{"id":2}\n';
    const reply = await call(companion.port, '/_sampan/requests/import', { method: 'POST', body });
    expect(reply.text).toBe('imported');
    expect(received).toBe(body);
  });

  it('that breaks off half-way is never whole for the runner', async () => {
    const ends: string[] = [];
    await using companion = await companionWithTab(async (request) => {
      if (request.method === 'POST') {
        await request.blob().then(
          () => ends.push('whole'),
          () => ends.push('broken'),
        );
      }
      return new Response('ok');
    });
    await call(companion.port, '/version');
    const socket = connect(companion.port, '127.0.0.1');
    socket.write('POST /models/load HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\nhalf');
    await expect.poll(() => companion.tab.spooledBytes()).toBe(4);
    socket.destroy();
    await expect.poll(() => ends).toEqual(['broken']);
  });
});

describe('a tab', () => {
  it('that is not there is said to be missing, at once', async () => {
    await using companion = await scratchCompanion();
    const reply = await call(companion.port, '/models');
    expect(reply.status).toBe(503);
    expect(messageOf(reply)).toContain(`Open ${companion.url} in a browser`);
  });

  it('that is lost before its answer is told as such', async () => {
    const companion = await companionWithTab(() => new Promise(() => undefined));
    const waiting = call(companion.port, chatPath, { method: 'POST', body: '{}' });
    await expect.poll(() => companion.tab.sockets[0]?.readyState).toBe(1);
    await untilCarried(companion.tab);
    companion.tab.sockets[0]?.close();
    const reply = await waiting;
    expect(reply.status).toBe(503);
    expect(codeOf(reply)).toBe('host_lost');
    expect(reply.headers).toMatchObject({ 'retry-after': '1', 'x-should-retry': 'true' });
    await companion[Symbol.asyncDispose]();
  });

  it('that comes back is waited for', async () => {
    await using companion = await companionWithTab(async () => new Response('ok'));
    await call(companion.port, '/version');
    companion.tab.sockets[0]?.close();
    await expect.poll(() => companion.tab.sockets[0]?.readyState).toBe(3);
    expect((await call(companion.port, '/version')).text).toBe('ok');
    expect(companion.tab.sockets).toHaveLength(2);
  });

  it('gives way to a newer one and does not fight back', async () => {
    await using companion = await companionWithTab(async () => new Response('old'));
    expect((await call(companion.port, '/version')).text).toBe('old');
    await using newer = openTab(companion.url, async () => new Response('new'));
    await expect.poll(async () => (await call(companion.port, '/version')).text).toBe('new');
    await expect.poll(() => companion.tab.sockets[0]?.readyState).toBe(3);
    expect((await call(companion.port, '/version')).text).toBe('new');
    expect(newer.sockets).toHaveLength(1);
  });

  it('that outlives the companion finds its successor', async () => {
    const first = await scratchCompanion({ firstTabMs: 10_000 });
    await using tab = openTab(first.url, async () => new Response('ok'));
    await call(first.port, '/version');
    await first[Symbol.asyncDispose]();
    await using second = await scratchCompanion({ port: first.port, firstTabMs: 10_000 });
    expect((await call(second.port, '/version')).text).toBe('ok');
    expect(tab.sockets.length).toBeGreaterThan(1);
  });

  it.each([
    'nonsense',
    new Uint8Array([9, 9, 9, 9, 9, 9, 9]),
    new Uint8Array(0),
    new Uint8Array(2 ** 20 + 1),
  ])('that sends what is no frame is cut off, and the companion goes on: case %#', async (garbage) => {
    await using companion = await companionWithTab(async () => new Response('ok'));
    await call(companion.port, '/version');
    companion.tab.sockets[0]?.send(garbage);
    await expect.poll(() => companion.tab.sockets[0]?.readyState).toBe(3);
    expect((await call(companion.port, '/version')).text).toBe('ok');
  });
});

describe('a WebSocket', () => {
  async function introduced(companion: { url: string }) {
    const response = await fetch(`${companion.url}/_sampan/companion`, {
      headers: { 'sec-fetch-site': 'same-origin' },
    });
    return (await response.json()) as { token: string };
  }

  /** The status of the refusal, or 101. */
  function upgradeStatus(
    port: number,
    { path = '/_sampan/gateway', ...headers }: Record<string, string>,
  ): Promise<number | undefined> {
    return new Promise((resolve, reject) => {
      const outgoing = httpRequest({
        port,
        path,
        headers: {
          connection: 'upgrade',
          upgrade: 'websocket',
          'sec-websocket-version': '13',
          'sec-websocket-key': Buffer.alloc(16).toString('base64'),
          ...headers,
        },
      });
      outgoing.on('response', (response) => resolve(response.resume().statusCode));
      outgoing.on('upgrade', (response, socket) => {
        socket.destroy();
        resolve(response.statusCode);
      });
      outgoing.on('error', reject);
      outgoing.end();
    });
  }

  it('is taken from our own page with its token, and from nobody else', async () => {
    await using companion = await scratchCompanion();
    const { port, url: origin } = companion;
    const { token } = await introduced(companion);
    const { host } = new URL(origin);
    const good = { host, origin, 'sec-websocket-protocol': `sampan.gateway.2, sampan.token.${token}` };
    const status = (changes: Record<string, string>) => upgradeStatus(port, { ...good, ...changes });
    expect(await status({ origin: 'http://evil.example' })).toBe(403);
    expect(await status({ origin: `http://127.0.0.1:${port}` })).toBe(403);
    expect(await status({ origin: 'http://evil.example', host: 'evil.example' })).toBe(403);
    expect(await status({ 'sec-websocket-protocol': 'sampan.gateway.2, sampan.token.wrong' })).toBe(401);
    expect(await status({ 'sec-websocket-protocol': 'sampan.gateway.2' })).toBe(401);
    expect(await status({ 'sec-websocket-protocol': `sampan.gateway.9, sampan.token.${token}` })).toBe(400);
    expect(await status({ path: '/elsewhere' })).toBe(404);
    const { origin: _, ...withoutOrigin } = good;
    expect(await upgradeStatus(port, withoutOrigin)).toBe(403);
    expect(await status({})).toBe(101);
  });

  it('of an engine that was replaced is let in only where none is connected', async () => {
    await using companion = await companionWithTab(async () => new Response('ok'));
    await call(companion.port, '/version');
    const { token } = await introduced(companion);
    const polite = await upgradeStatus(companion.port, {
      path: '/_sampan/gateway?when=vacant',
      host: new URL(companion.url).host,
      origin: companion.url,
      'sec-websocket-protocol': `sampan.gateway.2, sampan.token.${token}`,
    });
    expect(polite).toBe(409);
  });

  it('gets its token in our own page only', async () => {
    await using companion = await scratchCompanion();
    for (const site of ['cross-site', 'same-site', 'none', undefined]) {
      const reply = await call(companion.port, '/_sampan/companion', {
        headers: site === undefined ? {} : { 'sec-fetch-site': site },
      });
      expect(reply.status).toBe(403);
    }
    const rebound = await call(companion.port, '/_sampan/companion', {
      headers: { 'sec-fetch-site': 'same-origin', host: 'evil.example' },
    });
    expect(rebound.status).toBe(403);
  });

  it('is waited for as long as the first time when it is a headless one that crashed', async () => {
    const clock = new ManualClock(0);
    await using companion = await scratchCompanion({ firstTabMs: 30_000, clock });
    {
      await using first = openTab(companion.url, async () => new Response('first'));
      expect((await call(companion.port, '/version')).text).toBe('first');
      first.sockets[0]?.close();
      await expect.poll(() => first.sockets[0]?.readyState).toBe(NodeWebSocket.CLOSED);
    }
    const reply = call(companion.port, '/version');
    // By now it has arrived and waits.
    await call(companion.port, '/logo.svg');
    await clock.advance(5000);
    await using _second = openTab(companion.url, async () => new Response('second'));
    expect((await reply).text).toBe('second');
  });

  it('does not keep the companion from closing', async () => {
    const companion = await scratchCompanion({ firstTabMs: 10_000 });
    await using tab = openTab(companion.url, async () => new Response('ok'));
    await call(companion.port, '/version');
    await companion[Symbol.asyncDispose]();
    await expect.poll(() => tab.sockets[0]?.readyState).toBe(NodeWebSocket.CLOSED);
  });
});

describe('many requests', () => {
  it('at once are neither lost nor mixed', async () => {
    await using companion = await companionWithTab(async (request) => new Response(await request.text()));
    const texts = Array.from({ length: 200 }, (_, index) => `${index}:`.repeat(index * 10 + 1));
    const replies = await Promise.all(
      texts.map((body) => call(companion.port, chatPath, { method: 'POST', body })),
    );
    expect(replies.map(({ text }) => text)).toEqual(texts);
  });

  it('one after the other leave nothing behind in the tab', async () => {
    const signals: AbortSignal[] = [];
    await using companion = await companionWithTab(async (request) => {
      signals.push(request.signal);
      return new Response('ok');
    });
    for (let index = 0; index < 300; index++) {
      const response = await fetch(`${companion.url}/version`);
      expect(await response.text()).toBe('ok');
    }
    companion.tab.sockets[0]?.close();
    await expect.poll(() => companion.tab.sockets[0]?.readyState).toBe(3);
    // The loss of the tab stops what is under way: nothing was.
    expect(signals.filter(({ aborted }) => aborted)).toHaveLength(0);
  });
});

it('refuses a header of a megabyte, and goes on', async () => {
  await using companion = await companionWithTab(async () => new Response('ok'));
  const huge = `GET /models HTTP/1.1\r\nHost: localhost\r\nX-A: ${'a'.repeat(2 ** 20)}\r\n\r\n`;
  const received = await exchange(companion.port, huge).catch(() => 'HTTP/1.1 400 cut off');
  expect(received).toMatch(/^HTTP\/1\.1 4\d\d /);
  expect((await call(companion.port, '/version')).text).toBe('ok');
});

/** The tab has answered something that was sent after what is under way. */
async function untilCarried(tab: FakeTab): Promise<void> {
  const socket = tab.sockets[0];
  await new Promise((resolve) => {
    (socket as unknown as NodeWebSocket).once('pong', resolve);
    (socket as unknown as NodeWebSocket).ping();
  });
}

async function untilSteady(read: () => number): Promise<number> {
  let last = -1;
  await expect
    .poll(
      () => {
        const isSteady = read() === last;
        last = read();
        return isSteady;
      },
      { interval: 200 },
    )
    .toBe(true);
  return last;
}

function deferred() {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

describe('the user’s word about other pages', () => {
  it('is known while its tab is connected, as it is now', async () => {
    const changed = new Signal();
    let allowed = ['http://site.example'];
    await using companion = await scratchCompanion({ firstTabMs: 10_000 });
    const ask = async (origin: string) =>
      (await call(companion.port, '/version', { headers: { origin } })).status;
    {
      await using tab = openTab(companion.url, async () => new Response('{}'), {
        origins: { rules: () => ({ allowed, refused: [] }), changed },
      });
      await expect.poll(() => ask('http://site.example')).toBe(200);
      allowed = ['http://other.example'];
      changed.notify();
      await expect.poll(() => ask('http://site.example')).toBe(403);
      expect(await ask('http://other.example')).toBe(200);
      expect(tab.sockets).toHaveLength(1);
    }
    await expect.poll(() => ask('http://other.example')).toBe(403);
  });
});
