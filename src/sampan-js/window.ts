/** The way through Sampan's window: it asks the user, and then carries requests for as long as it is open. */
import type { BridgeMessage, HelloMessage, PageMessage } from '#lib/bridge/foreign/protocol.ts';
import { Carried } from './carried.ts';
import { failure } from './failure.ts';

interface ThroughWindow {
  readonly fetch: (input: RequestInfo | URL, init?: RequestInit) => Promise<Response>;
  readonly close: () => void;
}

type Failure = Parameters<Carried['fail']>[0];

const features = 'popup,width=420,height=600';
/** No event tells that a window was closed (HTML standard). */
const lookMs = 250;
const closed: Failure = {
  code: 'host_lost',
  message: 'Sampan’s window was closed. Connect again.',
};

/**
 * `undefined` where the browser does not open a window. Rejects when the user refuses, or closes it without an answer.
 * An isolated page cannot keep hold of a window, so none is opened for it.
 */
export function openWindow(origin: string): Promise<ThroughWindow> | undefined {
  const popup = crossOriginIsolated ? null : window.open(`${origin}/bridge`, '_blank', features);
  return popup ? new Promise((resolve, reject) => begin(origin, popup, resolve, reject)) : undefined;
}

function begin(
  origin: string,
  popup: Window,
  resolve: (way: ThroughWindow) => void,
  reject: (error: Error) => void,
): void {
  const { port1: port, port2: theirs } = new MessageChannel();
  const running = new Map<number, Carried>();
  let lastId = 0;
  let over: Failure | undefined;

  const send = (message: PageMessage) => port.postMessage(message);

  const end = (why: Failure) => {
    if (over) return;
    over = why;
    clearInterval(timer);
    removeEventListener('message', greet);
    removeEventListener('pagehide', leave);
    reject(failure(why.code, why.message));
    for (const carried of running.values()) carried.fail(why);
    running.clear();
    send({ type: 'bye' });
    port.close();
  };
  const leave = () => end(closed);
  const timer = setInterval(() => popup.closed && leave(), lookMs);

  const greet = (event: MessageEvent<{ sampan?: unknown } | null>) => {
    if (event.source !== popup || event.origin !== origin || event.data?.sampan !== 'ready') return;
    removeEventListener('message', greet);
    const hello: HelloMessage = { sampan: 'hello', version: 1 };
    popup.postMessage(hello, origin, [theirs]);
  };

  const ask = async (input: RequestInfo | URL, init?: RequestInit): Promise<Response> => {
    const request = new Request(input instanceof Request ? input : new URL(input, origin), init);
    const url = new URL(request.url);
    if (url.origin !== origin) throw new TypeError(`This fetch asks ${origin} only.`);
    const { method, headers, signal } = request;
    const body = new Uint8Array(await request.arrayBuffer());
    signal.throwIfAborted();
    const id = ++lastId;
    const carried = new Carried({ id, signal, send, onOver: () => running.delete(id) });
    running.set(id, carried);
    if (over) carried.fail(over);
    else send({ type: 'open', id, method, url: url.pathname + url.search, headers: [...headers], body });
    return carried.response;
  };

  port.onmessage = ({ data }: MessageEvent<BridgeMessage>) => {
    if (data.type === 'welcome') resolve({ fetch: ask, close });
    else if (data.type === 'bye') end(data.body.error);
    else running.get(data.id)?.receive(data);
  };
  const close = () => {
    leave();
    popup.close();
  };
  addEventListener('message', greet);
  addEventListener('pagehide', leave);
}
