import { expect, it } from 'vitest';
import { page } from 'vitest/browser';
import { render } from 'vitest-browser-svelte';
import { Bench } from '#lib/state/bench.svelte.ts';
import { benchSample } from '#lib/state/testing/bench-samples.ts';
import { json, ScriptedClient } from '#lib/state/testing/scripted-client.ts';
import { digestOf } from '#lib/state/testing/wire-samples.ts';
import BenchPanel from './BenchPanel.svelte';

const gatePath = `GET /_sampan/gate?model=${encodeURIComponent(digestOf(1))}`;
const historyPath = `GET /_sampan/bench?model=${encodeURIComponent(digestOf(1))}`;

async function setUp(results = [benchSample(2), benchSample(1)]) {
  const client = new ScriptedClient().on(historyPath, json({ results })).on(gatePath, json({ results: [] }));
  const bench = new Bench({ client, reference: 'ai/smollm2', modelId: digestOf(1) });
  await render(BenchPanel, { bench, theme: 'light' });
  return { client };
}

const row = (name: string) => page.getByRole('row', { name });
const button = (name: string | RegExp) => page.getByRole('button', { name });

it('shows the latest figures with their deviation, and another run on demand', async () => {
  await setUp();
  await expect.element(row('Reading a prompt pp512 202.0 ± 2.02 tok/s 2')).toBeVisible();
  await expect.element(row('First token, with loading 1,234 ms 1')).toBeVisible();
  await expect.element(row('8 requests at once, together 160.0 ± 1.60 tok/s 2')).toBeVisible();
  await button(/^1 Jan 2026/).click();
  await expect.element(row('Reading a prompt pp512 201.0 ± 2.01 tok/s 2')).toBeVisible();
});

it('draws how the speed went', async () => {
  await setUp();
  await expect.poll(() => document.querySelectorAll('canvas').length).toBe(3);
  await expect.element(page.getByText('Writing, tok/s')).toBeVisible();
});

it('runs, shows how far it is, and ends on demand', async () => {
  const { client } = await setUp([]);
  await expect.element(page.getByText('This model has not been measured yet.')).toBeVisible();
  client.on('POST /_sampan/bench', (_request, signal) => {
    const line = { type: 'progress', stage: 'generation', done: 1, total: 2 };
    const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
      start(controller) {
        controller.enqueue(new TextEncoder().encode(`${JSON.stringify(line)}\n`));
        signal?.addEventListener('abort', () => controller.error(signal.reason));
      },
    });
    return new Response(body);
  });
  await button('Run benchmark').click();
  await expect.element(page.getByRole('meter', { name: 'Benchmark' })).toHaveAttribute('aria-valuenow', '50');
  await expect.element(page.getByRole('status')).toHaveTextContent('Writing…');
  await button('Cancel').click();
  await expect.element(button('Run benchmark')).toBeVisible();
});

it('says why a run failed', async () => {
  const { client } = await setUp();
  const error = {
    message: 'A benchmark is running.',
    type: 'invalid_request_error',
    param: null,
    code: 'conflict',
  };
  client.on('POST /_sampan/bench', json({ error }, 409));
  await button('Run benchmark').click();
  await expect.element(page.getByRole('alert')).toHaveTextContent('A benchmark is running.');
});

it('deletes a run', async () => {
  const { client } = await setUp();
  client.on('DELETE /_sampan/bench/bench_2', json({}));
  await button(/Delete the run of 2 Jan/).click();
  await expect.element(button(/^2 Jan 2026/)).not.toBeInTheDocument();
  await expect.element(row('Reading a prompt pp512 201.0 ± 2.01 tok/s 2')).toBeVisible();
});
