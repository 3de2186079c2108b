import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '#lib/core/clock.ts';
import { sha256 } from '#lib/core/digest.ts';
import { parseModelConfig } from '#lib/model/config.ts';
import { mediaTypes } from '#lib/model/manifest.ts';
import { parseReference } from '#lib/model/reference.ts';
import type { LayerBody, ResolvedModel } from '#lib/registry/port.ts';
import { browserFetch } from '#tests/support/registry/browser-fetch.ts';
import type { TestServer } from '#tests/support/registry/http-server.ts';
import { startHuggingFace, type HubRepository } from '#tests/support/registry/huggingface.ts';
import { HuggingFaceRegistry } from './client.ts';

const signal = new AbortController().signal;
const code = (value: string) => expect.objectContaining({ code: value });
const mebibyte = 2 ** 20;

const servers: TestServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

async function setUp(files: HubRepository['files']) {
  const repository = { files, lastModified: '2025-02-07T07:02:44.000Z' };
  const server = await startHuggingFace({ repositories: { 'Org/Tiny': repository } });
  servers.push(server);
  const registry = new HuggingFaceRegistry({
    fetch: browserFetch('https://sampan.example'),
    clock: systemClock,
    baseUrl: server.url,
  });
  const resolve = (tag = 'latest') => registry.resolve(parseReference(`hf.co/Org/Tiny:${tag}`), { signal });
  return { server, resolve };
}

const safetensors = {
  'config.json': JSON.stringify({
    model_type: 'qwen2',
    torch_dtype: 'bfloat16',
    max_position_embeddings: 32768,
  }),
  'model-00001-of-00002.safetensors': 'one',
  'model-00002-of-00002.safetensors': 'two',
  'model.safetensors.index.json': '{}',
  'chat_template.jinja': '{{ messages }}',
  'a_tool_use.jinja': '{{ tools }}',
  'tokenizer.json': '{"model":{}}',
  'onnx/config.json': '{"c":3}',
  'pytorch_model.bin': 'pickle',
};

const pathOf = ({ annotations }: ResolvedModel['manifest']['layers'][number]) =>
  annotations?.['org.cncf.model.filepath'] ?? '';
const pathsOf = ({ manifest }: ResolvedModel) => manifest.layers.map(pathOf);
const textOf = ({ stream }: LayerBody) => new Response(stream).text();
const typeOf = ({ manifest }: ResolvedModel, path: string) =>
  manifest.layers.find((layer) => pathOf(layer) === path)?.mediaType;

describe('a safetensors repository', () => {
  it('is kept whole, for whoever insists', async () => {
    const { resolve } = await setUp(safetensors);
    const model = await resolve();
    expect(pathsOf(model)).toEqual(
      Object.keys(safetensors)
        .filter((path) => path !== 'pytorch_model.bin' && path !== 'a_tool_use.jinja')
        .toSorted(),
    );
    expect(typeOf(model, 'model-00001-of-00002.safetensors')).toBe(mediaTypes.safetensors);
    expect(typeOf(model, 'chat_template.jinja')).toBe(mediaTypes.chatTemplate);
    expect(parseModelConfig(model.configBytes)).toMatchObject({
      format: 'safetensors',
      architecture: 'qwen2',
      quantization: 'bfloat16',
      contextSize: 32768,
    });
  });

  it('gives the bytes of each file: weights by ranges from the CDN, small ones from memory', async () => {
    const { server, resolve } = await setUp(safetensors);
    const model = await resolve();
    const before = server.requests.length;
    for (const layer of model.manifest.layers) {
      const body = await model.fetchLayer(layer, { from: 0, to: layer.size }, signal);
      expect(await sha256(new TextEncoder().encode(await textOf(body)))).toBe(layer.digest);
    }
    expect(server.requests.length - before).toBe(2);
  });

  it.each(['bfloat16', 'tiny'])('answers to the tag %s, which is its name', async (tag) => {
    const { resolve } = await setUp(safetensors);
    expect((await resolve(tag)).manifest.layers).toHaveLength(7);
  });

  it('has no variants', async () => {
    const { resolve } = await setUp(safetensors);
    const refusal = resolve('float16');
    await expect(refusal).rejects.toThrow(code('model_not_found'));
    await expect(refusal).rejects.toThrow('has no variant “float16”: it is one model');
  });

  it.each([
    ['no config', undefined],
    ['a config that is no JSON', 'nonsense'],
    ['a config of other types', '{"model_type":1,"max_position_embeddings":"many","quantization_config":[]}'],
  ])('is kept with %s', async (_, config) => {
    const { 'config.json': _left, ...rest } = safetensors;
    const { resolve } = await setUp(config === undefined ? rest : { ...rest, 'config.json': config });
    expect(parseModelConfig((await resolve()).configBytes)).toMatchObject({
      architecture: '',
      quantization: '',
    });
  });
});

describe('small files', () => {
  it.each<[string, Readonly<Record<string, string>>, string]>([
    [
      'one that is no small file',
      { 'big.json': ' '.repeat(17 * mebibyte) },
      'big.json is larger than 16 MiB',
    ],
    [
      'more than memory is for',
      Object.fromEntries(
        Array.from({ length: 5 }, (_, index) => [`${index}.txt`, ' '.repeat(15 * mebibyte)]),
      ),
      'more than 64 MiB',
    ],
    [
      'more than any model has',
      Object.fromEntries(Array.from({ length: 600 }, (_, index) => [`${index}.txt`, ' '])),
      'small files',
    ],
  ])('are refused before any is fetched: %s', async (_, files, words) => {
    const { server, resolve } = await setUp({ ...safetensors, ...files });
    const refusal = resolve();
    await expect(refusal).rejects.toThrow(code('unsupported_model_format'));
    await expect(refusal).rejects.toThrow(words);
    expect(server.requests.filter(({ path }) => path.includes('/resolve/'))).toEqual([]);
  });

  it('fail the pull when one cannot be had', async () => {
    const { server, resolve } = await setUp(safetensors);
    server.fail(/\/resolve\/.*tokenizer/, 503);
    await expect(resolve()).rejects.toThrow(code('registry_unreachable'));
  });
});
