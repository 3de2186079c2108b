/** How a request gets its model, as the scheduler shows it: it waits, the model loads, it has its turn. */
import type { LoadedModel } from '#lib/engine/port.ts';
import type { ModelRequest } from '#lib/runner/scheduler/request.ts';
import type { Scheduler } from '#lib/runner/scheduler/scheduler.ts';
import type { Recording } from './recording.ts';

export interface RecordedTurn {
  readonly wanted: ModelRequest;
  /** What the request runs with, after the model's defaults. */
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly signal: AbortSignal;
}

/** As `scheduler.run`, told to the recording. */
export async function* runRecorded<T>(
  { scheduler, recording }: { readonly scheduler: Scheduler; readonly recording: Recording },
  { wanted, parameters, signal }: RecordedTurn,
  use: (model: LoadedModel) => AsyncIterable<T>,
): AsyncGenerator<T, void, undefined> {
  recording.queued(wanted.id, wanted.name);
  const stop = scheduler.changed.subscribe(() => {
    if (isLoading(scheduler, wanted)) recording.loading();
    else recording.waiting();
  });
  try {
    yield* scheduler.run(
      wanted,
      signal,
      ({ engine, model }) => {
        stop();
        recording.prefill({ engine, model, parameters });
        return use(model);
      },
      isAnswer,
    );
  } finally {
    stop();
  }
}

/** Of the prompt being read nothing has left the runner. */
function isAnswer(item: unknown): boolean {
  return !(typeof item === 'object' && item !== null && 'type' in item && item.type === 'prefill');
}

function isLoading(scheduler: Scheduler, { id, mode }: ModelRequest): boolean {
  return scheduler.residentOf(id, mode)?.state === 'loading';
}
