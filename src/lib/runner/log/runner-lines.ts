/** Lines of what the runner does besides answering: models come and go, pulls begin and end. */
import type { Signal } from '#lib/core/observable.ts';
import type { PullJson, PullStatus, RunnerJson } from '#lib/model/wire.ts';
import type { Log } from './log.ts';
import type { LogFields, LogMessage } from './messages.ts';

export interface LoggedParts {
  readonly residents: { readonly changed: Signal; readonly read: () => readonly RunnerJson[] };
  readonly pulls: { readonly changed: Signal; readonly read: () => readonly PullJson[] };
}

export function logRunner(log: Log, { residents, pulls }: LoggedParts): void {
  const models = new Map<string, RunnerJson>();
  residents.changed.subscribe(() => compareModels(log, models, residents.read()));
  const states = new Map<string, PullStatus>();
  pulls.changed.subscribe(() => comparePulls(log, states, pulls.read()));
}

function compareModels(log: Log, known: Map<string, RunnerJson>, present: readonly RunnerJson[]): void {
  const now = new Map(present.map((runner) => [`${runner.model_id} ${runner.mode}`, runner]));
  for (const [key, before] of known) {
    if (now.has(key)) continue;
    known.delete(key);
    if (before.loading) log.write('warn', 'scheduler', 'model failed to load', fieldsOfModel(before));
    else log.write('info', 'scheduler', 'model unloaded', fieldsOfModel(before));
  }
  for (const [key, runner] of now) {
    const before = known.get(key);
    known.set(key, runner);
    if (!before)
      log.write('info', 'scheduler', 'model loads', { model: runner.model_name, mode: runner.mode });
    if (runner.loading || (before && !before.loading)) continue;
    log.write('info', 'scheduler', 'model loaded', fieldsOfModel(runner));
  }
}

function fieldsOfModel(runner: RunnerJson): LogFields {
  const { model_name: model, backend_name: engine, mode, device, context_size } = runner;
  return { model, engine, mode, device, context_size };
}

const pullLines: Readonly<Partial<Record<PullStatus, LogMessage>>> = {
  resolving: 'pull began',
  paused: 'pull paused',
  failed: 'pull failed',
  done: 'pull done',
};

function comparePulls(log: Log, known: Map<string, PullStatus>, present: readonly PullJson[]): void {
  for (const pull of present) {
    if (known.get(pull.id) === pull.status) continue;
    known.set(pull.id, pull.status);
    const message = pullLines[pull.status];
    if (message) log.write(pull.status === 'failed' ? 'error' : 'info', 'pulls', message, fieldsOf(pull));
  }
}

/** A name is told once it is one of a stored model: before, it is whatever somebody typed. */
function fieldsOf(pull: PullJson): LogFields {
  return {
    ...(pull.status === 'done' && { model: pull.id }),
    ...(pull.error && { code: pull.error.code }),
    // Not known before the manifest has come.
    ...(pull.total_bytes > 0 && { bytes: pull.total_bytes }),
  };
}
