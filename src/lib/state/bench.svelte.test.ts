import { expect, it } from 'vitest';
import { ApiError } from '#lib/core/errors.ts';
import type { BenchLineJson } from '#lib/model/wire-bench.ts';
import { Bench } from './bench.svelte.ts';
import { benchSample } from './testing/bench-samples.ts';
import { json, ScriptedClient } from './testing/scripted-client.ts';
import { digestOf } from './testing/wire-samples.ts';

const historyPath = `GET /_sampan/bench?model=${encodeURIComponent(digestOf(1))}`;

function setUp(...lines: readonly BenchLineJson[]) {
  const text = lines.map((line) => `${JSON.stringify(line)}\n`).join('');
  const client = new ScriptedClient()
    .on(historyPath, json({ results: [benchSample(1)] }))
    .on('POST /_sampan/bench', new Response(text));
  const bench = new Bench({ client, reference: 'docker.io/ai/smollm2:latest', modelId: digestOf(1) });
  return { client, bench };
}

const progress = { type: 'progress', stage: 'prompt', done: 3, total: 12 } as const;

it('measures and puts the result before the earlier ones', async () => {
  const { bench, client } = setUp(progress, { type: 'done', result: benchSample(2) });
  await bench.load();
  await bench.start();
  expect(bench.run).toEqual({ status: 'idle' });
  expect(bench.results?.map(({ id }) => id)).toEqual(['bench_2', 'bench_1']);
  expect(client.sent.at(-1)?.body).toEqual({ model: 'docker.io/ai/smollm2:latest' });
});

it('tells of a failure in the middle, and of an end without one', async () => {
  const { error } = new ApiError('device_lost', 'The GPU was reset.').toJSON();
  const failed = setUp(progress, { type: 'error', error });
  await failed.bench.start();
  expect(failed.bench.run).toMatchObject({ status: 'failed', error: { code: 'device_lost' } });
  const cut = setUp(progress);
  await cut.bench.start();
  expect(cut.bench.run).toMatchObject({ status: 'failed', error: { code: 'host_lost' } });
});

it('shows how far it is, starts once, and leaves nothing when it is cancelled', async () => {
  const { bench, client } = setUp();
  client.on('POST /_sampan/bench', (_request, signal) => {
    const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
      start(controller) {
        controller.enqueue(new TextEncoder().encode(`${JSON.stringify(progress)}\n`));
        signal?.addEventListener('abort', () => controller.error(signal.reason));
      },
    });
    return new Response(body);
  });
  const running = bench.start();
  await expect.poll(() => bench.run).toEqual({ status: 'running', stage: 'prompt', percent: 25 });
  await bench.start();
  expect(client.sent).toHaveLength(1);
  bench.cancel();
  await running;
  expect(bench.run).toEqual({ status: 'idle' });
  expect(bench.results).toBeUndefined();
});

it('deletes a result', async () => {
  const { bench, client } = setUp();
  client.on('DELETE /_sampan/bench/bench_1', json({}));
  await bench.load();
  await bench.remove(benchSample(1));
  expect(bench.results).toEqual([]);
});
