/**
 * WebLLM reads every file through the Cache API and adds what is not there. Here the cache is the model's own blobs,
 * so that no byte is stored twice, and there is no network behind it.
 */
import { missing } from '#lib/engine/webllm/package.ts';
import type { PictureShelf } from './pictures.ts';

/** Never asked for over a network; WebLLM wants an absolute URL with `/resolve/` in it. */
export const modelUrl = 'https://model.invalid/resolve/main/';
export const libraryUrl = 'https://library.invalid/library.wasm';

/** What of a worker's global scope is replaced. */
export interface NetworkScope {
  readonly caches: CacheStorage;
  readonly fetch: typeof fetch;
}

interface Served {
  readonly files: ReadonlyMap<string, Blob>;
  readonly library: Blob;
  /** Of a model that sees. */
  readonly shelf?: Pick<PictureShelf, 'find'> | undefined;
}

/** From here on the scope reads these and nothing else. */
export function serve(scope: NetworkScope, { files, library, shelf }: Served): void {
  const byUrl = new Map([...files].map(([path, blob]) => [new URL(path, modelUrl).href, blob]));
  byUrl.set(libraryUrl, library);
  Object.defineProperty(scope, 'caches', { configurable: true, value: new BlobCaches(byUrl) });
  Object.defineProperty(scope, 'fetch', { configurable: true, value: fetchFrom(shelf) });
}

/** The members of `CacheStorage` and `Cache` that WebLLM uses. */
class BlobCaches {
  readonly #files: ReadonlyMap<string, Blob>;

  constructor(files: ReadonlyMap<string, Blob>) {
    this.#files = files;
  }

  /** All of its scopes are one. */
  open(): Promise<this> {
    return Promise.resolve(this);
  }

  match(request: Request | string): Promise<BlobResponse | undefined> {
    const blob = this.#files.get(urlOf(request));
    return Promise.resolve(blob && new BlobResponse(blob));
  }

  keys(): Promise<{ readonly url: string }[]> {
    return Promise.resolve([...this.#files.keys()].map((url) => ({ url })));
  }

  /** It is called for what `match` did not find. */
  add(request: Request | string): Promise<never> {
    return refuseFetch(request);
  }
}

/** The members of `Response` that WebLLM uses, without the stream in between. */
class BlobResponse {
  readonly #blob: Blob;

  constructor(blob: Blob) {
    this.#blob = blob;
  }

  arrayBuffer(): Promise<ArrayBuffer> {
    return this.#blob.arrayBuffer();
  }

  async json(): Promise<unknown> {
    return JSON.parse(await this.#blob.text());
  }
}

/** A picture is the one thing that WebLLM fetches without a look into the cache. */
function fetchFrom(shelf: Served['shelf']): (request: Request | URL | string) => Promise<Response> {
  return (request) => {
    const picture = shelf?.find(urlOf(request));
    return picture ? Promise.resolve(new Response(picture)) : refuseFetch(request);
  };
}

function refuseFetch(request: Request | URL | string): Promise<never> {
  const url = urlOf(request);
  return Promise.reject(missing(url.startsWith(modelUrl) ? url.slice(modelUrl.length) : url));
}

function urlOf(request: Request | URL | string): string {
  if (typeof request === 'string') return request;
  return request instanceof URL ? request.href : request.url;
}
