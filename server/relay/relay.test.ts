import { once } from 'node:events';
import type { IncomingHttpHeaders, RequestListener } from 'node:http';
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { CompanionOptions } from '#server/companion.ts';
import { scratchCompanion } from '#server/testing/companion.ts';
import {
  call,
  codeOf,
  fromThePage,
  messageOf,
  serve,
  type Call,
  type LoopbackServer,
} from '#server/testing/http.ts';

const digest = `sha256:${'a'.repeat(64)}`;
const blobPath = `/v2/a/blobs/${digest}`;
const manifestPath = '/v2/a/manifests/latest';

/** A companion whose relay may reach `registries`, and a call from the app's page through it. */
async function relayTo(registries: readonly LoopbackServer[], options: Partial<CompanionOptions> = {}) {
  const log: string[] = [];
  const relayAllow = registries.map(({ authority }) => authority);
  const companion = await scratchCompanion({ relayAllow, log: (line) => log.push(line), ...options });
  const relayed = (authority: string, path: string, { headers, ...rest }: Call = {}) =>
    call(companion.port, `/_relay/${authority}${path}`, { ...rest, headers: { ...fromThePage, ...headers } });
  return { companion, log, relayed, [Symbol.asyncDispose]: () => companion[Symbol.asyncDispose]() };
}

const answering =
  (
    status: number,
    headers: Record<string, string | string[]> = {},
    body?: string | Buffer,
  ): RequestListener =>
  (_request, response) => {
    response.writeHead(status, headers).end(body);
  };

describe('the relay', () => {
  it('shows that it is there', async () => {
    await using relay = await relayTo([]);
    const reply = await call(relay.companion.port, '/_relay/');
    expect(reply).toMatchObject({ status: 204, text: '' });
    expect(reply.headers).toHaveProperty('x-sampan-relay', '1');
  });

  it.each([
    ['no mark of the page', {}],
    ['no custom header', { 'sec-fetch-site': 'same-origin' }],
    ['no Sec-Fetch-Site', { 'x-sampan-relay': '1' }],
    ['another site', { ...fromThePage, 'sec-fetch-site': 'cross-site' }],
    ['another port of this machine', { ...fromThePage, 'sec-fetch-site': 'same-site' }],
    ['a typed address', { ...fromThePage, 'sec-fetch-site': 'none' }],
  ])('refuses a request with %s and reaches nobody', async (_name, headers) => {
    let visits = 0;
    await using registry = await serve((_request, response) => {
      visits++;
      response.end();
    });
    await using relay = await relayTo([registry]);
    const reply = await call(relay.companion.port, `/_relay/${registry.authority}/v2/`, { headers });
    expect(reply.status).toBe(403);
    expect(codeOf(reply)).toBe('forbidden_origin');
    expect(visits).toBe(0);
  });

  it('carries a manifest as inert bytes, and says beside it what the registry called it', async () => {
    const manifest = '{"schemaVersion":2}';
    await using registry = await serve(
      answering(
        200,
        { 'content-type': 'text/html', 'docker-content-digest': digest, 'set-cookie': 'a=b' },
        manifest,
      ),
    );
    await using relay = await relayTo([registry]);
    const reply = await relay.relayed(registry.authority, manifestPath);
    expect(reply).toMatchObject({ status: 200, text: manifest });
    expect(reply.headers).toMatchObject({
      'content-type': 'application/octet-stream',
      'x-sampan-content-type': 'text/html',
      'content-security-policy': `sandbox; default-src 'none'`,
      'x-content-type-options': 'nosniff',
      'cross-origin-resource-policy': 'same-origin',
      'cross-origin-embedder-policy': 'require-corp',
      'cache-control': 'no-store',
      'docker-content-digest': digest,
      'content-length': String(manifest.length),
    });
    expect(reply.headers).not.toHaveProperty('set-cookie');
  });

  it('forwards the listed request headers and no other', async () => {
    let seen: IncomingHttpHeaders = {};
    await using registry = await serve((request, response) => {
      seen = request.headers;
      response.end('{}');
    });
    await using relay = await relayTo([registry]);
    const forwarded = {
      accept: 'a/b, c/d',
      authorization: 'Bearer t',
      range: 'bytes=1-',
      'user-agent': 'browser',
    };
    const dropped = {
      cookie: 'a=b',
      origin: 'http://localhost',
      referer: 'http://localhost/',
      'x-forwarded-for': '1',
    };
    await relay.relayed(registry.authority, manifestPath, { headers: { ...forwarded, ...dropped } });
    expect(seen).toEqual({
      ...forwarded,
      'accept-encoding': 'identity',
      host: registry.authority,
      connection: 'keep-alive',
    });
  });

  it('returns the listed response headers and no other', async () => {
    const returned = {
      'www-authenticate': 'Bearer realm="https://auth.example.com/token",service="r"',
      'oci-subject': digest,
      'ratelimit-remaining': '99;w=21600',
      'retry-after': '7',
      link: '</v2/a/tags/list?last=b>; rel="next"',
      etag: '"e"',
      'docker-upload-uuid': 'u',
    };
    const dropped = {
      'access-control-allow-origin': '*',
      server: 'x',
      'clear-site-data': '"*"',
      'service-worker-allowed': '/',
    };
    await using registry = await serve(answering(401, { ...returned, ...dropped }, '{"errors":[]}'));
    await using relay = await relayTo([registry]);
    const reply = await relay.relayed(registry.authority, manifestPath);
    expect(reply.status).toBe(401);
    expect(reply.headers).toMatchObject(returned);
    for (const name of Object.keys(dropped)) expect(reply.headers).not.toHaveProperty(name);
  });

  it('logs method, host, status and bytes, and never a path or a query', async () => {
    await using registry = await serve(answering(200, {}, 'x'.repeat(1234)));
    await using relay = await relayTo([registry]);
    await relay.relayed(registry.authority, `${blobPath}?secret=s`);
    await relay.relayed('ghcr.io', '/private?secret=s');
    await expect.poll(() => relay.log).toHaveLength(2);
    expect(relay.log).toEqual([
      `relay GET ${registry.authority} 200 0 bytes up 1234 bytes down`,
      'relay GET - 400 0 bytes up 0 bytes down',
    ]);
  });

  it('answers HEAD with the length of what it does not send', async () => {
    await using registry = await serve(answering(200, { 'content-length': '99999' }));
    await using relay = await relayTo([registry]);
    const reply = await relay.relayed(registry.authority, blobPath, { method: 'HEAD' });
    expect(reply).toMatchObject({ status: 200, text: '' });
    expect(reply.headers).toHaveProperty('content-length', '99999');
  });

  it('refuses a manifest over 4 MiB, announced or not', async () => {
    const large = Buffer.alloc(4 * 2 ** 20 + 1, 0x20);
    await using announced = await serve(answering(200, { 'content-length': String(large.length) }, large));
    await using unannounced = await serve((_request, response) => {
      response.write(large);
      response.end();
    });
    await using relay = await relayTo([announced, unannounced]);
    for (const { authority } of [announced, unannounced]) {
      const reply = await relay.relayed(authority, manifestPath);
      expect(reply.status).toBe(400);
      expect(codeOf(reply)).toBe('unsupported_model_format');
    }
  });

  it('cuts a blob that breaks off, so that it does not look whole', async () => {
    await using registry = await serve((_request, response) => {
      response.writeHead(200, { 'content-length': '1000' });
      response.write('half', () => response.destroy());
    });
    await using relay = await relayTo([registry]);
    await expect(relay.relayed(registry.authority, blobPath)).rejects.toThrow();
    await expect
      .poll(() => relay.log)
      .toEqual([`relay GET ${registry.authority} 499 0 bytes up 4 bytes down`]);
  });

  it('says when a manifest breaks off', async () => {
    await using registry = await serve((_request, response) => {
      response.writeHead(200, { 'content-length': '1000' });
      response.write('half', () => response.destroy());
    });
    await using relay = await relayTo([registry]);
    const reply = await relay.relayed(registry.authority, manifestPath);
    expect(reply.status).toBe(502);
    expect(codeOf(reply)).toBe('registry_unreachable');
  });

  it('says when nobody listens', async () => {
    const gone = await serve(() => undefined);
    await gone[Symbol.asyncDispose]();
    await using relay = await relayTo([gone]);
    const reply = await relay.relayed(gone.authority, '/v2/');
    expect(reply.status).toBe(502);
    expect(messageOf(reply)).toContain(`${gone.authority} could not be reached (ECONNREFUSED).`);
  });
});

describe('private addresses', () => {
  it.each([
    '127.1',
    '2130706433',
    '0x7f.1',
    '[::ffff:127.0.0.1]',
    'localhost',
    '169.254.169.254',
    '127.0.0.1',
  ])('are not reached as %s', async (host) => {
    await using registry = await serve(() => expect.unreachable());
    await using relay = await relayTo([]);
    for (const authority of [host, `${host}:${registry.port}`]) {
      const reply = await relay.relayed(authority, '/v2/');
      expect(reply.status).toBe(403);
      expect(messageOf(reply)).toMatch(
        /^The relay does not reach private addresses\. Start Sampan with --relay-allow /,
      );
    }
  });

  it('are not reached by a public name that resolves to one', async () => {
    await using relay = await relayTo([], {
      resolveName: () => Promise.resolve([{ address: '127.0.0.1', family: 4 }]),
    });
    const reply = await relay.relayed('registry.example.com', '/v2/');
    expect(reply.status).toBe(403);
    expect(messageOf(reply)).toBe(
      'The relay does not reach private addresses. Start Sampan with --relay-allow registry.example.com:443 (or SAMPAN_RELAY_ALLOW=registry.example.com:443) to allow this registry.',
    );
  });

  it('are not reached by a name that resolves to one the second time', async () => {
    let looks = 0;
    await using relay = await relayTo([], {
      resolveName: () =>
        Promise.resolve([{ address: looks++ === 0 ? '::1' : '10.0.0.1', family: looks === 1 ? 6 : 4 }]),
    });
    for (let i = 0; i < 2; i++) {
      expect((await relay.relayed('registry.example.com', '/v2/')).status).toBe(403);
    }
    expect(looks).toBe(2);
  });

  it('are not reached for a token', async () => {
    await using realm = await serve(() => expect.unreachable());
    await using relay = await relayTo([]);
    const reply = await relay.relayed(realm.authority, '/token?service=a&scope=b');
    expect(reply.status).toBe(403);
    expect(codeOf(reply)).toBe('forbidden_origin');
  });

  it('are not reached by a redirect', async () => {
    await using secret = await serve(() => expect.unreachable());
    for (const location of [
      `http://${secret.authority}/admin`,
      `http://0x7f.1:${secret.port}/`,
      `https://localhost:${secret.port}/`,
    ]) {
      await using registry = await serve(answering(307, { location }));
      await using relay = await relayTo([registry]);
      const reply = await relay.relayed(registry.authority, blobPath);
      expect(reply.status).toBe(403);
      expect(codeOf(reply)).toBe('forbidden_origin');
    }
  });

  it('say that an unknown name is unknown', async () => {
    await using relay = await relayTo([], {
      resolveName: () => Promise.reject(Object.assign(new Error('no such name'), { code: 'ENOTFOUND' })),
    });
    const reply = await relay.relayed('registry.example.com', '/v2/');
    expect(reply.status).toBe(502);
    expect(messageOf(reply)).toContain('registry.example.com:443 could not be reached (ENOTFOUND).');
  });
});

describe('tokens', () => {
  it('come through', async () => {
    let url: string | undefined;
    await using realm = await serve((request, response) => {
      url = request.url;
      response.end('{"token":"t"}');
    });
    await using relay = await relayTo([realm]);
    const reply = await relay.relayed(realm.authority, '/token?service=s&scope=repository:a:pull%20b');
    expect(reply).toMatchObject({ status: 200, text: '{"token":"t"}' });
    expect(url).toBe('/token?service=s&scope=repository:a:pull%20b');
  });

  it.each([
    ['longer than 64 KiB', JSON.stringify({ token: 't'.repeat(64 * 1024) })],
    ['something else than JSON', '<html>'],
  ])('do not when they are %s', async (_name, body) => {
    await using realm = await serve(answering(200, {}, body));
    await using relay = await relayTo([realm]);
    const reply = await relay.relayed(realm.authority, '/token?service=s');
    expect(reply.status).toBe(502);
    expect(codeOf(reply)).toBe('registry_unreachable');
  });

  it('do not when the realm redirects', async () => {
    await using realm = await serve(answering(302, { location: '/other' }));
    await using relay = await relayTo([realm]);
    expect((await relay.relayed(realm.authority, '/token?service=s')).status).toBe(502);
  });
});

describe('redirects of a blob', () => {
  it.each([301, 302, 303, 307, 308])(
    'are followed for %i, without credentials and with the range',
    async (status) => {
      let seen: IncomingHttpHeaders = {};
      await using cdn = await serve((request, response) => {
        seen = request.headers;
        response.writeHead(206, { 'content-range': 'bytes 5-8/9' }).end('blob');
      });
      await using registry = await serve(
        answering(status, { location: `http://${cdn.authority}/any/path?sig=1` }),
      );
      await using relay = await relayTo([registry, cdn]);
      const reply = await relay.relayed(registry.authority, blobPath, {
        headers: { authorization: 'Bearer secret', range: 'bytes=5-' },
      });
      expect(reply).toMatchObject({ status: 206, text: 'blob' });
      expect(reply.headers).toHaveProperty('content-range', 'bytes 5-8/9');
      expect(seen).toHaveProperty('range', 'bytes=5-');
      expect(seen).not.toHaveProperty('authorization');
    },
  );

  it('keep credentials on the same host', async () => {
    const seen: (string | undefined)[] = [];
    await using registry = await serve((request, response) => {
      seen.push(request.headers.authorization);
      if (request.url === blobPath) response.writeHead(302, { location: '/stored' }).end();
      else response.end('blob');
    });
    await using relay = await relayTo([registry]);
    await relay.relayed(registry.authority, blobPath, { headers: { authorization: 'Bearer t' } });
    expect(seen).toEqual(['Bearer t', 'Bearer t']);
  });

  it('end after five hops', async () => {
    let visits = 0;
    await using registry = await serve((_request, response) => {
      visits++;
      response.writeHead(302, { location: blobPath }).end();
    });
    await using relay = await relayTo([registry]);
    const reply = await relay.relayed(registry.authority, blobPath);
    expect(reply.status).toBe(502);
    expect(messageOf(reply)).toContain('more than 5 times');
    expect(visits).toBe(6);
  });

  it('are not followed for uploads', async () => {
    let visits = 0;
    await using registry = await serve((_request, response) => {
      visits++;
      response.writeHead(307, { location: '/v2/a/blobs/uploads/' }).end();
    });
    await using relay = await relayTo([registry]);
    const reply = await relay.relayed(registry.authority, '/v2/a/blobs/uploads/', { method: 'POST' });
    expect(reply.status).toBe(502);
    expect(visits).toBe(1);
  });
});

describe('limits', () => {
  it('give up on a registry that takes the connection and says nothing', async () => {
    await using registry = await serve(() => undefined);
    await using relay = await relayTo([registry], { relayTimeouts: { headersMs: 50, idleMs: 60_000 } });
    const reply = await relay.relayed(registry.authority, manifestPath);
    expect(reply.status).toBe(502);
    expect(messageOf(reply)).toContain('did not answer in time');
    expect(reply.headers).toHaveProperty('x-should-retry', 'true');
  });

  it('give up on a blob that stands still', async () => {
    await using registry = await serve((_request, response) => {
      response.writeHead(200, { 'content-length': '1000' });
      response.write('half');
    });
    await using relay = await relayTo([registry], { relayTimeouts: { headersMs: 60_000, idleMs: 50 } });
    await expect(relay.relayed(registry.authority, blobPath)).rejects.toThrow();
  });

  it('let one client have so many requests at once, and free a slot when one leaves', async () => {
    let waiting = 0;
    await using registry = await serve((request, response) => {
      waiting++;
      response.once('close', () => waiting--);
      if (request.url === '/v2/') response.end('{}');
    });
    await using relay = await relayTo([registry], {});
    const path = `/_relay/${registry.authority}${blobPath}`;
    const lines = [
      `GET ${path} HTTP/1.1`,
      'Host: localhost',
      'Sec-Fetch-Site: same-origin',
      'X-Sampan-Relay: 1',
      '',
      '',
    ];
    const sockets = Array.from({ length: 8 }, () => {
      const socket = connect(relay.companion.port, '127.0.0.1');
      socket.write(lines.join('\r\n'));
      return socket;
    });
    await expect.poll(() => waiting).toBe(8);
    const refused = await relay.relayed(registry.authority, '/v2/');
    expect(refused.status).toBe(429);
    expect(codeOf(refused)).toBe('rate_limited');
    expect(refused.headers).toMatchObject({ 'retry-after': '1', 'x-should-retry': 'true' });
    sockets[0]?.destroy();
    await expect.poll(() => waiting).toBe(7);
    await expect.poll(async () => (await relay.relayed(registry.authority, '/v2/')).status).toBe(200);
    for (const socket of sockets) socket.destroy();
  });

  it('end the request to the registry when the client leaves', async () => {
    const ended = deferred();
    await using registry = await serve((_request, response) => {
      response.writeHead(200);
      response.write('first');
      response.once('close', ended.resolve);
    });
    await using relay = await relayTo([registry]);
    const controller = new AbortController();
    const response = await fetch(`${relay.companion.url}/_relay/${registry.authority}${blobPath}`, {
      headers: fromThePage,
      signal: controller.signal,
    });
    await response.body?.getReader().read();
    controller.abort();
    await ended.promise;
    await expect
      .poll(() => relay.log)
      .toEqual([`relay GET ${registry.authority} 499 0 bytes up 5 bytes down`]);
  });

  it('end it also before the registry has answered', async () => {
    const reached = deferred();
    const ended = deferred();
    await using registry = await serve((_request, response) => {
      response.once('close', ended.resolve);
      reached.resolve();
    });
    await using relay = await relayTo([registry]);
    const controller = new AbortController();
    const gone = fetch(`${relay.companion.url}/_relay/${registry.authority}${blobPath}`, {
      headers: fromThePage,
      signal: controller.signal,
    });
    gone.catch(() => undefined);
    await reached.promise;
    controller.abort();
    await ended.promise;
    await expect
      .poll(() => relay.log)
      .toEqual([`relay GET ${registry.authority} 499 0 bytes up 0 bytes down`]);
  });
});

function deferred() {
  const gate = new EventTarget();
  return { promise: once(gate, 'done'), resolve: () => void gate.dispatchEvent(new Event('done')) };
}
