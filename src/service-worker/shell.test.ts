import { describe, expect, it } from 'vitest';
import { isEngineFile, precacheEntries } from './shell.ts';

const shell = {
  build: ['/_app/immutable/entry/app.abc.js', '/_app/immutable/assets/wllama.abc.wasm'],
  files: [
    '/logo.svg',
    '/logo.svg.br',
    '/v2/sampan/self-test/manifests/latest',
    '/engine/wllama-relaxed.js',
    '/engine/wllama-relaxed.wasm',
    '/engine/manifest.json',
  ],
  prerendered: [],
  version: 'v7',
};

describe('precacheEntries', () => {
  it('holds the page, hashed files without a revision, and others with the version', () => {
    expect(precacheEntries(shell)).toEqual([
      { url: '/index.html', revision: 'v7' },
      { url: '/_app/immutable/entry/app.abc.js', revision: null },
      { url: '/logo.svg', revision: 'v7' },
      { url: '/engine/manifest.json', revision: 'v7' },
    ]);
  });

  it('names every file once', () => {
    const entries = precacheEntries({ ...shell, prerendered: ['/index.html'] });
    expect(entries.filter(({ url }) => url === '/index.html')).toHaveLength(1);
  });

  it('is empty in development', () => {
    expect(precacheEntries({ ...shell, build: [] })).toEqual([]);
  });
});

it.each([
  ['/_app/immutable/workers/assets/wllama.abc.wasm', true],
  ['/_app/immutable/workers/blob.worker-abc.js', true],
  ['/_app/immutable/entry/app.abc.js', false],
  ['/engine/wllama-relaxed.wasm', true],
  ['/engine/wllama-simd.js', true],
  ['/engine/manifest.json', false],
  ['/v2/model.wasm', false],
])('%s is an engine file: %s', (path, expected) => expect(isEngineFile(path)).toBe(expected));
