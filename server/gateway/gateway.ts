/** The gateway: one tab at a time answers for every program on the machine. */
import { randomBytes } from 'node:crypto';
import { STATUS_CODES, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { gatewayPath, gatewaySubprotocol, gatewayVersion } from '#lib/bridge/socket/protocol.ts';
import { introductionPath, maxFrameBytes, politeSearch } from '#lib/bridge/socket/protocol.ts';
import { systemClock, type Clock } from '#lib/core/clock.ts';
import { ApiError, toApiError } from '#lib/core/errors.ts';
import type { OriginRules } from '#lib/core/origin.ts';
import type { HostCheck } from '#server/host-check.ts';
import { sendJson } from '#server/respond.ts';
import { admitIntroduction, admitTab } from './admission.ts';
import { carry } from './carried-request.ts';
import { sendNoTab } from './no-tab.ts';
import type { TabGateway } from './port.ts';
import { Tab } from './tab.ts';

export interface SocketGatewayOptions {
  readonly host: HostCheck;
  readonly clock?: Clock | undefined;
  /** How long a request waits for the first tab. */
  readonly firstTabMs?: number | undefined;
}

/** How long a request waits for a tab that was here a moment ago: a reload takes that long. */
const returnMs = 2000;
/** After so long nobody counts on its return. */
const recentMs = 15_000;

export class SocketGateway implements TabGateway {
  readonly #host: HostCheck;
  readonly #clock: Clock;
  readonly #firstTabMs: number;
  /** New with every start, so that a page of an earlier one has to ask again. */
  readonly #token = randomBytes(32).toString('base64url');
  readonly #sockets = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    maxPayload: maxFrameBytes,
    // The other end is this machine.
    perMessageDeflate: false,
    handleProtocols: () => gatewaySubprotocol,
  });
  readonly #waiters = new Set<(tab: Tab) => void>();
  readonly #replaced = new Set<Tab>();
  #tab: Tab | undefined;
  #lastLostMs: number | undefined;

  constructor({ host, clock = systemClock, firstTabMs = 0 }: SocketGatewayOptions) {
    this.#host = host;
    this.#clock = clock;
    this.#firstTabMs = firstTabMs;
  }

  /** Forgotten with the tab: where nobody answers, nobody needs to be let in. */
  get originRules(): OriginRules | undefined {
    return this.#tab?.originRules;
  }

  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.url === introductionPath) {
      this.#introduce(request, response);
      return;
    }
    const tab = await this.tab(this.#patienceMs());
    if (response.destroyed) return;
    if (tab) await carry(tab, request, response, this.#clock);
    else sendNoTab(request, response);
  }

  /** The connected tab, or `undefined` when none connects within `withinMs`. */
  tab(withinMs: number): Promise<Tab | undefined> {
    if (this.#tab || withinMs <= 0) return Promise.resolve(this.#tab);
    return new Promise((resolve) => {
      const settle = (tab: Tab | undefined) => {
        cancelTimer();
        this.#waiters.delete(settle);
        resolve(tab);
      };
      const cancelTimer = this.#clock.after(withinMs, () => settle(undefined));
      this.#waiters.add(settle);
    });
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => socket.destroy());
    try {
      this.#admit(request);
    } catch (thrown) {
      refuse(socket, toApiError(thrown));
      return;
    }
    this.#sockets.handleUpgrade(request, socket, head, (connected) => {
      const tab = new Tab(connected, this.#clock, (lost) => this.#lose(lost));
      this.#welcome(tab);
    });
  }

  close(): void {
    for (const tab of this.#replaced) tab.destroy();
    this.#tab?.destroy();
    this.#sockets.close();
  }

  #introduce(request: IncomingMessage, response: ServerResponse): void {
    admitIntroduction(request);
    sendJson(response, 200, { token: this.#token, version: gatewayVersion }, { 'Cache-Control': 'no-store' });
  }

  #admit(request: IncomingMessage): void {
    const { url = '' } = request;
    if (url !== gatewayPath && url !== gatewayPath + politeSearch) {
      throw new ApiError('route_not_found', 'No WebSocket answers at this path.');
    }
    this.#host.check(request);
    admitTab(request, this.#token);
    if (url.endsWith(politeSearch) && this.#tab) {
      throw new ApiError('conflict', 'Another tab runs the models. Close it to use this one.');
    }
  }

  /** The newest engine wins: in one browser it is the elected one, in two it is the one that was started last. */
  #welcome(tab: Tab): void {
    if (this.#tab) {
      this.#replaced.add(this.#tab);
      this.#tab.replace();
    }
    this.#tab = tab;
    for (const settle of [...this.#waiters]) settle(tab);
  }

  #lose(tab: Tab): void {
    this.#replaced.delete(tab);
    if (this.#tab !== tab) return;
    this.#tab = undefined;
    this.#lastLostMs = this.#clock.now();
  }

  #patienceMs(): number {
    if (this.#lastLostMs === undefined) return this.#firstTabMs;
    // A headless browser that crashed is started again, which takes as long as the first time.
    const isRecent = this.#clock.now() - this.#lastLostMs < Math.max(recentMs, this.#firstTabMs);
    return isRecent ? Math.max(returnMs, this.#firstTabMs) : 0;
  }
}

function refuse(socket: Duplex, error: ApiError): void {
  const body = JSON.stringify(error);
  const lines = [
    `HTTP/1.1 ${error.status} ${STATUS_CODES[error.status] ?? ''}`,
    'Connection: close',
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
  ];
  socket.end([...lines, '', body].join('\r\n'));
}
