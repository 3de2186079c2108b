/** How a program's API request reaches the tab that runs the models. */
import type { IncomingMessage, ServerResponse } from 'node:http';

export interface TabGateway {
  /**
   * Answers `request` whole; resolves when the answer is out or the client is gone. The path has its double slashes
   * collapsed, and the Host header was checked. Throws `ApiError` before the first byte only.
   */
  handle(request: IncomingMessage, response: ServerResponse): Promise<void>;
}
