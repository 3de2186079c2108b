/** The answer while no tab is connected: says so, in a way that clients retry. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { ApiError } from '#lib/core/errors.ts';
import { sendError } from '#server/respond.ts';

export function sendNoTab(request: IncomingMessage, response: ServerResponse): void {
  const origin = `http://localhost:${request.socket.localPort ?? ''}`;
  const error = new ApiError(
    'no_host',
    `No Sampan tab is connected to this port. Open ${origin} in a browser, then send the request again.`,
  );
  response.appendHeader('Vary', 'Accept');
  sendError(response, error, { 'Retry-After': '1' });
}
