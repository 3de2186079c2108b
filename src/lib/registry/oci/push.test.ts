import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Clock } from '#lib/core/clock.ts';
import { sha256 } from '#lib/core/digest.ts';
import { mediaTypes } from '#lib/model/manifest.ts';
import { parseReference } from '#lib/model/reference.ts';
import type { Credentials, PushableModel, PushOptions } from '#lib/registry/port.ts';
import type { Companion } from '#server/companion.ts';
import { scratchCompanion } from '#server/testing/companion.ts';
import { browserFetch } from '#tests/support/registry/browser-fetch.ts';
import { startServer, type TestServer } from '#tests/support/registry/http-server.ts';
import { ImpatientClock } from '#tests/support/registry/impatient-clock.ts';
import {
  digestOf,
  startPushServer,
  type Fault,
  type PushServer,
  type PushServerOptions,
} from '#tests/support/registry/oci-push.ts';
import { pushable, type TestPushable } from '#tests/support/registry/pushable.ts';
import { OciRegistry } from './client.ts';
import type { Route } from './route.ts';

// Megabytes are hashed and sent; a busy machine takes its time for that.
vi.setConfig({ testTimeout: 60_000 });

const mebibyte = 2 ** 20;
const code = (value: string) => expect.objectContaining({ code: value });
const aborted = expect.objectContaining({ name: 'AbortError' });
const alice: Credentials = { kind: 'password', username: 'alice', password: 'secret' };
const uploads = /\/blobs\/uploads\//;

const servers: TestServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

async function setUp(options: PushServerOptions = {}, clock: Clock = new ImpatientClock()) {
  const server = await startPushServer(options);
  servers.push(server);
  const routes = new Map<string, Route>([[server.host, 'direct']]);
  const app = { ownHost: 'app.test', ownOrigin: 'http://app.test' };
  const registry = new OciRegistry({ fetch, clock, random: () => 0.5, routes, ...app });
  const push = (model: PushableModel, pushOptions: PushOptions = {}, name = 'ai/tiny:v1') =>
    registry.push(parseReference(`${server.host}/${name}`), model, pushOptions);
  return { server, push };
}

/** No two pieces of it are the same. */
function noise(sizeBytes: number, seed = 1): Uint8Array<ArrayBuffer> {
  const words = new Uint32Array(Math.ceil(sizeBytes / 4));
  words.forEach((_, index) => (words[index] = Math.imul(index + seed, 2_654_435_761)));
  return new Uint8Array(words.buffer, 0, sizeBytes);
}

const small = [noise(1000), noise(70_000, 2)];
const large = noise(9 * mebibyte);
/** Hashing it takes a while. */
let largeModel: TestPushable;
beforeAll(async () => {
  largeModel = await pushable([large]);
});

const patches = (server: PushServer) => server.requests.filter(({ method }) => method === 'PATCH');
const rangesOf = (server: PushServer) => patches(server).map(({ headers }) => headers['content-range']);
const count = (server: PushServer, method: string) =>
  server.requests.filter((request) => request.method === method).length;

/** The registry has the model, whole. */
function expectWhole(server: PushServer, model: PushableModel) {
  const { manifest, manifestBytes } = model;
  expect(server.manifests.get('ai/tiny:v1')?.bytes).toEqual(Buffer.from(manifestBytes));
  for (const { digest } of [manifest.config, ...manifest.layers]) {
    const stored = server.blobs.get(digest);
    expect(stored && digestOf(stored)).toBe(digest);
  }
}

describe('OciRegistry.push', () => {
  it('sends the config, the layers, and the manifest last', async () => {
    const { server, push } = await setUp();
    const model = await pushable(small);
    await push(model);
    expectWhole(server, model);
    expect(server.manifests.get('ai/tiny:v1')?.mediaType).toBe(mediaTypes.ociManifest);
    expect(server.lines[0]).toBe(`HEAD /v2/ai/tiny/blobs/${model.manifest.config.digest}`);
    expect(server.lines.at(-1)).toBe('PUT /v2/ai/tiny/manifests/v1');
    expect(count(server, 'PATCH')).toBe(0);
  });

  it('says how much of each layer is there', async () => {
    const { push } = await setUp();
    const model = await pushable([...small, large]);
    const progress = new Map<string, number[]>();
    await push(model, {
      onProgress: ({ digest }, sentBytes) =>
        progress.set(digest, [...(progress.get(digest) ?? []), sentBytes]),
    });
    expect([...progress.keys()].toSorted()).toEqual(model.layers.map(({ digest }) => digest).toSorted());
    for (const { digest, size } of model.layers) expect(progress.get(digest)?.at(-1)).toBe(size);
    const steps = progress.get(await sha256(large)) ?? [];
    expect(steps).toEqual(steps.toSorted((a, b) => a - b));
    expect(steps.slice(0, 2)).toEqual([8 * mebibyte, 9 * mebibyte]);
  });

  it('sends nothing that is there, and reads no file of it', async () => {
    const { server, push } = await setUp();
    const model = await pushable(small);
    await push(model);
    const before = server.requests.length;
    const opened = model.opened.length;
    const sizes: number[] = [];
    await push(model, { onProgress: (_, sentBytes) => sizes.push(sentBytes) });
    const after = server.requests.slice(before).map(({ method }) => method);
    expect(after).toEqual(['HEAD', 'HEAD', 'HEAD', 'PUT']);
    expect(model.opened).toHaveLength(opened);
    expect(sizes.toSorted((a, b) => a - b)).toEqual([1000, 70_000]);
  });

  it('sends a layer that stands in the manifest twice once', async () => {
    const { server, push } = await setUp();
    const model = await pushable([noise(5000), noise(5000)]);
    await push(model);
    expect(server.lines.filter((line) => line.startsWith('POST'))).toHaveLength(2);
  });

  it('sends an empty file', async () => {
    const { server, push } = await setUp();
    const model = await pushable([new Uint8Array()]);
    await push(model);
    expectWhole(server, model);
  });

  it('has four layers under way at most', async () => {
    const { server, push } = await setUp();
    const model = await pushable(Array.from({ length: 12 }, (_, index) => noise(1000, index + 1)));
    let underWay = 0;
    let most = 0;
    const watched: PushableModel = {
      ...model,
      open: async (digest) => {
        most = Math.max(most, ++underWay);
        return model.open(digest);
      },
    };
    await push(watched, { onProgress: () => underWay-- });
    expectWhole(server, model);
    expect(most).toBeGreaterThan(1);
    expect(most).toBeLessThanOrEqual(4);
  });

  it('asks for a tag', async () => {
    const { server, push } = await setUp();
    const model = await pushable(small);
    const refusal = push(model, {}, `ai/tiny@sha256:${'0'.repeat(64)}`);
    await expect(refusal).rejects.toThrow(code('invalid_reference'));
    expect(server.requests).toEqual([]);
  });

  it('sends no file that has not the size of its layer', async () => {
    const { server, push } = await setUp();
    const model = await pushable(small);
    const cut: PushableModel = { ...model, open: async () => new Blob(['short']) };
    await expect(push(cut)).rejects.toThrow(code('digest_mismatch'));
    expect(server.manifests.size).toBe(0);
    await expect.poll(() => server.sessions.size).toBe(0);
  });

  it('passes on what the store says about a file that is gone', async () => {
    const { push } = await setUp();
    const model = await pushable(small);
    const gone = new Error('gone');
    await expect(push({ ...model, open: () => Promise.reject(gone) })).rejects.toThrow(code('internal'));
  });
});

describe('a mount', () => {
  it('takes the place of sending', async () => {
    const { server, push } = await setUp();
    const model = await pushable(small);
    for (const bytes of small) server.offer('ai/other', Buffer.from(bytes));
    await push(model, { mountFrom: ['ai/other'] });
    expectWhole(server, model);
    expect(model.opened).toEqual([]);
  });

  it('that finds nothing opens the session that is used', async () => {
    const { server, push } = await setUp();
    const model = await pushable(small);
    await push(model, { mountFrom: ['ai/other'] });
    expectWhole(server, model);
    expect(count(server, 'POST')).toBe(3);
  });

  it('is tried in each place, and closes what it opened on the way', async () => {
    const { server, push } = await setUp();
    const model = await pushable([noise(1000)]);
    server.offer('ai/second', Buffer.from(noise(1000)));
    await push(model, { mountFrom: ['ai/first', 'ai/tiny', 'ai/second'] });
    expect(model.opened).toEqual([]);
    await expect.poll(() => server.sessions.size).toBe(0);
    const asked = server.requests.flatMap(({ path }) => /from=([^&]+)/.exec(path)?.[1] ?? []);
    expect(asked.filter((from) => from.includes('tiny'))).toEqual([]);
  });

  it.each([403, 404, 400])('that is refused with HTTP %d does not stop the push', async (status) => {
    const { server, push } = await setUp();
    const model = await pushable(small);
    server.fail('POST', uploads, { kind: 'answer', status });
    await push(model, { mountFrom: ['ai/secret'] });
    expectWhole(server, model);
  });
});

describe('a large layer', () => {
  it.each(['absolute', 'relative'] as const)(
    'goes in chunks that follow each new place (%s)',
    async (location) => {
      const { server, push } = await setUp({ location });
      const model = largeModel;
      await push(model);
      expectWhole(server, model);
      expect(rangesOf(server)).toEqual([`0-${8 * mebibyte - 1}`, `${8 * mebibyte}-${9 * mebibyte - 1}`]);
      expect(server.sessions.size).toBe(0);
      const places = patches(server).map(({ path }) => path);
      expect(new Set(places).size).toBe(places.length);
      expect(places[0]).toContain('?_state=a%2Bb');
      expect(patches(server)[0]?.headers['content-length']).toBe(String(8 * mebibyte));
    },
  );

  it('has chunks as large as the registry asks for', async () => {
    const { server, push } = await setUp({ minChunkBytes: 8.5 * mebibyte });
    const model = largeModel;
    await push(model);
    expectWhole(server, model);
    expect(rangesOf(server)[0]).toBe(`0-${8.5 * mebibyte - 1}`);
  });

  it('goes whole where chunks would have to be very large', async () => {
    const { server, push } = await setUp({ minChunkBytes: 65 * mebibyte });
    const model = largeModel;
    await push(model);
    expectWhole(server, model);
    expect(patches(server)).toEqual([]);
  });

  it.each([400, 405, 411, 415, 501])('goes whole where chunks are refused (HTTP %d)', async (status) => {
    const { server, push } = await setUp();
    const model = largeModel;
    server.fail('PATCH', uploads, { kind: 'answer', status });
    await push(model);
    expectWhole(server, model);
    expect(patches(server)).toHaveLength(1);
  });

  it('goes in smaller chunks where a server on the way takes no large ones', async () => {
    const { server, push } = await setUp();
    const model = largeModel;
    server.fail('PATCH', uploads, { kind: 'answer', status: 413 }, { kind: 'answer', status: 413 });
    await push(model);
    expectWhole(server, model);
    expect(rangesOf(server)[2]).toBe(`0-${2 * mebibyte - 1}`);
    expect(rangesOf(server).at(-1)).toBe(`${8 * mebibyte}-${9 * mebibyte - 1}`);
  });
});

describe('a failure on the way', () => {
  const half: Fault = { kind: 'cut', afterBytes: 3 * mebibyte };

  it.each<[string, PushServerOptions, string, Fault]>([
    ['a chunk that is cut', { afterCut: 'survives' }, 'PATCH', half],
    ['a chunk that is cut and takes the session with it', { afterCut: 'dies' }, 'PATCH', half],
    ['a chunk that arrives and is not answered', {}, 'PATCH', { kind: 'cut-answer' }],
    ['a session that is gone', {}, 'PATCH', { kind: 'answer', status: 404, code: 'BLOB_UPLOAD_UNKNOWN' }],
    ['a chunk out of order', {}, 'PATCH', { kind: 'answer', status: 416 }],
    ['a wrong range after a chunk', {}, 'PATCH', { kind: 'headers', headers: { range: '0-5' } }],
    ['a range from the future', {}, 'PATCH', { kind: 'headers', headers: { range: '0-999999999999' } }],
    ['a server error', {}, 'PATCH', { kind: 'answer', status: 503 }],
    ['an error at the start', {}, 'POST', { kind: 'answer', status: 502 }],
    ['a cut at the start', {}, 'POST', { kind: 'cut-answer' }],
    ['a cut at the end', {}, 'PUT', { kind: 'cut', afterBytes: 0 }],
    ['an end that arrives and is not answered', {}, 'PUT', { kind: 'cut-answer' }],
    ['an error when asked what is there', {}, 'HEAD', { kind: 'answer', status: 500 }],
  ])('is made good: %s', async (_, options, method, fault) => {
    const { server, push } = await setUp(options);
    const model = largeModel;
    server.fail(method, /uploads|blobs/, fault);
    await push(model);
    expectWhole(server, model);
    // Nobody can close a session whose place never arrived; registries throw those away by themselves.
    if (method !== 'POST') expect(server.sessions.size).toBe(0);
  });

  it('goes on from what the registry has', async () => {
    const { server, push } = await setUp();
    const model = largeModel;
    server.fail('PATCH', uploads, { kind: 'headers', headers: {} }, { kind: 'cut', afterBytes: 1 });
    await push(model);
    expectWhole(server, model);
    const from = rangesOf(server).map((range) => Number(range?.split('-')[0]) / mebibyte);
    expect(from).toEqual([0, 8, 8]);
    expect(count(server, 'POST')).toBe(2);
  });

  it('starts the file again when the session is lost, and says so in the progress', async () => {
    const { server, push } = await setUp({ afterCut: 'dies' });
    const model = largeModel;
    server.fail('PATCH', uploads, { kind: 'headers', headers: {} }, { kind: 'cut', afterBytes: 1 });
    const steps: number[] = [];
    await push(model, { onProgress: (_, sentBytes) => steps.push(sentBytes / mebibyte) });
    expectWhole(server, model);
    expect(steps.slice(0, 2)).toEqual([8, 8]);
    expect(steps.at(-1)).toBe(9);
  });

  it('waits as long as the registry asks', async () => {
    const clock = new ImpatientClock();
    const { server, push } = await setUp({}, clock);
    const headers = { 'retry-after': '7' };
    server.fail('POST', uploads, { kind: 'answer', status: 429, headers });
    server.fail('PUT', /manifests/, { kind: 'answer', status: 503, headers: { 'retry-after': '9' } });
    await push(await pushable(small));
    expect(clock.waitsMs).toEqual([7000, 9000]);
  });

  it('tells the person when the registry asks for more than a minute', async () => {
    const clock = new ImpatientClock();
    const { server, push } = await setUp({}, clock);
    server.fail('POST', uploads, { kind: 'answer', status: 429, headers: { 'retry-after': '600' } });
    const refusal = push(await pushable(small));
    await expect(refusal).rejects.toThrow(code('rate_limited'));
    await expect(refusal).rejects.toThrow('Try again in 10 minutes.');
    expect(clock.waitsMs).toEqual([]);
  });

  it('that does not pass is told after five attempts, and leaves no session', async () => {
    const clock = new ImpatientClock();
    const { server, push } = await setUp({}, clock);
    const fault: Fault = { kind: 'answer', status: 500 };
    server.fail('PATCH', uploads, ...Array.from({ length: 9 }, () => fault));
    await expect(push(await pushable([noise(9 * mebibyte)]))).rejects.toThrow(code('registry_unreachable'));
    expect(clock.waitsMs).toEqual([1000, 2000, 4000, 8000]);
    await expect.poll(() => server.sessions.size).toBe(0);
    expect(server.manifests.size).toBe(0);
  });

  it('of one layer stops the others', async () => {
    const { server, push } = await setUp();
    const model = await pushable(Array.from({ length: 8 }, (_, index) => noise(1000, index + 1)));
    const [first, broken, third, fourth, ...never] = model.layers.map(({ digest }) => digest);
    for (const digest of [first, third, fourth])
      server.fail('HEAD', new RegExp(`/${digest}$`), { kind: 'hang' });
    const damaged: PushableModel = {
      ...model,
      open: async (digest) => (digest === broken ? new Blob() : model.open(digest)),
    };
    await expect(push(damaged)).rejects.toThrow(code('digest_mismatch'));
    expect(never).toHaveLength(4);
    expect(server.lines.filter((line) => never.some((digest) => line.includes(digest)))).toEqual([]);
    expect(server.manifests.size).toBe(0);
  });
});

describe('a refusal', () => {
  it.each<[string, string, RegExp, number, string | undefined, string, string]>([
    ['other bytes than sent', 'PUT', uploads, 400, 'DIGEST_INVALID', 'digest_mismatch', 'Repair the model'],
    ['a lost file', 'PUT', /manifests/, 400, 'MANIFEST_BLOB_UNKNOWN', 'registry_unreachable', 'lost a part'],
    ['the manifest', 'PUT', /manifests/, 400, 'MANIFEST_INVALID', 'unsupported_model_format', 'this format'],
    ['the manifest without a code', 'PUT', /manifests/, 400, undefined, 'invalid_request', 'HTTP 400'],
    ['the account', 'POST', uploads, 403, 'DENIED', 'unauthorized', 'asks for a sign-in'],
    ['a repository that is not there', 'POST', uploads, 404, 'NAME_UNKNOWN', 'invalid_reference', 'Create'],
    ['a name', 'POST', uploads, 400, 'NAME_INVALID', 'invalid_reference', 'does not take the name'],
    ['every push', 'POST', uploads, 405, 'UNSUPPORTED', 'method_not_allowed', 'can only be read'],
    ['the size', 'PUT', uploads, 413, undefined, 'request_too_large', 'no file of this size'],
    ['with a code that is no text', 'POST', uploads, 400, '', 'invalid_request', 'HTTP 400'],
  ])('of %s says what to do', async (_, method, path, status, errorCode, expected, words) => {
    const { server, push } = await setUp();
    const answer: Fault = { kind: 'answer', status, ...(errorCode === undefined ? {} : { code: errorCode }) };
    server.fail(method, path, ...Array.from({ length: 5 }, () => answer));
    const refusal = push(await pushable(small));
    await expect(refusal).rejects.toThrow(code(expected));
    await expect(refusal).rejects.toThrow(words);
    await expect.poll(() => server.sessions.size).toBe(0);
  });

  it('for want of a sign-in tells whoever is signed in something else', async () => {
    const { server, push } = await setUp();
    server.fail('POST', uploads, { kind: 'answer', status: 403 });
    const refusal = push(await pushable(small), { credentials: alice });
    await expect(refusal).rejects.toThrow('does not let this sign-in push');
    await expect(refusal).rejects.not.toThrow('secret');
  });

  it('is an answer with another manifest’s digest', async () => {
    const { server, push } = await setUp();
    const headers = { 'docker-content-digest': `sha256:${'0'.repeat(64)}` };
    server.fail('PUT', /manifests/, { kind: 'headers', headers });
    await expect(push(await pushable(small))).rejects.toThrow(code('digest_mismatch'));
  });

  it('is an answer with another file’s digest', async () => {
    const { server, push } = await setUp();
    const headers = { 'docker-content-digest': `sha256:${'0'.repeat(64)}` };
    server.fail('PUT', uploads, { kind: 'headers', headers });
    await expect(push(await pushable(small))).rejects.toThrow(code('digest_mismatch'));
  });

  it('is no answer without a digest', async () => {
    const { server, push } = await setUp();
    const hidden: Fault = { kind: 'headers', headers: { 'docker-content-digest': '' } };
    server.fail('PUT', /./, hidden, hidden, hidden, hidden);
    await push(await pushable(small));
    expect(server.manifests.size).toBe(1);
  });
});

describe('a registry that sends the upload elsewhere', () => {
  async function stranger() {
    const server = await startServer((request, response) => {
      request.resume().on('end', () => response.writeHead(202, { location: '/v2/x/blobs/uploads/1' }).end());
    });
    servers.push(server);
    return server;
  }

  it.each(['POST', 'PATCH'])('by the location of a %s is refused', async (method) => {
    const elsewhere = await stranger();
    const { server, push } = await setUp();
    const headers = { location: `${elsewhere.url}/v2/x/blobs/uploads/1` };
    server.fail(method, uploads, { kind: 'headers', headers });
    const refusal = push(largeModel, { credentials: alice });
    await expect(refusal).rejects.toThrow(code('forbidden_origin'));
    expect(elsewhere.requests).toEqual([]);
    expect(server.manifests.size).toBe(0);
  });

  it.each([
    ['POST', 307],
    ['POST', 302],
    ['PATCH', 308],
    ['PUT', 307],
  ])('by a redirect of a %s (HTTP %d) is refused', async (method, status) => {
    const elsewhere = await stranger();
    const { server, push } = await setUp();
    const headers = { location: `${elsewhere.url}/v2/x/blobs/uploads/1` };
    server.fail(method, uploads, { kind: 'answer', status, headers });
    await expect(push(largeModel)).rejects.toThrow(code('forbidden_origin'));
    expect(elsewhere.requests).toEqual([]);
  });
});

describe('a registry that hides where an upload goes', () => {
  const exposesNothing = 'Docker-Content-Digest';

  function inBrowser(server: PushServer, companion?: Companion) {
    const origin = companion?.url ?? 'http://app.test';
    const routes = new Map<string, Route>();
    const registry = new OciRegistry({
      fetch: browserFetch(origin),
      clock: new ImpatientClock(),
      ownHost: new URL(origin).host,
      ownOrigin: origin,
      routes,
    });
    const push = (model: PushableModel) =>
      registry.push(parseReference(`${server.host}/ai/tiny:v1`), model, {});
    return { routes, push };
  }

  it('is reached by the relay', async () => {
    const { server } = await setUp({ exposes: exposesNothing });
    await using companion = await scratchCompanion({ relayAllow: [server.host] });
    const { routes, push } = inBrowser(server, companion);
    await push(largeModel);
    expectWhole(server, largeModel);
    expect(routes.get(server.host)).toBe('relay');
  });

  it('is told apart from a dead one where there is no relay', async () => {
    const { server } = await setUp({ exposes: exposesNothing });
    const { push } = inBrowser(server);
    await expect(push(largeModel)).rejects.toThrow('does not tell browsers where an upload goes');
  });

  it('is pushed to directly once it shows it, even when it hides how far it got', async () => {
    const { server } = await setUp({ exposes: 'Location' });
    const { routes, push } = inBrowser(server);
    await push(largeModel);
    expectWhole(server, largeModel);
    expect(routes.get(server.host)).toBe('direct');
  });
});

describe('an abort', () => {
  it('stops at once, cancels the session and sends nothing more', async () => {
    const { server, push } = await setUp();
    const abort = new AbortController();
    server.fail('PATCH', uploads, { kind: 'hang' });
    const refusal = expect(push(largeModel, { signal: abort.signal })).rejects.toThrow(aborted);
    await expect.poll(() => patches(server).length).toBe(1);
    abort.abort();
    await refusal;
    await expect.poll(() => server.sessions.size).toBe(0);
    expect(server.lines.at(-1)).toMatch(/^DELETE .*\/uploads\//);
    expect(server.manifests.size).toBe(0);
  });

  it('before anything asks for nothing', async () => {
    const { server, push } = await setUp();
    await expect(push(await pushable(small), { signal: AbortSignal.abort() })).rejects.toThrow(aborted);
    expect(server.requests).toEqual([]);
  });

  it('ends a wait between two attempts', async () => {
    const abort = new AbortController();
    const waiting: Clock = {
      now: () => 0,
      after: (delayMs) => {
        if (delayMs < 30_000) queueMicrotask(() => abort.abort());
        return () => undefined;
      },
    };
    const { server, push } = await setUp({}, waiting);
    server.fail('POST', uploads, { kind: 'answer', status: 503 });
    await expect(push(await pushable(small), { signal: abort.signal })).rejects.toThrow(aborted);
  });
});
