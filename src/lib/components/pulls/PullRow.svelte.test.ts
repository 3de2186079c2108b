import { expect, it, vi } from 'vitest';
import { page } from 'vitest/browser';
import { render } from 'vitest-browser-svelte';
import type { PullJson } from '#lib/model/wire.ts';
import { digestOf, pullSample } from '#lib/state/testing/wire-samples.ts';
import PullRow from './PullRow.svelte';

async function setUp(changes: Partial<PullJson>) {
  const calls = {
    onPause: vi.fn(),
    onResume: vi.fn(),
    onFirst: vi.fn(),
    onAnyway: vi.fn(),
    onCancel: vi.fn(),
    onRestart: vi.fn(),
  };
  await render(PullRow, { pull: pullSample(changes), title: 'SmolLM2', ...calls });
  return calls;
}

const button = (name: string) => page.getByRole('button', { name });

it('shows percent, bytes, speed and the time left while pulling', async () => {
  const layers = [
    {
      digest: digestOf(1),
      media_type: 'application/vnd.docker.ai.gguf.v3',
      size_bytes: 270_000_000,
      received_bytes: 175_000_000,
    },
  ];
  const { onPause } = await setUp({ layers });
  await expect.element(page.getByText('64 %')).toBeVisible();
  await expect.element(page.getByText('175 of 270 MB')).toBeVisible();
  await expect.element(page.getByText('10.0 MB/s · 10 s left')).toBeVisible();
  await expect.element(page.getByRole('meter', { name: 'Weights' })).toHaveAttribute('aria-valuenow', '65');
  await button('Pause SmolLM2').click();
  expect(onPause).toHaveBeenCalledOnce();
});

it('offers to go on where a paused pull stopped', async () => {
  const { onResume } = await setUp({ status: 'paused', bytes_per_second: 0 });
  await expect.element(page.getByText('Paused at 64 %')).toBeVisible();
  await button('Resume SmolLM2').click();
  expect(onResume).toHaveBeenCalledOnce();
});

it('says that it checks, and cannot be paused then', async () => {
  await setUp({ status: 'checking' });
  await expect.element(page.getByText('Checking SHA-256')).toBeVisible();
  expect(page.getByRole('button', { name: 'Pause SmolLM2' }).elements()).toHaveLength(0);
});

it('says why a pull failed and offers to try again', async () => {
  const error = {
    message: 'Not enough space.',
    type: 'server_error',
    param: null,
    code: 'storage_full',
  } as const;
  const { onRestart } = await setUp({ status: 'failed', error });
  await expect.element(page.getByText('Not enough space.')).toBeVisible();
  await button('Retry').click();
  expect(onRestart).toHaveBeenCalledOnce();
});

it('asks for credentials, hands them over once and forgets them', async () => {
  const error = {
    message: 'Sign in.',
    type: 'authentication_error',
    param: null,
    code: 'unauthorized',
  } as const;
  const { onRestart } = await setUp({ status: 'failed', error });
  await page.getByRole('textbox', { name: 'User name' }).fill('ada');
  await page.getByLabelText('Password or token').fill('secret');
  await button('Sign in and pull').click();
  expect(onRestart).toHaveBeenCalledExactlyOnceWith({ username: 'ada', password: 'secret' });
  await expect.element(page.getByLabelText('Password or token')).toHaveValue('');
});

it('takes a secret without a user name for a token', async () => {
  const error = {
    message: 'Sign in.',
    type: 'authentication_error',
    param: null,
    code: 'unauthorized',
  } as const;
  const { onRestart } = await setUp({ status: 'failed', error });
  await page.getByLabelText('Password or token').fill('hf_123');
  await button('Sign in and pull').click();
  expect(onRestart).toHaveBeenCalledExactlyOnceWith({ token: 'hf_123' });
});

it('leads to the chat when the model is ready', async () => {
  await setUp({ status: 'done', received_bytes: 270_000_000 });
  await expect.element(page.getByText('Verified and ready')).toBeVisible();
  await expect
    .element(page.getByRole('link', { name: 'Chat' }))
    .toHaveAttribute('href', '/chat?model=docker.io%2Fai%2Fsmollm2%3A360M-Q4_K_M');
});

it('says its place in the queue and moves to the front', async () => {
  const { onFirst } = await setUp({ status: 'queued', position: 3, received_bytes: 0, total_bytes: 0 });
  await expect.element(page.getByText('3rd in the queue')).toBeVisible();
  await button('Pull SmolLM2 first').click();
  expect(onFirst).toHaveBeenCalledOnce();
});

it('has no way to the front for the one that is there', async () => {
  await setUp({ status: 'queued', position: 1 });
  await expect.element(page.getByText('1st in the queue')).toBeVisible();
  expect(button('Pull SmolLM2 first').elements()).toHaveLength(0);
});

it('offers to store what cannot run here, and no retry that would fail again', async () => {
  const error = {
    message: 'This model has safetensors weights and no GGUF file.',
    type: 'invalid_request_error',
    param: null,
    code: 'unsupported_model_format',
  } as const;
  const { onAnyway } = await setUp({ status: 'failed', error });
  await expect.element(page.getByText(error.message)).toBeVisible();
  expect(button('Retry').elements()).toHaveLength(0);
  await button('Store it anyway').click();
  expect(onAnyway).toHaveBeenCalledOnce();
});

it('waits for the network in sight, and can be paused meanwhile', async () => {
  await setUp({ status: 'offline', bytes_per_second: 0 });
  await expect.element(page.getByText('Waits for the network, then goes on by itself')).toBeVisible();
  await expect.element(page.getByText('175 of 270 MB kept')).toBeVisible();
  await expect.element(button('Pause SmolLM2')).toBeVisible();
});

it('says that it unpacks', async () => {
  await setUp({ status: 'unpacking' });
  await expect.element(page.getByText('Unpacking')).toBeVisible();
});
