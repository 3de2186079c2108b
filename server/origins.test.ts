import { describe, expect, it } from 'vitest';
import { originEntry, type OriginRules } from '#lib/core/origin.ts';
import type { TabGateway } from './gateway/port.ts';
import { scratchCompanion } from './testing/companion.ts';
import { call, codeOf, messageOf } from './testing/http.ts';

async function companionWith(origins: readonly string[], originRules?: OriginRules) {
  const seen: string[] = [];
  const gateway: TabGateway = {
    originRules,
    handle: (request, response) => {
      seen.push(`${request.method} ${request.url}`);
      response.setHeader('x-request-id', 'abc');
      response.end('answer');
      return Promise.resolve();
    },
  };
  const companion = await scratchCompanion({ gateway, origins });
  const ask = (headers: Record<string, string>, method = 'GET') =>
    call(companion.port, '/v1/models', {
      method,
      headers: { host: `localhost:${companion.port}`, ...headers },
    });
  return { ...companion, seen, ask };
}

const site = 'http://site.example';

describe('a page of another origin', () => {
  it.each(['GET', 'POST', 'DELETE', 'OPTIONS'])('is refused before any work: %s', async (method) => {
    await using companion = await companionWith([]);
    const reply = await companion.ask({ origin: site }, method);
    expect(reply.status).toBe(403);
    expect(codeOf(reply)).toBe('forbidden_origin');
    expect(reply.headers.vary).toContain('Origin');
    expect(reply.headers).not.toHaveProperty('access-control-allow-origin');
    expect(companion.seen).toEqual([]);
  });

  it('is refused also where no preflight would ask first', async () => {
    await using companion = await companionWith([]);
    const form = { origin: site, 'content-type': 'text/plain', 'sec-fetch-site': 'cross-site' };
    expect((await companion.ask(form, 'POST')).status).toBe(403);
    expect((await companion.ask({ origin: 'null' }, 'POST')).status).toBe(403);
    // An image or a script sends no Origin.
    expect((await companion.ask({ 'sec-fetch-site': 'cross-site' })).status).toBe(403);
    expect((await companion.ask({ 'sec-fetch-site': 'same-site' })).status).toBe(403);
    expect(companion.seen).toEqual([]);
  });

  it('on the list may use and read the API', async () => {
    await using companion = await companionWith([site]);
    const reply = await companion.ask({ origin: site });
    expect(reply.text).toBe('answer');
    expect(reply.headers).toMatchObject({
      'access-control-allow-origin': site,
      'access-control-allow-credentials': 'true',
      'access-control-expose-headers': expect.stringContaining('x-request-id, x-should-retry'),
    });
  });

  it('on the list may read its refusals too', async () => {
    await using companion = await scratchCompanion({ origins: [site] });
    const reply = await call(companion.port, '/v1/models', { headers: { origin: site } });
    expect(reply.status).toBe(503);
    expect(reply.headers).toHaveProperty('access-control-allow-origin', site);
  });

  it.each([
    [['http://localhost:*'], 'http://localhost:5173', 200],
    [['http://localhost:*'], 'http://localhost', 200],
    [['http://localhost:*'], 'https://localhost:5173', 403],
    [['http://localhost:*'], 'http://localhost.evil.example:5173', 403],
    [['http://[::1]:*'], 'http://[::1]:8080', 200],
    [['http://localhost:3000'], 'http://localhost:3001', 403],
    [['http://localhost:3000/'], 'http://localhost:3000', 200],
    [['http://a.example:80'], 'http://a.example', 200],
    [['HTTP://A.example'], 'http://a.example', 200],
    [[site], `${site}.evil.example`, 403],
    [[site], 'http://evil.example', 403],
    [['*'], 'http://anyone.example', 200],
    [['http://a.example', '*'], 'null', 200],
  ])('of the list %j as %s: %i', async (origins, origin, status) => {
    await using companion = await companionWith(origins);
    expect((await companion.ask({ origin })).status).toBe(status);
  });
});

describe('a preflight', () => {
  it('is answered with the very headers that it asks for', async () => {
    await using companion = await companionWith(['*']);
    const reply = await companion.ask(
      {
        origin: site,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization,content-type,x-stainless-lang',
        'access-control-request-private-network': 'true',
      },
      'OPTIONS',
    );
    expect(reply.status).toBe(204);
    expect(reply.headers).toMatchObject({
      'access-control-allow-origin': site,
      'access-control-allow-methods': 'GET, HEAD, POST, PUT, PATCH, DELETE',
      'access-control-allow-headers': 'authorization,content-type,x-stainless-lang',
      'access-control-allow-private-network': 'true',
      vary: 'Origin, Access-Control-Request-Headers',
    });
    expect(companion.seen).toEqual([]);
  });

  it('that asks for what is no header name gets the usual ones', async () => {
    await using companion = await companionWith(['*']);
    const asked = { origin: site, 'access-control-request-method': 'POST' };
    for (const headers of [asked, { ...asked, 'access-control-request-headers': 'a b, (c)' }]) {
      const reply = await companion.ask(headers, 'OPTIONS');
      expect(reply.headers).toHaveProperty('access-control-allow-headers', 'authorization, content-type');
    }
  });
});

describe('everyone else', () => {
  it('goes on: programs, our own page, a typed address', async () => {
    await using companion = await companionWith([]);
    const own = `http://localhost:${companion.port}`;
    for (const headers of [{}, { origin: own }, { 'sec-fetch-site': 'none' }]) {
      const reply = await companion.ask(headers);
      expect(reply.status).toBe(200);
      expect(reply.headers).not.toHaveProperty('access-control-allow-origin');
    }
  });

  it('does not include our page under another name of this machine', async () => {
    await using companion = await companionWith([]);
    expect((await companion.ask({ origin: `http://127.0.0.1:${companion.port}` })).status).toBe(403);
  });
});

it.each(['localhost', 'localhost:3000', 'http://', 'http://a b', 'http://a/b', 'http://*', 'null', '**', ''])(
  'refuses %j as an entry',
  (text) => {
    expect(() => originEntry(text)).toThrow(expect.objectContaining({ code: 'invalid_request' }));
  },
);

describe('what the user has decided in the tab', () => {
  it('lets a page in that this companion was not started with', async () => {
    await using companion = await companionWith([], { allowed: [site], refused: [] });
    expect((await companion.ask({ origin: site })).headers).toMatchObject({
      'access-control-allow-origin': site,
    });
    expect((await companion.ask({ origin: 'http://other.example' })).status).toBe(403);
    expect((await companion.ask({ 'sec-fetch-site': 'cross-site' })).status).toBe(403);
  });

  it('keeps a page out that this companion was started with, even with *', async () => {
    await using companion = await companionWith([site, '*'], { allowed: [], refused: [site] });
    expect((await companion.ask({ origin: site })).status).toBe(403);
    expect((await companion.ask({ origin: site.toUpperCase() })).status).toBe(403);
    expect((await companion.ask({ origin: 'http://other.example' })).status).toBe(200);
  });

  it('never keeps Sampan’s own pages out', async () => {
    await using companion = await companionWith([], { allowed: [], refused: ['http://localhost:*'] });
    expect((await companion.ask({ origin: companion.url })).status).toBe(200);
  });

  it('is told as the place to allow a page', async () => {
    await using companion = await companionWith([]);
    expect(messageOf(await companion.ask({ origin: site }))).toContain('Allow it in Sampan’s settings');
  });
});
