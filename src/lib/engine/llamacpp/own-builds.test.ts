import { describe, expect, it } from 'vitest';
import { digestHex, sha256, type Digest } from '#lib/core/digest.ts';
import type { CpuBuild } from '#lib/model/wire.ts';
import { OwnBuilds } from './own-builds.ts';

const wasm = Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);
const js = new TextEncoder().encode('var Module = 1');
const model: Digest = `sha256:${'0'.repeat(64)}`;

async function manifestOf(files: { js?: Uint8Array<ArrayBuffer>; wasm?: Uint8Array<ArrayBuffer> } = {}) {
  const entry = async (path: string, bytes: Uint8Array<ArrayBuffer>) => ({
    path,
    sha256: digestHex(await sha256(bytes)),
    bytes: bytes.byteLength,
  });
  const build = async (name: string, features: readonly string[]) => ({
    name,
    features,
    js: await entry(`wllama-${name}.js`, files.js ?? js),
    wasm: await entry(`wllama-${name}.wasm`, files.wasm ?? wasm),
  });
  return {
    version: '1',
    builds: [
      await build('relaxed', ['relaxed-simd', 'wasm-exceptions', 'threads']),
      await build('simd', ['simd', 'threads']),
    ],
  };
}

interface Served {
  readonly manifest?: unknown;
  readonly wasm?: Uint8Array<ArrayBuffer>;
  readonly lacks?: readonly string[];
  readonly missing?: string;
  readonly wish?: 'auto' | CpuBuild;
}

function setUp({ manifest, wasm: servedWasm = wasm, lacks = [], missing, wish = 'auto' }: Served) {
  const lines: string[] = [];
  const asked: string[] = [];
  const builds = new OwnBuilds({
    manifestUrl: 'https://app.test/engine/manifest.json',
    has: (feature) => !lacks.includes(feature),
    wish: () => wish,
    onFailure: (line) => lines.push(line),
    fetch: async (input) => {
      const { pathname, search } = new URL(new Request(input).url);
      asked.push(pathname + search);
      const name = pathname.slice('/engine/'.length);
      if (name === missing) return new Response('', { status: 404 });
      if (name === 'manifest.json') {
        return new Response(typeof manifest === 'string' ? manifest : JSON.stringify(manifest));
      }
      return Promise.resolve(new Response(name.endsWith('.js') ? js : servedWasm));
    },
  });
  return { builds, lines, asked };
}

describe('our builds of llama.cpp', () => {
  it('are chosen by what the browser has, told without being fetched, and fetched once', async () => {
    const { builds, asked, lines } = setUp({ manifest: await manifestOf() });
    expect(await builds.words()).toBe('relaxed SIMD');
    expect(asked).toEqual(['/engine/manifest.json']);
    const [one, two] = await Promise.all([builds.take(model), builds.take(model)]);
    expect(one).toMatchObject({ words: 'relaxed SIMD', code: 'var Module = 1' });
    expect(two).toEqual(one);
    expect(asked.slice(1)).toEqual([
      `/engine/wllama-relaxed.js?sha256=${digestHex(await sha256(js))}`,
      `/engine/wllama-relaxed.wasm?sha256=${digestHex(await sha256(wasm))}`,
    ]);
    expect(lines).toEqual([]);
  });

  it.each([
    [['relaxed-simd'], 'SIMD'],
    [['threads'], undefined],
  ])('without %j: %s', async (lacks, words) => {
    const { builds, lines } = setUp({ manifest: await manifestOf(), lacks });
    expect(await builds.words()).toBe(words);
    expect((await builds.take(model))?.words).toBe(words);
    expect(lines).toEqual([]);
  });

  it.each([
    ['simd', [], 'SIMD, pinned'],
    ['relaxed', [], 'relaxed SIMD, pinned'],
    ['relaxed', ['relaxed-simd'], 'SIMD'],
    ['package', [], undefined],
  ] as const)('pinned to %s without %j: %s', async (wish, lacks, words) => {
    const { builds, asked } = setUp({ manifest: await manifestOf(), wish, lacks });
    expect(await builds.words()).toBe(words);
    expect((await builds.take(model))?.words).toBe(words);
    const name = words && (words.startsWith('SIMD') ? 'simd' : 'relaxed');
    expect(asked.filter((path) => path.includes('.wasm')).map((path) => path.split('.')[0])).toEqual(
      name ? [`/engine/wllama-${name}`] : [],
    );
  });

  it('are listed for people, with what is lacking', async () => {
    const { builds } = setUp({ manifest: await manifestOf(), lacks: ['relaxed-simd'] });
    expect(await builds.choices()).toEqual([
      { build: 'relaxed', available: false, reason: 'the browser has no relaxed SIMD' },
      { build: 'simd', available: true },
      { build: 'package', available: true },
    ]);
    builds.giveUp(new Error('it does not start'));
    expect((await builds.choices()).map(({ reason }) => reason)).toEqual([
      'it does not start',
      'it does not start',
      undefined,
    ]);
    const without = setUp({ manifest: { builds: [] } }).builds;
    expect((await without.choices()).map(({ available }) => available)).toEqual([false, false, true]);
  });

  it('with a feature that this version does not know are for a later one', async () => {
    const { builds } = setUp({
      manifest: { builds: (await manifestOf()).builds.map((each) => ({ ...each, features: ['memory64'] })) },
    });
    expect(await builds.take(model)).toBeUndefined();
  });

  it('are none without a manifest’s address', async () => {
    const builds = new OwnBuilds({ manifestUrl: undefined, fetch, onFailure: () => undefined });
    expect([await builds.words(), await builds.take(model)]).toEqual([undefined, undefined]);
  });
});

describe('a build that cannot be trusted is left aside for the session, in one line:', () => {
  const faults: Record<string, () => Promise<[Served, string]>> = {
    'no manifest': async () => [
      { manifest: {}, missing: 'manifest.json' },
      'manifest.json could not be fetched: HTTP 404',
    ],
    'a manifest that is no JSON': async () => [{ manifest: '<html>' }, 'its manifest is damaged'],
    'a manifest of another form': async () => [{ manifest: { builds: [{}] } }, 'its manifest is damaged'],
    'a path that leads elsewhere': async () => {
      const { builds } = await manifestOf();
      const manifest = {
        builds: builds.map((each) => ({ ...each, js: { ...each.js, path: '../evil.js' } })),
      };
      return [{ manifest }, 'its manifest is damaged'];
    },
    'a file that is missing': async () => [
      { manifest: await manifestOf(), missing: 'wllama-relaxed.wasm' },
      'wllama-relaxed.wasm could not be fetched: HTTP 404',
    ],
    'a file that is not what the manifest says': async () => [
      { manifest: await manifestOf(), wasm: Uint8Array.from([...wasm, 0]) },
      'wllama-relaxed.wasm is not what the manifest says',
    ],
    'a file that is no WebAssembly': async () => {
      const bytes = Uint8Array.from([1, 2, 3]);
      return [
        { manifest: await manifestOf({ wasm: bytes }), wasm: bytes },
        'wllama-relaxed.wasm is not WebAssembly for this browser',
      ];
    },
  };

  it.each(Object.keys(faults))('%s', async (name) => {
    const [served, why] = (await faults[name]?.()) ?? [{}, ''];
    const { builds, lines, asked } = setUp(served);
    let changes = 0;
    builds.changed.subscribe(() => changes++);
    expect(await builds.take(model)).toBeUndefined();
    const fetches = asked.length;
    expect(await builds.take(model)).toBeUndefined();
    expect(await builds.words()).toBeUndefined();
    expect(lines).toEqual([`Models run on the package’s build of llama.cpp instead of Sampan’s: ${why}`]);
    expect([asked.length, changes]).toEqual([fetches, 1]);
  });

  it('one that does not work here', async () => {
    const { builds, lines } = setUp({ manifest: await manifestOf() });
    await builds.take(model);
    builds.giveUp(new Error('it does not start'));
    builds.giveUp(new Error('again'));
    expect(await builds.take(model)).toBeUndefined();
    expect(lines).toEqual([expect.stringContaining('it does not start')]);
  });

  it('one that does not work with a model, for that model', async () => {
    const { builds, lines } = setUp({ manifest: await manifestOf() });
    builds.leaveAside(model, new Error('it was rejected'));
    builds.leaveAside(model, new Error('it was rejected'));
    expect(await builds.take(model)).toBeUndefined();
    expect(await builds.take(`sha256:${'1'.repeat(64)}`)).toBeDefined();
    expect(lines).toEqual([expect.stringContaining('it was rejected')]);
  });
});
