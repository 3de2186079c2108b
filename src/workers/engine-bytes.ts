/** What the engines take on disk: their files, as the service worker keeps them for working offline. */

const prefix = 'sampan-engine-';

/** 0 where nothing was kept yet. */
export async function engineBytes(caches: CacheStorage): Promise<number> {
  const names = (await caches.keys()).filter((name) => name.startsWith(prefix));
  const sizes = await Promise.all(names.map(async (name) => sizeOf(await caches.open(name))));
  return sum(sizes);
}

async function sizeOf(cache: Cache): Promise<number> {
  // The length in the headers is that of what was sent, perhaps compressed.
  const sizes = (await cache.matchAll()).map(async (response) => (await response.blob()).size);
  return sum(await Promise.all(sizes));
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
