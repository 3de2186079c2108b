/** The engine's side of the bridge: holds the engine lock and answers what is asked of it. Runs in the runner worker. */
import type { Line } from './direct-line.ts';
import { listEngines } from './discovery.ts';
import { bridgeOf, type BridgeOptions } from './environment.ts';
import { holdLock } from './locks.ts';
import { controlChannelName, engineLockName, parseControlMessage } from './protocol.ts';
import type { ControlMessage, OpenMessage } from './protocol.ts';
import { ServedRequest, type Handle } from './served-request.ts';

/** A dedicated worker, from within. */
interface HearsItsPage {
  addEventListener(type: 'message', listener: (event: MessageEvent<unknown>) => void): void;
  removeEventListener(type: 'message', listener: (event: MessageEvent<unknown>) => void): void;
}

interface ServeOptions extends BridgeOptions {
  /** The daemon. It answers before its signal aborts or not at all. */
  readonly handle: Handle;
  /** Chosen by the host page, which gives it to the worker as its name. */
  readonly engineId: string;
  /** The worker itself, where requests of its own page arrive. */
  readonly worker?: HearsItsPage;
}

interface RequestServer {
  /** Stops what is under way and frees the engine lock; consumers see `host_lost`. */
  close(): void;
}

/** Resolves once requests are answered. */
export async function serveRequests(options: ServeOptions): Promise<RequestServer> {
  const { handle, engineId, worker } = options;
  const bridge = bridgeOf(options);
  const running = new Set<ServedRequest>();
  const control = new BroadcastChannel(controlChannelName(bridge.scope));
  const send = (message: ControlMessage) => control.postMessage(message);

  const serve = async (open: OpenMessage, direct?: Line) => {
    const served = new ServedRequest(bridge, open, direct);
    running.add(served);
    await served.run(handle);
    running.delete(served);
  };

  const onDirect = ({ data, ports }: MessageEvent<unknown>) => {
    const message = parseControlMessage(data);
    if (message?.type === 'open' && ports[0]) void serve(message, ports[0]);
  };

  // Listening starts before the lock is there: who sees the lock may rely on being heard.
  control.onmessage = ({ data }: MessageEvent<unknown>) => {
    const message = parseControlMessage(data);
    if (message?.type === 'open' && message.engineId === engineId) void serve(message);
    if (message?.type === 'ping' && message.engineId === engineId) send({ type: 'pong', engineId });
  };
  worker?.addEventListener('message', onDirect);

  const [newest] = await listEngines(bridge);
  const lock = await holdLock(bridge.locks, engineLockName(bridge.scope, (newest?.epoch ?? 0) + 1, engineId));
  send({ type: 'host-up', engineId });

  return {
    close() {
      control.close();
      worker?.removeEventListener('message', onDirect);
      for (const served of running) served.abort();
      lock.release();
    },
  };
}
