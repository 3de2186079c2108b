/** Results of benchmarks, newest first, kept across reloads. */
import * as v from 'valibot';
import { isDigest, type Digest } from '#lib/core/digest.ts';
import { ApiError } from '#lib/core/errors.ts';
import type { BenchResultJson } from '#lib/model/wire-bench.ts';
import type { BenchHistory } from './port.ts';
import { storedResults } from './stored.ts';

const figure = v.object({ mean: v.number(), sd: v.number(), samples: v.array(v.number()) });
const speed = v.object({ tokens: v.number(), per_second: figure });

const result = v.object({
  id: v.string(),
  date_ms: v.pipe(v.number(), v.minValue(0), v.maxValue(8.64e15)),
  model: v.string(),
  model_id: v.custom<Digest>((value) => typeof value === 'string' && isDigest(value)),
  engine: v.string(),
  device: v.string(),
  adapter: v.exactOptional(v.string()),
  version: v.string(),
  prompt: speed,
  generation: speed,
  first_token: v.object({ cold_ms: v.number(), warm_ms: figure }),
  parallel: v.array(v.object({ requests: v.number(), per_second: figure })),
});

/** The oldest go first. */
export const maxResults = 500;

export class BenchResults {
  readonly #store: BenchHistory;
  /** Reads and writes one after the other, so that none is lost. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(store: BenchHistory) {
    this.#store = store;
  }

  list(): Promise<readonly BenchResultJson[]> {
    return storedResults(this.#store, result);
  }

  add(measured: Omit<BenchResultJson, 'id'>): Promise<BenchResultJson> {
    return this.#inTurn(async () => {
      const results = await this.list();
      const added = { id: freeId(measured.date_ms, results), ...measured };
      await this.#store.save([added, ...results].slice(0, maxResults));
      return added;
    });
  }

  /** Throws `invalid_request` when there is none of the id. */
  remove(id: string): Promise<void> {
    return this.#inTurn(async () => {
      const results = await this.list();
      const kept = results.filter((each) => each.id !== id);
      if (kept.length === results.length) {
        throw new ApiError('invalid_request', 'There is no such result. It may have been deleted.', {
          param: 'id',
        });
      }
      await this.#store.save(kept);
    });
  }

  clear(): Promise<void> {
    return this.#inTurn(() => this.#store.save([]));
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work);
    // A failure is its caller's; the next one goes on.
    this.#last = done.catch(() => undefined);
    return done;
  }
}

function freeId(dateMs: number, results: readonly BenchResultJson[]): string {
  let number = Math.floor(dateMs);
  const isTaken = (id: string) => results.some((each) => each.id === id);
  while (isTaken(`bench_${number.toString(36)}`)) number++;
  return `bench_${number.toString(36)}`;
}
