/** Upload locations, turned from the registry's own address into relay paths. */
import { ApiError } from '#lib/core/errors.ts';
import { parseOciPath } from '#server/oci-path.ts';
import { relayRoot } from './path.ts';

/**
 * The relay path for a `Location` of the registry at `authority`, which answered at `from`. Undefined for another host
 * or another kind of path. The scheme is not compared: registries behind a proxy often say http about themselves.
 */
export function relayLocation(location: string, from: URL, authority: string): string | undefined {
  if (!URL.canParse(location, from)) return undefined;
  const url = new URL(location, from);
  if (url.host !== from.host || url.username !== '' || url.password !== '') return undefined;
  if (!parseOciPath(url.pathname)) return undefined;
  return `${relayRoot}${authority}${url.pathname}${url.search}`;
}

/** An open upload session without a usable location cannot go on; a finished one only lacks a courtesy. */
export function locationHeader(
  status: number,
  location: string | undefined,
  from: URL,
  authority: string,
): Readonly<Record<string, string>> {
  const rewritten = location === undefined ? undefined : relayLocation(location, from, authority);
  if (rewritten !== undefined) return { location: rewritten };
  if (status !== 202 || location === undefined) return {};
  throw new ApiError(
    'registry_unreachable',
    `${authority} wants the upload at another host, which the relay does not follow. Push without the relay.`,
  );
}
