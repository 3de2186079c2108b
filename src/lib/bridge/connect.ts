/** From a request to an engine that has taken it: waits for a host, and moves on when that host dies first. */
import { ApiError } from '#lib/core/errors.ts';
import { nearEngine } from './direct-line.ts';
import { findEngine, listEngines, waitForEngine } from './discovery.ts';
import { bridgeOf, type Bridge, type BridgeOptions } from './environment.ts';
import { Exchange } from './exchange.ts';
import { noHost, otherVersion } from './failures.ts';
import type { EngineLock } from './protocol.ts';
import type { WireRequest } from './wire-request.ts';

export interface ConnectOptions extends BridgeOptions {
  readonly signal?: AbortSignal | undefined;
  /** How long a tab may take to become host: a busy machine starts its worker in seconds. */
  readonly waitForHostMs?: number | undefined;
  /** How long a host may take to acknowledge. */
  readonly ackMs?: number | undefined;
}

/** Throws `no_host`, `host_stalled` or the signal's reason; in each case nothing is left behind. */
export async function connect(request: WireRequest, options: ConnectOptions): Promise<Exchange> {
  const { signal = new AbortController().signal, waitForHostMs = 5000, ackMs = 5000 } = options;
  const bridge = bridgeOf(options);
  for (;;) {
    const near = nearEngine(bridge);
    const engine = near?.lock ?? (await waitForEngine(bridge, { timeoutMs: waitForHostMs, signal }));
    if (!engine) throw await missingHost(bridge);
    const exchange = near
      ? Exchange.openNear(bridge, near, request, signal)
      : await Exchange.open(bridge, engine, request, signal);
    try {
      await exchange.acked(ackMs);
      return exchange;
    } catch (thrown) {
      exchange.cancel();
      if (signal.aborted || !(await mayMoveOn(bridge, engine, thrown))) throw thrown;
    }
  }
}

/** A dead engine will be replaced; a silent one only counts as replaced when a newer one is there. */
async function mayMoveOn(bridge: Bridge, engine: EngineLock, thrown: unknown): Promise<boolean> {
  if (!(thrown instanceof ApiError)) return false;
  if (thrown.code === 'host_lost') return true;
  return thrown.code === 'host_stalled' && (await findEngine(bridge))?.name !== engine.name;
}

async function missingHost(bridge: Bridge): Promise<ApiError> {
  const others = await listEngines(bridge);
  return others.length > 0 ? otherVersion() : noHost();
}
