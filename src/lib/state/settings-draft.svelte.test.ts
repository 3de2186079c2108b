import { expect, it, vi } from 'vitest';
import { ApiError } from '#lib/core/errors.ts';
import type { ModelSettingsJson } from '#lib/model/wire.ts';
import { SettingsDraft } from './settings-draft.svelte.ts';

const every: Required<ModelSettingsJson> = {
  context_size: 8192,
  keep_alive: '30m',
  mode: 'completion',
  gpu_layers: 28,
  threads: 4,
  cache_type_k: 'q8_0',
  cache_type_v: 'f16',
  flash_attention: true,
  ignore_fit: true,
  parallel: 2,
  think: false,
  think_budget: -1,
  system_prompt: 'Be brief.',
  temperature: 0,
  top_p: 0.95,
  top_k: 20,
  min_p: 0.05,
  repeat_penalty: 1.1,
  presence_penalty: 0.5,
  frequency_penalty: -0.5,
  max_tokens: 512,
  seed: 7,
};

async function saved(draft: SettingsDraft): Promise<ModelSettingsJson | undefined> {
  const save = vi.fn((_settings: ModelSettingsJson) => Promise.resolve());
  await draft.save(save);
  return save.mock.lastCall?.[0];
}

it('gives back every setting as it was', async () => {
  expect(await saved(new SettingsDraft(every))).toEqual(every);
});

it('leaves out what is empty: the default', async () => {
  const draft = new SettingsDraft({ threads: 4, think: true });
  draft.values.threads = ' ';
  expect(await saved(draft)).toEqual({ think: true });
  draft.clear();
  expect(await saved(draft)).toEqual({});
});

it('reads numbers as people write them', async () => {
  const draft = new SettingsDraft({});
  draft.values.context_size = '12,288';
  expect(await saved(draft)).toEqual({ context_size: 12288 });
});

it('says at the field what is no number, and saves nothing', async () => {
  const draft = new SettingsDraft({});
  draft.values.top_k = 'many';
  expect(await saved(draft)).toBeUndefined();
  expect(draft.errorOf('top_k')).toContain('Type a number');
  expect(draft.errorOf('threads')).toBeUndefined();
  expect(draft.error).toBeUndefined();
});

it('puts what the runner refuses at the field that it names, in either spelling', async () => {
  const draft = new SettingsDraft({ context_size: 1 });
  for (const param of ['context_size', 'context-size']) {
    const refused = new ApiError('invalid_request', 'At least 256 tokens.', { param });
    expect(await draft.save(() => Promise.reject(refused))).toBe(false);
    expect(draft.errorOf('context_size')).toBe('At least 256 tokens.');
  }
  await draft.save(() => Promise.reject(new ApiError('storage_full', 'No space.')));
  expect(draft.error).toBe('No space.');
  expect(draft.errorOf('context_size')).toBeUndefined();
});
