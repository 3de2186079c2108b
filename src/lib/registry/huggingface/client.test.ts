import { readFile } from 'node:fs/promises';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ManualClock, systemClock } from '#lib/core/clock.ts';
import { sha256 } from '#lib/core/digest.ts';
import { readArtifact } from '#lib/model/artifact.ts';
import { describeModel } from '#lib/model/facts.ts';
import { mediaTypes } from '#lib/model/manifest.ts';
import { parseReference } from '#lib/model/reference.ts';
import type { Credentials, LayerBody, ResolvedModel } from '#lib/registry/port.ts';
import { browserFetch } from '#tests/support/registry/browser-fetch.ts';
import { entry, ggufBytes, text } from '#tests/support/registry/gguf-bytes.ts';
import type { TestServer } from '#tests/support/registry/http-server.ts';
import {
  startHuggingFace,
  type HubRepository,
  type HuggingFaceOptions,
} from '#tests/support/registry/huggingface.ts';
import { HuggingFaceRegistry } from './client.ts';

const signal = new AbortController().signal;
const code = (value: string) => expect.objectContaining({ code: value });
const token: Credentials = { kind: 'token', token: 'hf_secret' };
const app = 'https://sampan.example';

let tiny: Uint8Array<ArrayBuffer>;
let eye: Uint8Array<ArrayBuffer>;
beforeAll(async () => {
  tiny = await fixture('tiny-q8_0.gguf');
  eye = await fixture('mmproj-eye.gguf');
});

async function fixture(name: string): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await readFile(new URL(`../../../../tests/fixtures/${name}`, import.meta.url)));
}

const servers: TestServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

async function setUp(repository: HubRepository, options: Omit<HuggingFaceOptions, 'repositories'> = {}) {
  const server = await startHuggingFace({ repositories: { 'Org/Tiny-GGUF': repository }, ...options });
  servers.push(server);
  const registry = new HuggingFaceRegistry({
    fetch: browserFetch(app),
    clock: systemClock,
    baseUrl: server.url,
  });
  const resolve = (tag = 'latest', credentials?: Credentials) =>
    registry.resolve(parseReference(`hf.co/Org/Tiny-GGUF:${tag}`), { credentials });
  return { server, registry, resolve };
}

const layersOf = ({ manifest }: ResolvedModel, mediaType: string) =>
  manifest.layers.filter((layer) => layer.mediaType === mediaType);
const weightsOf = (model: ResolvedModel) => layersOf(model, mediaTypes.gguf);
const bytesOf = async (body: LayerBody) => new Uint8Array(await new Response(body.stream).arrayBuffer());
const shard = (name: string) =>
  ggufBytes({
    entries: [entry.text('general.architecture', 'llama')],
    tensors: [{ name, dimensions: [1000] }],
    weightBytes: 4000,
  });

describe('HuggingFaceRegistry.resolve', () => {
  it('makes a model in Docker’s format out of a GGUF file', async () => {
    const { server, resolve } = await setUp({
      files: { 'tiny-Q8_0.gguf': tiny, 'README.md': '# Tiny' },
      lastModified: '2025-02-07T07:02:44.000Z',
    });
    const model = await resolve();
    const [layer] = weightsOf(model);
    expect(layer).toMatchObject({
      mediaType: 'application/vnd.docker.ai.gguf.v3',
      digest: await sha256(tiny),
      size: tiny.byteLength,
      annotations: { 'org.cncf.model.filepath': 'tiny-Q8_0.gguf' },
    });
    const described = describeModel({
      id: model.id,
      tags: [],
      manifest: model.manifestBytes,
      config: model.configBytes,
    });
    expect(described).toMatchObject({
      created: Date.UTC(2025, 1, 7, 7, 2, 44) / 1000,
      config: {
        format: 'gguf',
        quantization: 'MOSTLY_Q8_0',
        parameters: '393.86K',
        architecture: 'llama',
        context_size: 2048,
      },
    });
    expect(model.id).toBe(await sha256(model.manifestBytes));
    expect(await sha256(model.configBytes)).toBe(model.manifest.config.digest);
    expect(server.requests[0]?.path).toBe('/api/models/Org/Tiny-GGUF/revision/main');
  });

  it('gives the same ID every time', async () => {
    const { resolve } = await setUp({ files: { 'tiny.gguf': tiny } });
    expect((await resolve()).id).toBe((await resolve('main')).id);
  });

  it('reads one mebibyte at most of a small header, by a range and at the pinned commit', async () => {
    const large = ggufBytes({
      entries: [entry.text('general.architecture', 'llama')],
      weightBytes: 3_000_000,
    });
    const { server, resolve } = await setUp({ files: { 'large.gguf': large } });
    await resolve();
    const download = server.requests.find(({ path }) => path.includes('/resolve/'));
    expect(download?.path).toMatch(/^\/Org\/Tiny-GGUF\/resolve\/[0-9a-f]{40}\/large\.gguf$/);
    expect(server.cdn.requests.map(({ headers }) => headers.range)).toEqual(['bytes=0-1048575']);
  });

  it('reads on when the header is larger', async () => {
    const tokens = Array.from({ length: 200_000 }, () => text('token'));
    const large = ggufBytes({
      entries: [entry.array('tokens', 8, tokens), entry.text('general.architecture', 'x')],
    });
    const { server, resolve } = await setUp({ files: { 'large.gguf': large } });
    const model = await resolve();
    expect(new TextDecoder().decode(model.configBytes)).toContain('"architecture":"x"');
    expect(server.cdn.requests).toHaveLength(3);
  });

  it('manages with a server that ignores ranges', async () => {
    const { server, resolve } = await setUp({ files: { 'tiny.gguf': tiny } });
    server.ranges('ignored');
    expect(weightsOf(await resolve())).toHaveLength(1);
  });

  it('takes the variant that the tag names', async () => {
    const { resolve } = await setUp({ files: { 'm-Q4_K_M.gguf': shard('a'), 'm-Q8_0.gguf': shard('b') } });
    const named = async (tag: string) =>
      weightsOf(await resolve(tag))[0]?.annotations?.['org.cncf.model.filepath'];
    expect(await named('q8_0')).toBe('m-Q8_0.gguf');
    expect(await named('latest')).toBe('m-Q4_K_M.gguf');
  });

  it('takes all shards, in order, and adds up their facts', async () => {
    const files = { 'm-00002-of-00002.gguf': shard('b'), 'm-00001-of-00002.gguf': shard('a') };
    const { resolve } = await setUp({ files });
    const model = await resolve();
    expect(weightsOf(model).map(({ digest }) => digest)).toEqual([
      await sha256(shard('a')),
      await sha256(shard('b')),
    ]);
    expect(new TextDecoder().decode(model.configBytes)).toContain('"parameters":"2.00K"');
  });

  it('reads all pages of a long list', async () => {
    const notes = Object.fromEntries(Array.from({ length: 25 }, (_, index) => [`notes/${index}.md`, 'x']));
    const { server, resolve } = await setUp({ files: { ...notes, 'z.gguf': tiny } }, { pageSize: 10 });
    expect(weightsOf(await resolve())).toHaveLength(1);
    expect(server.requests.filter(({ path }) => path.includes('/tree/'))).toHaveLength(3);
  });

  it('does not follow a list to another site, for the token would go along', async () => {
    const elsewhere = await startHuggingFace({ repositories: {} });
    servers.push(elsewhere);
    const { resolve } = await setUp({ files: { 'm.gguf': tiny } }, { nextPage: `${elsewhere.url}/next` });
    expect(weightsOf(await resolve('latest', token))).toHaveLength(1);
    expect(elsewhere.requests).toEqual([]);
  });

  it('adds the eye of a model that can have one, whichever variant is asked for', async () => {
    const files = {
      'm-Q4_K_M.gguf': shard('a'),
      'm-Q8_0.gguf': tiny,
      'mmproj-F32.gguf': shard('c'),
      'mmproj-F16.gguf': eye,
    };
    const { resolve } = await setUp({ files });
    for (const tag of ['latest', 'Q8_0']) {
      const model = await resolve(tag);
      const [layer, ...more] = layersOf(model, mediaTypes.mmproj);
      if (!layer) throw new Error('there is a projector');
      expect(more).toEqual([]);
      expect(layer).toMatchObject({
        digest: await sha256(eye),
        size: eye.byteLength,
        annotations: { 'org.cncf.model.filepath': 'mmproj-F16.gguf' },
      });
      const body = await model.fetchLayer(layer, { from: 0, to: layer.size }, signal);
      expect(await sha256(await bytesOf(body))).toBe(layer.digest);
      const artifact = readArtifact(model.manifest, model.configBytes);
      expect(artifact.layers.map(({ role }) => role)).toEqual(['weights', 'projector']);
      expect(artifact).toMatchObject({ engine: 'llama.cpp' });
    }
  });

  it('adds no file that is only called an eye', async () => {
    const { resolve } = await setUp({ files: { 'm.gguf': tiny, 'mmproj-F16.gguf': shard('a') } });
    expect(layersOf(await resolve(), mediaTypes.mmproj)).toEqual([]);
  });

  it('adds the repository’s chat template, and serves it from memory', async () => {
    const { server, resolve } = await setUp({
      files: {
        'm.gguf': tiny,
        'a.jinja': 'other',
        'chat_template.jinja': '{{ messages }}',
        'tokenizer_config.json': '{}',
      },
    });
    const model = await resolve();
    const [layer] = layersOf(model, mediaTypes.chatTemplate);
    if (!layer) throw new Error('there is a template');
    await server.close();
    const body = await model.fetchLayer(layer, { from: 3, to: layer.size }, signal);
    expect(body.from).toBe(3);
    expect(new TextDecoder().decode(await bytesOf(body))).toBe('messages }}');
  });

  it.each<[string, Readonly<Record<string, string>>, string]>([
    ['weights of other kinds', { 'pytorch_model.bin': 'x', 'config.json': '{}' }, 'no GGUF file'],
    ['half an MLC model', { 'mlc-chat-config.json': '{}', 'params_shard_0.bin': 'x' }, 'no GGUF file'],
    ['no weights', { 'README.md': 'x' }, 'no GGUF file'],
    ['a projector only', { 'mmproj-f16.gguf': 'x' }, 'no GGUF file'],
    ['a file that is no GGUF', { 'm.gguf': '<!doctype html>' }, 'not a GGUF file'],
    ['an empty file', { 'm.gguf': '' }, 'not a GGUF file'],
  ])('refuses %s with the reason', async (_, files, reason) => {
    const { resolve } = await setUp({ files });
    const refusal = resolve();
    await expect(refusal).rejects.toThrow(code('unsupported_model_format'));
    await expect(refusal).rejects.toThrow(reason);
  });

  it('refuses a variant that is not there', async () => {
    const { resolve } = await setUp({ files: { 'm-Q4_K_M.gguf': tiny } });
    await expect(resolve('Q8_0')).rejects.toThrow(code('model_not_found'));
  });

  it('opens a gated model with a token, which the CDN never sees', async () => {
    const { server, resolve } = await setUp(
      { files: { 'm.gguf': tiny }, access: 'gated' },
      { token: 'hf_secret' },
    );
    const model = await resolve('latest', token);
    const [layer] = weightsOf(model);
    if (!layer) throw new Error('there are weights');
    const body = await model.fetchLayer(layer, { from: 0, to: layer.size }, signal);
    expect(await sha256(await bytesOf(body))).toBe(layer.digest);
    expect(server.cdn.requests.map(({ headers }) => headers.authorization)).toEqual([undefined, undefined]);
    expect(server.cdn.requests.map(({ method }) => method)).toEqual(['GET', 'GET']);
  });

  it.each<[string, HubRepository['access'], Credentials | undefined, string]>([
    ['a gated model', 'gated', undefined, 'is gated. Accept its licence'],
    [
      'a gated model and a token without access',
      'gated',
      { kind: 'token', token: 'other' },
      'is gated. Accept its licence',
    ],
    ['a private model', 'private', undefined, 'private or does not exist'],
    ['a private model and a wrong token', 'private', { kind: 'token', token: 'other' }, 'to this token'],
    ['a token that cannot be one', 'private', { kind: 'token', token: 'a\nb' }, 'no token has'],
  ])('says what %s needs', async (_, access, credentials, words) => {
    const { resolve } = await setUp(
      { files: { 'm.gguf': tiny }, access: access ?? 'public' },
      { token: 'hf_secret' },
    );
    const refusal = resolve('latest', credentials);
    await expect(refusal).rejects.toThrow(code('unauthorized'));
    await expect(refusal).rejects.toThrow(words);
  });

  it.each([
    [404, 'model_not_found', 'not on Hugging Face'],
    // The Hub lets no page read its Retry-After.
    [429, 'rate_limited', 'Try again later. A token allows more.'],
    [503, 'registry_unreachable', 'HTTP 503'],
    [200, 'registry_unreachable', 'not known here'],
  ])('turns HTTP %d into %s', async (status, expected, words) => {
    const { server, resolve } = await setUp({ files: { 'm.gguf': tiny } });
    server.fail(/revision/, status, { 'retry-after': '300' });
    const refusal = resolve();
    await expect(refusal).rejects.toThrow(code(expected));
    await expect(refusal).rejects.toThrow(words);
  });

  it('says that the connection is broken when the Hub is dead', async () => {
    const { server, resolve } = await setUp({ files: { 'm.gguf': tiny } });
    await server.close();
    await expect(resolve()).rejects.toThrow(code('registry_unreachable'));
  });

  it('gives up on a Hub that never answers', async () => {
    const clock = new ManualClock();
    const pending: typeof fetch = (_, init) =>
      new Promise((_resolve, reject) =>
        init?.signal?.addEventListener('abort', () => reject(new Error('gone'))),
      );
    const registry = new HuggingFaceRegistry({ fetch: pending, clock });
    const refusal = expect(registry.resolve(parseReference('hf.co/a/b'), {})).rejects.toThrow(
      'does not answer',
    );
    await clock.advance(60_000);
    await refusal;
  });
});

describe('fetchLayer', () => {
  it('streams the part asked for, from the pinned commit', async () => {
    const { resolve } = await setUp({ files: { 'm.gguf': tiny } });
    const model = await resolve();
    const [layer] = weightsOf(model);
    if (!layer) throw new Error('there are weights');
    const body = await model.fetchLayer(layer, { from: 1000, to: 2000 }, signal);
    expect(body.from).toBe(1000);
    expect(await bytesOf(body)).toEqual(tiny.subarray(1000, 2000));
  });

  it.each(['ignored', 'refused'] as const)('starts from 0 when the range is %s', async (mode) => {
    const { server, resolve } = await setUp({ files: { 'm.gguf': tiny } });
    const model = await resolve();
    const [layer] = weightsOf(model);
    if (!layer) throw new Error('there are weights');
    server.ranges(mode);
    const body = await model.fetchLayer(layer, { from: 1000, to: 2000 }, signal);
    expect(body.from).toBe(0);
    expect(await sha256(await bytesOf(body))).toBe(await sha256(tiny));
  });

  it('knows no layers but its own', async () => {
    const { resolve } = await setUp({ files: { 'm.gguf': tiny } });
    const model = await resolve();
    const stranger = { mediaType: 'x/y', digest: await sha256(new Uint8Array()), size: 1 };
    await expect(model.fetchLayer(stranger, { from: 0, to: 1 }, signal)).rejects.toThrow(
      code('model_not_found'),
    );
  });
});

describe('push', () => {
  it('is refused with what to do instead', async () => {
    const { server, registry } = await setUp({ files: {} });
    const refusal = registry.push();
    await expect(refusal).rejects.toThrow(code('invalid_request'));
    await expect(refusal).rejects.toThrow('Push to an OCI registry, or export the model');
    expect(server.requests).toEqual([]);
  });
});
