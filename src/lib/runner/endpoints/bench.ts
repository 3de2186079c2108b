/** `/_sampan/bench`: runs a benchmark while its progress is written, and keeps what it found. */
import * as v from 'valibot';
import type { Clock } from '#lib/core/clock.ts';
import { ApiError } from '#lib/core/errors.ts';
import type { BenchHistoryJson, BenchLineJson } from '#lib/model/wire-bench.ts';
import { runBench } from '#lib/runner/bench/bench.ts';
import { benchCsv } from '#lib/runner/bench/csv.ts';
import { BenchResults } from '#lib/runner/bench/history.ts';
import type { BenchHistory, BenchModels } from '#lib/runner/bench/port.ts';
import type { Call, Route } from '#lib/runner/router.ts';
import { parseBody } from './body.ts';
import { lineResponse, plainLines } from './lines.ts';
import { json } from './respond.ts';

export interface BenchPorts {
  readonly models: BenchModels;
  readonly history: BenchHistory;
  readonly clock: Clock;
  /** Of Sampan. */
  readonly version: string;
}

const path = '/_sampan/bench';

export const benchBody = v.object({
  model: v.pipe(v.string(), v.minLength(1)),
  repetitions: v.nullish(v.pipe(v.number(), v.safeInteger(), v.minValue(1), v.maxValue(50))),
});

export function benchRoutes(ports: BenchPorts): readonly Route[] {
  const bench = new BenchDesk(ports);
  return [
    { method: 'POST', pattern: path, handle: (call) => bench.start(call) },
    { method: 'GET', pattern: path, handle: (call) => bench.list(call) },
    { method: 'DELETE', pattern: path, handle: () => bench.clear() },
    { method: 'DELETE', pattern: `${path}/*`, handle: ({ rest }) => bench.remove(rest) },
  ];
}

class BenchDesk {
  readonly #ports: BenchPorts;
  readonly #results: BenchResults;
  #isRunning = false;

  constructor(ports: BenchPorts) {
    this.#ports = ports;
    this.#results = new BenchResults(ports.history);
  }

  /** One at a time: two would measure each other. Ends when the reader leaves. */
  async start(call: Call): Promise<Response> {
    const { model, repetitions } = parseBody(benchBody, await call.json());
    const { models, clock, version } = this.#ports;
    await models.identify(model);
    return lineResponse<BenchLineJson>(call, plainLines, {
      run: (tell, signal) =>
        this.#alone(async () => {
          const options = { models, clock, version, repetitions: repetitions ?? 5, signal, tell };
          const result = await this.#results.add(await runBench(model, options));
          tell({ type: 'done', result });
        }),
      failed: (error) => ({ type: 'error', error: error.toJSON().error }),
    });
  }

  /** `model` is any digest or name as a result has it; `format` is json or csv. */
  async list({ url }: Call): Promise<Response> {
    const format = url.searchParams.get('format') ?? 'json';
    const model = url.searchParams.get('model') || undefined;
    const wanted = (await this.#results.list()).filter(
      (each) => model === undefined || each.model_id === model || each.model === model,
    );
    if (format === 'json') return json({ results: wanted } satisfies BenchHistoryJson);
    if (format === 'csv') {
      const headers = {
        'content-type': 'text/csv; charset=utf-8',
        'content-disposition': 'attachment; filename="sampan-bench.csv"',
      };
      return new Response(benchCsv(wanted), { headers });
    }
    throw new ApiError('invalid_request', '“format” must be json or csv.', { param: 'format' });
  }

  async remove(id: string): Promise<Response> {
    await this.#results.remove(id);
    return json({});
  }

  async clear(): Promise<Response> {
    await this.#results.clear();
    return json({});
  }

  async #alone(work: () => Promise<void>): Promise<void> {
    if (this.#isRunning) {
      throw new ApiError('conflict', 'A benchmark is running. Wait for its end, or cancel it.');
    }
    this.#isRunning = true;
    try {
      await work();
    } finally {
      this.#isRunning = false;
    }
  }
}
