/** A request to the runner, wherever it lives, answered as `fetch` would: used by pages and by the service worker. */
import { toApiError } from '#lib/core/errors.ts';
import { connect, type ConnectOptions } from './connect.ts';
import { endingInErrorEvent, isEventStream } from './error-event.ts';
import type { Reply } from './exchange.ts';
import { readRequest } from './wire-request.ts';

/**
 * Rejects only with the signal's reason. A host that is missing or dies before the head becomes a 503 response; one that
 * dies later ends an event stream with an error event, and breaks any other body.
 */
export async function callHost(request: Request, options: ConnectOptions = {}): Promise<Response> {
  const { signal = request.signal } = options;
  try {
    const exchange = await connect(await readRequest(request, 'page'), { ...options, signal });
    return toResponse(await exchange.reply(), signal);
  } catch (thrown) {
    if (signal.aborted) throw thrown;
    return toErrorResponse(thrown);
  }
}

export function toResponse({ status, headers, body }: Reply, signal: AbortSignal): Response {
  if (isBodiless(status)) {
    void body.cancel();
    return new Response(null, { status, headers });
  }
  return new Response(isEventStream(headers) ? endingInErrorEvent(body, signal) : body, { status, headers });
}

export function toErrorResponse(thrown: unknown): Response {
  const error = toApiError(thrown);
  return error.toResponse(error.code === 'no_host' ? { 'retry-after': '1' } : {});
}

/** Fetch standard, “null body status”: the constructor throws when such a response is given a body. */
function isBodiless(status: number): boolean {
  return status === 204 || status === 205 || status === 304;
}
