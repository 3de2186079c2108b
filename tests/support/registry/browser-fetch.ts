/** Node's fetch with the rules that a browser adds for a page of `origin`: CORS, preflights, exposed headers. */

const safelistedRequestHeaders = new Set(['accept', 'range']);
const safelistedMethods = new Set(['GET', 'HEAD', 'POST']);
const safelistedResponseHeaders = [
  'cache-control',
  'content-language',
  'content-length',
  'content-type',
  'expires',
];

export function browserFetch(origin: string): typeof fetch {
  return async (input, init = {}) => {
    const url = new URL(input instanceof Request ? input.url : input);
    const headers = new Headers(init.headers);
    if (url.origin === origin) {
      headers.set('sec-fetch-site', 'same-origin');
      return fetch(url, { ...init, headers });
    }
    const method = init.method ?? 'GET';
    const unsafe = [...headers.keys()].filter((name) => !safelistedRequestHeaders.has(name));
    if (unsafe.length > 0 || !safelistedMethods.has(method))
      await preflight(url, { origin, method, names: unsafe, signal: init.signal ?? null });
    headers.set('origin', origin);
    const response = await fetch(url, { ...init, headers });
    if (!allows(response, origin)) throw new TypeError('Failed to fetch');
    return exposed(response);
  };
}

async function preflight(
  url: URL,
  asked: { origin: string; method: string; names: readonly string[]; signal: AbortSignal | null },
): Promise<void> {
  const { origin, method, names, signal } = asked;
  const response = await fetch(url, {
    method: 'OPTIONS',
    headers: {
      origin,
      'access-control-request-method': method,
      'access-control-request-headers': names.join(','),
    },
    signal,
  });
  const headers = response.headers.get('access-control-allow-headers')?.toLowerCase() ?? '';
  const methods = response.headers.get('access-control-allow-methods') ?? '';
  const isAllowed =
    response.ok &&
    allows(response, origin) &&
    names.every((name) => headers.includes(name)) &&
    (safelistedMethods.has(method) || methods.includes(method));
  if (!isAllowed) throw new TypeError('Failed to fetch');
}

function allows(response: Response, origin: string): boolean {
  const allowed = response.headers.get('access-control-allow-origin');
  return allowed === '*' || allowed === origin;
}

function exposed(response: Response): Response {
  const names = response.headers.get('access-control-expose-headers')?.toLowerCase() ?? '';
  const readable = [...response.headers].filter(
    ([name]) =>
      names === '*' || safelistedResponseHeaders.includes(name) || names.split(/,\s*/).includes(name),
  );
  return new Response(response.body, { status: response.status, headers: readable });
}
