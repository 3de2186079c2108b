import { readFile } from 'node:fs/promises';
import { Template } from '@huggingface/jinja';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseGgufHeader } from '#lib/model/gguf.ts';
import { readGgufArrays } from '#lib/model/gguf-arrays.ts';
import type { GgufValue } from '#lib/model/gguf-cursor.ts';
import prompts from '#tests/fixtures/prompts.json';
import { tokenizerOf, type Tokenizer } from './tokenizer.ts';
import { tokenizerOfJson } from './tokenizer-json.ts';
import { vocabularyKeys } from './vocabulary.ts';

async function wholeMetadata(path: string): Promise<Map<string, GgufValue>> {
  const blob = new Blob([await readFile(path)]);
  const header = await parseGgufHeader(blob);
  return new Map([...header.metadata, ...(await readGgufArrays(blob, header, vocabularyKeys))]);
}

function known(tokenizer: Tokenizer | undefined): Tokenizer {
  if (tokenizer) return tokenizer;
  throw new Error('This vocabulary is not known.');
}

function textOf(metadata: ReadonlyMap<string, GgufValue>, key: string): string {
  const value = metadata.get(key);
  return typeof value === 'string' ? value : '';
}

const texts = (...items: string[]): GgufValue => ({ count: items.length, items });
const numbers = (...items: number[]): GgufValue => ({ count: items.length, items });
const floats = (...items: number[]): GgufValue => ({
  count: items.length,
  items: items.map((float) => ({ float })),
});

describe('the tokens of the fixture', async () => {
  const metadata = await wholeMetadata('tests/fixtures/tiny.gguf');
  const tokenizer = known(tokenizerOf(metadata));
  const template = new Template(textOf(metadata, 'tokenizer.chat_template'));

  it.each(prompts)('are as many as the engine counts for “$prompt”', ({ prompt, prompt_tokens: counted }) => {
    const messages = [{ role: 'user', content: prompt }];
    const rendered = template.render({ messages, add_generation_prompt: true });
    expect(tokenizer.encode(rendered)).toHaveLength(counted);
  });

  it('are the text again', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        expect(tokenizer.decode(tokenizer.encode(text, { parseSpecial: false }))).toBe(text);
      }),
    );
  });

  it('are the same as those of the MLC fixture’s tokenizer.json', async () => {
    const twin = tokenizerOfJson(await readFile('tests/fixtures/tiny-mlc/tokenizer.json', 'utf8'));
    for (const { prompt } of prompts) {
      const text = `<|im_start|>user\n${prompt}<|im_end|>\n`;
      expect(tokenizer.encode(text)).toEqual(twin.encode(text));
      expect(twin.decode(twin.encode(text))).toBe(text);
    }
  });

  it('are special tokens only where that is meant', () => {
    expect(tokenizer.encode('<|im_end|>')).toEqual([2]);
    expect(tokenizer.encode('<|im_end|>', { parseSpecial: false }).length).toBeGreaterThan(2);
    expect(tokenizer.decode([1, 2])).toBe('<|im_start|><|im_end|>');
  });

  it('are none for ids that do not exist, and U+FFFD for half a letter', () => {
    expect(tokenizer.decode([99_999, -1])).toBe('');
    const [first = -1] = tokenizer.encode('🦜');
    expect(tokenizer.decode([first])).toBe('\ufffd');
  });

  it.each<[string, Record<string, GgufValue>]>([
    ['whose text is cut in an unknown way', { 'tokenizer.ggml.pre': 'from-the-future' }],
    ['of an unknown kind', { 'tokenizer.ggml.model': 'rwkv' }],
    ['that was not read whole', { 'tokenizer.ggml.tokens': { count: 512, items: ['a'] } }],
    ['without tokens', { 'tokenizer.ggml.tokens': 'a' }],
    ['of a model with rules of its own', { 'general.name': 'Phi-3 Mini' }],
  ])('are left to the engine for a vocabulary %s', (_, changes) => {
    expect(tokenizerOf(new Map([...metadata, ...Object.entries(changes)]))).toBeUndefined();
  });

  it('begin with BOS where the file asks for it', () => {
    const asking = known(tokenizerOf(new Map([...metadata, ['tokenizer.ggml.add_bos_token', true]])));
    const bos = Number(metadata.get('tokenizer.ggml.bos_token_id'));
    expect(asking.encode('Hi', { addSpecial: true })).toEqual([bos, ...tokenizer.encode('Hi')]);
    expect(asking.encode('Hi')).toEqual(tokenizer.encode('Hi'));
  });
});

describe('sentence pieces', () => {
  const tokens = [
    '<unk>',
    '<s>',
    '</s>',
    '<0xC3>',
    '<0xA9>',
    '▁',
    'a',
    'b',
    'c',
    'ab',
    'bc',
    '▁a',
    'abc',
    '<x>',
  ];
  const base: Record<string, GgufValue> = {
    'tokenizer.ggml.model': 'llama',
    'tokenizer.ggml.tokens': texts(...tokens),
    'tokenizer.ggml.token_type': numbers(2, 3, 3, 6, 6, 1, 1, 1, 1, 1, 1, 1, 1, 4),
    'tokenizer.ggml.scores': floats(0, 0, 0, 0, 0, -9, -8, -7, -6, -3, -2, -5, -1, 0),
    'tokenizer.ggml.bos_token_id': 1,
    'tokenizer.ggml.eos_token_id': 2,
    'tokenizer.ggml.unknown_token_id': 0,
  };
  const pieces = (changes: Record<string, GgufValue> = {}) =>
    known(tokenizerOf(new Map(Object.entries({ ...base, ...changes }))));
  const named = (text: string, tokenizer = pieces()) =>
    tokenizer.encode(text, { addSpecial: true }).map((id) => tokens[id]);

  it('are joined by their scores, the best first', () => {
    expect(named('abc')).toEqual(['<s>', '▁', 'abc']);
    expect(named('ab')).toEqual(['<s>', '▁', 'ab']);
    expect(named('a')).toEqual(['<s>', '▁a']);
    expect(named('cab bc')).toEqual(['<s>', '▁', 'c', 'ab', '▁', 'bc']);
  });

  it('are bytes where there is no letter, and unknown where there is no byte', () => {
    expect(named('é')).toEqual(['<s>', '▁', '<0xC3>', '<0xA9>']);
    expect(named('ö')).toEqual(['<s>', '▁', '<0xC3>', '<unk>']);
  });

  it('begin with a space at the start and behind special tokens, unless the file says no', () => {
    expect(named('a<x>a')).toEqual(['<s>', '▁a', '<x>', '▁a']);
    const plain = pieces({ 'tokenizer.ggml.add_space_prefix': false, 'tokenizer.ggml.add_bos_token': false });
    expect(named('a<x>a', plain)).toEqual(['a', '<x>', 'a']);
  });

  it('cut out a user’s own tokens even where special ones are text', () => {
    const ids = pieces().encode('<x></s>', { parseSpecial: false });
    expect(ids[0]).toBe(tokens.indexOf('<x>'));
    expect(ids).not.toContain(2);
  });

  it('are text again, with spaces for their marks', () => {
    expect(pieces().decode([11, 12, 3, 4, 5])).toBe(' aabcé ');
  });
});

describe('the tokens of Gemma 4', () => {
  it('are cut into lines, whatever the file says of that', () => {
    const tokens = ['a', '▁', 'b', 'a▁'];
    const metadata = new Map<string, GgufValue>([
      ['tokenizer.ggml.model', 'gemma4'],
      ['tokenizer.ggml.pre', 'default'],
      ['tokenizer.ggml.tokens', texts(...tokens)],
      ['tokenizer.ggml.merges', texts('a ▁')],
    ]);
    const tokenizer = known(tokenizerOf(metadata));
    expect(tokenizer.encode('a b')).toEqual([3, 2]);
    expect(tokenizer.decode([3, 2])).toBe('a b');
  });
});

describe('word pieces', () => {
  const tokens = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '▁hello', '▁wor', 'ld', '▁,'];
  const base: Record<string, GgufValue> = {
    'tokenizer.ggml.model': 'bert',
    'tokenizer.ggml.tokens': texts(...tokens),
    'tokenizer.ggml.token_type': numbers(3, 3, 3, 3, 1, 1, 1, 1),
    'tokenizer.ggml.bos_token_id': 2,
    'tokenizer.ggml.seperator_token_id': 3,
    'tokenizer.ggml.unknown_token_id': 1,
  };
  const tokenizer = known(tokenizerOf(new Map(Object.entries(base))));

  it('are the longest tokens from the start of each word, between CLS and SEP', () => {
    const ids = tokenizer.encode('Héllo, WORLD', { addSpecial: true });
    expect(ids.map((id) => tokens[id])).toEqual(['[CLS]', '▁hello', '▁,', '▁wor', 'ld', '[SEP]']);
  });

  it('are unknown as a whole where a part is', () => {
    expect(tokenizer.encode('worx hello').map((id) => tokens[id])).toEqual(['[UNK]', '▁hello']);
  });
});

describe('tokenizerOfJson', () => {
  it.each(['', '{}', '[]', '{"model":{"type":"BPE"}}'])('refuses %j', (text) => {
    expect(() => tokenizerOfJson(text)).toThrow(/tokenizer.json of this model cannot be read/);
  });
});
