import { createHash } from 'node:crypto';
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { connect } from 'node:net';
import { Readable } from 'node:stream';
import { expect, it, describe } from 'vitest';
import { scratchCompanion } from '#server/testing/companion.ts';
import { call, codeOf, fromThePage, serve, type LoopbackServer } from '#server/testing/http.ts';

const mebibyte = 2 ** 20;
const uploadPath = '/v2/a/blobs/uploads/id';

async function relayTo({ authority }: LoopbackServer) {
  const companion = await scratchCompanion({ relayAllow: [authority] });
  return { ...companion, path: (rest: string) => `/_relay/${authority}${rest}` };
}

describe('the start of an upload', () => {
  it('turns the location into a relay path and sends a length of zero', async () => {
    let seen: IncomingHttpHeaders = {};
    await using registry = await serve((request, response) => {
      seen = request.headers;
      response
        .writeHead(202, { location: `${uploadPath}?_state=s%2Bt`, range: '0-0', 'docker-upload-uuid': 'id' })
        .end();
    });
    await using relay = await relayTo(registry);
    const reply = await call(relay.port, relay.path('/v2/a/blobs/uploads/'), {
      method: 'POST',
      headers: fromThePage,
    });
    expect(reply.status).toBe(202);
    expect(reply.headers).toMatchObject({
      location: `/_relay/${registry.authority}${uploadPath}?_state=s%2Bt`,
      range: '0-0',
      'docker-upload-uuid': 'id',
    });
    expect(seen).toMatchObject({ 'content-length': '0' });
    expect(seen).not.toHaveProperty('transfer-encoding');
  });

  it('is refused when it goes on at another host', async () => {
    await using registry = await serve((_request, response) => {
      response.writeHead(202, { location: 'https://other.example.com/v2/a/blobs/uploads/id' }).end();
    });
    await using relay = await relayTo(registry);
    const reply = await call(relay.port, relay.path('/v2/a/blobs/uploads/'), {
      method: 'POST',
      headers: fromThePage,
    });
    expect(reply.status).toBe(502);
    expect(codeOf(reply)).toBe('registry_unreachable');
  });
});

describe('a chunk', () => {
  it('reaches the registry only when it is whole, with its length', async () => {
    const arrivals: IncomingHttpHeaders[] = [];
    const received: Buffer[] = [];
    await using registry = await serve((request, response) => {
      arrivals.push(request.headers);
      request.on('data', (chunk: Buffer) => received.push(chunk));
      request.on('end', () => response.writeHead(202, { location: uploadPath, range: '0-9' }).end());
    });
    await using relay = await relayTo(registry);
    const outgoing = httpRequest({
      port: relay.port,
      path: relay.path(uploadPath),
      method: 'PATCH',
      headers: { ...fromThePage, host: 'localhost', 'content-range': '0-9' },
    });
    const answered = new Promise<number | undefined>((resolve) =>
      outgoing.on('response', (response) => resolve(response.resume().statusCode)),
    );
    await new Promise((resolve) => outgoing.write('01234', resolve));
    // Another request goes there and back meanwhile; the half chunk has had every chance to get through.
    await call(relay.port, relay.path('/v2/'), { headers: fromThePage });
    expect(arrivals).toHaveLength(1);
    outgoing.end('56789');
    expect(await answered).toBe(202);
    expect(arrivals[1]).toMatchObject({ 'content-length': '10', 'content-range': '0-9' });
    expect(Buffer.concat(received).toString()).toBe('0123456789');
  });

  it('never reaches the registry when the client leaves half-way', async () => {
    const methods: (string | undefined)[] = [];
    await using registry = await serve((request, response) => {
      methods.push(request.method);
      response.end();
    });
    const log: string[] = [];
    await using relay = await scratchCompanion({
      relayAllow: [registry.authority],
      log: (line) => log.push(line),
    });
    const socket = connect(relay.port, '127.0.0.1');
    const lines = [
      `PATCH /_relay/${registry.authority}${uploadPath} HTTP/1.1`,
      'Host: localhost',
      'Sec-Fetch-Site: same-origin',
      'X-Sampan-Relay: 1',
      'Content-Length: 10',
    ];
    await new Promise((resolve) => socket.write(`${lines.join('\r\n')}\r\n\r\n01234`, resolve));
    await call(relay.port, `/_relay/${registry.authority}/v2/`, { headers: fromThePage });
    socket.destroy();
    await expect.poll(() => log.filter((line) => line.includes('PATCH'))).toHaveLength(1);
    expect(methods).toEqual(['GET']);
  });

  it('over 32 MiB is refused, announced or not', async () => {
    await using registry = await serve(() => expect.unreachable());
    await using relay = await relayTo(registry);
    const body = Buffer.alloc(32 * mebibyte + 1);
    for (const headers of [{ 'content-length': String(body.length) }, { 'transfer-encoding': 'chunked' }]) {
      const reply = await call(relay.port, relay.path(uploadPath), {
        method: 'PATCH',
        headers: { ...fromThePage, ...headers },
        body,
      });
      expect(reply.status).toBe(413);
      expect(codeOf(reply)).toBe('request_too_large');
    }
  });

  it('of exactly 32 MiB goes through', async () => {
    let receivedBytes = 0;
    await using registry = await serve((request, response) => {
      request.on('data', (chunk: Buffer) => (receivedBytes += chunk.length));
      request.on('end', () => response.writeHead(202, { location: uploadPath }).end());
    });
    await using relay = await relayTo(registry);
    const body = Buffer.alloc(32 * mebibyte);
    const reply = await call(relay.port, relay.path(uploadPath), {
      method: 'PATCH',
      headers: fromThePage,
      body,
    });
    expect(reply.status).toBe(202);
    expect(receivedBytes).toBe(body.length);
  });
});

it('refuses to send a manifest over 4 MiB', async () => {
  await using registry = await serve(() => expect.unreachable());
  await using relay = await relayTo(registry);
  const reply = await call(relay.port, relay.path('/v2/a/manifests/latest'), {
    method: 'PUT',
    headers: fromThePage,
    body: Buffer.alloc(4 * mebibyte + 1),
  });
  expect(reply.status).toBe(413);
});

describe('a blob of 64 MiB', () => {
  const sizeBytes = 64 * mebibyte;
  const piece = Buffer.alloc(mebibyte, 7);

  it('is put through with flat memory and arrives whole', async () => {
    const hash = createHash('sha256');
    await using registry = await serve((request, response) => {
      request.on('data', (chunk: Buffer) => hash.update(chunk));
      request.on('end', () => response.writeHead(201, { location: '/v2/a/blobs/x' }).end());
    });
    await using relay = await relayTo(registry);
    const memory = new PeakMemory();
    const status = await put(relay.port, relay.path(`${uploadPath}?digest=d`), memory);
    expect(status).toBe(201);
    const expected = createHash('sha256');
    for (let sent = 0; sent < sizeBytes; sent += piece.length) expected.update(piece);
    expect(hash.digest('hex')).toBe(expected.digest('hex'));
    // Client, relay and registry share this process: all three together hold less than half of the blob.
    expect(memory.growthBytes).toBeLessThan(sizeBytes / 2);
  });

  it('is held back while the registry does not read', async () => {
    let resume: () => void = () => undefined;
    const reached = new Promise<void>((resolve) => {
      resume = resolve;
    });
    let open: (() => void) | undefined;
    await using registry = await serve((request, response) => {
      open = () => request.resume().on('end', () => response.writeHead(201).end());
      resume();
    });
    await using relay = await relayTo(registry);
    let producedBytes = 0;
    const counted = { sample: () => (producedBytes += piece.length) };
    const answered = put(relay.port, relay.path(`${uploadPath}?digest=d`), counted);
    await reached;
    const settled = await untilSteady(() => producedBytes);
    expect(settled).toBeLessThan(sizeBytes / 2);
    open?.();
    expect(await answered).toBe(201);
    expect(producedBytes).toBe(sizeBytes);
  });

  function put(port: number, path: string, memory: { sample(): void }): Promise<number | undefined> {
    const source = function* () {
      for (let sent = 0; sent < sizeBytes; sent += piece.length) {
        memory.sample();
        yield piece;
      }
    };
    return new Promise((resolve, reject) => {
      const headers = { ...fromThePage, host: 'localhost', 'content-length': String(sizeBytes) };
      const outgoing = httpRequest({ port, path, method: 'PUT', headers, agent: false });
      outgoing.on('response', (response) => resolve(response.resume().statusCode));
      outgoing.on('error', reject);
      Readable.from(source(), { objectMode: false, highWaterMark: 1 }).pipe(outgoing);
    });
  }
});

it('passes on what a registry says before it has read the whole upload', async () => {
  await using registry = await serve((_request, response) => {
    response
      .writeHead(401, { 'www-authenticate': 'Bearer realm="https://auth.example.com/token"' })
      .end('{}');
  });
  await using relay = await relayTo(registry);
  const reply = await call(relay.port, relay.path(`${uploadPath}?digest=d`), {
    method: 'PUT',
    headers: fromThePage,
    body: Buffer.alloc(8 * mebibyte),
  });
  expect(reply.status).toBe(401);
  expect(reply.headers).toHaveProperty('www-authenticate');
});

/** What the process holds outside the JavaScript heap, at its highest since the start. */
class PeakMemory {
  readonly #startBytes = process.memoryUsage().arrayBuffers;
  growthBytes = 0;

  sample(): void {
    this.growthBytes = Math.max(this.growthBytes, process.memoryUsage().arrayBuffers - this.#startBytes);
  }
}

/** The value once it has not changed over several rounds of I/O. */
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
