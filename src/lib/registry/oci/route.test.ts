import { afterEach, describe, expect, it } from 'vitest';
import { ApiError } from '#lib/core/errors.ts';
import { browserFetch } from '#tests/support/registry/browser-fetch.ts';
import type { TestServer } from '#tests/support/registry/http-server.ts';
import { startOciRegistry, type OciBehaviour } from '#tests/support/registry/oci.ts';
import { startRelay, type RelayOptions } from '#tests/support/registry/relay.ts';
import { Router, schemeOf, type Route } from './route.ts';

const servers: TestServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

async function setUp(behaviour: Partial<OciBehaviour>, relayOptions: RelayOptions = {}) {
  const registry = await startOciRegistry(behaviour);
  const app = await startRelay(relayOptions);
  servers.push(registry, app);
  const routes = new Map<string, Route>();
  const router = new Router({ fetch: browserFetch(app.url), ownHost: app.host, ownOrigin: app.url, routes });
  return { registry, app, routes, router };
}

describe('Router', () => {
  it('goes directly where the registry answers a preflight, and remembers it', async () => {
    const { registry, app, routes, router } = await setUp({ cors: 'open' });
    expect((await router.send(registry.host, '/v2/', {})).status).toBe(200);
    expect((await router.send(registry.host, '/v2/', {})).status).toBe(200);
    expect(registry.requests.map(({ method }) => method)).toEqual(['OPTIONS', 'GET', 'GET', 'GET']);
    expect(registry.requests[1]?.headers.authorization).toBe('Bearer probe');
    expect(routes).toEqual(new Map([[registry.host, 'direct']]));
    expect(app.requests).toEqual([]);
  });

  it.each(['closed', 'no-preflight'] as const)(
    'takes the relay where CORS is %s, and remembers it',
    async (cors) => {
      const { registry, app, routes, router } = await setUp({ cors });
      expect((await router.send(registry.host, '/v2/', {})).status).toBe(200);
      expect((await router.send(registry.host, '/v2/', {})).status).toBe(200);
      expect(routes).toEqual(new Map([[registry.host, 'relay']]));
      const relayed = app.requests.map(({ path, headers }) => [path, headers['x-sampan-relay']]);
      const path = `/_relay/${registry.host}/v2/`;
      expect(relayed).toEqual([
        ['/_relay/', '1'],
        [path, '1'],
        [path, '1'],
        [path, '1'],
      ]);
    },
  );

  it('turns to the relay when a request fails that the probe did not foresee', async () => {
    const { registry, routes, router } = await setUp({ cors: 'half' });
    const response = await router.send(registry.host, '/v2/a/blobs/sha256:0', {});
    expect(response.status).toBe(404);
    expect(routes.get(registry.host)).toBe('relay');
  });

  it('does not take a broken line for a closed door once the door was open', async () => {
    const { registry, app, routes, router } = await setUp({ cors: 'open' });
    await router.send(registry.host, '/v2/a/blobs/sha256:0', {});
    await registry.close();
    await expect(router.send(registry.host, '/v2/a/blobs/sha256:1', {})).rejects.toThrow(
      expect.objectContaining({ code: 'registry_unreachable' }),
    );
    expect(app.requests).toEqual([]);
    expect(routes.get(registry.host)).toBe('direct');
  });

  it('obeys a remembered route without probing', async () => {
    const { registry, app, routes, router } = await setUp({ cors: 'open' });
    routes.set(registry.host, 'relay');
    await router.send(registry.host, '/v2/', {});
    expect(app.requests.map(({ path }) => path)).toEqual([`/_relay/${registry.host}/v2/`]);
  });

  it('asks its own host directly', async () => {
    const registry = await startOciRegistry();
    servers.push(registry);
    const routes = new Map<string, Route>();
    const router = new Router({ fetch, ownHost: 'sampan.example', ownOrigin: registry.url, routes });
    expect((await router.send('sampan.example', '/v2/', {})).status).toBe(200);
    expect(routes.size).toBe(0);
    expect(registry.requests).toHaveLength(1);
  });

  it('says what to do where neither CORS nor a relay is there, and remembers nothing', async () => {
    const { registry, routes, router } = await setUp({ cors: 'closed' }, { present: false });
    await expect(router.send(registry.host, '/v2/', {})).rejects.toThrow(
      `${registry.host} is unreachable or does not answer browsers.`,
    );
    expect(routes.size).toBe(0);
  });

  it('passes on why the relay refuses, and asks again the next time', async () => {
    const refusal = new ApiError(
      'forbidden_origin',
      'Private address. Start with --allow-private to permit it.',
    );
    const { registry, routes, router } = await setUp({ cors: 'closed' }, { refuse: () => refusal });
    await expect(router.send(registry.host, '/v2/', {})).rejects.toThrow(
      expect.objectContaining({ code: 'forbidden_origin', message: refusal.message }),
    );
    expect(routes.size).toBe(0);
  });

  it('does not take a registry’s error for one of the relay', async () => {
    const { registry, routes, router } = await setUp({ cors: 'closed' });
    routes.set(registry.host, 'relay');
    const response = await router.send(registry.host, '/v2/a/manifests/b', {});
    expect(response.status).toBe(404);
    expect(await response.text()).toContain('MANIFEST_UNKNOWN');
  });

  it('stops with the caller’s reason when aborted', async () => {
    const { registry, router } = await setUp({ cors: 'closed' });
    const signal = AbortSignal.abort();
    await expect(router.send(registry.host, '/v2/', { signal })).rejects.toThrow(
      expect.objectContaining({ name: 'AbortError' }),
    );
  });

  it('never asks this app for a token on behalf of another registry', async () => {
    const { registry, app, router } = await setUp({});
    await expect(router.getBeside(registry.host, new URL(`${app.url}/token`), {})).rejects.toThrow(
      'names this app as its token server',
    );
    expect(app.requests).toEqual([]);
  });
});

describe('schemeOf', () => {
  it.each([
    ['localhost', 'http'],
    ['localhost:5000', 'http'],
    ['127.0.0.1:5000', 'http'],
    ['[::1]:5000', 'http'],
    ['registry.localhost:5000', 'http'],
    ['nas.local', 'http'],
    ['nas.local:5000', 'http'],
    ['registry.example.com', 'https'],
    ['registry.example.com:5000', 'https'],
    ['localhost.example.com', 'https'],
    ['notlocal', 'https'],
    ['192.168.1.5:5000', 'https'],
  ])('%s: %s', (host, scheme) => {
    expect(schemeOf(host)).toBe(scheme);
  });
});
