/** Remembers across visits how each registry is reached. */
import type { Route, RouteStore } from '#lib/registry/oci/route.ts';
import type { IdbSettings } from '#lib/store/idb/settings.ts';

export function routeStore(settings: IdbSettings): RouteStore {
  const key = (host: string) => `route:${host}`;
  return {
    get: (host) => settings.get(key(host), parseRoute),
    set: (host, route) => settings.set(key(host), route),
  };
}

function parseRoute(value: unknown): Route | undefined {
  return value === 'direct' || value === 'relay' ? value : undefined;
}
