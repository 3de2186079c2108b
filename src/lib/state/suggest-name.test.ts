import fc from 'fast-check';
import { expect, it } from 'vitest';
import { parseReference } from '#lib/model/reference.ts';
import { suggestName } from './suggest-name.ts';

it.each([
  ['Qwen3-1.7B-Q4_K_M.gguf', 'local/qwen3-1.7b:Q4_K_M'],
  ['model-00001-of-00003.gguf', 'local/model'],
  ['Llama-3.2-1B-Instruct-IQ4_XS-00001-of-00002.gguf', 'local/llama-3.2-1b-instruct:IQ4_XS'],
  ['gemma_3 4b.F16.GGUF', 'local/gemma-3-4b:F16'],
  ['....gguf', 'local/model'],
  ['-.a..b-.gguf', 'local/a-b'],
])('names %s %s', (fileName, name) => {
  expect(suggestName(fileName)).toBe(name);
});

it('never suggests what no registry would take', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (fileName) => {
      expect(() => parseReference(suggestName(`${fileName}.gguf`))).not.toThrow();
    }),
  );
});
