/** An endpoint whose requests are recorded: from the first byte that is read to the last that is sent. */
import { errorFromBody, toApiError } from '#lib/core/errors.ts';
import type { RequestMode } from '#lib/model/wire-requests.ts';
import type { Call, Route } from '#lib/runner/router.ts';
import type { Recorder } from './recorder.ts';
import type { Recording } from './recording.ts';

export type RecordedHandler = (call: Call, recording: Recording) => Promise<Response>;

/**
 * What `handle` throws is answered here, so that the answer can carry the id of the record. `onError` hears of
 * unexpected failures.
 */
export function recorded(
  recorder: Recorder,
  mode: RequestMode,
  handle: RecordedHandler,
  onError: (thrown: unknown) => void,
): Route['handle'] {
  return async (call) => {
    const recording = recorder.begin(call, mode);
    const marked = recorder.keeps(recording) ? { 'x-request-id': recording.id } : {};
    try {
      return await observed(await handle(call, recording), recording, marked);
    } catch (thrown) {
      const error = toApiError(thrown);
      if (error.code === 'internal') onError(thrown);
      recording.fail(error);
      return error.toResponse(marked);
    }
  };
}

type Marks = Readonly<Record<string, string>>;

async function observed(response: Response, recording: Recording, marks: Marks): Promise<Response> {
  const headers = new Headers(response.headers);
  for (const [name, value] of Object.entries(marks)) headers.set(name, value);
  recording.answered(response.status, Object.fromEntries(headers));
  const init = { status: response.status, headers };
  if (response.body && isStream(response)) return new Response(watched(response.body, recording), init);
  const body = await response.text();
  if (response.ok) recording.finish(body);
  else recording.fail(errorFromBody(parsed(body), response.status), body);
  return new Response(body, init);
}

function isStream({ headers }: Response): boolean {
  return /^(text\/event-stream|application\/x-ndjson)/.test(headers.get('content-type') ?? '');
}

/** Nothing is read ahead of who reads it, so back-pressure stays what it was. */
function watched(
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
  recording: Recording,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  return new ReadableStream(
    {
      async pull(controller) {
        try {
          const { done, value } = await reader.read();
          if (!done) {
            recording.frame(decoder.decode(value, { stream: true }));
            controller.enqueue(value);
            return;
          }
          recording.finish();
          controller.close();
        } catch (thrown) {
          recording.fail(toApiError(thrown));
          controller.error(thrown);
        }
      },
      async cancel(reason) {
        recording.cancel();
        await reader.cancel(reason);
      },
    },
    { highWaterMark: 0 },
  );
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
