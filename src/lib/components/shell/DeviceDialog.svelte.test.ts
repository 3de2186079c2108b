import { expect, it, vi } from 'vitest';
import { page } from 'vitest/browser';
import { render } from 'vitest-browser-svelte';
import type { ProbeJson, SelfTestLine } from '#lib/model/wire-self-test.ts';
import { SelfTest } from '#lib/state/self-test.svelte.ts';
import { ScriptedClient } from '#lib/state/testing/scripted-client.ts';
import DeviceDialog from './DeviceDialog.svelte';

const path = '/_sampan/self-test';
const probe: ProbeJson = {
  version: '1',
  user_agent: 'Browser/1',
  isolated: true,
  cores: 2,
  threads: 2,
  jspi: true,
  storage: { used_bytes: 1000, quota_bytes: 10_000, persisted: false },
  adapter: {
    vendor: 'acme',
    architecture: 'a1',
    description: '',
    f16: true,
    features: [],
    limits: { maxBufferSize: 1_000_000_000 },
  },
};
const correct = {
  engine: 'llama.cpp',
  verdict: 'correct',
  device: 'GPU, acme a1',
  tokens_per_second: 41.6,
} as const;
const wrong = { engine: 'webllm', verdict: 'wrong', detail: 'It said “x”.' } as const;

const linesOf = (lines: readonly SelfTestLine[]) =>
  new Response(lines.map((line) => `${JSON.stringify(line)}\n`).join(''));

async function setUp(client = new ScriptedClient()) {
  const onCopy = vi.fn();
  client.on(`GET ${path}`, () => Response.json({ probe, last: null }));
  const selfTest = new SelfTest({ client });
  await render(DeviceDialog, { selfTest, onCopy, onClose: vi.fn() });
  await selfTest.load();
  return { client, onCopy };
}

it('shows what the browser offers, and that nothing was tested yet', async () => {
  await setUp();
  const dialog = page.getByRole('dialog', { name: 'This device' });
  await expect.element(dialog).toHaveTextContent('acme a1, with 16-bit shaders');
  await expect.element(dialog).toHaveTextContent('Not tested yet.');
});

it('runs the test and tells how each engine did', async () => {
  const result = { time_ms: 0, engines: [correct, wrong] };
  const { client } = await setUp();
  client.on(`POST ${path}`, () =>
    linesOf([
      { type: 'step', engine: 'llama.cpp', step: 'loading' },
      { type: 'engine', result: correct },
      { type: 'engine', result: wrong },
      { type: 'done', result },
    ]),
  );
  await page.getByRole('button', { name: 'Run the test' }).click();
  const dialog = page.getByRole('dialog');
  await expect.element(dialog).toHaveTextContent('computes correctly on GPU, acme a1, 42 tokens/s');
  await expect.element(page.getByRole('alert')).toHaveTextContent('webllm computes wrongly. It said “x”.');
  await expect.element(page.getByRole('button', { name: 'Test again' })).toBeVisible();
});

it('can be cancelled, and says then what was known before', async () => {
  const { client } = await setUp();
  let aborted = false;
  client.on(`POST ${path}`, (_request, signal) => {
    return new Promise((_resolve, reject) => {
      signal?.addEventListener('abort', () => {
        aborted = true;
        reject(signal.reason as Error);
      });
    });
  });
  await page.getByRole('button', { name: 'Run the test' }).click();
  await page.getByRole('button', { name: 'Cancel' }).click();
  await expect.element(page.getByRole('dialog')).toHaveTextContent('Not tested yet.');
  expect(aborted).toBe(true);
});

it('tells of a runner that cannot be asked', async () => {
  const client = new ScriptedClient();
  const { client: used } = await setUp(client);
  used.on(`POST ${path}`, () =>
    Response.json({ error: { message: 'No tab runs.', code: 'no_host' } }, { status: 503 }),
  );
  await page.getByRole('button', { name: 'Run the test' }).click();
  await expect.element(page.getByRole('alert')).toHaveTextContent('No tab runs.');
});

it('gives the report to share', async () => {
  const { onCopy } = await setUp();
  await page.getByRole('button', { name: 'Copy report' }).click();
  expect(JSON.parse(String(onCopy.mock.calls[0]?.[0]))).toMatchObject({
    probe: { adapter: { vendor: 'acme' } },
  });
});
