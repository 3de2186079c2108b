/**
 * Keeps the engines' WebAssembly once it was used: cache first, since its names carry the content's hash, or their query
 * does where the name stays the same.
 */
const prefix = 'sampan-engine-';

interface EngineCacheOptions {
  readonly version: string;
  /** Paths of the engines of this version. */
  readonly engineFiles: readonly string[];
}

export class EngineCache {
  readonly #name: string;
  readonly #engineFiles: readonly string[];

  constructor({ version, engineFiles }: EngineCacheOptions) {
    this.#name = prefix + version;
    this.#engineFiles = engineFiles;
  }

  async respond(request: Request): Promise<Response> {
    const cache = await caches.open(this.#name);
    const kept = await cache.match(request.url, { ignoreVary: true });
    if (kept) return kept;
    const response = await fetch(request);
    // Not under `waitUntil`: Chromium cuts an event's streams after 308 s, and a slow download may take longer.
    if (response.status === 200) void this.#keep(cache, request.url, response.clone()).catch(reportUnkept);
    return response;
  }

  /** Instead of what had the same name. */
  async #keep(cache: Cache, url: string, response: Response): Promise<void> {
    const outdated = await cache.keys(url, { ignoreSearch: true, ignoreVary: true });
    await cache.put(url, response);
    for (const key of outdated) if (key.url !== url) await cache.delete(key, { ignoreVary: true });
  }

  /** Deletes what other versions have kept; an engine that has not changed since is taken over. */
  async sweep(): Promise<void> {
    const outdated = (await caches.keys()).filter((name) => name.startsWith(prefix) && name !== this.#name);
    for (const name of outdated) {
      await this.#takeOver(await caches.open(name)).catch(reportUnkept);
      await caches.delete(name);
    }
  }

  async #takeOver(outdated: Cache): Promise<void> {
    const cache = await caches.open(this.#name);
    for (const file of this.#engineFiles) {
      for (const { url } of await outdated.keys(file, { ignoreSearch: true, ignoreVary: true })) {
        const kept = await outdated.match(url, { ignoreVary: true });
        if (kept) await cache.put(url, kept);
      }
    }
  }
}

/** The engine runs all the same, only not offline: the disk is full or the download broke off. */
function reportUnkept(thrown: unknown): void {
  console.warn('An engine could not be kept for offline use.', thrown);
}
