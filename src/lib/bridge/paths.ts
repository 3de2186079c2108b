/** Which requests the runner answers. A person who navigates to a path gets the page; a program that fetches it, the API. */

type Destination =
  /** The API. */
  | 'runner'
  /** The page and its files, which may come from a cache. */
  | 'app'
  /** Other origins, the registry relay and the built-in registry: never a cache. */
  | 'network';

const apiRoots = ['engines', 'v1', 'models', 'api', 'anthropic', 'responses', '_sampan'];
const apiExact = [
  '/rerank',
  '/score',
  '/tokenize',
  '/detokenize',
  '/openapi.json',
  '/logs',
  '/metrics',
  '/version',
];
const uploadPaths = ['/models/load', '/_sampan/blobs', '/_sampan/requests/import'];
const downloadPath =
  /^\/models\/.+\/export$|^\/_sampan\/requests\/export$|^\/_sampan\/bench$|^\/openapi\.json$/;
const networkRoots = ['_relay', 'v2'];
/** The companion itself answers these. */
const companionPaths = ['/_sampan/companion', '/_sampan/gateway'];
/** The window for other origins needs headers of its own, and they load the newest script. */
const foreignPaths = ['/bridge', '/sampan.js'];

/** The rule of the service worker; `origin` is its own. */
export function destinationOf(request: Pick<Request, 'url' | 'mode'>, origin: string): Destination {
  const url = new URL(request.url);
  if (url.origin !== origin) return 'network';
  const pathname = collapseSlashes(url.pathname);
  if (networkRoots.includes(rootOf(pathname))) return 'network';
  if ([...companionPaths, ...foreignPaths].includes(pathname)) return 'network';
  // A link to a download is a navigation that never leaves the page.
  if (request.mode === 'navigate') return downloadPath.test(pathname) ? 'runner' : 'app';
  return isApiPath(pathname) ? 'runner' : 'app';
}

/** Whether a program that fetches this path gets an answer of the runner. `/requests` is a page only. */
export function isApiPath(pathname: string): boolean {
  const collapsed = collapseSlashes(pathname);
  return apiExact.includes(collapsed) || apiRoots.includes(rootOf(collapsed));
}

/** Paths that take whole files: their bodies have no limit and are never held in memory. */
export function isUploadPath(pathname: string): boolean {
  return uploadPaths.includes(collapseSlashes(pathname));
}

/** Clients join base URLs carelessly: `//engines//v1/models` is meant as `/engines/v1/models`. */
export function collapseSlashes(pathname: string): string {
  return pathname.replace(/\/{2,}/g, '/');
}

function rootOf(pathname: string): string {
  return pathname.split('/')[1] ?? '';
}
