/** The settings for all models at work in a whole runner. */
import { expect, it } from 'vitest';
import { bytesOf, makeBench, type BenchOptions } from '#tests/support/runner-bench.ts';
import { MemoryPreferencesStore } from './preferences.ts';
import type { AskLadder } from './rung.ts';

const name = 'localhost:5000/ai/tiny:latest';

const ladder: AskLadder = (wish) =>
  Promise.resolve({
    rung: wish === 'auto' ? 'webgpu' : wish,
    ...(wish === 'auto' ? { reason: 'the GPU has no shader-f16' } : {}),
    pinned: wish !== 'auto',
    rungs: (['webgpu', 'wasm'] as const).map((rung) => ({ rung, available: true })),
  });

async function setUp(options: BenchOptions = {}) {
  const bench = makeBench({ ladder, ...options });
  await bench.runner.start();
  await bench.registry.publish(name, [bytesOf('GGUF')]);
  await (await bench.call('/models/create', { from: name })).text();
  const json = async (path: string, body?: unknown, method?: string) =>
    (await bench.call(path, body, method === undefined ? {} : { method, body: JSON.stringify(body) })).json();
  const chat = () =>
    json('/engines/v1/chat/completions', { model: name, messages: [{ role: 'user', content: 'Hi' }] });
  const rungs = async () =>
    (await (await bench.call('/logs')).text())
      .split('\n')
      .filter((line) => /the runner started|settings changed/.test(line));
  return { bench, json, chat, rungs };
}

it('loads models as the stored settings say', async () => {
  const preferencesStore = new MemoryPreferencesStore();
  preferencesStore.saved = { context_size: 32, keep_alive: '7m' };
  const { json, chat } = await setUp({ preferencesStore });
  await chat();
  expect(await json('/engines/ps')).toMatchObject([{ context_size: 32, keep_alive: '7m0s' }]);
});

it('loads a model again when the context or the rung has changed since', async () => {
  const { json, chat } = await setUp();
  await chat();
  await json('/_sampan/settings', { context_size: 16 }, 'PUT');
  expect(await json(`/_sampan/models/${name}`)).toMatchObject({ in_force: { outdated: true } });
  await chat();
  expect(await json('/engines/ps')).toMatchObject([{ context_size: 16 }]);
  await json('/_sampan/settings', { compute: 'wasm' }, 'PUT');
  expect(await json('/engines/ps')).toEqual([]);
});

it('logs the rung at the start and when one is pinned, in one line each', async () => {
  const { json, rungs } = await setUp();
  await json('/_sampan/settings', { compute: 'wasm' }, 'PUT');
  await json('/_sampan/settings', { compute: 'wasm', keep_alive: '1m' }, 'PUT');
  expect(await rungs()).toEqual([
    expect.stringContaining('webgpu (the GPU has no shader-f16)'),
    expect.stringMatching(/settings changed.*\bwasm\b/),
  ]);
});
