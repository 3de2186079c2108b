import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { entry, f32, ggufBytes, text, u32, type Entry } from '#tests/support/registry/gguf-bytes.ts';
import { parseGgufHeader } from './gguf.ts';
import { ggufMetadata } from './gguf-metadata.ts';

const metadataOf = async (...entries: readonly Entry[]) =>
  ggufMetadata(await parseGgufHeader(ggufBytes({ entries }))).entries;

describe('ggufMetadata', () => {
  it('lists every key with its type, in the order of the file', async () => {
    expect(
      await metadataOf(
        entry.text('general.architecture', 'llama'),
        entry.u32('llama.context_length', 2048),
        entry.f32('llama.epsilon', 1e-5),
        entry.bool('tokenizer.add_bos', true),
        entry.array('languages', 8, [text('en'), text('zh')]),
        entry.array('scores', 6, [f32(0.1), f32(-2)]),
      ),
    ).toEqual([
      { key: 'general.architecture', type: 'string', value: 'llama' },
      { key: 'llama.context_length', type: 'uint32', value: '2048' },
      { key: 'llama.epsilon', type: 'float32', value: '0.00001' },
      { key: 'tokenizer.add_bos', type: 'bool', value: 'true' },
      { key: 'languages', type: 'array of string', value: 'en, zh', count: 2 },
      { key: 'scores', type: 'array of float32', value: '0.1, -2', count: 2 },
    ]);
  });

  it('shows the beginning of a long array and how many items it has', async () => {
    const items = Array.from({ length: 1000 }, (_, index) => u32(index));
    const [tokens] = await metadataOf(entry.array('tokens', 4, items));
    expect(tokens).toMatchObject({ type: 'array of uint32', count: 1000 });
    expect(tokens?.value).toMatch(/^0, 1, 2, .*, 49, …$/);
  });

  it('cuts long values, never through a character', async () => {
    const [template, symbols] = await metadataOf(
      entry.text('template', 'x'.repeat(10_000)),
      entry.text('symbols', `x${'😀'.repeat(5000)}`),
    );
    expect(template?.value).toBe(`${'x'.repeat(4095)}…`);
    expect(symbols?.value).not.toMatch(/\p{Cs}/u);
    expect(symbols?.value.length).toBeLessThanOrEqual(4096);
  });

  it('lists all of a real header', async () => {
    const bytes = await readFile(new URL('../../../tests/fixtures/tiny.gguf', import.meta.url));
    const header = await parseGgufHeader(new Uint8Array(bytes));
    const { entries } = ggufMetadata(header);
    expect(entries).toHaveLength(header.metadata.size);
    expect(entries.find(({ key }) => key === 'tokenizer.ggml.tokens')).toMatchObject({
      type: 'array of string',
      count: 512,
    });
  });
});
