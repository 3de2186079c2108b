import { describe, expect, it } from 'vitest';
import { readPackage } from './package.ts';
import { chatConfigJson, json, mlcFiles } from './testing/mlc-files.ts';

describe('the files of an MLC model', () => {
  it('are taken as they are, the library apart', async () => {
    const files = mlcFiles();
    const read = await readPackage(files);
    expect(read.library).toBe(files.get('model.wasm'));
    expect(read.files.get('params_shard_0.bin')).toBe(files.get('params_shard_0.bin'));
    expect(read.config.quantization).toBe('q4f32_1');
  });

  it('are found in a folder, with the library beside it', async () => {
    const inFolder = [...mlcFiles({ 'model.wasm': undefined })].map(
      ([path, blob]) => [`q4/${path}`, blob] as const,
    );
    const library = new Blob(['\0asm']);
    const read = await readPackage(new Map([...inFolder, ['lib/model.wasm', library]]));
    expect(read.library).toBe(library);
    expect([...read.files.keys()]).toContain('tensor-cache.json');
  });

  it('may have the older name of the shard list', async () => {
    const list = mlcFiles().get('tensor-cache.json');
    const read = await readPackage(mlcFiles({ 'tensor-cache.json': undefined, 'ndarray-cache.json': list }));
    expect(read.files.get('tensor-cache.json')).toBe(list);
  });

  const outside = { records: [{ dataPath: '../other.bin', nbytes: 4 }] };
  const elsewhere = { records: [{ dataPath: 'https://example.org/x.bin', nbytes: 4 }] };

  it.each([
    ['a missing config', { 'mlc-chat-config.json': undefined }, 'no file “mlc-chat-config.json”'],
    ['a missing shard', { 'params_shard_0.bin': undefined }, 'no file “params_shard_0.bin”'],
    [
      'a shard that is too short',
      { 'params_shard_0.bin': new Blob(['12']) },
      '“params_shard_0.bin” is damaged',
    ],
    ['a shard outside of the model', { 'tensor-cache.json': json(outside) }, 'no file “../other.bin”'],
    ['a shard on a server', { 'tensor-cache.json': json(elsewhere) }, 'no file “https://example.org/x.bin”'],
    ['no shards', { 'tensor-cache.json': json({ records: [] }) }, '“tensor-cache.json” is damaged'],
    ['a list that is no JSON', { 'tensor-cache.json': new Blob(['{']) }, '“tensor-cache.json” is damaged'],
    [
      'a config that is no JSON',
      { 'mlc-chat-config.json': new Blob(['<html>']) },
      '“mlc-chat-config.json” is damaged',
    ],
    ['a missing shard list', { 'tensor-cache.json': undefined }, 'no file “tensor-cache.json”'],
    ['a missing tokenizer', { 'tokenizer.json': undefined }, 'no file “tokenizer.json”'],
    [
      'a tokenizer of another kind',
      { 'mlc-chat-config.json': json({ ...chatConfigJson, tokenizer_files: ['tokenizer.model'] }) },
      'no file “tokenizer.model”',
    ],
    ['no library', { 'model.wasm': undefined }, 'without its compiled library'],
    ['two libraries', { 'other.wasm': new Blob(['\0asm']) }, '2 compiled libraries'],
  ])('are refused with %s', async (_, changes, message) => {
    await expect(readPackage(mlcFiles(changes))).rejects.toMatchObject({
      code: 'unsupported_model_format',
      message: expect.stringContaining(message),
    });
  });
});
