/** The two ways the companion answers without a file: JSON, and an `ApiError` as JSON. */
import type { ServerResponse } from 'node:http';
import type { ApiError } from '#lib/core/errors.ts';

export type Headers = Readonly<Record<string, string>>;

export function sendJson(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Headers = {},
): void {
  const bytes = Buffer.from(JSON.stringify(body));
  response.writeHead(status, {
    'Content-Type': 'application/json',
    'Content-Length': bytes.length,
    ...headers,
  });
  response.end(bytes);
}

/** Once the head is out there is no way left to say what failed, so the connection is cut: a short body must not look whole. */
export function sendError(response: ServerResponse, error: ApiError, headers: Headers = {}): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  sendJson(response, error.status, error, {
    'Cache-Control': 'no-store',
    'x-should-retry': String(error.retryable),
    ...headers,
  });
}
