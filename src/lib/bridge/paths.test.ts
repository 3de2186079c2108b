import { describe, expect, it } from 'vitest';
import { collapseSlashes, destinationOf, isApiPath, isUploadPath } from './paths.ts';

const origin = 'http://localhost:12434';

it('leaves what is for other origins to the network', () => {
  for (const path of ['/bridge', '/sampan.js']) {
    expect(destinationOf({ url: origin + path, mode: 'navigate' }, origin)).toBe('network');
  }
});

describe('isApiPath', () => {
  it.each([
    '/engines',
    '/engines/v1/chat/completions',
    '/engines/llama.cpp/v1/models',
    '/engines/_configure',
    '/v1/models',
    '/models',
    '/models/ai/smollm2:360M-Q4_K_M',
    '/models/hf.co/someone/model.gguf',
    '/api/chat',
    '/anthropic/v1/messages',
    '/responses',
    '/responses/resp_1',
    '/rerank',
    '/score',
    '/logs',
    '/metrics',
    '/version',
    '/_sampan/events',
    '//engines//v1//models',
  ])('%s is of the API', (path) => expect(isApiPath(path)).toBe(true));

  it.each([
    '/',
    '/requests',
    '/chat',
    '/settings',
    '/logs/more',
    '/modelsfoo',
    '/v10/models',
    '/_relay/ghcr.io/v2/',
    '/v2/sampan/self-test/manifests/latest',
    '/_app/immutable/entry/app.js',
    '/_app/version.json',
    '/service-worker.js',
    '/logo.svg',
  ])('%s is not', (path) => expect(isApiPath(path)).toBe(false));
});

describe('destinationOf', () => {
  it.each([
    ['/models', 'cors', 'runner'],
    ['/models', 'navigate', 'app'],
    ['/models/ai/smollm2/export', 'navigate', 'runner'],
    ['/models/export', 'navigate', 'app'],
    ['/logs', 'navigate', 'app'],
    ['/requests', 'cors', 'app'],
    ['/_app/immutable/chunks/a.js', 'no-cors', 'app'],
    ['/_sampan/companion', 'cors', 'network'],
    ['/_relay/ghcr.io/v2/', 'cors', 'network'],
    ['//_relay/ghcr.io/v2/', 'cors', 'network'],
    ['/v2/sampan/self-test/blobs/sha256:0', 'cors', 'network'],
    ['/v2/', 'navigate', 'network'],
  ] as const)('%s by %s goes to the %s', (path, mode, destination) => {
    expect(destinationOf({ url: origin + path, mode }, origin)).toBe(destination);
  });

  it('leaves other origins to the network', () => {
    expect(destinationOf({ url: 'https://huggingface.co/api/models', mode: 'cors' }, origin)).toBe('network');
  });
});

it.each([
  ['/models/load', true],
  ['//_sampan//blobs', true],
  ['/models/create', false],
  ['/models/x/load', false],
])('%s takes files: %s', (path, takes) => expect(isUploadPath(path)).toBe(takes));

it('collapses slashes anywhere in a path', () => {
  expect(collapseSlashes('///engines//v1///models/')).toBe('/engines/v1/models/');
});
