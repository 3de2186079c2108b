/** How a request gets its model, as the scheduler shows it: it waits, the model loads, it has its turn. */
import type { Digest } from '#lib/core/digest.ts';
import type { Lease, ModelRequest, Scheduler } from '#lib/runner/scheduler.ts';
import type { Recording } from './recording.ts';

/** As `scheduler.acquire`, told to the recording. `parameters`: what the request runs with, after the model's defaults. */
export async function acquireRecorded(
  { scheduler, recording }: { readonly scheduler: Scheduler; readonly recording: Recording },
  wanted: ModelRequest,
  parameters: Readonly<Record<string, unknown>>,
  signal: AbortSignal,
): Promise<Lease> {
  recording.queued(wanted.id, wanted.name);
  const follow = () => {
    if (isLoading(scheduler, wanted.id)) recording.loading();
    else recording.waiting();
  };
  const stop = scheduler.changed.subscribe(follow);
  try {
    const lease = await scheduler.acquire(wanted, signal);
    recording.prefill({ engine: scheduler.resident?.engine, model: lease.model, parameters });
    return lease;
  } finally {
    stop();
  }
}

function isLoading({ resident }: Scheduler, id: Digest): boolean {
  return resident?.state === 'loading' && resident.request.id === id;
}
