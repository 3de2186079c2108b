/** A streamed chat completion, as chunks. */
import { ApiError, errorFromBody } from '#lib/core/errors.ts';
import type { ChatChunk, ChatRequest } from '#lib/openai/chat.ts';
import { parseJson, post, send, serverSentEvents, type Client } from './client.ts';

/**
 * Tells the id of the request's record when the answer begins, if there is one. Ends after `[DONE]`; throws what the engine reports in the stream, and `host_lost` when it
 * falls silent before.
 */
export async function* streamChat(
  client: Client,
  request: ChatRequest,
  signal: AbortSignal,
  onRecorded: (requestId: string) => void = () => undefined,
): AsyncGenerator<ChatChunk> {
  const body = { ...request, stream: true, stream_options: { include_usage: true }, return_progress: true };
  const response = await send(client, '/engines/v1/chat/completions', { ...post(body), signal });
  const requestId = response.headers.get('x-request-id');
  if (requestId !== null) onRecorded(requestId);
  for await (const { data } of serverSentEvents(response)) {
    if (data === '[DONE]') return;
    const value = parseJson(data);
    if (typeof value === 'object' && value !== null && 'error' in value)
      throw errorFromBody(value, response.status);
    // The boundary: the runner is this same build.
    yield value as ChatChunk;
  }
  signal.throwIfAborted();
  throw new ApiError('host_lost', 'The tab that ran the engine went away. Regenerate to ask the new one.');
}
