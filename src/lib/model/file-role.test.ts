import { describe, expect, it } from 'vitest';
import { fileRole, parseShardName } from './file-role.ts';

describe('fileRole', () => {
  it.each([
    ['model.gguf', 'weights'],
    ['a/exploration-7b.gguf', 'weights'],
    ['my-lora-merged-Q4_K_M.gguf', 'weights'],
    ['mmproj-model-f16.gguf', 'projector'],
    ['Model-mmproj-F16.GGUF', 'projector'],
    ['SmolLM-F16-LoRA.gguf', 'adapter'],
    ['adapter_model.safetensors', 'adapter'],
    ['model-00001-of-00002.safetensors', 'weights'],
    ['params_shard_0.bin', 'weights'],
    ['model.dduf', 'weights'],
    ['chat_template.jinja', 'template'],
    ['template.jinja', 'template'],
    ['LICENSE', 'license'],
    ['LICENCE.md', 'license'],
    ['LICENSE-apache.txt', 'license'],
    ['NOTICE', 'license'],
    ['tokenizer.json', 'tokenizer'],
    ['tokenizer.model', 'tokenizer'],
    ['tokenizer_config.json', 'tokenizer'],
    ['vocab.json', 'tokenizer'],
    ['merges.txt', 'tokenizer'],
    ['config.json', 'config'],
    ['mlc-chat-config.json', 'config'],
    ['tensor-cache.json', 'config'],
    ['model.wasm', 'library'],
    ['README', 'document'],
    ['docs/usage.md', 'document'],
    ['run.py', 'other'],
    ['', 'other'],
  ])('of %s is %s', (path, role) => {
    expect(fileRole(path)).toBe(role);
  });
});

describe('parseShardName', () => {
  it('reads the pieces of a split model', () => {
    expect(parseShardName('q4/m-00002-of-00010.gguf')).toEqual({ stem: 'q4/m', number: 2, total: 10 });
    expect(parseShardName('m-2-of-10.gguf')).toBeUndefined();
    expect(parseShardName('m.gguf')).toBeUndefined();
  });
});
