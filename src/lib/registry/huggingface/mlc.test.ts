import { readFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '#lib/core/clock.ts';
import { sha256 } from '#lib/core/digest.ts';
import { readArtifact } from '#lib/model/artifact.ts';
import { parseModelConfig } from '#lib/model/config.ts';
import { mediaTypes } from '#lib/model/manifest.ts';
import { parseMlcList, type MlcListEntry } from '#lib/model/mlc-list.ts';
import { parseReference } from '#lib/model/reference.ts';
import type { Credentials, LayerBody, ResolvedModel } from '#lib/registry/port.ts';
import { browserFetch } from '#tests/support/registry/browser-fetch.ts';
import { startServer, type TestServer } from '#tests/support/registry/http-server.ts';
import { startHuggingFace, type HubRepository } from '#tests/support/registry/huggingface.ts';
import { HuggingFaceRegistry } from './client.ts';

const signal = new AbortController().signal;
const code = (value: string) => expect.objectContaining({ code: value });
const wasm = new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);
const ownWasm = new Uint8Array([...wasm, 1]);

const servers: TestServer[] = [];
let libraryHost: TestServer;
beforeEach(async () => {
  libraryHost = await startServer((_, response) => {
    response.writeHead(200, { 'access-control-allow-origin': '*' }).end(wasm);
  });
  servers.push(libraryHost);
});
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

interface SetUp {
  readonly repository?: string;
  readonly access?: HubRepository['access'];
  readonly list?: (() => Promise<readonly MlcListEntry[]>) | undefined;
}

async function setUp(files: HubRepository['files'], options: SetUp = {}) {
  const { repository = 'Org/Tiny-q4f16_1-MLC', access = 'public', list } = options;
  const held = { files, access, lastModified: '2025-02-07T07:02:44.000Z' };
  const server = await startHuggingFace({ repositories: { [repository]: held }, token: 'hf_secret' });
  servers.push(server);
  const registry = new HuggingFaceRegistry({
    fetch: browserFetch('https://sampan.example'),
    clock: systemClock,
    baseUrl: server.url,
    mlcList: list,
  });
  const resolve = (tag = 'latest', credentials?: Credentials) =>
    registry.resolve(parseReference(`hf.co/${repository}:${tag}`), { signal, credentials });
  return { server, resolve };
}

const entry = (changes: Partial<MlcListEntry> = {}): MlcListEntry => ({
  modelId: 'Tiny-q4f16_1-MLC',
  repository: 'org/Tiny-q4f16_1-MLC',
  variant: undefined,
  reference: 'hf.co/org/Tiny-q4f16_1-MLC',
  libraryUrl: `${libraryHost.url}/v0_2_86/base/Tiny-q4f16_1_cs1k-webgpu.wasm`,
  kind: 'llm',
  contextSize: 4096,
  vramBytes: 1000,
  requiredFeatures: ['shader-f16'],
  lowResource: false,
  bufferSizeBytes: undefined,
  ...changes,
});
const listOf = (...entries: readonly MlcListEntry[]) => ({ list: () => Promise.resolve(entries) });

const mlcConfig = {
  model_type: 'llama',
  quantization: 'q4f16_1',
  context_window_size: 2048,
  tokenizer_files: ['tokenizer.json', 'vocab.json'],
};
const shardList = (...shards: readonly string[]) =>
  JSON.stringify({
    records: shards.map((text, at) => ({ dataPath: `params_shard_${at}.bin`, nbytes: text.length })),
  });
const mlc = {
  '.gitattributes': 'x',
  LICENSE: 'Apache',
  'README.md': '# Tiny',
  'mlc-chat-config.json': JSON.stringify(mlcConfig),
  'tensor-cache.json': shardList('first weights', 'second weights'),
  'ndarray-cache.json': shardList('first weights', 'second weights'),
  'params_shard_0.bin': 'first weights',
  'params_shard_1.bin': 'second weights',
  'tokenizer.json': '{"model":{}}',
  'tokenizer_config.json': '{"a":1}',
  'vocab.json': '{"b":2}',
  'merges.txt': 'a b',
  'tokenizer.model': 'sentencepiece',
  'logs.bin': 'no weights',
};
const needed = [
  'mlc-chat-config.json',
  'params_shard_0.bin',
  'params_shard_1.bin',
  'tensor-cache.json',
  'tokenizer.json',
  'tokenizer_config.json',
];

const pathOf = ({ annotations }: ResolvedModel['manifest']['layers'][number]) =>
  annotations?.['org.cncf.model.filepath'] ?? '';
const pathsOf = ({ manifest }: ResolvedModel) => manifest.layers.map(pathOf);
const bytesOf = async ({ stream }: LayerBody) => new Uint8Array(await new Response(stream).arrayBuffer());
const artifactOf = ({ manifest, configBytes }: ResolvedModel) => readArtifact(manifest, configBytes);

function layerAt(path: string, { manifest }: ResolvedModel) {
  const layer = manifest.layers.find((each) => pathOf(each) === path);
  if (!layer) throw new Error(`there is no ${path}`);
  return layer;
}

async function expectBytesOfEachLayer(model: ResolvedModel): Promise<void> {
  for (const layer of model.manifest.layers) {
    const body = await model.fetchLayer(layer, { from: 0, to: layer.size }, signal);
    expect(await sha256(await bytesOf(body))).toBe(layer.digest);
  }
}

describe('an MLC repository', () => {
  it('becomes a model of the files that WebLLM needs, with the library of WebLLM’s list', async () => {
    const { resolve } = await setUp(mlc, listOf(entry({ repository: 'org/Other-MLC' }), entry()));
    const model = await resolve();
    expect(model.manifest.config.mediaType).toBe(mediaTypes.configV02);
    expect(pathsOf(model)).toEqual(['Tiny-q4f16_1_cs1k-webgpu.wasm', ...needed]);
    expect(artifactOf(model)).toMatchObject({ format: 'mlc', engine: 'webllm' });
    expect(parseModelConfig(model.configBytes)).toMatchObject({
      format: 'mlc',
      architecture: 'llama',
      quantization: 'q4f16_1',
      contextSize: 2048,
      createdAtMs: Date.UTC(2025, 1, 7, 7, 2, 44),
    });
    expect(model.id).toBe(await sha256(model.manifestBytes));
  });

  it('gives the bytes of each file: weights by ranges from the CDN, the others from memory', async () => {
    const { server, resolve } = await setUp(mlc, listOf(entry()));
    const model = await resolve();
    const before = server.requests.length;
    await libraryHost.close();
    await expectBytesOfEachLayer(model);
    expect(server.requests.length - before).toBe(2);
    const library = layerAt('Tiny-q4f16_1_cs1k-webgpu.wasm', model);
    const part = await model.fetchLayer(library, { from: 4, to: library.size }, signal);
    expect([part.from, await bytesOf(part)]).toEqual([4, wasm.subarray(4)]);
    const shard = layerAt('params_shard_1.bin', model);
    const rest = await model.fetchLayer(shard, { from: 7, to: shard.size }, signal);
    expect(new TextDecoder().decode(await bytesOf(rest))).toBe('weights');
  });

  it('keeps its token from the server of the library', async () => {
    const { resolve } = await setUp(mlc, { access: 'gated', ...listOf(entry()) });
    await resolve('latest', { kind: 'token', token: 'hf_secret' });
    expect(libraryHost.requests.map(({ method, headers }) => [method, headers.authorization])).toEqual([
      ['GET', undefined],
    ]);
  });

  it('uses its own library before the list’s, streamed like the weights', async () => {
    const { server, resolve } = await setUp(
      { ...mlc, 'tiny-webgpu.wasm': ownWasm },
      { list: () => Promise.reject(new Error('nobody asks')) },
    );
    const model = await resolve();
    expect(pathsOf(model)).toEqual([...needed, 'tiny-webgpu.wasm'].toSorted());
    expect(artifactOf(model).engine).toBe('webllm');
    expect(libraryHost.requests).toEqual([]);
    const before = server.requests.length;
    await expectBytesOfEachLayer(model);
    expect(server.requests.length - before).toBe(3);
  });

  it('leaves aside a library of its own that is for another version', async () => {
    const { resolve } = await setUp({ ...mlc, 'tiny-v0_2_48.wasm': ownWasm }, listOf(entry()));
    expect(pathsOf(await resolve())).toEqual(['Tiny-q4f16_1_cs1k-webgpu.wasm', ...needed]);
  });

  it.each<[string, SetUp]>([
    ['without a list', {}],
    ['that the list does not know', listOf()],
  ])('%s is kept, and its obstacle names what is missing', async (_, options) => {
    const { resolve } = await setUp(mlc, options);
    const model = await resolve();
    expect(pathsOf(model)).toEqual(needed);
    expect(artifactOf(model).engine).toBeUndefined();
    expect(artifactOf(model).obstacle).toContain('lacks a model library (.wasm)');
  });

  it('fails with the host’s name when the library cannot be had', async () => {
    await libraryHost.close();
    const { resolve } = await setUp(mlc, listOf(entry()));
    const refusal = resolve();
    await expect(refusal).rejects.toThrow(code('registry_unreachable'));
    await expect(refusal).rejects.toThrow(libraryHost.host);
  });

  it('fails when the list cannot be had', async () => {
    const failure = new Error('no list');
    const { resolve } = await setUp(mlc, { list: () => Promise.reject(failure) });
    await expect(resolve()).rejects.toBe(failure);
  });

  it('knows the older name of the list of weights', async () => {
    const { 'tensor-cache.json': _, ...older } = mlc;
    const { resolve } = await setUp(older, listOf(entry()));
    const model = await resolve();
    expect(pathsOf(model)).toContain('ndarray-cache.json');
    expect(artifactOf(model).engine).toBe('webllm');
  });

  it('has the same ID every time', async () => {
    const { resolve } = await setUp(mlc, listOf(entry()));
    const first = await resolve();
    const again = await setUp(Object.fromEntries(Object.entries(mlc).toReversed()), listOf(entry()));
    expect((await again.resolve('main')).id).toBe(first.id);
  });

  it.each<[string, Readonly<Record<string, string>>, string]>([
    ['its config is none', { 'mlc-chat-config.json': '{}' }, 'mlc-chat-config.json cannot be read'],
    [
      'its list of weights is none',
      { 'tensor-cache.json': '{"records":[]}' },
      'tensor-cache.json) cannot be read',
    ],
    [
      'a shard is missing',
      { 'tensor-cache.json': shardList('first weights', 'second weights', 'x') },
      'params_shard_2.bin is missing',
    ],
    ['a shard is cut short', { 'params_shard_1.bin': 'sec' }, 'params_shard_1.bin has another size'],
  ])('is refused when %s, before a library is fetched', async (_, files, words) => {
    const { resolve } = await setUp({ ...mlc, ...files }, listOf(entry()));
    const refusal = resolve();
    await expect(refusal).rejects.toThrow(code('unsupported_model_format'));
    await expect(refusal).rejects.toThrow(words);
    expect(libraryHost.requests).toEqual([]);
  });

  it('gives way to a GGUF file beside it', async () => {
    const { resolve } = await setUp({ ...mlc, 'm.gguf': 'not one' });
    await expect(resolve()).rejects.toThrow('not a GGUF file');
  });

  it('knows no layers but its own', async () => {
    const { resolve } = await setUp(mlc);
    const model = await resolve();
    const stranger = { mediaType: 'x/y', digest: await sha256(new Uint8Array([1])), size: 1 };
    await expect(model.fetchLayer(stranger, { from: 0, to: 1 }, signal)).rejects.toThrow(
      code('model_not_found'),
    );
  });

  it('is the fixture, whole and for WebLLM', async () => {
    const folder = new URL('../../../../tests/fixtures/tiny-mlc/', import.meta.url);
    const names = ['mlc-chat-config.json', 'model.wasm', 'tensor-cache.json', 'tokenizer.json'];
    const shards = [0, 1, 2].map((number) => `params_shard_${number}.bin`);
    const files = await Promise.all(
      [...names, ...shards].map(async (name) => [name, await readFile(new URL(name, folder))] as const),
    );
    const { resolve } = await setUp(Object.fromEntries(files), { repository: 'Org/Tiny-q0f32-MLC' });
    const model = await resolve();
    expect(pathsOf(model)).toEqual([...names, ...shards].toSorted());
    expect(artifactOf(model).engine).toBe('webllm');
  });
});

describe('the variants of an MLC repository', () => {
  const small = () =>
    entry({ variant: 'b4', vramBytes: 10, contextSize: 512, libraryUrl: `${libraryHost.url}/small.wasm` });
  const large = () =>
    entry({ variant: 'b32', vramBytes: 99, contextSize: 512, libraryUrl: `${libraryHost.url}/large.wasm` });
  const lean = () => entry({ variant: '1k', vramBytes: 10, contextSize: 1024 });
  const contextOf = (model: ResolvedModel) => parseModelConfig(model.configBytes).contextSize;

  it.each(['q4f16_1', 'Q4F16_1', 'mlc'])('do not include %s, which is its name', async (tag) => {
    const { resolve } = await setUp(mlc, listOf(entry(), lean()));
    const model = await resolve(tag);
    expect(contextOf(model)).toBe(2048);
    expect(pathsOf(model)).toContain('Tiny-q4f16_1_cs1k-webgpu.wasm');
  });

  it('are another library, or another context', async () => {
    const { resolve } = await setUp(mlc, listOf(large(), small(), lean()));
    expect(pathsOf(await resolve('b32'))).toContain('large.wasm');
    expect(pathsOf(await resolve('B4'))).toContain('small.wasm');
    expect(contextOf(await resolve('1k'))).toBe(1024);
  });

  it('are as lean as can be when the tag names none', async () => {
    const { resolve } = await setUp(mlc, listOf(large(), small()));
    const model = await resolve();
    expect(pathsOf(model)).toContain('small.wasm');
    expect(contextOf(model)).toBe(2048);
  });

  it('may be asked of a repository with a library of its own', async () => {
    const { resolve } = await setUp({ ...mlc, 'own.wasm': ownWasm }, listOf(entry(), lean()));
    const model = await resolve('1k');
    expect(contextOf(model)).toBe(1024);
    expect(pathsOf(model)).toContain('own.wasm');
    expect(libraryHost.requests).toEqual([]);
  });

  it.each<[string, () => SetUp, string]>([
    ['when there are others', () => listOf(entry(), lean()), 'has no variant “q4f32_1” besides 1k.'],
    ['when there are none', () => listOf(entry()), 'has no variant “q4f32_1”: it is one model'],
    ['without a list', () => ({}), 'has no variant “q4f32_1”: it is one model'],
  ])('are refused when nobody knows them: %s', async (_, options, words) => {
    const { resolve } = await setUp(mlc, options());
    const refusal = resolve('q4f32_1');
    await expect(refusal).rejects.toThrow(code('model_not_found'));
    await expect(refusal).rejects.toThrow(words);
  });

  it('of the list that comes with the app lead to repositories and libraries', async () => {
    const file = new URL('../../../../static/mlc-models.json', import.meta.url);
    for (const { reference, repository, variant } of parseMlcList(await readFile(file, 'utf8'))) {
      const parsed = parseReference(reference);
      expect(parsed).toMatchObject({
        registry: 'huggingface.co',
        typedRepository: repository,
        tag: variant ?? 'latest',
      });
    }
  });
});
