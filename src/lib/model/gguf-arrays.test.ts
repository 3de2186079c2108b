import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { entry, f32, ggufBytes, text, u32 } from '#tests/support/registry/gguf-bytes.ts';
import { parseGgufHeader } from './gguf.ts';
import { readGgufArrays } from './gguf-arrays.ts';

async function read(blob: Blob, ...keys: string[]) {
  return readGgufArrays(blob, await parseGgufHeader(blob), new Set(keys));
}

describe('readGgufArrays', () => {
  const numbers = Array.from({ length: 60 }, (_, index) => index);
  const blob = new Blob([
    ggufBytes({
      entries: [
        entry.text('general.architecture', 'llama'),
        entry.array('words', 8, [text('a'), text('é')]),
        entry.array('numbers', 4, numbers.map(u32)),
        entry.array('scores', 6, [f32(-1.5)]),
        entry.array('lists', 9, []),
        entry.u32('count', 7),
      ],
    }),
  ]);

  it('brings arrays whole, that the header keeps the beginning of', async () => {
    expect((await parseGgufHeader(blob)).metadata.get('numbers')).toMatchObject({
      count: 60,
      items: { length: 50 },
    });
    expect((await read(blob, 'numbers')).get('numbers')).toEqual({ count: 60, items: numbers });
  });

  it('brings words and floats as the header has them', async () => {
    const arrays = await read(blob, 'words', 'scores');
    expect(arrays.get('words')).toEqual({ count: 2, items: ['a', 'é'] });
    expect(arrays.get('scores')).toEqual({ count: 1, items: [{ float: -1.5 }] });
  });

  it('leaves out what is no array, and what is not there', async () => {
    expect(await read(blob, 'count', 'nothing')).toEqual(new Map());
  });

  it('brings the vocabulary of the fixture', async () => {
    const tiny = new Blob([await readFile('tests/fixtures/tiny.gguf')]);
    const tokens = (await read(tiny, 'tokenizer.ggml.tokens')).get('tokenizer.ggml.tokens');
    expect(tokens).toMatchObject({ count: 512, items: { length: 512 } });
    expect(tokens?.items.slice(0, 2)).toEqual(['<|endoftext|>', '<|im_start|>']);
  });
});
