/** How a program's API request reaches the tab that runs the models. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { OriginRules } from '#lib/core/origin.ts';

export interface TabGateway {
  /** What the user has decided about other pages, as the connected tab tells it. */
  readonly originRules?: OriginRules | undefined;
  /**
   * Answers `request` whole; resolves when the answer is out or the client is gone. The path has its double slashes
   * collapsed, and Host and Origin were checked. Throws `ApiError` before the first byte only.
   */
  handle(request: IncomingMessage, response: ServerResponse): Promise<void>;
  /** A WebSocket asks to be the engine. Never throws; without it there are no WebSockets. */
  upgrade?(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** Breaks every connection to a tab off. */
  close?(): void;
}
