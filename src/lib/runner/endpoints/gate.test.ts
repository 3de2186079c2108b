import { expect, it } from 'vitest';
import { ManualClock } from '#lib/core/clock.ts';
import type { Digest } from '#lib/core/digest.ts';
import { ApiError, toApiError } from '#lib/core/errors.ts';
import type { LoadConfig, LoadedModel } from '#lib/engine/port.ts';
import { ScriptedEngine, type ScriptedOptions } from '#lib/engine/scripted.ts';
import type { GateHistoryJson, GateLineJson } from '#lib/model/wire-gate.ts';
import { beginnings } from '#lib/runner/gate/text.ts';
import { Router } from '#lib/runner/router.ts';
import { gateRoutes, type GatePorts } from './gate.ts';

const id: Digest = `sha256:${'a'.repeat(64)}`;
const words = beginnings().length;

type Reply = NonNullable<ScriptedOptions['reply']>;

/** What a sound device holds for likely after each beginning, and what a faulty one does at these positions. */
const sound: Reply = (prompt) => [` ${prompt.length}`];
const wrongAt = (...positions: readonly number[]): Reply => {
  const prompts = positions.map((position) => beginnings()[position - 1]);
  return (prompt, request) => (prompts.includes(prompt) ? [' wrong'] : sound(prompt, request));
};

interface Machine {
  readonly fast?: ScriptedOptions;
  readonly slow?: ScriptedOptions;
  /** Without a GPU, its CPU has so many threads. */
  readonly cpuThreads?: number;
  readonly contextSize?: number;
  readonly engine?: string;
  readonly writes?: boolean;
}

function setUp({ fast, slow, cpuThreads, contextSize, engine = 'llama.cpp', writes = true }: Machine = {}) {
  const clock = new ManualClock(Date.UTC(2026, 0, 1));
  const engines = {
    fast: new ScriptedEngine({ reply: sound, ...fast }),
    slow: new ScriptedEngine({ reply: sound, ...slow }),
  };
  const configs: LoadConfig[] = [];
  let stored: unknown;
  const withModel = async <T>(
    _reference: string,
    config: LoadConfig,
    use: (model: LoadedModel) => Promise<T>,
    signal: AbortSignal,
  ): Promise<T> => {
    const way = configs.push(config) % 2 === 1 ? 'fast' : 'slow';
    const gpuLayers = config.gpuLayers ?? (cpuThreads === undefined ? 99 : 0);
    const threads = config.threads ?? cpuThreads ?? 4;
    const inForce = { ...config, gpuLayers, threads, contextSize: contextSize ?? config.contextSize };
    const model = await engines[way].load({ kind: 'gguf', id, weights: [] }, inForce, { signal });
    try {
      return await use(model);
    } finally {
      await model.close();
    }
  };
  const missing = () => Promise.reject(new ApiError('model_not_found', 'There is no such model.'));
  const subject = {
    library: {
      get: (reference: string) => (reference === 'ai/tiny' ? Promise.resolve({ id }) : missing()),
      partsOf: () => ({ artifact: { engine } }),
    },
    insights: { of: () => Promise.resolve({ capabilities: { chat: writes } }) },
  } as unknown as Pick<GatePorts, 'library' | 'insights'>;
  const router = new Router(
    gateRoutes({
      ...subject,
      clock,
      version: '0.0.0-test',
      models: {
        withModel,
        identify: () => Promise.resolve({ id, name: 'ai/tiny', engine: 'scripted 1', adapter: 'Test GPU' }),
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
  const call = async (query: string, init: RequestInit = {}): Promise<Response> => {
    try {
      return await router.handle(new Request(`http://localhost/_sampan/gate${query}`, init));
    } catch (thrown) {
      return toApiError(thrown).toResponse();
    }
  };
  const start = (body: object = { model: 'ai/tiny' }, init: RequestInit = {}) =>
    call('', { method: 'POST', body: JSON.stringify(body), ...init });
  const run = async () =>
    (await (await start()).text())
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as GateLineJson);
  const check = async () => {
    const last = (await run()).at(-1);
    return last?.type === 'done' ? last.result : undefined;
  };
  const history = async (query = '') => ((await (await call(query)).json()) as GateHistoryJson).results;
  return { clock, engines, configs, start, run, check, history, keep: (value: unknown) => (stored = value) };
}

it('finds that GPU and CPU agree, tells how far it is, and keeps the result', async () => {
  const { run, history, engines, configs } = setUp();
  const lines = await run();
  const progress = lines.flatMap((line) => (line.type === 'progress' ? [line] : []));
  expect(progress[0]).toEqual({ type: 'progress', stage: 'loading', done: 0, total: 2 * words });
  expect(progress.at(-1)).toEqual({
    type: 'progress',
    stage: 'reference',
    done: 2 * words,
    total: 2 * words,
  });
  const last = lines.at(-1);
  const result = last?.type === 'done' ? last.result : undefined;
  expect(result).toMatchObject({
    model: 'ai/tiny',
    model_id: id,
    engine: 'scripted 1',
    adapter: 'Test GPU',
    version: '0.0.0-test',
    positions: words,
    agreed: words,
    verdict: 'agrees',
    differences: [],
  });
  expect(result?.detail).toContain('The model computes correctly.');
  expect(configs.map(({ gpuLayers }) => gpuLayers)).toEqual([undefined, 0]);
  expect([engines.fast.loaded, engines.slow.loaded]).toEqual([0, 0]);
  expect(await history()).toEqual([result]);
});

it('reads a few hundred words', () => {
  expect(words).toBeGreaterThan(300);
});

it('lets near ties pass, and shows where and what each would have said', async () => {
  const result = await setUp({ fast: { reply: wrongAt(7, 100) } }).check();
  expect(result).toMatchObject({ positions: words, agreed: words - 2, verdict: 'agrees' });
  const after = beginnings()[6];
  expect(result?.differences).toMatchObject([
    { position: 7, candidate: ' wrong', reference: ` ${after?.length}` },
    { position: 100 },
  ]);
  expect(after?.endsWith(result?.differences[0]?.after ?? 'none')).toBe(true);
});

it('tells apart what half precision explains', async () => {
  const near = Array.from({ length: 12 }, (_, index) => 20 * (index + 1));
  const result = await setUp({ fast: { reply: wrongAt(...near) } }).check();
  expect(result).toMatchObject({ agreed: words - 12, verdict: 'close' });
  expect(result?.detail).toContain('can be used');
});

it('names a device that computes wrongly, with the first differences and what to do', async () => {
  const wrong = Array.from({ length: 40 }, (_, index) => 5 * (index + 1));
  const result = await setUp({ fast: { reply: wrongAt(...wrong) } }).check();
  expect(result).toMatchObject({ agreed: words - 40, verdict: 'differs' });
  expect(result?.differences.map(({ position }) => position)).toEqual(wrong.slice(0, 10));
  expect(result?.detail).toContain('GPU layers of this model to 0');
});

it('compares several threads with one where there is no GPU, and says so', async () => {
  const { check, configs } = setUp({ cpuThreads: 4 });
  const result = await check();
  expect(result?.detail).toContain('without a GPU');
  expect(configs[1]).toMatchObject({ gpuLayers: 0, threads: 1 });
});

it('says that there is nothing to compare on a machine with one way to compute', async () => {
  const last = (await setUp({ cpuThreads: 1 }).run()).at(-1);
  expect(last).toMatchObject({ type: 'error', error: { code: 'engine_unavailable' } });
});

it('ends where the context is full', async () => {
  const result = await setUp({ contextSize: 100 }).check();
  expect(result?.positions).toBe(77);
  expect(result?.verdict).toBe('agrees');
});

it('leaves out what neither can write, and counts what one of them can', async () => {
  const half = (...positions: readonly number[]): ScriptedOptions => ({
    reply: (prompt, request) => {
      if (positions.some((position) => beginnings()[position - 1] === prompt)) {
        throw new ApiError('not_supported', 'Half a character.', { param: 'logprobs' });
      }
      return sound(prompt, request);
    },
  });
  const result = await setUp({ fast: half(3, 4), slow: half(4) }).check();
  expect(result).toMatchObject({ positions: words - 1, agreed: words - 2 });
  expect(result?.differences).toMatchObject([{ position: 3, candidate: '\uFFFD' }]);
});

it('keeps one result for each model, engine and GPU, and nothing that it cannot read', async () => {
  const { check, history, keep, clock } = setUp();
  keep('nonsense');
  const first = await check();
  keep([{ id: 'x', date_ms: -1 }, first]);
  await clock.advance(1000);
  const second = await check();
  expect(await history()).toEqual([second]);
  expect(await history(`?model=${id}`)).toEqual([second]);
  expect(await history('?model=ai/other')).toEqual([]);
});

it('tells before it starts of a model that is not there or cannot be checked', async () => {
  expect((await setUp().start({ model: 'ai/none' })).status).toBe(404);
  expect((await setUp().start({})).status).toBe(400);
  expect((await setUp({ engine: 'webllm' }).start()).status).toBe(501);
  expect((await setUp({ writes: false }).start()).status).toBe(400);
});

it('tells of an engine that dies in the middle, and runs again after it', async () => {
  let dies = true;
  const beforeWord = () =>
    dies ? Promise.reject(new ApiError('device_lost', 'The GPU was lost.')) : Promise.resolve();
  const { run, history, check, engines } = setUp({ slow: { beforeWord } });
  expect((await run()).at(-1)).toMatchObject({ type: 'error', error: { code: 'device_lost' } });
  expect(await history()).toEqual([]);
  expect(engines.slow.loaded).toBe(0);
  dies = false;
  expect(await check()).toMatchObject({ verdict: 'agrees' });
});

it('runs one at a time, ends when the reader leaves, and then keeps nothing', async () => {
  let asked = false;
  const beforeWord = (_index: number, signal: AbortSignal) =>
    new Promise<void>((_resolve, reject) => {
      asked = true;
      signal.addEventListener('abort', () => reject(signal.reason as Error));
    });
  const { start, history, engines } = setUp({ fast: { beforeWord } });
  const response = await start();
  await expect.poll(() => asked).toBe(true);
  expect((await start()).status).toBe(409);
  await response.body?.cancel();
  await expect.poll(() => engines.fast.loaded).toBe(0);
  expect(await history()).toEqual([]);
});
