/** `/_sampan/gate`: checks that a model computes correctly while the progress is written, and keeps what it found. */
import * as v from 'valibot';
import type { Clock } from '#lib/core/clock.ts';
import { ApiError } from '#lib/core/errors.ts';
import type { GateHistoryJson, GateLineJson } from '#lib/model/wire-gate.ts';
import type { BenchHistory, BenchModels } from '#lib/runner/bench/port.ts';
import { runGate } from '#lib/runner/gate/gate.ts';
import { GateResults } from '#lib/runner/gate/history.ts';
import { requireSubject, type SubjectPorts } from '#lib/runner/gate/subject.ts';
import type { Call, Route } from '#lib/runner/router.ts';
import { parseBody } from './body.ts';
import { lineResponse, plainLines } from './lines.ts';
import { json } from './respond.ts';

export interface GatePorts extends SubjectPorts {
  readonly models: BenchModels;
  readonly history: BenchHistory;
  readonly clock: Clock;
  /** Of Sampan. */
  readonly version: string;
}

const path = '/_sampan/gate';

export const gateBody = v.object({ model: v.pipe(v.string(), v.minLength(1)) });

export function gateRoutes(ports: GatePorts): readonly Route[] {
  const gate = new GateDesk(ports);
  return [
    { method: 'POST', pattern: path, handle: (call) => gate.start(call) },
    { method: 'GET', pattern: path, handle: (call) => gate.list(call) },
  ];
}

class GateDesk {
  readonly #ports: GatePorts;
  readonly #results: GateResults;
  #isRunning = false;

  constructor(ports: GatePorts) {
    this.#ports = ports;
    this.#results = new GateResults(ports.history);
  }

  /** One at a time, for each takes the model for itself. Ends when the reader leaves. */
  async start(call: Call): Promise<Response> {
    const { model } = parseBody(gateBody, await call.json());
    await requireSubject(model, this.#ports);
    const { models, clock, version } = this.#ports;
    return lineResponse<GateLineJson>(call, plainLines, {
      run: (tell, signal) =>
        this.#alone(async () => {
          const found = await runGate(model, { models, clock, version, signal, tell });
          tell({ type: 'done', result: await this.#results.add(found) });
        }),
      failed: (error) => ({ type: 'error', error: error.toJSON().error }),
    });
  }

  /** `model` is a digest, or a name as a result has it. */
  async list({ url }: Call): Promise<Response> {
    const model = url.searchParams.get('model') || undefined;
    const wanted = (await this.#results.list()).filter(
      (each) => model === undefined || each.model_id === model || each.model === model,
    );
    return json({ results: wanted } satisfies GateHistoryJson);
  }

  async #alone(work: () => Promise<void>): Promise<void> {
    if (this.#isRunning) {
      throw new ApiError('conflict', 'A check is running. Wait for its end, or cancel it.');
    }
    this.#isRunning = true;
    try {
      await work();
    } finally {
      this.#isRunning = false;
    }
  }
}
