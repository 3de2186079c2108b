import { beforeEach, describe, expect, it } from 'vitest';
import { libraryUrl, modelUrl, serve, type NetworkScope } from './network.ts';

const pictureUrl = 'https://picture.invalid/a.png';

describe('what a WebLLM worker reads', () => {
  let scope: NetworkScope;

  beforeEach(() => {
    scope = { caches: {} as CacheStorage, fetch };
    const files = new Map([
      ['a b.json', new Blob(['{"x":1}'])],
      ['deep/shard.bin', new Blob(['1234'])],
    ]);
    const shelf = { find: (url: string) => (url === pictureUrl ? new Blob(['png']) : undefined) };
    serve(scope, { files, library: new Blob(['wasm']), shelf });
  });

  it('comes from the model’s blobs, by Request or by URL', async () => {
    const cache = await scope.caches.open('webllm/model');
    const json = await cache.match(new Request(new URL('a b.json', modelUrl)));
    expect(await json?.json()).toEqual({ x: 1 });
    const shard = await cache.match(`${modelUrl}deep/shard.bin`);
    expect((await shard?.arrayBuffer())?.byteLength).toBe(4);
    const library = await cache.match(libraryUrl);
    expect((await library?.arrayBuffer())?.byteLength).toBe(4);
    expect((await cache.keys()).map(({ url }) => url)).toContain(`${modelUrl}deep/shard.bin`);
  });

  it('is an error with the name of the file when it is not there', async () => {
    const cache = await scope.caches.open('webllm/model');
    expect(await cache.match(`${modelUrl}gone.bin`)).toBeUndefined();
    await expect(cache.add(new Request(`${modelUrl}gone.bin`))).rejects.toMatchObject({
      code: 'unsupported_model_format',
      message: expect.stringContaining('“gone.bin”'),
    });
  });

  it('is a picture of the request, by its own URL only', async () => {
    expect(await (await scope.fetch(pictureUrl)).text()).toBe('png');
    await expect(scope.fetch('https://picture.invalid/b.png')).rejects.toMatchObject({
      code: 'unsupported_model_format',
    });
  });

  it('is never a network', async () => {
    await expect(scope.fetch('https://example.org/x')).rejects.toMatchObject({
      code: 'unsupported_model_format',
    });
    await expect(scope.fetch(new URL('data:text/plain,x'))).rejects.toMatchObject({
      code: 'unsupported_model_format',
    });
  });
});
