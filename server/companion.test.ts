import { createHash } from 'node:crypto';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TabGateway } from './gateway/port.ts';
import {
  indexHtml,
  scratchCompanion,
  scriptText,
  startScript,
  type ScratchCompanion,
} from './testing/companion.ts';
import { call, codeOf, exchange, messageOf, type Reply } from './testing/http.ts';

const navigation = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' };
const script = '/_app/immutable/entry/app.abc.js';

let companion: ScratchCompanion;
let port: number;
beforeAll(async () => {
  companion = await scratchCompanion();
  port = companion.port;
});
afterAll(() => companion[Symbol.asyncDispose]());

function expectIsolated({ headers }: Reply) {
  expect(headers).toMatchObject({
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-embedder-policy': 'require-corp',
    'cross-origin-resource-policy': 'same-origin',
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
  });
  expect(headers['content-security-policy']).toContain(`default-src '`);
}

describe('sampan.js', () => {
  it('may be loaded by every page, isolated ones among them, and is the only such file', async () => {
    const open = { 'access-control-allow-origin': '*', 'cross-origin-resource-policy': 'cross-origin' };
    expect(
      (await call(port, '/sampan.js', { headers: { origin: 'http://site.example' } })).headers,
    ).toMatchObject(open);
    const other = await call(port, script);
    expect(other.headers).not.toHaveProperty('access-control-allow-origin');
    expectIsolated(other);
  });
});

describe('the headers of isolation', () => {
  it.each([
    ['the page', '/', 'GET', navigation],
    ['a script', script, 'GET', {}],
    ['a missing file', '/nope.js', 'GET', {}],
    ['a refused method', '/logo.svg', 'POST', {}],
    ['a foreign host', '/', 'GET', { host: 'evil.example' }],
    ['the gateway', '/v1/models', 'GET', {}],
    ['the relay', '/_relay/', 'GET', {}],
    ['a refused relay request', '/_relay/ghcr.io/v2/', 'GET', {}],
    ['the registry', '/v2/', 'GET', {}],
    ['an unknown blob', '/v2/a/manifests/b', 'GET', {}],
  ])('stand on %s', async (_name, path, method, headers) => {
    expectIsolated(await call(port, path, { method, headers }));
  });

  it('let /bridge keep its opener, for navigations only', async () => {
    for (const path of ['/bridge', '/bridge/', '/bridge?a=b']) {
      const page = await call(port, path, { headers: navigation });
      expect(page.status).toBe(200);
      expect(page.headers).not.toHaveProperty('cross-origin-opener-policy');
      expect(page.headers).toHaveProperty('cross-origin-embedder-policy', 'require-corp');
    }
    expectIsolated(await call(port, '/bridge'));
    expectIsolated(await call(port, '/bridges', { headers: navigation }));
  });

  it('allow the inline script of the built page by its hash', async () => {
    const { headers } = await call(port, '/', { headers: navigation });
    const hash = createHash('sha256').update(startScript).digest('base64');
    expect(headers['content-security-policy']).toContain(
      `script-src 'self' 'wasm-unsafe-eval' 'sha256-${hash}';`,
    );
  });
});

describe('one path, two representations', () => {
  it.each([
    '/',
    '/catalog',
    '/models',
    '/models/ai/smollm2',
    '/models/localhost:5000/a',
    '/logs',
    '/no/such/page',
  ])('gives the page to a navigation to %s', async (path) => {
    const page = await call(port, path, { headers: navigation });
    expect(page).toMatchObject({ status: 200, text: indexHtml });
    expect(page.headers).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-cache',
      vary: 'Accept, Accept-Encoding',
    });
  });

  it.each(['/models', '/engines/v1/models', '/logs?follow=true', '/_sampan/events'])(
    'tells a program that no tab serves %s',
    async (path) => {
      const reply = await call(port, path);
      expect(reply.status).toBe(503);
      expect(codeOf(reply)).toBe('no_host');
      expect(messageOf(reply)).toBe(
        `No Sampan tab is connected to this port. Open http://localhost:${port} in a browser, then send the request again.`,
      );
      expect(reply.headers).toMatchObject({
        'retry-after': '1',
        'x-should-retry': 'true',
        vary: 'Origin, Accept',
      });
    },
  );

  it('hands a program’s request to the gateway, of any method, with its slashes collapsed', async () => {
    const seen: string[] = [];
    const gateway: TabGateway = {
      handle: (request, response) => {
        seen.push(`${request.method} ${request.url}`);
        response.end();
        return Promise.resolve();
      },
    };
    await using withTab = await scratchCompanion({ gateway });
    await call(withTab.port, '//engines//v1/chat/completions?x=//', { method: 'POST', body: '{}' });
    await call(withTab.port, '/models/ai/smollm2', { method: 'DELETE' });
    expect(seen).toEqual(['POST /engines/v1/chat/completions?x=//', 'DELETE /models/ai/smollm2']);
  });

  it('gives the page at the root to everyone', async () => {
    expect(await call(port, '/')).toMatchObject({ status: 200, text: indexHtml });
  });

  it('answers 404 in JSON for a file that does not exist', async () => {
    const reply = await call(port, '/_app/immutable/missing.js');
    expect(reply.status).toBe(404);
    expect(codeOf(reply)).toBe('route_not_found');
  });

  it('answers 405 for a method that files do not have', async () => {
    const reply = await call(port, '/logo.svg', { method: 'PUT', body: 'x' });
    expect(reply.status).toBe(405);
    expect(reply.headers).toHaveProperty('allow', 'GET, HEAD');
  });
});

describe('files of the app', () => {
  it.each([
    ['br, gzip', 'br', brotliDecompressSync],
    ['gzip', 'gzip', gunzipSync],
    ['', undefined, (bytes: Buffer) => bytes],
  ])('are sent for Accept-Encoding %j as %s', async (accepted, encoding, decode) => {
    const reply = await call(port, script, { headers: { 'accept-encoding': accepted } });
    expect(reply.status).toBe(200);
    expect(reply.headers['content-encoding']).toBe(encoding);
    expect(reply.headers.vary).toBe('Accept-Encoding');
    expect(reply.headers['content-type']).toBe('text/javascript; charset=utf-8');
    expect(decode(reply.bytes).toString()).toBe(scriptText);
  });

  it('have a different strong ETag in each encoding', async () => {
    const tags = await Promise.all(
      ['br', 'gzip', ''].map(
        async (accepted) =>
          (await call(port, script, { headers: { 'accept-encoding': accepted } })).headers.etag,
      ),
    );
    expect(new Set(tags).size).toBe(3);
    for (const tag of tags) expect(tag).toMatch(/^"[^"]+"$/);
  });

  it('are plain where no compressed sibling stands', async () => {
    const reply = await call(port, '/logo.svg', { headers: { 'accept-encoding': 'br' } });
    expect(reply.headers).not.toHaveProperty('content-encoding');
    expect(reply.headers).toMatchObject({ 'content-type': 'image/svg+xml', 'cache-control': 'no-cache' });
  });

  it.each([
    ['/tiny.gguf', 'application/octet-stream'],
    ['/app.webmanifest', 'application/manifest+json'],
    ['/empty.txt', 'text/plain; charset=utf-8'],
  ])('say what they are: %s', async (path, contentType) => {
    expect((await call(port, path)).headers['content-type']).toBe(contentType);
  });

  it('are kept for ever when their name has a hash', async () => {
    const { headers } = await call(port, script);
    expect(headers['cache-control']).toBe('public, max-age=31536000, immutable');
  });

  it('are not sent again while unchanged', async () => {
    const { headers } = await call(port, '/tiny.gguf');
    for (const tag of [headers.etag, `W/${headers.etag}`, `"other", ${headers.etag}`, '*']) {
      const again = await call(port, '/tiny.gguf', { headers: { 'if-none-match': tag ?? '' } });
      expect(again).toMatchObject({ status: 304, text: '' });
      expectIsolated(again);
    }
    const changed = await call(port, '/tiny.gguf', { headers: { 'if-none-match': '"other"' } });
    expect(changed.status).toBe(200);
  });

  it('are sent again after a change', async () => {
    const path = join(companion.appDir, 'changing.json');
    await writeFile(path, '{}');
    const { headers } = await call(port, '/changing.json');
    await writeFile(path, '{"a":1}');
    const again = await call(port, '/changing.json', { headers: { 'if-none-match': headers.etag ?? '' } });
    expect(again).toMatchObject({ status: 200, text: '{"a":1}' });
  });

  it('are sent in part', async () => {
    const reply = await call(port, '/tiny.gguf', { headers: { range: 'bytes=2-5' } });
    expect(reply).toMatchObject({ status: 206, text: '2345' });
    expect(reply.headers).toMatchObject({ 'content-range': 'bytes 2-5/10', 'content-length': '4' });
  });

  it('are sent in part from the plain bytes, whatever encodings the client takes', async () => {
    const reply = await call(port, script, { headers: { range: 'bytes=0-5', 'accept-encoding': 'br' } });
    expect(reply).toMatchObject({ status: 206, text: 'export' });
    expect(reply.headers).not.toHaveProperty('content-encoding');
  });

  it('refuse a range beyond their end', async () => {
    const reply = await call(port, '/tiny.gguf', { headers: { range: 'bytes=10-' } });
    expect(reply).toMatchObject({ status: 416, text: '' });
    expect(reply.headers).toHaveProperty('content-range', 'bytes */10');
  });

  it('ignore a range after a change', async () => {
    const { headers } = await call(port, '/tiny.gguf');
    const same = await call(port, '/tiny.gguf', {
      headers: { range: 'bytes=0-0', 'if-range': headers.etag ?? '' },
    });
    const other = await call(port, '/tiny.gguf', { headers: { range: 'bytes=0-0', 'if-range': '"old"' } });
    expect([same.status, other.status]).toEqual([206, 200]);
  });

  it('show only their head to HEAD', async () => {
    const reply = await call(port, '/tiny.gguf', { method: 'HEAD' });
    expect(reply).toMatchObject({ status: 200, text: '' });
    expect(reply.headers).toHaveProperty('content-length', '10');
  });

  it('may be empty', async () => {
    expect(await call(port, '/empty.txt')).toMatchObject({ status: 200, text: '' });
  });

  it.each([
    '/../../etc/passwd',
    '/..%2f..%2fetc/passwd',
    '/%2e%2e/%2e%2e/etc/passwd',
    '/_app/..%5c..%5cetc/passwd',
    '/logo.svg%00.html',
    '/%ff',
  ])('are not left by %s', async (path) => {
    const reply = await call(port, path);
    expect(reply.status).toBe(400);
    expect(codeOf(reply)).toBe('invalid_request');
  });

  it.each(['/.secret', '/_app', '/_app/', `/${'a'.repeat(5000)}`, '/logo.svg/x'])(
    'do not include %s',
    async (path) => {
      expect((await call(port, path)).status).toBe(404);
    },
  );

  it('say how to build an app that is not there', async () => {
    await using empty = await scratchCompanion({ appDir: '/nonexistent' });
    const reply = await call(empty.port, '/', { headers: navigation });
    expect(reply.status).toBe(404);
    expect(messageOf(reply)).toContain('The app is not built.');
  });

  it('may be left half-way by a client, which is no error', async () => {
    const log: string[] = [];
    await using logged = await scratchCompanion({ log: (line) => log.push(line) });
    await writeFile(join(logged.appDir, 'large.bin'), Buffer.alloc(8 * 2 ** 20));
    const controller = new AbortController();
    const response = await fetch(`${logged.url}/large.bin`, { signal: controller.signal });
    await response.body?.getReader().read();
    controller.abort();
    expect((await call(logged.port, '/tiny.gguf')).status).toBe(200);
    expect(log).toEqual([]);
  });
});

describe('the Host header', () => {
  it('may be any name of this machine, with our port or none', async () => {
    for (const host of ['localhost', '127.0.0.1', '[::1]', 'app.localhost', 'LOCALHOST', 'a.b.localhost']) {
      expect((await call(port, '/tiny.gguf', { headers: { host } })).status).toBe(200);
      expect((await call(port, '/tiny.gguf', { headers: { host: `${host}:${port}` } })).status).toBe(200);
    }
  });

  it.each([
    'evil.example',
    'localhost.evil.example',
    'localhost:1',
    'evillocalhost',
    'localhost.',
    'localhost@evil.example',
    '127.0.0.1.nip.io',
    '192.168.0.1',
    '.localhost:x',
  ])('is refused as %s', async (host) => {
    const reply = await call(port, '/', { headers: { host } });
    expect(reply.status).toBe(403);
    expect(codeOf(reply)).toBe('forbidden_origin');
  });

  it('may be what --host names, and any address when that is a wildcard', async () => {
    await using everywhere = await scratchCompanion({ host: '0.0.0.0' });
    for (const host of ['0.0.0.0', '192.168.0.7', `192.168.0.7:${everywhere.port}`]) {
      expect((await call(everywhere.port, '/tiny.gguf', { headers: { host } })).status).toBe(200);
    }
    expect((await call(everywhere.port, '/', { headers: { host: 'evil.example' } })).status).toBe(403);
  });

  it.each([
    ['missing', 'GET / HTTP/1.1\r\nConnection: close\r\n\r\n'],
    ['missing in HTTP/1.0', 'GET / HTTP/1.0\r\n\r\n'],
    ['empty', 'GET / HTTP/1.1\r\nHost:\r\nConnection: close\r\n\r\n'],
    ['given twice', 'GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\nConnection: close\r\n\r\n'],
    [
      'overruled by the target',
      'GET http://evil.example/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n',
    ],
  ])('is refused when %s', async (_name, text) => {
    const received = await exchange(port, text);
    expect(received).toMatch(/^HTTP\/1\.1 400 /);
    expect(received).toContain('Cross-Origin-Embedder-Policy: require-corp');
  });
});

describe('requests that two servers could read in two ways', () => {
  const head = (lines: string) => `POST /v1/models HTTP/1.1\r\nHost: localhost\r\n${lines}\r\n\r\n`;
  it.each([
    ['two lengths', `${head('Content-Length: 5\r\nContent-Length: 6')}hello`],
    ['a length and chunks', `${head('Content-Length: 5\r\nTransfer-Encoding: chunked')}0\r\n\r\n`],
    ['a disguised chunked', `${head('Transfer-Encoding: chunked, identity')}0\r\n\r\n`],
    ['a broken chunk size', `${head('Transfer-Encoding: chunked')}0x5\r\nhello\r\n0\r\n\r\n`],
    ['a space before the colon', head('Content-Length : 5')],
    ['a folded header', head('X-A: b\r\n Content-Length: 5')],
    ['a huge header', head(`X-A: ${'a'.repeat(100_000)}`)],
  ])('are refused whole: %s', async (_name, text) => {
    const received = await exchange(port, text);
    const statuses = received.match(/HTTP\/1\.1 \d{3}/g) ?? [];
    expect(statuses.at(-1)).toBe('HTTP/1.1 400');
    expect(received).toContain('Cross-Origin-Opener-Policy: same-origin');
    expect(received).toContain('"code":"invalid_request"');
  });
});

it('frees its port on close, also under an open connection', async () => {
  const first = await scratchCompanion({ gateway: { handle: () => new Promise(() => undefined) } });
  const hanging = call(first.port, '/v1/models');
  hanging.catch(() => undefined);
  await first[Symbol.asyncDispose]();
  await expect(hanging).rejects.toThrow();
  await using second = await scratchCompanion({ port: first.port });
  expect(second.port).toBe(first.port);
});
