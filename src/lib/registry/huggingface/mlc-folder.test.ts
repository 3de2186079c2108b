import { describe, expect, it } from 'vitest';
import { findMlc, ownLibrary, selectMlcFiles } from './mlc-folder.ts';

const filesOf = (paths: readonly string[]) => paths.map((path) => ({ path, sizeBytes: 4 }));
const least = ['mlc-chat-config.json', 'tensor-cache.json', 'params_shard_0.bin', 'tokenizer.json'];
const facts = { architecture: 'llama', quantization: 'q4f16_1', contextSize: 2048 };
const shard = { path: 'params_shard_0.bin', sizeBytes: 4 };

function folderOf(paths: readonly string[]) {
  const folder = findMlc(filesOf(paths));
  if (!folder) throw new Error('this is an MLC model');
  return folder;
}

function select(paths: readonly string[], { tokenizerFiles = ['tokenizer.json'], shards = [shard] } = {}) {
  const config = { ...facts, tokenizerFiles };
  return selectMlcFiles(folderOf(paths), { config, shards }).map(({ path }) => path);
}

describe('findMlc', () => {
  it.each([
    ['no config', least.slice(1)],
    ['no list of weights', least.filter((path) => path !== 'tensor-cache.json')],
    ['a config in a folder', ['q4/mlc-chat-config.json', 'tensor-cache.json']],
  ])('leaves a repository with %s to others', (_, paths) => {
    expect(findMlc(filesOf(paths))).toBeUndefined();
  });
});

describe('selectMlcFiles', () => {
  const more = [
    'tokenizer_config.json',
    'chat_template.jinja',
    'mlc-model-manifest.json',
    'ndarray-cache.json',
    'tokenizer.model',
    'vocab.json',
    'merges.txt',
    'added_tokens.json',
    'special_tokens_map.json',
    'README.md',
    'LICENSE',
    '.gitattributes',
    'tool_use.jinja',
    'logs.txt',
    'params_shard_1.bin',
    'training.bin',
    'old-webgpu.wasm',
  ];

  it('takes what WebLLM asks for and what prompts are made with, and nothing else', () => {
    expect(select([...more, ...least]).toSorted()).toEqual([
      'chat_template.jinja',
      'mlc-chat-config.json',
      'mlc-model-manifest.json',
      'params_shard_0.bin',
      'tensor-cache.json',
      'tokenizer.json',
      'tokenizer_config.json',
    ]);
  });

  it('takes the older list of weights only where there is no newer one', () => {
    const older = least.map((path) => (path === 'tensor-cache.json' ? 'ndarray-cache.json' : path));
    expect(select(older).toSorted()).toEqual(older.toSorted());
  });

  it('takes a shard whatever it is called, and once', () => {
    const named = { path: 'weights/part.0', sizeBytes: 4 };
    const selected = select([...least, named.path], { shards: [named, named] });
    expect(selected.filter((path) => path.includes('part'))).toEqual([named.path]);
    expect(selected).not.toContain('params_shard_0.bin');
  });

  it.each([
    ['the first that the config names', ['tokenizer.model', 'tokenizer.json'], 'tokenizer.json'],
    ['the other when only that is named', ['tokenizer.model', 'vocab.json'], 'tokenizer.model'],
    ['the first that is there when the config is silent', [], 'tokenizer.json'],
  ])('takes one tokenizer: %s', (_, tokenizerFiles, expected) => {
    const selected = select([...least, 'tokenizer.model'], { tokenizerFiles });
    expect(selected.filter((path) => /^tokenizer\.(json|model)$/.test(path))).toEqual([expected]);
  });

  it('leaves a missing tokenizer to the verdict', () => {
    expect(select(least.slice(0, 3))).toHaveLength(3);
  });

  it.each([
    ['is missing', { path: 'params_shard_7.bin', sizeBytes: 4 }, 'params_shard_7.bin is missing'],
    ['is cut short', { ...shard, sizeBytes: 5 }, 'params_shard_0.bin has another size'],
    ['is outside of the model', { ...shard, path: '../x' }, '../x is missing'],
    ['is on another server', { ...shard, path: 'https://a.b/c' }, 'https://a.b/c is missing'],
    ['hides its name', { ...shard, path: 'a\u202eb\n' }, 'a�b� is missing'],
  ])('refuses a model of which a shard %s', (_, bad, words) => {
    const refused = () => select(least, { shards: [shard, bad] });
    expect(refused).toThrow(expect.objectContaining({ code: 'unsupported_model_format' }));
    expect(refused).toThrow(words);
  });
});

describe('ownLibrary', () => {
  it.each([
    ['none', [], undefined],
    ['the only one', ['model.wasm'], 'model.wasm'],
    ['the one of this version', ['a-webgpu.wasm', 'v0_2_86/x.wasm', 'v0_2_48/x.wasm'], 'v0_2_86/x.wasm'],
    ['the one for browsers', ['a.wasm', 'b-webgpu.wasm'], 'b-webgpu.wasm'],
    ['the first of several', ['b.wasm', 'a.wasm'], 'a.wasm'],
    ['none of other versions', ['m-webgpu-v0_2_48.wasm', 'v0_2_80/m.wasm'], undefined],
  ])('takes %s', (_, libraries, expected) => {
    expect(ownLibrary(folderOf([...least, ...libraries]))?.path).toBe(expected);
  });
});
