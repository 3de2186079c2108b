/** The live feed of the request inspector: rows that match a filter as they change, and ids that match no more. */
import { AsyncQueue } from '#lib/core/async-queue.ts';
import type { RequestEvents } from '#lib/model/wire-requests.ts';
import { sseEvent, sseHeaders } from '#lib/openai/sse.ts';
import type { Criteria } from '#lib/runner/recorder/filter.ts';
import type { RecorderChange } from '#lib/runner/recorder/changes.ts';
import type { Recorder } from '#lib/runner/recorder/recorder.ts';
import type { Call } from '#lib/runner/router.ts';
import { streamed } from './respond.ts';

export function requestEvents({ request }: Call, recorder: Recorder, wanted: Criteria): Response {
  const queue = new AsyncQueue<RecorderChange>(() => stop());
  const pending = new Set<string>();
  const stop = recorder.follow((change) => {
    // Each row is read when its turn comes: a reader that lags gets the newest, once.
    if (change.type === 'changed' && pending.has(change.id)) return;
    if (change.type === 'changed') pending.add(change.id);
    queue.push(change);
  });
  request.signal.addEventListener('abort', () => void queue.return(), { once: true });
  return streamed(told({ queue, pending, recorder, wanted }), {
    headers: sseHeaders,
    onCancel: () => void queue.return(),
  });
}

interface Telling {
  readonly queue: AsyncQueue<RecorderChange>;
  /** Ids that are in the queue. */
  readonly pending: Set<string>;
  readonly recorder: Recorder;
  readonly wanted: Criteria;
}

async function* told({
  queue,
  pending,
  recorder,
  wanted,
}: Telling): AsyncGenerator<Uint8Array<ArrayBuffer>, void, undefined> {
  let { kept } = recorder;
  yield event('kept', kept);
  for await (const change of queue) {
    if (change.type === 'gone') yield event('gone', { ids: change.ids });
    else {
      pending.delete(change.id);
      yield await changed(change.id, recorder, wanted);
    }
    const { count, bytes } = recorder.kept;
    if (count === kept.count && bytes === kept.bytes) continue;
    kept = { count, bytes };
    yield event('kept', kept);
  }
}

/** To say of a row that was never told that it is gone does no harm. */
async function changed(id: string, recorder: Recorder, wanted: Criteria): Promise<Uint8Array<ArrayBuffer>> {
  const matches = await recorder.matches(id, wanted);
  const row = recorder.row(id);
  return row && matches ? event('request', row) : event('gone', { ids: [id] });
}

function event<Name extends keyof RequestEvents>(
  name: Name,
  value: RequestEvents[Name],
): Uint8Array<ArrayBuffer> {
  return sseEvent(name, value);
}
