/** What a client that was promised an event stream is given when the real answer comes. */
import { isEventStream } from './error-event.ts';
import type { WireRequest } from './wire-request.ts';

/** Whether the client expects events: `"stream": true` in the body, or its Accept header. */
export function isEventStreamWanted({ headers, body }: Pick<WireRequest, 'headers' | 'body'>): boolean {
  const accept = headers.find(([name]) => name === 'accept')?.[1] ?? '';
  return accept.includes('text/event-stream') || (body instanceof Uint8Array && asksToStream(body));
}

/** An event stream stays as it is; anything else, an error above all, becomes one event. */
export async function asEvents(answer: Response): Promise<Response> {
  if (isEventStream(answer.headers)) return answer;
  const lines = (await answer.text()).trimEnd().split('\n');
  return new Response(`${lines.map((line) => `data: ${line}`).join('\n')}\n\n`);
}

function asksToStream(body: Uint8Array): boolean {
  try {
    const parsed: unknown = JSON.parse(new TextDecoder().decode(body));
    return typeof parsed === 'object' && parsed !== null && 'stream' in parsed && parsed.stream === true;
  } catch {
    // Not JSON, so nothing that could ask for a stream; the runner will say what is wrong with it.
    return false;
  }
}
