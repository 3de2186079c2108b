import { describe, expect, it } from 'vitest';
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

describe('WebLLM’s list', () => {
  const record = (model: string) => ({
    model_id: `${model}-MLC`,
    repository: `mlc-ai/${model}-MLC`,
    library: 'https://example.com/a.wasm',
    kind: 'llm',
    context_size: 4096,
    vram_bytes: 900_000_000,
    required_features: [],
    low_resource: true,
  });

  function withList(respond: () => Response) {
    const asked: string[] = [];
    const catalog = new Catalog({
      fetch: (path) => {
        asked.push(path);
        return Promise.resolve(path === '/catalog.json' ? json([entry]) : respond());
      },
      appHost: 'localhost',
    });
    return { asked, catalog };
  }

  const list = () => json({ models: [record('Qwen3-0.6B-q4f16_1'), record('SmolLM2-360M-q4f16_1')] });
  const names = (catalog: Catalog) => catalog.mlcHits.map(({ model }) => model.name);

  it('is read once, when it is first chosen', async () => {
    const { asked, catalog } = withList(list);
    await catalog.load();
    expect(asked).toEqual(['/catalog.json']);
    catalog.source = 'WebLLM';
    await expect.poll(() => names(catalog)).toEqual(['Qwen3 0.6B', 'SmolLM2 360M']);
    expect(catalog.hits).toEqual([]);
    catalog.source = 'All';
    expect(names(catalog)).toEqual([]);
    catalog.source = 'WebLLM';
    expect(asked).toEqual(['/catalog.json', '/mlc-models.json']);
  });

  it('is searched with everything else', async () => {
    const { catalog } = withList(list);
    await catalog.load();
    catalog.query = 'smollm2';
    await expect.poll(() => names(catalog)).toEqual(['SmolLM2 360M']);
    expect(catalog.hits).toHaveLength(1);
    catalog.source = 'Docker Hub';
    expect(names(catalog)).toEqual([]);
  });

  it('says that it cannot be read, and is read anew when asked', async () => {
    let isThere = false;
    const { catalog } = withList(() => (isThere ? list() : new Response('', { status: 500 })));
    catalog.source = 'WebLLM';
    await expect.poll(() => catalog.mlc.state.status).toBe('failed');
    isThere = true;
    catalog.mlc.retry();
    await expect.poll(() => names(catalog)).toHaveLength(2);
  });
});
