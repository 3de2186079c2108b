/** Who reaches the API of this page: programs only through the companion that served it. */

export interface Reach {
  /** `unknown` until the runner has told. */
  readonly programs: 'here' | 'not-here' | 'unknown';
  /** What programs are told; where none reach this page, the companion's usual address. */
  readonly origin: string;
}

const companionOrigin = 'http://localhost:12434';

/** `relay`: whether the page came from a companion. */
export function reachOf(relay: boolean | undefined, origin: string): Reach {
  if (relay === undefined) return { programs: 'unknown', origin };
  return relay ? { programs: 'here', origin } : { programs: 'not-here', origin: companionOrigin };
}
