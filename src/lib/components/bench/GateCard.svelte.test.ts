import { expect, it } from 'vitest';
import { page } from 'vitest/browser';
import { render } from 'vitest-browser-svelte';
import type { GateResultJson } from '#lib/model/wire-gate.ts';
import { Gate } from '#lib/state/bench-gate.svelte.ts';
import { gateSample } from '#lib/state/testing/bench-samples.ts';
import { json, ScriptedClient } from '#lib/state/testing/scripted-client.ts';
import { digestOf } from '#lib/state/testing/wire-samples.ts';
import GateCard from './GateCard.svelte';

async function setUp(results: readonly GateResultJson[] = []) {
  const client = new ScriptedClient().on(
    `GET /_sampan/gate?model=${encodeURIComponent(digestOf(1))}`,
    json({ results }),
  );
  await render(GateCard, { gate: new Gate({ client, reference: 'ai/smollm2', modelId: digestOf(1) }) });
  return client;
}

const button = (name: string) => page.getByRole('button', { name });

it('shows what the last check found, and where the two differ', async () => {
  await setUp([gateSample()]);
  await expect.element(page.getByText('The model computes correctly.')).toBeVisible();
  await expect.element(page.getByRole('row', { name: /␣still \(end\)/ })).toBeVisible();
});

it('checks, shows how far it is, and ends on demand', async () => {
  const client = await setUp();
  client.on('POST /_sampan/gate', (_request, signal) => {
    const line = { type: 'progress', stage: 'reference', done: 3, total: 4 };
    const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
      start(controller) {
        controller.enqueue(new TextEncoder().encode(`${JSON.stringify(line)}\n`));
        signal?.addEventListener('abort', () => controller.error(signal.reason));
      },
    });
    return new Response(body);
  });
  await button('Check correctness').click();
  await expect.element(page.getByRole('meter', { name: 'Check' })).toHaveAttribute('aria-valuenow', '75');
  await button('Cancel').click();
  await expect.element(button('Check correctness')).toBeVisible();
});

it('says why a check failed', async () => {
  const client = await setUp();
  const error = {
    message: 'A check is running.',
    type: 'invalid_request_error',
    param: null,
    code: 'conflict',
  };
  client.on('POST /_sampan/gate', json({ error }, 409));
  await button('Check correctness').click();
  await expect.element(page.getByRole('alert')).toHaveTextContent('A check is running.');
});
