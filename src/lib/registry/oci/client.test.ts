import { readFile } from 'node:fs/promises';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ManualClock, systemClock, type Clock } from '#lib/core/clock.ts';
import { sha256 } from '#lib/core/digest.ts';
import { mediaTypes } from '#lib/model/manifest.ts';
import { parseReference } from '#lib/model/reference.ts';
import type { ByteRange, Credentials, LayerBody, ResolvedModel } from '#lib/registry/port.ts';
import { buildArtifact, buildIndex, type BuiltArtifact } from '#tests/support/registry/artifact.ts';
import { browserFetch } from '#tests/support/registry/browser-fetch.ts';
import type { TestServer } from '#tests/support/registry/http-server.ts';
import { startOciRegistry, type OciBehaviour, type OciTestRegistry } from '#tests/support/registry/oci.ts';
import { startRelay } from '#tests/support/registry/relay.ts';
import { OciRegistry } from './client.ts';
import type { Route } from './route.ts';

const alice: Credentials = { kind: 'password', username: 'alice', password: 'secret' };
const signal = new AbortController().signal;
const code = (value: string) => expect.objectContaining({ code: value });

let gguf: Uint8Array<ArrayBuffer>;
let artifact: BuiltArtifact;
beforeAll(async () => {
  gguf = new Uint8Array(
    await readFile(new URL('../../../../tests/fixtures/tiny-q8_0.gguf', import.meta.url)),
  );
  artifact = await buildArtifact([gguf], { chatTemplate: '{{ messages }}' });
});

const servers: TestServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

async function setUp(behaviour: Partial<OciBehaviour> = {}, clock: Clock = systemClock) {
  const server = await startOciRegistry(behaviour);
  servers.push(server);
  server.push('ai/tiny', 'latest', artifact);
  const routes = new Map<string, Route>([[server.host, 'direct']]);
  const registry = new OciRegistry({
    fetch,
    clock,
    ownHost: 'app.test',
    ownOrigin: 'http://app.test',
    routes,
  });
  return { server, registry };
}

const nameOf = (server: OciTestRegistry, rest = 'ai/tiny') => parseReference(`${server.host}/${rest}`);

async function resolved(
  behaviour: Partial<OciBehaviour> = {},
): Promise<{ server: OciTestRegistry; model: ResolvedModel }> {
  const { server, registry } = await setUp(behaviour);
  return { server, model: await registry.resolve(nameOf(server), {}) };
}

const weightsOf = (model: ResolvedModel) => {
  const layer = model.manifest.layers.find(({ mediaType }) => mediaType === mediaTypes.gguf);
  if (!layer) throw new Error('the fixture has weights');
  return layer;
};

const fetchWeights = (model: ResolvedModel, range: ByteRange) =>
  model.fetchLayer(weightsOf(model), range, signal);
const bytesOf = async (body: LayerBody) => new Uint8Array(await new Response(body.stream).arrayBuffer());

describe('OciRegistry.resolve', () => {
  it('gives the verified manifest and config of a tag', async () => {
    const { server, model } = await resolved();
    expect(model.id).toBe(artifact.id);
    expect(model.manifestBytes).toEqual(artifact.manifestBytes);
    expect(model.configBytes).toEqual(artifact.configBytes);
    expect(server.requests.map(({ path }) => path)).toEqual([
      '/v2/ai/tiny/manifests/latest',
      `/v2/ai/tiny/blobs/${model.manifest.config.digest}`,
    ]);
  });

  it('gives what a digest names', async () => {
    const { server, registry } = await setUp();
    const model = await registry.resolve(nameOf(server, `ai/tiny@${artifact.id}`), {});
    expect(model.id).toBe(artifact.id);
  });

  it('gives what a digest names when the registry does not name the digest', async () => {
    const { server, registry } = await setUp({ digestHeader: 'absent' });
    expect((await registry.resolve(nameOf(server), {})).id).toBe(artifact.id);
  });

  it('takes the first model out of an index', async () => {
    const { server, registry } = await setUp();
    const image = await buildArtifact([gguf], {
      configMediaType: 'application/vnd.oci.image.config.v1+json',
    });
    const index = await buildIndex([image, artifact]);
    for (const pushed of [image, artifact, index]) server.push('ai/variants', 'v1', pushed);
    expect((await registry.resolve(nameOf(server, 'ai/variants:v1'), {})).id).toBe(artifact.id);
  });

  it('refuses an index without a model, after a limited number of requests', async () => {
    const { server, registry } = await setUp();
    const image = await buildArtifact([gguf], {
      configMediaType: 'application/vnd.oci.image.config.v1+json',
    });
    const index = await buildIndex(Array.from({ length: 500 }, () => image));
    for (const pushed of [image, index]) server.push('ai/images', 'v1', pushed);
    await expect(registry.resolve(nameOf(server, 'ai/images:v1'), {})).rejects.toThrow(
      code('unsupported_model_format'),
    );
    expect(server.requests).toHaveLength(21);
  });

  it('resolves what is no model too: judging is not its job', async () => {
    const { server, registry } = await setUp();
    const configMediaType = 'application/vnd.oci.image.config.v1+json';
    server.push('ai/image', 'latest', await buildArtifact([gguf], { configMediaType }));
    const { manifest } = await registry.resolve(nameOf(server, 'ai/image'), {});
    expect(manifest.config.mediaType).toBe(configMediaType);
  });

  it.each<[string, Partial<OciBehaviour>, string]>([
    ['a manifest that is not what its digest header says', { manifests: 'tampered' }, 'digest_mismatch'],
    ['a wrong digest header', { digestHeader: `sha256:${'0'.repeat(64)}` }, 'digest_mismatch'],
    ['an endless manifest', { manifests: 'oversize' }, 'unsupported_model_format'],
    ['a truncated manifest', { manifests: 'truncated', digestHeader: 'absent' }, 'unsupported_model_format'],
    ['a tampered config', { configs: 'tampered' }, 'digest_mismatch'],
    ['an endless config', { configs: 'oversize' }, 'unsupported_model_format'],
    ['a server error', { failure: { path: /manifests/, status: 503 } }, 'registry_unreachable'],
    ['a ban', { failure: { path: /manifests/, status: 403 } }, 'unauthorized'],
    ['a redirect into nothing', { failure: { path: /manifests/, status: 307 } }, 'registry_unreachable'],
    [
      'a range that nobody asked for',
      { failure: { path: /manifests/, status: 206 } },
      'registry_unreachable',
    ],
  ])('refuses %s', async (_, behaviour, expected) => {
    const { server, registry } = await setUp(behaviour);
    await expect(registry.resolve(nameOf(server), {})).rejects.toThrow(code(expected));
  });

  it('refuses a manifest that does not match the digest asked for, whatever the header says', async () => {
    const { server, registry } = await setUp({ manifests: 'tampered', digestHeader: 'absent' });
    await expect(registry.resolve(nameOf(server, `ai/tiny@${artifact.id}`), {})).rejects.toThrow(
      code('digest_mismatch'),
    );
  });

  it('ignores a digest header in an algorithm it does not know', async () => {
    const { server, registry } = await setUp({ digestHeader: `sha512:${'0'.repeat(128)}` });
    expect((await registry.resolve(nameOf(server), {})).id).toBe(artifact.id);
  });

  it('says that a model is not there', async () => {
    const { server, registry } = await setUp();
    const refusal = registry.resolve(nameOf(server, 'ai/missing:v9'), {});
    await expect(refusal).rejects.toThrow(code('model_not_found'));
    await expect(refusal).rejects.toThrow(`${server.host}/ai/missing:v9 is not on ${server.host}`);
  });

  it.each([
    ['30', 'Try again in 30 seconds.'],
    ['600', 'Try again in 10 minutes.'],
    ['Wed, 21 Oct 2026 07:28:00 GMT', 'Try again later.'],
  ])('says how long a limit lasts (Retry-After: %s)', async (retryAfter, advice) => {
    const failure = { path: /manifests/, status: 429, headers: { 'retry-after': retryAfter } };
    const { server, registry } = await setUp({ failure });
    const refusal = registry.resolve(nameOf(server), {});
    await expect(refusal).rejects.toThrow(code('rate_limited'));
    await expect(refusal).rejects.toThrow(advice);
  });

  it('gives up on a registry that never answers', async () => {
    const clock = new ManualClock();
    const { server, registry } = await setUp({ silent: /manifests/ }, clock);
    const refusal = expect(registry.resolve(nameOf(server), {})).rejects.toThrow('does not answer');
    await expect.poll(() => server.requests.length).toBe(1);
    await clock.advance(30_000);
    await refusal;
  });

  it('stops with the caller’s reason when aborted', async () => {
    const { server, registry } = await setUp({ silent: /manifests/ });
    const abort = new AbortController();
    const refusal = expect(registry.resolve(nameOf(server), { signal: abort.signal })).rejects.toThrow(
      expect.objectContaining({ name: 'AbortError' }),
    );
    await expect.poll(() => server.requests.length).toBe(1);
    abort.abort();
    await refusal;
  });

  it('says that a dead host is unreachable', async () => {
    const { server, registry } = await setUp();
    await server.close();
    await expect(registry.resolve(nameOf(server), {})).rejects.toThrow(
      `${server.host} is unreachable or does not answer browsers`,
    );
  });
});

describe('OciRegistry and sign-in', () => {
  it('gets an anonymous token once and uses it again', async () => {
    const { server, registry } = await setUp({ auth: { kind: 'bearer' } });
    const model = await registry.resolve(nameOf(server), {});
    await fetchWeights(model, { from: 0, to: 10 }).then(bytesOf);
    const [asked] = server.tokenRequests;
    expect(server.tokenRequests).toHaveLength(1);
    expect(asked?.path).toBe('/token?service=test&scope=repository%3Aai%2Ftiny%3Apull');
    expect(asked?.headers.authorization).toBeUndefined();
  });

  it('asks for a new token when the old one has expired', async () => {
    const clock = new ManualClock();
    const { server, registry } = await setUp({ auth: { kind: 'bearer', expiresInSeconds: 60 } }, clock);
    const model = await registry.resolve(nameOf(server), {});
    await clock.advance(60_000);
    await fetchWeights(model, { from: 0, to: 10 }).then(bytesOf);
    expect(server.tokenRequests).toHaveLength(2);
    expect(server.requests.at(-1)?.headers.authorization).toBe('Bearer token-2');
  });

  it('renews a revoked token in the middle of a pull', async () => {
    const { server, registry } = await setUp({ auth: { kind: 'bearer' } });
    const model = await registry.resolve(nameOf(server), {});
    server.revokeTokens();
    expect(await fetchWeights(model, { from: 0, to: 10 }).then(bytesOf)).toEqual(gguf.subarray(0, 10));
    expect(server.tokenRequests).toHaveLength(2);
  });

  it('sends a password to the token server only', async () => {
    const { server, registry } = await setUp({
      auth: { kind: 'bearer', username: 'alice', password: 'secret' },
    });
    await registry.resolve(nameOf(server), { credentials: alice });
    expect(server.tokenRequests[0]?.headers.authorization).toBe(`Basic ${btoa('alice:secret')}`);
    const sent = server.requests.map(({ headers }) => headers.authorization);
    expect(sent).toEqual([undefined, 'Bearer token-1', 'Bearer token-1']);
  });

  it('answers Basic with the password, and only when asked', async () => {
    const { server, registry } = await setUp({
      auth: { kind: 'basic', username: 'alice', password: 'secret' },
    });
    await registry.resolve(nameOf(server), { credentials: alice });
    const sent = server.requests.map(({ headers }) => headers.authorization);
    expect(sent).toEqual([undefined, `Basic ${btoa('alice:secret')}`, `Basic ${btoa('alice:secret')}`]);
  });

  it('presents a ready-made token as it is', async () => {
    const { server, registry } = await setUp({ auth: { kind: 'bearer' } });
    const credentials: Credentials = { kind: 'token', token: 'mine' };
    await expect(registry.resolve(nameOf(server), { credentials })).rejects.toThrow(code('unauthorized'));
    expect(server.requests.map(({ headers }) => headers.authorization)).toEqual([undefined, 'Bearer mine']);
    expect(server.tokenRequests).toEqual([]);
  });

  it.each<[string, OciBehaviour['auth'], Credentials | undefined, string]>([
    [
      'no password where one is needed',
      { kind: 'basic', username: 'alice', password: 'secret' },
      undefined,
      'asks for a sign-in',
    ],
    [
      'a wrong password (Basic)',
      { kind: 'basic', username: 'alice', password: 'other' },
      alice,
      'to this sign-in',
    ],
    [
      'a wrong password (Bearer)',
      { kind: 'bearer', username: 'alice', password: 'other' },
      alice,
      'to this sign-in',
    ],
    [
      'no password (Bearer)',
      { kind: 'bearer', username: 'alice', password: 'x' },
      undefined,
      'asks for a sign-in',
    ],
    ['a token with a line break', { kind: 'bearer' }, { kind: 'token', token: 'a\nb' }, 'to this sign-in'],
    ['a challenge without a scheme', { kind: 'bearer', challenge: ';;;' }, undefined, 'asks for a sign-in'],
  ])('says what is wrong: %s', async (_, auth, credentials, words) => {
    const { server, registry } = await setUp({ auth });
    const refusal = registry.resolve(nameOf(server), { credentials });
    await expect(refusal).rejects.toThrow(code('unauthorized'));
    await expect(refusal).rejects.toThrow(words);
    await expect(refusal).rejects.not.toThrow('secret');
  });

  it.each([
    ['no URL', 'Bearer realm="nonsense"'],
    ['a script', 'Bearer realm="javascript:alert(1)"'],
    ['an address with a password', 'Bearer realm="https://user:pass@example.com/token"'],
    ['a file', 'Bearer realm="file:///etc/passwd"'],
  ])('refuses a token server that is %s', async (_, challenge) => {
    const { server, registry } = await setUp({ auth: { kind: 'bearer', challenge } });
    await expect(registry.resolve(nameOf(server), { credentials: alice })).rejects.toThrow('safe to ask');
  });

  it('does not send the password to another site that the registry names', async () => {
    const challenge = 'Bearer realm="https://collector.example.net/token",service="x"';
    const { server, registry } = await setUp({ auth: { kind: 'bearer', challenge } });
    await expect(registry.resolve(nameOf(server), { credentials: alice })).rejects.toThrow(
      'The password was not sent',
    );
  });

  it('splits several scopes into several parameters', async () => {
    const challenge = 'Bearer realm="{token}",scope="repository:a:pull repository:b:pull"';
    const { server, registry } = await setUp({ auth: { kind: 'bearer', challenge } });
    await registry.resolve(nameOf(server), {});
    expect(server.tokenRequests[0]?.path).toBe(
      '/token?scope=repository%3Aa%3Apull&scope=repository%3Ab%3Apull',
    );
  });

  it('does not reuse an anonymous token for a person, nor the other way round', async () => {
    const { server, registry } = await setUp({ auth: { kind: 'bearer' } });
    await registry.resolve(nameOf(server), {});
    await registry.resolve(nameOf(server), { credentials: alice });
    await registry.resolve(nameOf(server), {});
    expect(server.tokenRequests.map(({ headers }) => headers.authorization)).toEqual([
      undefined,
      `Basic ${btoa('alice:secret')}`,
    ]);
  });
});

describe('fetchLayer', () => {
  it('streams the part asked for', async () => {
    const { server, model } = await resolved();
    const body = await fetchWeights(model, { from: 1000, to: 5000 });
    expect(body.from).toBe(1000);
    expect(await bytesOf(body)).toEqual(gguf.subarray(1000, 5000));
    expect(server.requests.at(-1)?.headers.range).toBe('bytes=1000-4999');
  });

  it('streams a whole layer that has its digest', async () => {
    const { model } = await resolved();
    const layer = weightsOf(model);
    const bytes = await bytesOf(await fetchWeights(model, { from: 0, to: layer.size }));
    expect(await sha256(bytes)).toBe(layer.digest);
  });

  it('asks for nothing when the range is empty', async () => {
    const { server, model } = await resolved();
    const before = server.requests.length;
    expect(await bytesOf(await fetchWeights(model, { from: 7, to: 7 }))).toHaveLength(0);
    expect(server.requests).toHaveLength(before);
  });

  it.each(['ignored', 'refused'] as const)('starts from 0 when the range is %s', async (ranges) => {
    const { model } = await resolved({ ranges });
    const body = await fetchWeights(model, { from: 1000, to: 5000 });
    expect(body.from).toBe(0);
    expect(await sha256(await bytesOf(body))).toBe(await sha256(gguf));
  });

  it('takes a part without Content-Range by its length, for CORS may hide the header', async () => {
    const { model } = await resolved({ ranges: 'unmarked' });
    const body = await fetchWeights(model, { from: 1000, to: 5000 });
    expect(await bytesOf(body)).toEqual(gguf.subarray(1000, 5000));
  });

  it('refuses a part that starts elsewhere', async () => {
    const { model } = await resolved({ ranges: 'shifted' });
    await expect(fetchWeights(model, { from: 1000, to: 5000 })).rejects.toThrow(code('registry_unreachable'));
  });

  it('fails in the stream when the connection is cut', async () => {
    const { model } = await resolved({ dropBlobAtBytes: 100_000 });
    const { stream } = await fetchWeights(model, { from: 0, to: gguf.byteLength });
    let received = 0;
    await expect(
      (async () => {
        for await (const chunk of stream) received += chunk.byteLength;
      })(),
    ).rejects.toThrow(Error);
    expect(received).toBeLessThanOrEqual(100_000);
  });

  it('stops the transfer when aborted in the middle', async () => {
    const { model } = await resolved({ blobPauseMs: 5 });
    const abort = new AbortController();
    const { stream } = await model.fetchLayer(
      weightsOf(model),
      { from: 0, to: gguf.byteLength },
      abort.signal,
    );
    const reader = stream.getReader();
    await reader.read();
    abort.abort();
    await expect(
      (async () => {
        while (!(await reader.read()).done);
      })(),
    ).rejects.toThrow(expect.objectContaining({ name: 'AbortError' }));
  });

  it.each([
    [404, 'model_not_found'],
    [403, 'unauthorized'],
    [429, 'rate_limited'],
    [500, 'registry_unreachable'],
  ])('turns HTTP %d into %s', async (status, expected) => {
    const { server, model } = await resolved();
    server.behave({ failure: { path: /blobs/, status } });
    await expect(fetchWeights(model, { from: 0, to: 10 })).rejects.toThrow(code(expected));
  });
});

describe('OciRegistry in a browser', () => {
  async function setUpBrowser(behaviour: Partial<OciBehaviour>) {
    const server = await startOciRegistry(behaviour);
    const app = await startRelay();
    servers.push(server, app);
    server.push('ai/tiny', 'latest', artifact);
    const routes = new Map<string, Route>();
    const options = {
      fetch: browserFetch(app.url),
      clock: systemClock,
      ownHost: app.host,
      ownOrigin: app.url,
      routes,
    };
    return { server, app, routes, registry: new OciRegistry(options) };
  }

  it.each<[string, Partial<OciBehaviour>, Route]>([
    ['directly where CORS is open', { cors: 'open' }, 'direct'],
    ['by the relay where CORS is closed', { cors: 'closed' }, 'relay'],
    ['by the relay where only manifests answer browsers', { cors: 'half' }, 'relay'],
    [
      'by the relay where auth swallows the preflight',
      { cors: 'no-preflight', auth: { kind: 'bearer' } },
      'relay',
    ],
    ['directly with tokens', { cors: 'open', auth: { kind: 'bearer' } }, 'direct'],
  ])('pulls %s', async (_, behaviour, route) => {
    const { server, routes, registry } = await setUpBrowser(behaviour);
    const model = await registry.resolve(nameOf(server), {});
    const layer = weightsOf(model);
    const bytes = await bytesOf(await fetchWeights(model, { from: 0, to: layer.size }));
    expect(await sha256(bytes)).toBe(layer.digest);
    expect(routes.get(server.host)).toBe(route);
  });

  it('asks the token server by the relay when its registry needs the relay', async () => {
    const { server, app, registry } = await setUpBrowser({
      cors: 'closed',
      auth: { kind: 'bearer', username: 'alice', password: 'secret' },
    });
    await registry.resolve(nameOf(server), { credentials: alice });
    const relayed = app.requests.filter(({ path }) => path.includes('/token?'));
    expect(relayed.map(({ headers }) => headers.authorization)).toEqual([`Basic ${btoa('alice:secret')}`]);
  });

  it('knows the media types of Docker’s older manifests', async () => {
    const { server, registry } = await setUpBrowser({ cors: 'open' });
    server.push('ai/old', 'latest', { ...artifact, mediaType: mediaTypes.dockerManifest });
    expect((await registry.resolve(nameOf(server, 'ai/old'), {})).id).toBe(artifact.id);
  });
});
