/** The last check of every model on every engine and GPU, newest first, kept across reloads. */
import * as v from 'valibot';
import { isDigest, type Digest } from '#lib/core/digest.ts';
import type { GateResultJson } from '#lib/model/wire-gate.ts';
import type { BenchHistory } from '#lib/runner/bench/port.ts';
import { storedResults } from '#lib/runner/bench/stored.ts';

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

const result = v.object({
  id: v.string(),
  date_ms: v.pipe(v.number(), v.minValue(0), v.maxValue(8.64e15)),
  model: v.string(),
  model_id: v.custom<Digest>((value) => typeof value === 'string' && isDigest(value)),
  engine: v.string(),
  adapter: v.exactOptional(v.string()),
  version: v.string(),
  candidate: v.string(),
  reference: v.string(),
  positions: count,
  agreed: count,
  verdict: v.picklist(['agrees', 'close', 'differs']),
  detail: v.string(),
  differences: v.array(
    v.object({ position: count, after: v.string(), candidate: v.string(), reference: v.string() }),
  ),
});

/** The oldest go first. */
const maxResults = 100;

export class GateResults {
  readonly #store: BenchHistory;

  constructor(store: BenchHistory) {
    this.#store = store;
  }

  list(): Promise<readonly GateResultJson[]> {
    return storedResults(this.#store, result);
  }

  /** Takes the place of the earlier one of the same model, engine and GPU. The caller adds one after the other. */
  async add(found: Omit<GateResultJson, 'id'>): Promise<GateResultJson> {
    const added = { id: `gate_${Math.floor(found.date_ms).toString(36)}`, ...found };
    const others = (await this.list()).filter((each) => subjectOf(each) !== subjectOf(added));
    await this.#store.save([added, ...others].slice(0, maxResults));
    return added;
  }
}

function subjectOf({ model_id, engine, adapter }: GateResultJson): string {
  return JSON.stringify([model_id, engine, adapter]);
}
