/** Finds the engine: its lock is the only directory there is. */
import type { Bridge } from './environment.ts';
import { controlChannelName, parseControlMessage, parseEngineLockName, protocolVersion } from './protocol.ts';
import type { ControlMessage, EngineLock } from './protocol.ts';

/** A `host-up` normally ends a wait at once; this bounds it where the message came before the channel was open. */
const pollMs = 50;

interface WaitOptions {
  readonly timeoutMs: number;
  /** Wait for this one; any other does not count. */
  readonly engineId?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The newest engine of our protocol; an older one that still holds its lock is frozen. */
export async function findEngine(bridge: Bridge): Promise<EngineLock | undefined> {
  return (await listEngines(bridge)).find((engine) => engine.protocol === protocolVersion);
}

/** Every engine whose lock is held, whatever its protocol, newest first. */
export async function listEngines({ locks, scope }: Bridge): Promise<EngineLock[]> {
  const { held = [] } = await locks.query();
  // A shared one is a death watch that has just been granted: the engine is gone.
  const exclusive = held.filter(({ mode }) => mode === 'exclusive');
  return exclusive.flatMap(({ name = '' }) => parseEngineLockName(scope, name) ?? []).sort(newestFirst);
}

/** Resolves with `undefined` after `timeoutMs`; rejects with the signal's reason. */
export async function waitForEngine(bridge: Bridge, options: WaitOptions): Promise<EngineLock | undefined> {
  const { timeoutMs, engineId, signal } = options;
  const deadlineMs = bridge.clock.now() + timeoutMs;
  const channel = new BroadcastChannel(controlChannelName(bridge.scope));
  try {
    for (;;) {
      signal?.throwIfAborted();
      const engine = await lookUp(bridge, engineId);
      if (engine) return engine;
      const leftMs = deadlineMs - bridge.clock.now();
      if (leftMs <= 0) return undefined;
      await heard(channel, (message) => message.type === 'host-up', Math.min(leftMs, pollMs), bridge, signal);
    }
  } finally {
    channel.close();
  }
}

/** Whether the engine answers within `timeoutMs`; a frozen tab's engine keeps its lock but says nothing. */
export async function answersPing(bridge: Bridge, engine: EngineLock, timeoutMs: number): Promise<boolean> {
  const { engineId } = engine;
  const channel = new BroadcastChannel(controlChannelName(bridge.scope));
  try {
    const ping: ControlMessage = { type: 'ping', engineId };
    channel.postMessage(ping);
    return await heard(channel, (m) => m.type === 'pong' && m.engineId === engineId, timeoutMs, bridge);
  } finally {
    channel.close();
  }
}

async function lookUp(bridge: Bridge, engineId: string | undefined): Promise<EngineLock | undefined> {
  if (engineId === undefined) return findEngine(bridge);
  return (await listEngines(bridge)).find((engine) => engine.engineId === engineId);
}

function newestFirst(a: EngineLock, b: EngineLock): number {
  return b.epoch - a.epoch || (a.engineId < b.engineId ? 1 : -1);
}

/** Resolves with whether such a message came within `timeoutMs`, or with `false` when the signal aborts. */
function heard(
  channel: BroadcastChannel,
  wanted: (message: ControlMessage) => boolean,
  timeoutMs: number,
  { clock }: Bridge,
  signal?: AbortSignal,
): Promise<boolean> {
  return new Promise((resolve) => {
    const settle = (result: boolean) => {
      cancelTimer();
      signal?.removeEventListener('abort', onAbort);
      channel.onmessage = null;
      resolve(result);
    };
    const onAbort = () => settle(false);
    const cancelTimer = clock.after(timeoutMs, () => settle(false));
    signal?.addEventListener('abort', onAbort);
    channel.onmessage = ({ data }: MessageEvent<unknown>) => {
      const message = parseControlMessage(data);
      if (message && wanted(message)) settle(true);
    };
  });
}
