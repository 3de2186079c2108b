import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { ManualClock } from '#lib/core/clock.ts';
import { MemoryBlobStore } from '#lib/store/memory/blob-store.ts';
import { bytesOf, makeBench } from '#tests/support/runner-bench.ts';
import { entry, ggufBytes, text } from '#tests/support/registry/gguf-bytes.ts';
import { ModelInsights } from './insight.ts';
import { Library } from './library.ts';

async function insightOf(bytes: Uint8Array<ArrayBuffer>) {
  const store = new MemoryBlobStore({ segmentBytes: 1024 * 1024, clock: new ManualClock(0) });
  const bench = makeBench({ store });
  await bench.registry.publish('docker.io/ai/tiny:latest', [bytes]);
  await (await bench.call('/models/create', { from: 'ai/tiny' })).text();
  const [model] = await bench.index.list();
  if (!model) return expect.fail('nothing was stored');
  return new ModelInsights(new Library(bench.index, store)).of(model);
}

const architecture = entry.text('general.architecture', 'llama');

it('tells what the built-in model can do and what it takes', async () => {
  const path = new URL('../../../../tests/fixtures/tiny.gguf', import.meta.url);
  const bytes = new Uint8Array(await readFile(path));
  const insight = await insightOf(bytes);
  expect(insight?.capabilities).toMatchObject({ chat: true, embedding: false, fim: false });
  const [small, large] = [256, 2048].map((contextSize) => insight?.memory({ contextSize }).totalBytes ?? 0);
  expect(small).toBeGreaterThan(bytes.byteLength);
  expect(large).toBeGreaterThan(small ?? 0);
});

it('finds the tokens for filling a gap in a vocabulary that the file does not point to', async () => {
  const tokens = entry.array(
    'tokenizer.ggml.tokens',
    8,
    ['<fim_prefix>', '<fim_suffix>', '<fim_middle>'].map(text),
  );
  const insight = await insightOf(ggufBytes({ entries: [architecture, tokens] }));
  expect(insight?.capabilities.fim).toBe(true);
});

it('says nothing of a file that it cannot read', async () => {
  expect(await insightOf(bytesOf('no GGUF at all'))).toBeUndefined();
});
