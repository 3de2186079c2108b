/** How state reaches the daemon: the one API everybody uses, with errors as `ApiError`. */
import { EventSourceParserStream, type EventSourceMessage } from 'eventsource-parser/stream';
import { ApiError, errorFromBody, toApiError } from '#lib/core/errors.ts';

/** `fetch`, but to the runner, wherever it lives. */
export interface Client {
  fetch(path: string, init?: RequestInit): Promise<Response>;
}

/** Resolves with a successful response; throws an `ApiError` for every other one. */
export async function send(client: Client, path: string, init: RequestInit = {}): Promise<Response> {
  let response: Response;
  try {
    response = await client.fetch(path, init);
  } catch (thrown) {
    throw toApiError(thrown);
  }
  if (response.ok) return response;
  throw errorFromBody(parseJson(await response.text()), response.status);
}

/** A POST of JSON; without a body when there is nothing to say. */
export function post(body?: object): RequestInit {
  if (!body) return { method: 'POST' };
  return { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
}

/** The events of a `text/event-stream` response, one by one. */
export function serverSentEvents(response: Response): AsyncIterable<EventSourceMessage> {
  if (!response.body) throw new ApiError('internal', 'The engine sent an answer without a body. Try again.');
  return response.body.pipeThrough(new TextDecoderStream()).pipeThrough(new EventSourceParserStream());
}

/** `undefined` for what is no JSON: an error page of a proxy, an empty body. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Not JSON is an answer too: the caller then judges by the status.
    return undefined;
  }
}
