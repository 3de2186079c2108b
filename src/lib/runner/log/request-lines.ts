/** What the log says of requests: that they began and how they ended, in figures. */
import type { RequestRowJson } from '#lib/model/wire-requests.ts';
import type { Recorder } from '#lib/runner/recorder/recorder.ts';
import { isEnd } from '#lib/runner/recorder/state-clock.ts';
import type { Log } from './log.ts';
import type { LogFields, LogMessage } from './messages.ts';

/** Returns how to stop. A request that is not recorded leaves no line either. */
export function logRequests(recorder: Recorder, log: Log): () => void {
  const begun = new Set<string>();
  return recorder.follow((change) => {
    if (change.type === 'gone') return change.ids.forEach((id) => begun.delete(id));
    const row = recorder.row(change.id);
    if (!row || row.imported) return;
    if (!isEnd(row.state)) {
      if (begun.has(row.id)) return;
      begun.add(row.id);
      log.write('info', 'runner', 'request began', beginning(row));
    } else if (begun.delete(row.id)) {
      log.write(row.state === 'failed' ? 'error' : 'info', 'runner', ending(row), figures(row));
    }
  });
}

function ending({ state }: RequestRowJson): LogMessage {
  if (state === 'failed') return 'request failed';
  return state === 'cancelled' ? 'request cancelled' : 'request answered';
}

function beginning({ id, mode, source }: RequestRowJson): LogFields {
  return { request: id, mode, source: source.kind };
}

/** Not the model as it was asked for: a client may write anything there. */
function figures({ id, engine, status_code, error_code, timing, usage }: RequestRowJson): LogFields {
  return {
    request: id,
    engine,
    status: status_code,
    code: error_code,
    duration_ms: timing.duration_ms,
    queue_ms: timing.queue_ms,
    load_ms: timing.load_ms,
    prompt_tokens: usage?.prompt_tokens,
    cached_tokens: usage?.cached_tokens,
    completion_tokens: usage?.completion_tokens,
    tokens_per_second: timing.tokens_per_second && Math.round(timing.tokens_per_second * 10) / 10,
  };
}
