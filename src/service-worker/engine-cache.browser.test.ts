import { expect, it, onTestFinished } from 'vitest';
import { EngineCache } from './engine-cache.ts';

/** Any file that this server has. */
const url = new URL('./engine-cache.ts', import.meta.url).href;
const gone = new URL('/no/such.wasm', location.origin).href;

function cacheOf(version: string, engineFiles: readonly string[] = []) {
  onTestFinished(async () => {
    await caches.delete(`sampan-engine-${version}`);
  });
  return new EngineCache({ version, engineFiles });
}

async function keptBy(version: string): Promise<string[]> {
  if (!(await caches.has(`sampan-engine-${version}`))) return [];
  return (await (await caches.open(`sampan-engine-${version}`)).keys()).map((request) => request.url);
}

it('keeps what it has fetched and answers with it the next time, headers included', async () => {
  const version = crypto.randomUUID();
  const engines = cacheOf(version);
  const first = await engines.respond(new Request(url));
  expect(await first.text()).not.toBe('');
  await expect.poll(() => keptBy(version)).toEqual([url]);

  const cache = await caches.open(`sampan-engine-${version}`);
  await cache.put(url, new Response('kept', { headers: { 'cross-origin-embedder-policy': 'require-corp' } }));
  const second = await engines.respond(new Request(url));
  expect(await second.text()).toBe('kept');
  expect(second.headers.get('cross-origin-embedder-policy')).toBe('require-corp');
});

it('does not keep what is not there', async () => {
  const version = crypto.randomUUID();
  const missing = new URL('/no/such.wasm', location.origin);
  expect((await cacheOf(version).respond(new Request(missing))).status).toBe(404);
  expect(await keptBy(version)).toEqual([]);
});

it('keeps one content of each name, and takes it over with its query', async () => {
  const [old, version] = [crypto.randomUUID(), crypto.randomUUID()];
  for (const query of ['?sha256=1', '?sha256=2']) {
    await (await cacheOf(old).respond(new Request(url + query))).text();
    await expect.poll(() => keptBy(old)).toEqual([url + query]);
  }
  await cacheOf(version, [url]).sweep();
  expect(await keptBy(version)).toEqual([`${url}?sha256=2`]);
});

it('deletes what older versions have kept, except what has not changed', async () => {
  const old = crypto.randomUUID();
  const version = crypto.randomUUID();
  cacheOf(old);
  const cache = await caches.open(`sampan-engine-${old}`);
  await cache.put(url, new Response('unchanged'));
  await cache.put(gone, new Response('gone'));

  await cacheOf(version, [url]).sweep();

  expect(await keptBy(old)).toEqual([]);
  expect(await keptBy(version)).toEqual([url]);
});
