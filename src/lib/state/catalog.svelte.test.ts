import { expect, it } from 'vitest';
import { Catalog } from './catalog.svelte.ts';
import { json } from './testing/scripted-client.ts';

const entry = {
  reference: 'ai/smollm2:360M-Q4_K_M',
  name: 'SmolLM2 360M Instruct',
  description: 'Small.',
  source: 'Docker Hub',
  license: 'Apache-2.0',
  quantization: 'Q4_K_M',
  parameters: '360 M',
  size_bytes: 270_590_880,
  context_size: 8192,
  capabilities: ['chat'],
};
const selfTest = { ...entry, reference: '{host}/sampan/tiny:latest', name: 'Self-test', source: 'This app' };

async function loaded() {
  const catalog = new Catalog({
    fetch: () => Promise.resolve(json([selfTest, entry])),
    appHost: 'localhost:12434',
  });
  await catalog.load();
  return catalog;
}

it('knows where the model that comes with the app is', async () => {
  const catalog = await loaded();
  expect(catalog.selfTest?.reference).toBe('localhost:12434/sampan/tiny:latest');
});

it('finds an entry by its canonical reference', async () => {
  const catalog = await loaded();
  expect(catalog.find('docker.io/ai/smollm2:360M-Q4_K_M')?.name).toBe('SmolLM2 360M Instruct');
});

it('filters by every typed word and by source', async () => {
  const catalog = await loaded();
  catalog.query = 'smol 360m';
  expect(catalog.hits.map(({ name }) => name)).toEqual(['SmolLM2 360M Instruct']);
  catalog.query = '';
  catalog.source = 'Hugging Face';
  expect(catalog.hits).toEqual([]);
});

it('fails with words when the list cannot be read', async () => {
  const catalog = new Catalog({
    fetch: () => Promise.resolve(new Response('', { status: 404 })),
    appHost: 'localhost',
  });
  await catalog.load();
  expect(catalog.state).toMatchObject({ status: 'failed', error: { code: 'internal' } });
});
