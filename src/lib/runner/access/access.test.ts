import { describe, expect, it } from 'vitest';
import { ManualClock } from '#lib/core/clock.ts';
import { ApiError, toApiError } from '#lib/core/errors.ts';
import type { GrantJson, GrantWish } from '#lib/model/wire-access.ts';
import { grantRoutes } from '#lib/runner/endpoints/grants.ts';
import { json } from '#lib/runner/endpoints/respond.ts';
import { Router, type Route } from '#lib/runner/router.ts';
import { guarded, type AccessPorts } from './access.ts';
import { Grants } from './grants.ts';

const site = 'http://site.example';
const ids: Readonly<Record<string, string>> = {
  'ai/a': 'sha256:a',
  'ai/a:latest': 'sha256:a',
  'ai/b': 'sha256:b',
};
const library = {
  getLenient: (name: string) => {
    const id = ids[name];
    return id === undefined ? Promise.reject(new ApiError('model_not_found', 'no')) : Promise.resolve({ id });
  },
} as unknown as AccessPorts['library'];

const answers: readonly Route[] = [
  {
    method: 'POST',
    pattern: '/engines/v1/chat/completions',
    handle: async (call) => json(await call.json()),
  },
  { method: 'GET', pattern: '/models', handle: () => json([{ id: 'ai/a' }, { id: 'ai/b' }]) },
  {
    method: 'GET',
    pattern: '/engines/v1/models',
    handle: () => json({ object: 'list', data: [{ id: 'ai/b' }] }),
  },
  { method: 'GET', pattern: '/models/*', handle: ({ rest }) => json({ id: rest }) },
  { method: 'DELETE', pattern: '/models/*', handle: () => json('deleted') },
  { method: 'GET', pattern: '/requests', handle: () => json('secrets') },
  { method: 'GET', pattern: '/version', handle: () => json('1') },
];

function runner(stored: unknown = []) {
  const clock = new ManualClock(1000);
  const saved: (readonly GrantJson[])[] = [];
  const store = {
    load: () => Promise.resolve(stored),
    save: async (grants: readonly GrantJson[]) => void saved.push(grants),
  };
  const grants = new Grants({ store, clock, onError: () => undefined });
  const router = new Router(guarded([...answers, ...grantRoutes(grants)], { grants, library }));
  const ask = async (headers: Record<string, string>, path: string, init: RequestInit = {}) => {
    try {
      return await router.handle(new Request(`http://localhost:12434${path}`, { headers, ...init }));
    } catch (thrown) {
      return toApiError(thrown).toResponse();
    }
  };
  return { ask, grants, clock, saved };
}

const page = { 'x-sampan-source': 'page' };
const bridge = (origin = site, once?: string) => ({
  'x-sampan-source': 'site',
  'x-sampan-origin': origin,
  ...(once !== undefined && { 'x-sampan-models': once }),
});
const wish = (changes: Partial<GrantWish> = {}): GrantWish => ({
  origin: site,
  decision: 'always',
  models: 'all',
  ...changes,
});
const chat = (body: unknown): [string, RequestInit] => [
  '/v1/chat/completions',
  { method: 'POST', body: JSON.stringify(body) },
];
const code = async (response: Response) =>
  response.ok ? 'ok' : ((await response.json()) as { error: { code: string } }).error.code;

/** What Chromium's and Node's `Request` would drop: the header as the companion's carrier gives it. */
function fromCompanion(origin: string): Record<string, string> {
  return { 'x-sampan-source': 'program', origin };
}

describe('a page in front of the bridge', () => {
  it('is refused without the user’s word, whatever it asks', async () => {
    const { ask } = runner();
    expect(await code(await ask(bridge(), ...chat({ model: 'ai/a' })))).toBe('forbidden_origin');
    expect(await code(await ask(bridge(), '/version'))).toBe('forbidden_origin');
    expect(await code(await ask(bridge(site, 'nonsense%'), '/version'))).toBe('forbidden_origin');
  });

  it('asks and lists what it was allowed, under any name, and nothing else', async () => {
    const { ask, grants } = runner();
    await grants.keep(wish({ models: ['ai/a:latest'] }));
    expect(await (await ask(bridge(), ...chat({ model: 'ai/a' }))).json()).toEqual({ model: 'ai/a' });
    expect(await code(await ask(bridge(), ...chat({ model: 'ai/b' })))).toBe('forbidden_origin');
    expect(await code(await ask(bridge(), ...chat({ model: 'ai/nowhere' })))).toBe('forbidden_origin');
    expect(await code(await ask(bridge(), ...chat({ model: 'ai/a', name: 'ai/b' })))).toBe(
      'forbidden_origin',
    );
    expect(await code(await ask(bridge(), ...chat({})))).toBe('forbidden_origin');
    expect(await code(await ask(bridge(), '/models/ai/b'))).toBe('forbidden_origin');
    expect(await code(await ask(bridge(), '/models/ai/a'))).toBe('ok');
    expect(await (await ask(bridge(), '/models')).json()).toEqual([{ id: 'ai/a' }]);
    expect(await (await ask(bridge(), '/v1/models')).json()).toEqual({ object: 'list', data: [] });
  });

  it.each([
    ['/requests', 'GET'],
    ['/models/ai/a', 'DELETE'],
    ['/models/ai/a?remote=true', 'GET'],
    ['/_sampan/grants', 'GET'],
    ['/_sampan/grants', 'PUT'],
    ['//_sampan//grants?origin=http://site.example', 'DELETE'],
  ])('does not reach %s %s with every model granted', async (path, method) => {
    const { ask, grants } = runner();
    await grants.keep(wish());
    const body = method === 'PUT' ? { body: JSON.stringify(wish({ origin: '*' })) } : {};
    expect(await code(await ask(bridge(), path, { method, ...body }))).toBe('forbidden_origin');
    expect(grants.list()).toHaveLength(1);
  });

  it('gets as far as it was let in once, unless the user has refused it since', async () => {
    const { ask, grants } = runner();
    const once = bridge(site, encodeURIComponent('["ai/a"]'));
    expect(await code(await ask(once, ...chat({ model: 'ai/a' })))).toBe('ok');
    expect(await code(await ask(once, ...chat({ model: 'ai/b' })))).toBe('forbidden_origin');
    expect(await code(await ask(bridge(site, 'all'), ...chat({ model: 'ai/b' })))).toBe('ok');
    await grants.keep(wish({ decision: 'never' }));
    expect(await code(await ask(bridge(site, 'all'), ...chat({ model: 'ai/a' })))).toBe('forbidden_origin');
  });
});

describe('a page that the companion let in', () => {
  it('does everything where only the companion’s list knows it, and only what the user allowed where there is a word', async () => {
    const { ask, grants } = runner();
    expect(await code(await ask(fromCompanion(site), '/requests'))).toBe('ok');
    await grants.keep(wish({ models: ['ai/a'] }));
    expect(await code(await ask(fromCompanion(site), '/requests'))).toBe('forbidden_origin');
    expect(await code(await ask(fromCompanion(site), ...chat({ model: 'ai/b' })))).toBe('forbidden_origin');
    await grants.keep(wish({ decision: 'never' }));
    expect(await code(await ask(fromCompanion(site), '/version'))).toBe('forbidden_origin');
  });

  it('without an origin of its own falls under * alone', async () => {
    const { ask, grants } = runner();
    await grants.keep(wish({ origin: '*', models: ['ai/a'] }));
    expect(await code(await ask(fromCompanion('null'), ...chat({ model: 'ai/b' })))).toBe('forbidden_origin');
    expect(await code(await ask(fromCompanion('null'), ...chat({ model: 'ai/a' })))).toBe('ok');
  });
});

it('leaves the user’s own pages and programs alone', async () => {
  const { ask, grants } = runner();
  await grants.keep(wish({ origin: '*', models: [] }));
  for (const headers of [
    page,
    { 'x-sampan-source': 'program' },
    fromCompanion('http://localhost:12434'),
    {},
  ]) {
    expect(await code(await ask(headers, '/requests'))).toBe('ok');
  }
});

describe('the grants', () => {
  const put = (body: unknown): [string, RequestInit] => [
    '/_sampan/grants',
    { method: 'PUT', body: JSON.stringify(body) },
  ];

  it('are made, changed and taken back by the app’s own pages', async () => {
    const { ask, saved } = runner();
    const made = await ask(page, ...put(wish({ origin: 'HTTP://Site.example:80/' })));
    expect(await made.json()).toEqual({ ...wish(), created_ms: 1000, requests: 0 });
    await ask(page, ...put(wish({ models: ['ai/a'] })));
    expect(await (await ask(page, '/_sampan/grants')).json()).toEqual([
      { ...wish({ models: ['ai/a'] }), created_ms: 1000, requests: 0 },
    ]);
    expect(
      (await ask(page, `/_sampan/grants?origin=${encodeURIComponent(site)}`, { method: 'DELETE' })).status,
    ).toBe(204);
    expect(saved.at(-1)).toEqual([]);
  });

  it.each([
    ['a program', { 'x-sampan-source': 'program' }],
    ['a program that says it is our page', fromCompanion('http://localhost:12434')],
    ['a page that the companion let in', fromCompanion(site)],
    ['nobody knows who', {}],
  ])('are not changed by %s', async (_name, headers) => {
    const { ask, grants } = runner();
    expect(await code(await ask(headers, ...put(wish())))).toBe('forbidden_origin');
    expect(await code(await ask(headers, '/_sampan/grants?origin=*', { method: 'DELETE' }))).toBe(
      'forbidden_origin',
    );
    expect(grants.list()).toEqual([]);
  });

  it.each([
    ['no origin', wish({ origin: 'site' })],
    ['a path', wish({ origin: `${site}/a` })],
    ['once', { ...wish(), decision: 'once' }],
    ['never for everybody', wish({ origin: '*', decision: 'never' })],
    ['models that are none', { ...wish(), models: [1] }],
    ['usage of its own', { ...wish(), requests: 5 }],
    ['no body', undefined],
  ])('are refused with %s', async (_name, body) => {
    const { ask, grants } = runner();
    expect(await code(await ask(page, ...put(body)))).toBe('invalid_request');
    expect(grants.list()).toEqual([]);
  });

  it('say what is wrong with an origin', async () => {
    const { ask } = runner();
    expect(await (await ask(page, ...put(wish({ origin: 'localhost:1' })))).text()).toContain('is no origin');
    expect(await code(await ask(page, '/_sampan/grants', { method: 'DELETE' }))).toBe('invalid_request');
  });

  it('outlive the tab with their usage, and what is damaged is left out', async () => {
    const good = { ...wish(), created_ms: 1, last_used_ms: 2, requests: 3 };
    const { grants } = runner([good, { ...good, origin: 'x' }, { ...good, requests: -1 }, null, 'x']);
    await grants.start();
    expect(grants.list()).toEqual([good]);
    const { grants: empty } = runner({ not: 'a list' });
    await empty.start();
    expect(empty.list()).toEqual([]);
  });

  it('count what is let through, and write it once for many requests', async () => {
    const { ask, grants, clock, saved } = runner();
    await grants.keep(wish({ models: ['ai/a'] }));
    expect(saved).toHaveLength(1);
    for (let i = 0; i < 20; i++) await ask(bridge(), ...chat({ model: 'ai/a' }));
    await ask(bridge(), ...chat({ model: 'ai/b' }));
    expect(grants.list()[0]).toMatchObject({ requests: 20, last_used_ms: 1000 });
    expect(saved).toHaveLength(1);
    await clock.advance(5000);
    expect(saved).toHaveLength(2);
    expect(saved.at(-1)?.[0]).toMatchObject({ requests: 20 });
    await clock.advance(60_000);
    expect(saved).toHaveLength(2);
    await ask(bridge(), ...chat({ model: 'ai/a' }));
    await grants.close();
    expect(saved.at(-1)?.[0]).toMatchObject({ requests: 21 });
  });

  it('tell of decisions, not of usage', async () => {
    const { ask, grants } = runner();
    let changes = 0;
    grants.changed.subscribe(() => changes++);
    await grants.keep(wish());
    await ask(bridge(), '/version');
    expect(changes).toBe(1);
    await grants.keep(wish({ origin: 'http://bad.example', decision: 'never' }));
    expect(grants.rules()).toEqual({ allowed: [site], refused: ['http://bad.example'] });
    await grants.revoke(site);
    expect(changes).toBe(3);
    expect(grants.rules()).toEqual({ allowed: [], refused: ['http://bad.example'] });
  });
});
