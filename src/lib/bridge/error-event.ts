/** After its first byte an event stream can only fail in band: one `data: {"error":…}`, then the end, without `[DONE]`. */
import { toApiError, type ApiError } from '#lib/core/errors.ts';

export type ByteStream = ReadableStream<Uint8Array<ArrayBuffer>>;

export function isEventStream(headers: Headers): boolean {
  return headers.get('content-type')?.startsWith('text/event-stream') ?? false;
}

/** The same stream, except that a failure becomes its last event. After `signal` aborts, failures pass through. */
export function endingInErrorEvent(body: ByteStream, signal: AbortSignal): ByteStream {
  const reader = body.getReader();
  const pull = async (controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>) => {
    try {
      const { done, value } = await reader.read();
      if (done) controller.close();
      else controller.enqueue(value);
    } catch (thrown) {
      if (signal.aborted) throw thrown;
      controller.enqueue(errorEvent(toApiError(thrown)));
      controller.close();
    }
  };
  return new ReadableStream({ pull, cancel: (reason) => reader.cancel(reason) }, { highWaterMark: 0 });
}

function errorEvent(error: ApiError): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`data: ${JSON.stringify(error)}\n\n`);
}
