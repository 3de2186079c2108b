import { expect, it, vi } from 'vitest';
import { ManualClock } from '#lib/core/clock.ts';
import type { Digest } from '#lib/core/digest.ts';
import { ApiError, toApiError } from '#lib/core/errors.ts';
import type { LoadConfig, LoadedModel } from '#lib/engine/port.ts';
import { ScriptedEngine, type ScriptedOptions } from '#lib/engine/scripted.ts';
import type { BenchHistoryJson, BenchLineJson } from '#lib/model/wire-bench.ts';
import { Router } from '#lib/runner/router.ts';
import { benchRoutes } from './bench.ts';

const id: Digest = `sha256:${'a'.repeat(64)}`;

/** What a model would say that goes on for ever. */
const endless = () => Array.from({ length: 200 }, () => ' word');

function setUp(script: ScriptedOptions = {}, maxParallel = 8) {
  const clock = new ManualClock(Date.UTC(2026, 0, 1));
  const engine = new ScriptedEngine({ reply: endless, ...script });
  const configs: LoadConfig[] = [];
  let stored: unknown;
  const withModel = async <T>(
    _reference: string,
    config: LoadConfig,
    use: (model: LoadedModel) => Promise<T>,
    signal: AbortSignal,
  ): Promise<T> => {
    configs.push(config);
    const parallel = Math.min(maxParallel, config.parallel ?? 1);
    const model = await engine.load({ kind: 'gguf', id, weights: [] }, { ...config, parallel }, { signal });
    try {
      return await use(model);
    } finally {
      await model.close();
    }
  };
  const router = new Router(
    benchRoutes({
      clock,
      version: '0.0.0-test',
      models: {
        withModel,
        identify: (reference) =>
          reference === 'ai/tiny'
            ? Promise.resolve({ id, name: 'ai/tiny', engine: 'scripted 1', adapter: 'Test GPU' })
            : Promise.reject(new ApiError('model_not_found', `There is no model “${reference}”.`)),
      },
      history: {
        load: () => Promise.resolve(stored),
        save: (results) => {
          stored = structuredClone(results);
          return Promise.resolve();
        },
      },
    }),
  );
  const call = async (path: string, init: RequestInit = {}): Promise<Response> => {
    try {
      return await router.handle(new Request(`http://localhost/_sampan/bench${path}`, init));
    } catch (thrown) {
      return toApiError(thrown).toResponse();
    }
  };
  const start = (body: object, init: RequestInit = {}) =>
    call('', { method: 'POST', body: JSON.stringify(body), ...init });
  const run = async (body: object) => linesOf(await start(body));
  const history = async () => ((await (await call('')).json()) as BenchHistoryJson).results;
  return { clock, engine, configs, call, start, run, history, keep: (value: unknown) => (stored = value) };
}

async function linesOf(response: Response): Promise<readonly BenchLineJson[]> {
  return (await response.text())
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as BenchLineJson);
}

const ask = { model: 'ai/tiny', repetitions: 2 };

it('measures 512 tokens of prefill and 128 of decode, and keeps the result', async () => {
  const { configs, engine, run, history } = setUp();
  const lines = await run(ask);
  const progress = lines.flatMap((line) => (line.type === 'progress' ? [line] : []));
  expect(progress[0]).toEqual({ type: 'progress', stage: 'loading', done: 0, total: 17 });
  expect(progress.at(-1)).toEqual({ type: 'progress', stage: 'parallel', done: 17, total: 17 });
  const last = lines.at(-1);
  const result = last?.type === 'done' ? last.result : undefined;
  expect(result).toMatchObject({
    model: 'ai/tiny',
    model_id: id,
    engine: 'scripted 1',
    device: 'scripted',
    adapter: 'Test GPU',
    version: '0.0.0-test',
    date_ms: Date.UTC(2026, 0, 1),
    prompt: { tokens: 512, per_second: { sd: 0, samples: [512_000, 512_000] } },
    generation: { tokens: 128, per_second: { mean: 128_000 } },
    first_token: { cold_ms: 0, warm_ms: { mean: 0 } },
  });
  expect(result?.parallel.map(({ requests }) => requests)).toEqual([1, 2, 4, 8]);
  expect(configs).toEqual([{ contextSize: 640 }, { contextSize: 1024, parallel: 8 }]);
  expect(engine.loaded).toBe(0);
  expect(await history()).toEqual([result]);
});

it('measures as many requests at once as the engine answers', async () => {
  const { run } = setUp({}, 1);
  const last = (await run(ask)).at(-1);
  expect(last?.type === 'done' && last.result.parallel.map(({ requests }) => requests)).toEqual([1]);
});

it('tells of a model that is not there, and of a body that says nothing, before it starts', async () => {
  const { start } = setUp();
  expect((await start({ model: 'ai/none' })).status).toBe(404);
  expect((await start({})).status).toBe(400);
  expect((await start({ ...ask, repetitions: 0 })).status).toBe(400);
});

it('runs one at a time, ends when the reader leaves, and then keeps nothing', async () => {
  const held = new AbortController();
  const wait = vi.fn(
    (_index: number, signal: AbortSignal) =>
      new Promise<void>((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason as Error));
      }),
  );
  const { start, history, engine } = setUp({ beforeWord: wait });
  const response = await start(ask, { signal: held.signal });
  await vi.waitFor(() => expect(wait).toHaveBeenCalled());
  expect((await start(ask)).status).toBe(409);
  await response.body?.cancel();
  await vi.waitFor(() => expect(engine.loaded).toBe(0));
  expect(await history()).toEqual([]);
  await vi.waitFor(async () => expect((await start(ask)).status).toBe(200));
});

it('tells of a failure in its last line', async () => {
  const { run } = setUp({ onLoad: () => Promise.reject(new ApiError('insufficient_memory', 'Too large.')) });
  expect((await run(ask)).at(-1)).toMatchObject({ type: 'error', error: { code: 'insufficient_memory' } });
});

it('gives its history as JSON and as CSV, of one model or all', async () => {
  const { call, run, clock } = setUp();
  await run({ ...ask, repetitions: 1 });
  await clock.advance(1000);
  await run({ ...ask, repetitions: 1 });
  const results = ((await (await call(`?model=${id}`)).json()) as BenchHistoryJson).results;
  expect(results.map(({ date_ms }) => date_ms)).toEqual([1000, 0].map((ms) => Date.UTC(2026, 0, 1) + ms));
  expect(await (await call('?model=other')).json()).toEqual({ results: [] });
  const csv = await call('?format=csv');
  expect(csv.headers.get('content-type')).toContain('text/csv');
  const rows = (await csv.text()).trim().split('\r\n');
  expect(rows).toHaveLength(1 + 2 * 8);
  expect(rows[1]).toBe(
    `2026-01-01T00:00:01.000Z,ai/tiny,${id},scripted 1,scripted,Test GPU,0.0.0-test,pp512,tokens/s,512000.000,0.000,1`,
  );
  expect((await call('?format=xml')).status).toBe(400);
});

it('deletes one result, or all, and nothing twice', async () => {
  const { call, history, run } = setUp();
  for (let each = 0; each < 3; each++) await run({ ...ask, repetitions: 1 });
  const [first] = await history();
  expect((await call(`/${first?.id}`, { method: 'DELETE' })).status).toBe(200);
  expect((await call(`/${first?.id}`, { method: 'DELETE' })).status).toBe(400);
  expect(await history()).toHaveLength(2);
  expect((await call('', { method: 'DELETE' })).status).toBe(200);
  expect(await history()).toEqual([]);
});

it('leaves out what it cannot read', async () => {
  const { history, keep, run } = setUp();
  await run({ ...ask, repetitions: 1 });
  const [good] = await history();
  keep([{ id: 'older' }, good, 'x']);
  expect(await history()).toEqual([good]);
  keep('nothing');
  expect(await history()).toEqual([]);
});

it('writes no formula into a table', async () => {
  const { call, keep, history, run } = setUp();
  await run({ ...ask, repetitions: 1 });
  const [good] = await history();
  keep([{ ...good, engine: '=cmd|"/C calc"!A0', device: 'CPU, 4 threads' }]);
  const [, row] = (await (await call('?format=csv')).text()).split('\r\n');
  expect(row).toContain(`"'=cmd|""/C calc""!A0","CPU, 4 threads"`);
});
