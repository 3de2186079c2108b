/** Which files make the app work offline. */

interface Shell {
  readonly build: readonly string[];
  readonly files: readonly string[];
  readonly prerendered: readonly string[];
  readonly version: string;
}

interface PrecacheEntry {
  readonly url: string;
  /** `null` where the name carries the content's hash. */
  readonly revision: string | null;
}

/** The page that answers every navigation: adapter-static's fallback, which stands in none of SvelteKit's lists. */
export const pageUrl = '/index.html';

/** Empty in development, where nothing is built and there is no page file to fetch. */
export function precacheEntries({ build, files, prerendered, version }: Shell): PrecacheEntry[] {
  if (build.length === 0) return [];
  const urls = new Set([pageUrl, ...prerendered, ...build, ...files]);
  return [...urls].filter(isShellFile).map((url) => ({ url, revision: isImmutable(url) ? null : version }));
}

/**
 * What workers load: the llama.cpp builds, too large for the precache, and the workers that workers start, which stand
 * in none of SvelteKit's lists. Needed offline all the same.
 */
export function isEngineFile(pathname: string): boolean {
  return pathname.startsWith('/_app/immutable/workers/') || isOwnBuild(pathname);
}

/** Engines are fetched once they are used; the built-in registry is the network's; pre-compressed twins are the server's. */
function isShellFile(url: string): boolean {
  return !url.startsWith('/v2/') && !/\.(wasm|br|gz)$/.test(url) && !isOwnBuild(url);
}

/** The list of them is part of the shell: it says which of them a browser runs, and their digests. */
function isOwnBuild(pathname: string): boolean {
  return /^\/engine\/[\w-]+\.(js|wasm)$/.test(pathname);
}

function isImmutable(pathname: string): boolean {
  return pathname.startsWith('/_app/immutable/');
}
