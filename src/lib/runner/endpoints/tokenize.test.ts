import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { ManualClock } from '#lib/core/clock.ts';
import { MemoryBlobStore } from '#lib/store/memory/blob-store.ts';
import { bytesOf, makeBench } from '#tests/support/runner-bench.ts';

async function benchWithTiny() {
  // Segments as small as those of other tests would take the file minutes.
  const store = new MemoryBlobStore({ segmentBytes: 1024 * 1024, clock: new ManualClock(0) });
  const bench = makeBench({ store });
  const bytes = new Uint8Array(
    await readFile(new URL('../../../../tests/fixtures/tiny.gguf', import.meta.url)),
  );
  await bench.registry.publish('docker.io/ai/tiny:latest', [bytes]);
  await bench.registry.publish('docker.io/ai/odd:latest', [bytesOf('GGUF')]);
  for (const from of ['ai/tiny', 'ai/odd']) await (await bench.call('/models/create', { from })).text();
  const call = (path: string, body: unknown) => bench.call(path, body);
  return { call, engine: bench.engine };
}

const text = '<|im_start|>user\nCount to 5. こんにちは 🙂';

it('gives tokens that come back as the same text, and loads nothing', async () => {
  const { call, engine } = await benchWithTiny();
  const { tokens, count } = await (await call('/tokenize', { model: 'ai/tiny', content: text })).json();
  expect(count).toBe(tokens.length);
  const back = await call('/v1/detokenize', { model: 'ai/tiny', tokens });
  expect(await back.json()).toEqual({ content: text });
  expect(engine.loads).toBe(0);
});

it('names what it does not read', async () => {
  const { call } = await benchWithTiny();
  const odd = await call('/tokenize', { model: 'ai/tiny', content: 'x', with_pieces: true });
  expect(odd.headers.get('warning')).toBe('299 sampan "ignored: with_pieces"');
  const other = await call('/detokenize', { model: 'ai/tiny', tokens: [1], colour: 'red' });
  expect(other.headers.get('warning')).toBe('299 sampan "ignored: colour"');
});

it('takes special tokens for text when asked to', async () => {
  const { call } = await benchWithTiny();
  const count = async (parse_special: boolean) =>
    (await (await call('/v1/tokenize', { model: 'ai/tiny', content: '<|im_start|>', parse_special })).json())
      .count;
  expect(await count(true)).toBe(1);
  expect(await count(false)).toBeGreaterThan(1);
});

it.each([
  [{ model: 'ai/tiny' }, 400],
  [{ model: 'ai/none', content: 'x' }, 404],
  [{ model: 'ai/tiny', content: 7 }, 400],
  [{ model: 'ai/odd', content: 'x' }, 400],
])('refuses %o', async (body, status) => {
  const { call } = await benchWithTiny();
  expect((await call('/tokenize', body)).status).toBe(status);
});

it('refuses tokens that are none', async () => {
  const { call } = await benchWithTiny();
  expect((await call('/detokenize', { model: 'ai/tiny', tokens: [-1] })).status).toBe(400);
  expect((await call('/detokenize', { model: 'ai/tiny', tokens: 'x' })).status).toBe(400);
});
