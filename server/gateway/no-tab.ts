/** The gateway while no tab is connected: says so, in a way that clients retry. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { ApiError } from '#lib/core/errors.ts';
import { sendError } from '#server/respond.ts';
import type { TabGateway } from './port.ts';

export class NoTabGateway implements TabGateway {
  handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const origin = `http://localhost:${request.socket.localPort ?? ''}`;
    const error = new ApiError(
      'no_host',
      `No Sampan tab is connected to this port. Open ${origin} in a browser and call this path from a page there.`,
    );
    sendError(response, error, { 'Retry-After': '1', Vary: 'Accept' });
    return Promise.resolve();
  }
}
