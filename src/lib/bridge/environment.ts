/** What every part of the bridge is given from outside, with what it uses in the app. */
import { systemClock, type Clock } from '#lib/core/clock.ts';

export interface BridgeOptions {
  /** Prefix of every lock and channel name: bridges of different scopes do not see each other. */
  readonly scope?: string | undefined;
  readonly locks?: LockManager | undefined;
  readonly clock?: Clock | undefined;
}

export interface Bridge {
  readonly scope: string;
  readonly locks: LockManager;
  readonly clock: Clock;
}

export function bridgeOf(options: BridgeOptions): Bridge {
  const { scope = '', locks = navigator.locks, clock = systemClock } = options;
  return { scope, locks, clock };
}
