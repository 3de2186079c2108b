/**
 * Who asked, as far as it can be known. The carriers say it in `x-sampan-source`: our pages `page`, the service worker
 * `tab`, the bridge window `site` with the page's `x-sampan-origin`, the companion `program` (it forwards `origin` and
 * `user-agent`, which decide between a site and a program).
 */
import {
  requestSourceKinds,
  type RequestSourceJson,
  type RequestSourceKind,
} from '#lib/model/wire-requests.ts';

/** Kept of a request's headers; anything else might be a secret. */
const keptHeaders = /^(accept|content-type|origin|referer|user-agent|x-sampan-source|x-stainless-[a-z-]+)$/;
const maxHeaderChars = 500;

export function readSource({ headers, url }: Pick<Request, 'headers' | 'url'>): RequestSourceJson {
  const told = kindOf(headers.get('x-sampan-source'));
  if (told === 'site') return { kind: told, name: headers.get('x-sampan-origin') ?? 'null' };
  if (told && told !== 'program') return { kind: told };
  const origin = foreignOrigin(headers.get('origin'), url);
  if (origin !== undefined) return { kind: 'site', name: origin };
  const product = /^[^\s/]{1,100}(\/[^\s]{1,50})?/.exec(headers.get('user-agent') ?? '')?.[0];
  if (product !== undefined && (told || !product.startsWith('Mozilla/'))) {
    return { kind: 'program', name: product };
  }
  return { kind: told ?? 'unknown' };
}

/** The query of a referrer may hold a token. */
export function keptHeadersOf(headers: Headers): Readonly<Record<string, string>> {
  const kept = [...headers].filter(([name]) => keptHeaders.test(name));
  return Object.fromEntries(
    kept.map(([name, value]) => [
      name,
      (name === 'referer' ? value.replace(/[?#].*$/, '') : value).slice(0, maxHeaderChars),
    ]),
  );
}

function kindOf(told: string | null): RequestSourceKind | undefined {
  return requestSourceKinds.find((kind) => kind === told);
}

function foreignOrigin(origin: string | null, url: string): string | undefined {
  if (origin === null || !URL.canParse(origin)) return undefined;
  return new URL(origin).host === new URL(url).host ? undefined : new URL(origin).origin;
}
