/** Remembers what opened a registry's door, per host, scope and credentials. In memory only. */
import type { Clock } from '#lib/core/clock.ts';
import type { Credentials } from '#lib/registry/port.ts';

/** What a token is for. */
export interface TokenKey {
  readonly host: string;
  /** `repository:ai/smollm2:pull` */
  readonly scope: string;
  readonly credentials?: Credentials | undefined;
}

interface Lease {
  readonly authorization: string;
  readonly expiresAtMs: number;
}

/** Refreshed this long before the end, so that a token does not die between here and the registry. */
const marginMs = 10_000;

export class TokenCache {
  readonly #clock: Clock;
  readonly #leases = new Map<string, Lease>();

  constructor(options: { clock: Clock }) {
    this.#clock = options.clock;
  }

  /** The `Authorization` header that worked last, while it lasts. */
  get(key: TokenKey): string | undefined {
    const lease = this.#leases.get(nameKey(key));
    return lease && lease.expiresAtMs > this.#clock.now() ? lease.authorization : undefined;
  }

  /** Without `lifetimeMs` it lasts until it is forgotten. */
  set(key: TokenKey, authorization: string, lifetimeMs = Infinity): void {
    const usefulMs = Math.max(lifetimeMs - marginMs, lifetimeMs / 2);
    this.#leases.set(nameKey(key), { authorization, expiresAtMs: this.#clock.now() + usefulMs });
  }

  forget(key: TokenKey): void {
    this.#leases.delete(nameKey(key));
  }
}

/** JSON keeps the parts apart whatever they contain. */
function nameKey({ host, scope, credentials }: TokenKey): string {
  return JSON.stringify([host, scope, credentials ?? null]);
}
