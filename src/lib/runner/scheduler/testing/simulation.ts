/** Runs a schedule of requests, deaths and departures through the real scheduler, and collects every broken rule. */
import { sleep } from '#lib/core/clock.ts';
import { ApiError, toApiError } from '#lib/core/errors.ts';
import type { Lease, ModelRequest } from '#lib/runner/scheduler/request.ts';
import { Scheduler } from '#lib/runner/scheduler/scheduler.ts';
import { modelId, wanted } from './bench.ts';
import { EventClock } from './event-clock.ts';
import { lostError, MemoryEngine, type LoadScript, type MemoryModel } from './memory-engine.ts';

export interface SimulatedModel {
  readonly sizeBytes: number;
  readonly parallel: number;
  readonly keepAliveMs: number;
}

export interface SimulatedRequest {
  readonly atMs: number;
  /** Index of its model, taken modulo their number. */
  readonly model: number;
  readonly contextSize: number;
  readonly holdMs: number;
  readonly leavesAfterMs?: number | undefined;
}

export interface Schedule {
  readonly budgetBytes: number;
  readonly models: readonly SimulatedModel[];
  /** How each load goes in turn; those after them take no time. */
  readonly loads: readonly (LoadScript & { readonly fails?: boolean | undefined })[];
  readonly requests: readonly SimulatedRequest[];
}

export interface Outcome {
  /** `undefined`: it never ended. */
  readonly code: string | undefined;
  /** Until its model answered for the first time, or it ended. */
  readonly waitedMs: number;
}

export interface Report {
  readonly outcomes: readonly Outcome[];
  /** Rules that were broken, in words. */
  readonly broken: readonly string[];
  readonly deaths: number;
}

/** Made once: a stack trace takes longer than a schedule. */
const [gone, failure, lost] = [
  new DOMException('Left.', 'AbortError'),
  new ApiError('unsupported_model_format', 'No.'),
  lostError(),
];

/** Longer than anything that a schedule may hold. */
const wholeMs = 3_600_000;

export async function simulate(schedule: Schedule): Promise<Report> {
  const simulation = new Simulation(schedule);
  return simulation.run();
}

class Simulation {
  readonly #clock = new EventClock();
  readonly #broken: string[] = [];
  readonly #schedule: Schedule;
  readonly #engine: MemoryEngine;
  readonly #scheduler: Scheduler;
  /** By model: the latest arrival that was served. */
  readonly #served = new Map<string, number>();
  #closing = false;

  constructor(schedule: Schedule) {
    this.#schedule = schedule;
    this.#engine = new MemoryEngine({
      clock: this.#clock,
      script: (nth) => {
        const { fails, ...script } = schedule.loads[nth] ?? {};
        return fails ? { ...script, failure } : script;
      },
    });
    this.#engine.onLoad = () => this.#checkBudget();
    this.#engine.onClose = (model) => this.#checkClosed(model);
    this.#scheduler = new Scheduler({
      engines: [this.#engine],
      clock: this.#clock,
      memoryBudgetBytes: () => schedule.budgetBytes,
    });
  }

  async run(): Promise<Report> {
    const { requests } = this.#schedule;
    const outcomes: Outcome[] = requests.map(() => ({ code: undefined, waitedMs: Infinity }));
    for (const [index, request] of requests.entries()) {
      this.#clock.after(request.atMs, () => {
        void this.#ask(request, index).then((outcome) => (outcomes[index] = outcome));
      });
    }
    await this.#clock.runUntil(wholeMs);
    this.#checkEnd();
    this.#closing = true;
    await Promise.all([this.#scheduler.close(), this.#clock.runUntil(2 * wholeMs)]);
    this.#checkEveryLoad();
    const deaths = this.#engine.loads.filter(({ dead }) => dead).length;
    return { outcomes, broken: this.#broken, deaths };
  }

  async #ask({ leavesAfterMs, holdMs, ...request }: SimulatedRequest, index: number): Promise<Outcome> {
    const askedAtMs = this.#clock.now();
    const left = new AbortController();
    if (leavesAfterMs !== undefined) this.#clock.after(leavesAfterMs, () => left.abort(gone));
    let servedAtMs: number | undefined;
    const answer = async function* (this: Simulation, lease: Lease) {
      if (servedAtMs === undefined) this.#checkOrder(request, index);
      servedAtMs ??= this.#clock.now();
      yield* this.#hold(lease, holdMs, left.signal);
    };
    let code = 'done';
    try {
      const events = this.#scheduler.run(this.#wanted(request), left.signal, (lease) =>
        answer.call(this, lease),
      );
      for await (const _ of events);
    } catch (thrown) {
      code = toApiError(thrown).code;
    }
    return { code, waitedMs: (servedAtMs ?? this.#clock.now()) - askedAtMs };
  }

  /** Half of its time until the first word, half after it. */
  async *#hold(lease: Lease, holdMs: number, signal: AbortSignal): AsyncGenerator<string, void, undefined> {
    const model = this.#engine.loads.find((each) => each === lease.model);
    if (!model) throw new Error('A lease of a model that was never loaded.');
    model.leases++;
    model.served++;
    if (model.leases > model.inForce.parallel) this.#broken.push('more leases than places');
    try {
      for (const word of ['one', 'two']) {
        await sleep(this.#clock, holdMs / 2, signal);
        if (model.dead) throw lost;
        yield word;
      }
    } finally {
      model.leases--;
    }
  }

  #wanted({ model, contextSize }: Pick<SimulatedRequest, 'model' | 'contextSize'>): ModelRequest {
    const { models } = this.#schedule;
    const index = model % models.length;
    const { sizeBytes = 1, parallel = 1, keepAliveMs = 0 } = models[index] ?? {};
    // What is pinned is not reloaded, so that every end of it can be judged.
    const context = keepAliveMs === Infinity ? 64 : contextSize;
    return wanted(String(index), { sizeBytes, parallel, keepAliveMs, contextSize: context });
  }

  #checkBudget(): void {
    const { held } = this.#engine;
    const bytes = held.reduce((sum, { id }) => sum + (this.#modelOf(id)?.sizeBytes ?? 0), 0);
    if (held.length > 1 && bytes > this.#schedule.budgetBytes) this.#broken.push('more memory than there is');
  }

  #checkClosed(model: MemoryModel): void {
    if (model.dead || this.#closing) return;
    if (model.leases > 0) this.#broken.push('a busy model was closed');
    const pinned = this.#modelOf(model.id)?.keepAliveMs === Infinity;
    if (pinned && model.served > 0) this.#broken.push('a pinned model was closed');
  }

  #checkOrder(request: Pick<SimulatedRequest, 'model' | 'contextSize'>, index: number): void {
    const { id } = this.#wanted(request);
    const before = this.#served.get(id) ?? -1;
    if (this.#isBefore(index, before)) this.#broken.push('overtaken by a later request for the same model');
    this.#served.set(id, index);
  }

  #isBefore(one: number, other: number): boolean {
    const { requests } = this.#schedule;
    const [first, second] = [requests[one]?.atMs ?? 0, requests[other]?.atMs ?? -1];
    return first < second || (first === second && one < other);
  }

  #checkEnd(): void {
    const left = this.#scheduler.residents.filter(({ request }) => request.keepAliveMs !== Infinity);
    if (left.length > 0) this.#broken.push('a model outlived its keep-alive');
    if (this.#scheduler.queued > 0) this.#broken.push('a request still waits');
    if (this.#scheduler.residents.some(({ state }) => state !== 'idle'))
      this.#broken.push('a model is still busy');
  }

  #checkEveryLoad(): void {
    for (const { state, closes } of this.#engine.loads) {
      const once = (state === 'freed' && closes === 1) || (state === 'failed' && closes === 0);
      if (!once) this.#broken.push(`a load is ${state} after ${closes} closes`);
    }
  }

  #modelOf(id: string): SimulatedModel | undefined {
    return this.#schedule.models.find((_, index) => modelId(String(index)) === id);
  }
}
