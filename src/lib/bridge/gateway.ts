/**
 * The service worker's way to the runner. A pending `respondWith` never sees its client leave and dies after 308 s
 * (Chromium), so the gateway answers within seconds, with a stream that can be cancelled, and lets the truth follow.
 */
import type { Clock } from '#lib/core/clock.ts';
import { toErrorResponse, toResponse } from './call.ts';
import { connect, type ConnectOptions } from './connect.ts';
import { bridgeOf } from './environment.ts';
import type { ByteStream } from './error-event.ts';
import type { Exchange } from './exchange.ts';
import { asEvents, isEventStreamWanted } from './late-answer.ts';
import { readRequest } from './wire-request.ts';

interface GatewayOptions extends Omit<ConnectOptions, 'signal'> {
  /** How long after the acknowledgement the real head may still decide the status. */
  readonly headWaitMs?: number | undefined;
}

const heartbeatMs = 10_000;

/** Never rejects. Errors before the head wait is over keep their status; later ones are told in the body. */
export async function gateway(request: Request, options: GatewayOptions = {}): Promise<Response> {
  const { headWaitMs = 2000 } = options;
  const { signal } = request;
  const { clock } = bridgeOf(options);
  try {
    const wire = await readRequest(request, 'tab');
    const exchange = await connect(wire, { ...options, signal });
    const answer = exchange.reply().then((reply) => toResponse(reply, signal), toErrorResponse);
    const early = await within(answer, headWaitMs, clock);
    return early ?? commit(answer, exchange, { clock, asEventStream: isEventStreamWanted(wire) });
  } catch (thrown) {
    return toErrorResponse(thrown);
  }
}

interface CommitOptions {
  readonly clock: Clock;
  readonly asEventStream: boolean;
}

/** 200 now; heartbeats until the real answer comes; then its body, whatever its status. */
function commit(
  answer: Promise<Response>,
  exchange: Exchange,
  { clock, asEventStream }: CommitOptions,
): Response {
  const beat = new TextEncoder().encode(asEventStream ? ': waiting\n\n' : ' ');
  const rest = asEventStream ? answer.then(asEvents) : answer;
  const body = heartbeatsUntil(rest, { beat, clock, onCancel: () => exchange.cancel() });
  const contentType = asEventStream ? 'text/event-stream' : 'application/json';
  return new Response(body, { headers: { 'content-type': contentType, 'cache-control': 'no-cache' } });
}

interface HeartbeatOptions {
  readonly clock: Clock;
  readonly beat: Uint8Array<ArrayBuffer>;
  /** The consumer left before the answer came. */
  readonly onCancel: () => void;
}

function heartbeatsUntil(answer: Promise<Response>, { clock, beat, onCancel }: HeartbeatOptions): ByteStream {
  let stop: () => void = () => undefined;
  const reader = answer.then(({ body }) => body?.getReader());
  return new ReadableStream(
    {
      start(controller) {
        const next = () => {
          controller.enqueue(beat);
          stop = clock.after(heartbeatMs, next);
        };
        stop = clock.after(heartbeatMs, next);
        const ended = () => stop();
        reader.then(ended, ended);
      },
      async pull(controller) {
        const { done, value } = (await (await reader)?.read()) ?? { done: true, value: undefined };
        if (done) controller.close();
        else controller.enqueue(value);
      },
      cancel() {
        stop();
        onCancel();
      },
    },
    { highWaterMark: 0 },
  );
}

/** The promise's value, or `undefined` if it takes longer. */
async function within<T>(promise: Promise<T>, timeoutMs: number, clock: Clock): Promise<T | undefined> {
  let cancelTimer: () => void = () => undefined;
  const timeout = new Promise<undefined>((resolve) => {
    cancelTimer = clock.after(timeoutMs, () => resolve(undefined));
  });
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    cancelTimer();
  }
}
