/** The real scheduler over an engine that only takes memory, on a clock that a test moves. */
import { ManualClock } from '#lib/core/clock.ts';
import type { Digest } from '#lib/core/digest.ts';
import type { ModelRequest, Lease } from '#lib/runner/scheduler/request.ts';
import { Scheduler, type SchedulerOptions } from '#lib/runner/scheduler/scheduler.ts';
import { MemoryEngine, type MemoryEngineOptions } from './memory-engine.ts';

export interface BenchOptions extends Pick<MemoryEngineOptions, 'script'> {
  readonly budgetBytes?: number;
  /** Instead of `budgetBytes`, for one that changes. */
  readonly budget?: () => number;
  readonly keepAliveMs?: number;
  /** Instead of `keepAliveMs`, for one that changes. */
  readonly keepAlive?: SchedulerOptions['keepAliveMs'];
}

export interface WantedChanges extends Partial<Omit<ModelRequest, 'id' | 'config'>> {
  readonly parallel?: number;
  readonly contextSize?: number;
}

export function modelId(name: string): Digest {
  return `sha256:${name}`;
}

/** A request for the model of that name, of 10 bytes. */
export function wanted(
  name: string,
  { parallel = 1, contextSize = 64, ...changes }: WantedChanges = {},
): ModelRequest {
  const id = modelId(name);
  return {
    id,
    name,
    mode: 'completion',
    config: { contextSize, parallel },
    sizeBytes: 10,
    open: () => Promise.resolve({ kind: 'gguf', id, weights: [] }),
    ...changes,
  };
}

export function makeBench({
  budgetBytes = Infinity,
  budget = () => budgetBytes,
  script,
  keepAliveMs,
  keepAlive = keepAliveMs === undefined ? undefined : () => keepAliveMs,
}: BenchOptions = {}) {
  const clock = new ManualClock();
  const engine = new MemoryEngine({ clock, ...(script && { script }) });
  const failures: unknown[] = [];
  const scheduler = new Scheduler({
    engines: [engine],
    clock,
    memoryBudgetBytes: budget,
    onError: (thrown) => failures.push(thrown),
    ...(keepAlive && { keepAliveMs: keepAlive }),
  });
  /** What becomes of a request, followed without waiting for it. */
  const ask = (request: ModelRequest, signal = new AbortController().signal): Asked => {
    const asked: Asked = { lease: undefined, error: undefined };
    scheduler.acquire(request, signal).then(
      (lease) => (asked.lease = lease),
      (thrown: unknown) => (asked.error = thrown),
    );
    return asked;
  };
  /** Asks and lets everything happen that needs no time. */
  const get = async (request: ModelRequest): Promise<Asked> => {
    const asked = ask(request);
    await clock.advance(0);
    return asked;
  };
  /** Loads a model and leaves it idle. */
  const load = async (request: ModelRequest): Promise<void> => {
    const { lease, error } = await get(request);
    if (!lease) throw error ?? new Error('It has to wait.');
    lease.release();
    await clock.advance(0);
  };
  const names = () => scheduler.residents.map(({ request }) => request.name);
  return { clock, engine, scheduler, failures, ask, get, load, names };
}

export interface Asked {
  lease: Lease | undefined;
  error: unknown;
}
