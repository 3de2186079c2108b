/** A tab of the app in this process: the runner's own link, over Node's WebSocket, with a handler in place of a runner. */
import { WebSocket as NodeWebSocket } from 'ws';
import { linkToCompanion, type LinkOptions } from '#lib/bridge/socket/link.ts';
import type { Spool } from '#lib/bridge/socket/spool.ts';
import { systemClock } from '#lib/core/clock.ts';

export interface FakeTab extends AsyncDisposable {
  /** Ends when the link does. */
  readonly linked: Promise<void>;
  /** The sockets it opened, the last one at the end. */
  readonly sockets: readonly WebSocket[];
  readonly spooledBytes: () => number;
}

type Handle = LinkOptions['handle'];

/** `url` is the companion's; resolves at once, the link comes up by itself. */
export function openTab(url: string, handle: Handle, options: Partial<LinkOptions> = {}): FakeTab {
  const closing = new AbortController();
  const sockets: WebSocket[] = [];
  let spooledBytes = 0;
  const spool: Spool = async (body) => {
    const chunks: Uint8Array<ArrayBuffer>[] = [];
    for await (const chunk of body) {
      spooledBytes += chunk.byteLength;
      chunks.push(chunk);
    }
    return { file: new Blob(chunks), release: () => Promise.resolve() };
  };
  const linked = linkToCompanion({
    origin: url,
    handle,
    spool,
    clock: systemClock,
    random: () => 0,
    fetch: (input, init) => fetch(input, { ...init, headers: { 'sec-fetch-site': 'same-origin' } }),
    openSocket: (target, subprotocols) => {
      const socket = new NodeWebSocket(target, subprotocols, { origin: url }) as unknown as WebSocket;
      // What a browser tells as `error` and then `close` alone, `ws` also throws.
      socket.addEventListener('error', () => undefined);
      sockets.push(socket);
      return socket;
    },
    signal: closing.signal,
    ...options,
  });
  return {
    linked,
    sockets,
    spooledBytes: () => spooledBytes,
    async [Symbol.asyncDispose]() {
      closing.abort();
      await linked;
    },
  };
}
