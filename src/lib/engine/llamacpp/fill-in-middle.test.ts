import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { parseGgufHeader } from '#lib/model/gguf.ts';
import { fillTokensOf } from '#lib/model/fill-tokens.ts';
import { tokenTexts } from './file-facts.ts';
import { fillPrompt } from './fill-in-middle.ts';

const nothing = new Map();

describe('fill in the middle', () => {
  it('puts the gap at the end, between the model’s own tokens', () => {
    const metadata = new Map([
      ['tokenizer.ggml.fim_pre_token_id', 1],
      ['tokenizer.ggml.fim_suf_token_id', 2],
      ['tokenizer.ggml.fim_mid_token_id', 3],
    ]);
    const tokens = fillTokensOf(metadata, ['<s>', '<P>', '<S>', '<M>']);
    expect(fillPrompt(tokens, 'def f(', '):')).toBe('<P>def f(<S>):<M>');
  });

  it('knows the tokens of files that do not point to them', () => {
    const vocabulary = ['a', '<fim_middle>', '<fim_prefix>', '<fim_suffix>'];
    expect(fillTokensOf(nothing, vocabulary)?.prefix).toBe('<fim_prefix>');
    expect(fillTokensOf(nothing, vocabulary.slice(0, 3))).toBeUndefined();
  });

  it('refuses a suffix for a model without them', () => {
    const refused = expect.objectContaining({ code: 'unsupported_parameter', param: 'suffix' });
    expect(() => fillPrompt(undefined, 'a', 'b')).toThrow(refused);
  });

  it('reads the whole vocabulary of a file', async () => {
    const bytes = await readFile(new URL('../../../../tests/fixtures/tiny.gguf', import.meta.url));
    const file = new Blob([new Uint8Array(bytes)]);
    const vocabulary = await tokenTexts(file, await parseGgufHeader(file));
    expect(vocabulary).toHaveLength(512);
    expect(vocabulary[19]).toBe('1');
    expect(vocabulary).toContain('<|im_end|>');
  });
});
