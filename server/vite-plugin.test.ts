import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createServer, type ViteDevServer } from 'vite';
import { writeFileAt } from './testing/companion.ts';
import { call, codeOf, fromThePage } from './testing/http.ts';
import { companionPlugin } from './vite-plugin.ts';

let root: string;
let server: ViteDevServer;
let port: number;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'sampan-vite-'));
  await writeFileAt(join(root, 'index.html'), '<!doctype html><title>dev</title>');
  await writeFileAt(join(root, 'module.js'), 'export const a = 1;');
  await writeFileAt(join(root, 'src/sampan-js/connect.ts'), 'export const connect: number = 1;');
  await writeFileAt(join(root, 'static/v2/sampan/tiny/manifests/latest'), '{"schemaVersion":2}');
  server = await createServer({
    root,
    configFile: false,
    logLevel: 'silent',
    plugins: [companionPlugin()],
    server: { port: 0, host: '127.0.0.1', watch: null, ws: false },
    optimizeDeps: { noDiscovery: true },
  });
  await server.listen();
  port = (server.httpServer?.address() as AddressInfo | undefined)?.port ?? 0;
});
afterAll(async () => {
  await server.close();
  await rm(root, { recursive: true });
});

it.each(['/', '/module.js', '/_relay/', '/v2/'])(
  'isolates %s, without a content policy on Vite’s own answers',
  async (path) => {
    const reply = await call(port, path, { headers: { accept: 'text/html,*/*' } });
    expect(reply.status).toBeLessThan(300);
    expect(reply.headers).toMatchObject({
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-embedder-policy': 'require-corp',
      'cross-origin-resource-policy': 'same-origin',
    });
    if (!path.startsWith('/_relay')) expect(reply.headers).not.toHaveProperty('content-security-policy');
  },
);

it('lets /bridge keep its opener', async () => {
  const reply = await call(port, '/bridge', { headers: { accept: 'text/html' } });
  expect(reply.headers).not.toHaveProperty('cross-origin-opener-policy');
});

it('serves sampan.js from its source', async () => {
  const reply = await call(port, '/sampan.js');
  expect(reply.headers['content-type']).toContain('javascript');
  expect(reply.text).toContain('export const connect = 1;');
});

it('serves the registry from the static folder', async () => {
  const reply = await call(port, '/v2/sampan/tiny/manifests/latest');
  expect(reply).toMatchObject({ status: 200, text: '{"schemaVersion":2}' });
});

it('has the relay, with its rules', async () => {
  const refused = await call(port, '/_relay/localhost:5000/v2/', { headers: fromThePage });
  expect(refused.status).toBe(403);
  expect(codeOf(refused)).toBe('forbidden_origin');
});

it('answers API paths to programs and leaves them to the app for people', async () => {
  expect(codeOf(await call(port, '/models'))).toBe('no_host');
  expect((await call(port, '/models', { headers: { accept: 'text/html' } })).text).toContain(
    '<title>dev</title>',
  );
});

it('refuses a foreign Host', async () => {
  const reply = await call(port, '/v2/', { headers: { host: 'evil.example' } });
  expect(reply.status).toBe(403);
});
