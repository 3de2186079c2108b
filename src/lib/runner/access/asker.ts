/**
 * Who asks, when it matters what they may do. Carriers say it and nobody else: our pages are `page`, scripts of this
 * origin `tab`, the bridge window `site` with the origin that the browser told it, the companion `program` with the
 * `origin` header as the browser sent it.
 */
export type Asker =
  | { readonly kind: 'own' }
  | { readonly kind: 'program' }
  | {
      readonly kind: 'site';
      /** As the browser wrote it; `null` for a page without one, as of a file. */
      readonly origin: string;
      /** What the user allowed this page until it is closed; nothing where the companion let it in. */
      readonly once: ModelScope | undefined;
      /** The companion has lists of its own; a page in front of the bridge has only the user's word. */
      readonly carrier: 'bridge' | 'companion';
    };

export type ModelScope = 'all' | readonly string[];

/** Of the bridge window: the page's origin, and for how long it was let in to what. */
export const originHeader = 'x-sampan-origin';
export const modelsHeader = 'x-sampan-models';

export function askerOf({ headers, url }: Pick<Request, 'headers' | 'url'>): Asker {
  const source = headers.get('x-sampan-source');
  if (source === 'site') {
    const origin = headers.get(originHeader) ?? 'null';
    return { kind: 'site', origin, once: parseScope(headers.get(modelsHeader)), carrier: 'bridge' };
  }
  if (source !== 'program') return { kind: 'own' };
  const origin = headers.get('origin');
  if (origin === null) return { kind: 'program' };
  if (URL.canParse(origin) && new URL(origin).host === new URL(url).host) return { kind: 'program' };
  return { kind: 'site', origin, once: undefined, carrier: 'companion' };
}

/** `undefined` for what the bridge does not write, which then allows nothing. */
function parseScope(text: string | null): ModelScope | undefined {
  if (text === null || text === 'all') return text ?? undefined;
  try {
    const names: unknown = JSON.parse(decodeURIComponent(text));
    return Array.isArray(names) ? names.filter((name) => typeof name === 'string') : undefined;
  } catch {
    return undefined;
  }
}
