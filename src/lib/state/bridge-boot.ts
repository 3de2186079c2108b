/** The bridge window's composition root. It starts no engine and takes no part in the election: it is there to relay. */
import { Client } from '#lib/bridge/client.ts';
import { awaitArrival, turnAway } from '#lib/bridge/foreign/arrival.ts';
import { ForeignRelay } from '#lib/bridge/foreign/relay.ts';
import { systemClock } from '#lib/core/clock.ts';
import { BridgeWindow } from './bridge-window.svelte.ts';

export function bootBridge(): BridgeWindow {
  const opener = window.opener as Window | null;
  return new BridgeWindow({
    client: new Client(),
    clock: systemClock,
    arrival: opener ? awaitArrival(window, opener) : undefined,
    relay: (visitor, once) => new ForeignRelay({ visitor, once }),
    turnAway,
    close: () => window.close(),
  });
}
