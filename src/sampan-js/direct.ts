/** The plain way: the server at `origin` answers this page itself, because the user or its command line allows it. */

/** Long enough for a machine that is busy with a model; a click is forgotten after five seconds. */
const patienceMs = 2000;

interface Direct {
  readonly fetch: (input: RequestInfo | URL, init?: RequestInit) => Promise<Response>;
  readonly close: () => void;
}

/** `undefined` where nothing of Sampan answers, or not this page. */
export async function direct(origin: string): Promise<Direct | undefined> {
  try {
    const signal = AbortSignal.timeout(patienceMs);
    const response = await fetch(`${origin}/version`, { signal, headers: { accept: 'application/json' } });
    const { version } = (await response.json()) as { version?: unknown };
    if (typeof version !== 'string') return undefined;
  } catch {
    return undefined;
  }
  const closing = new AbortController();
  return {
    fetch: (input, init) => {
      const request = new Request(input instanceof Request ? input : new URL(input, origin), init);
      return fetch(request, { signal: AbortSignal.any([request.signal, closing.signal]) });
    },
    close: () => closing.abort(),
  };
}
