/** With programs that nobody here wrote: Debian's docker-registry and skopeo. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { systemClock } from '#lib/core/clock.ts';
import { sha256 } from '#lib/core/digest.ts';
import { parseReference } from '#lib/model/reference.ts';
import type { Credentials } from '#lib/registry/port.ts';
import { scratchCompanion, type ScratchCompanion } from '#server/testing/companion.ts';
import {
  has,
  startDockerRegistry,
  type DockerRegistry,
  type DockerRegistryOptions,
} from '#tests/support/docker-registry.ts';
import { buildArtifact } from '#tests/support/registry/artifact.ts';
import { browserFetch } from '#tests/support/registry/browser-fetch.ts';
import { pushable, pushableArtifact, type TestPushable } from '#tests/support/registry/pushable.ts';
import { startTokenServer, type TokenServer } from '#tests/support/registry/token-server.ts';
import { OciRegistry } from './client.ts';
import type { Route } from './route.ts';

// Real programs start, write and answer; a busy machine takes its time for that.
vi.setConfig({ testTimeout: 60_000 });

const isComplete = has('docker-registry') && has('skopeo') && has('openssl', 'version');
const run = promisify(execFile);
const signal = new AbortController().signal;
const code = (value: string) => expect.objectContaining({ code: value });
const alice: Credentials = { kind: 'password', username: 'alice', password: 'secret' };
const app = 'http://app.test';

let tiny: TestPushable;
/** Two layers, one of them in chunks. */
let large: TestPushable;
const closing: (() => PromiseLike<unknown>)[] = [];

beforeAll(async () => {
  const gguf = new Uint8Array(
    await readFile(new URL('../../../../tests/fixtures/tiny-q8_0.gguf', import.meta.url)),
  );
  tiny = pushableArtifact(await buildArtifact([gguf], { chatTemplate: '{{ messages }}' }));
  const chunked = new Uint8Array(20 * 2 ** 20).map((_, index) => index % 251);
  large = await pushable([gguf, chunked]);
});

afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

async function start(options: DockerRegistryOptions = {}): Promise<DockerRegistry> {
  const registry = await startDockerRegistry(options);
  closing.push(() => registry.close());
  return registry;
}

/** As in a page of `app`, or of a companion that relays. */
function browser(origin = app) {
  const routes = new Map<string, Route>();
  const registry = new OciRegistry({
    fetch: browserFetch(origin),
    clock: systemClock,
    ownHost: new URL(origin).host,
    ownOrigin: origin,
    routes,
  });
  return { registry, routes };
}

/** Everything that the registry serves of `name` is what was pushed, byte for byte. */
async function expectPulled(
  registry: OciRegistry,
  name: string,
  model: TestPushable,
  credentials?: Credentials,
) {
  const pulled = await registry.resolve(parseReference(name), { credentials });
  expect(pulled.id).toBe(model.id);
  expect(pulled.manifestBytes).toEqual(model.manifestBytes);
  expect(pulled.configBytes).toEqual(model.configBytes);
  for (const layer of model.layers) {
    const { stream } = await pulled.fetchLayer(layer, { from: 0, to: layer.size }, signal);
    expect(await sha256(new Uint8Array(await new Response(stream).arrayBuffer()))).toBe(layer.digest);
  }
}

describe.skipIf(!isComplete && process.env.CI !== 'true')('with docker-registry', () => {
  it.each(['tiny', 'large'] as const)('pushes and pulls where CORS is open: %s', async (which) => {
    const model = which === 'tiny' ? tiny : large;
    const server = await start({ allowOrigin: app });
    const { registry, routes } = browser();
    const name = `${server.host}/ai/model:v1`;
    const progress: number[] = [];
    await registry.push(parseReference(name), model, {
      onProgress: (_, sentBytes) => progress.push(sentBytes),
    });
    expect(routes.get(server.host)).toBe('direct');
    expect(progress.at(-1)).toBeGreaterThan(0);
    await expectPulled(registry, name, model);
  });

  it('mounts from another repository instead of sending', async () => {
    const server = await start({ allowOrigin: app });
    const { registry } = browser();
    await registry.push(parseReference(`${server.host}/ai/first:v1`), tiny, {});
    const before = tiny.opened.length;
    await registry.push(parseReference(`${server.host}/ai/second:v1`), tiny, { mountFrom: ['ai/first'] });
    expect(tiny.opened).toHaveLength(before);
    await expectPulled(registry, `${server.host}/ai/second:v1`, tiny);
  });

  it('moves a tag', async () => {
    const server = await start({ allowOrigin: app });
    const { registry } = browser();
    const name = `${server.host}/ai/model:v1`;
    await registry.push(parseReference(name), tiny, {});
    await registry.push(parseReference(name), large, {});
    await expectPulled(registry, name, large);
    await expectPulled(registry, `${server.host}/ai/model@${tiny.id}`, tiny);
  });

  it('says what is missing where CORS is closed and there is no relay', async () => {
    const server = await start();
    const { registry } = browser();
    await expect(registry.push(parseReference(`${server.host}/ai/model:v1`), tiny, {})).rejects.toThrow(
      code('registry_unreachable'),
    );
  });
});

describe.skipIf(!isComplete && process.env.CI !== 'true')('through the companion’s relay', () => {
  async function relayTo(host: string): Promise<ScratchCompanion> {
    const companion = await scratchCompanion({ relayAllow: [host] });
    closing.push(() => companion[Symbol.asyncDispose]());
    return companion;
  }

  it.each(['tiny', 'large'] as const)('pushes and pulls where CORS is closed: %s', async (which) => {
    const model = which === 'tiny' ? tiny : large;
    const server = await start();
    const companion = await relayTo(server.host);
    const { registry, routes } = browser(companion.url);
    const name = `${server.host}/ai/model:v1`;
    await registry.push(parseReference(name), model, {});
    expect(routes.get(server.host)).toBe('relay');
    await expectPulled(registry, name, model);
  });

  it('pushes with a token', async () => {
    const tokens = await startTokens();
    const server = await start({ tokens });
    // By the name of its token server, which is a site of its own for a password.
    const host = server.host.replace('localhost', '127.0.0.1');
    const companion = await scratchCompanion({ relayAllow: [host, tokens.host] });
    closing.push(() => companion[Symbol.asyncDispose]());
    const { registry, routes } = browser(companion.url);
    const name = `${host}/ai/model:v1`;
    await registry.push(parseReference(name), large, { credentials: alice });
    expect(routes.get(host)).toBe('relay');
    await expectPulled(registry, name, large, alice);
  });
});

async function startTokens(): Promise<TokenServer> {
  const tokens = await startTokenServer({ username: 'alice', password: 'secret', mayPush: /^ai\// });
  closing.push(() => tokens.close());
  return tokens;
}

describe.skipIf(!isComplete && process.env.CI !== 'true')('with tokens', () => {
  async function setUp() {
    const tokens = await startTokens();
    const server = await start({ tokens });
    const host = server.host.replace('localhost', '127.0.0.1');
    const routes = new Map<string, Route>([[host, 'direct']]);
    const registry = new OciRegistry({
      fetch,
      clock: systemClock,
      ownHost: 'app.test',
      ownOrigin: app,
      routes,
    });
    return { tokens, host, registry };
  }

  it('pushes with one token for all of it, and pulls without a sign-in', async () => {
    const { tokens, host, registry } = await setUp();
    const name = `${host}/ai/model:v1`;
    await registry.push(parseReference(name), large, { credentials: alice });
    expect(tokens.requests).toHaveLength(1);
    expect(new URLSearchParams(tokens.requests[0]?.path.split('?')[1]).getAll('scope')).toEqual([
      'repository:ai/model:pull,push',
    ]);
    await expectPulled(registry, name, large);
  });

  it('mounts with the scopes of both repositories', async () => {
    const { tokens, host, registry } = await setUp();
    await registry.push(parseReference(`${host}/ai/first:v1`), tiny, { credentials: alice });
    const before = tiny.opened.length;
    await registry.push(parseReference(`${host}/ai/second:v1`), tiny, {
      credentials: alice,
      mountFrom: ['ai/first'],
    });
    expect(tiny.opened).toHaveLength(before);
    const scopes = tokens.requests.map(({ path }) =>
      new URLSearchParams(path.split('?')[1]).getAll('scope').toSorted(),
    );
    expect(scopes).toContainEqual(['repository:ai/first:pull', 'repository:ai/second:pull,push']);
  });

  it.each<[string, Credentials | undefined, string, string]>([
    ['nobody', undefined, 'ai/model', 'asks for a sign-in'],
    ['a wrong password', { ...alice, password: 'wrong' }, 'ai/model', 'does not let this sign-in push'],
    ['an account without the right', alice, 'locked/model', 'does not let this sign-in push'],
  ])('refuses %s', async (_, credentials, repository, words) => {
    const { host, registry } = await setUp();
    const refusal = registry.push(parseReference(`${host}/${repository}:v1`), tiny, { credentials });
    await expect(refusal).rejects.toThrow(code('unauthorized'));
    await expect(refusal).rejects.toThrow(words);
  });
});

describe.skipIf(!isComplete && process.env.CI !== 'true')('with skopeo', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sampan-skopeo-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  const plain = ['--src-tls-verify=false', '--dest-tls-verify=false'];
  const copy = (from: string, to: string) => run('skopeo', ['--insecure-policy', 'copy', ...plain, from, to]);

  it('reads what was pushed, copies it to folders and back, and it is the same model still', async () => {
    const server = await start({ allowOrigin: app });
    const { registry } = browser();
    const name = `${server.host}/ai/model:v1`;
    await registry.push(parseReference(name), tiny, {});
    const { stdout } = await run('skopeo', ['inspect', '--raw', '--tls-verify=false', `docker://${name}`]);
    expect(new TextEncoder().encode(stdout)).toEqual(tiny.manifestBytes);

    await copy(`docker://${name}`, `dir:${folder}/dir`);
    for (const { digest } of tiny.layers) {
      const bytes = await readFile(join(folder, 'dir', digest.slice('sha256:'.length)));
      expect(await sha256(new Uint8Array(bytes))).toBe(digest);
    }
    await copy(`docker://${name}`, `oci:${folder}/layout:v1`);
    await copy(`oci:${folder}/layout:v1`, `docker://${server.host}/ai/from-layout:v2`);
    await copy(`dir:${folder}/dir`, `docker://${server.host}/ai/from-dir:v2`);
    await expectPulled(registry, `${server.host}/ai/from-layout:v2`, tiny);
    await expectPulled(registry, `${server.host}/ai/from-dir:v2`, tiny);
  });
});
