import { expect, it, vi } from 'vitest';
import type { Digest } from '#lib/core/digest.ts';
import { MemoryModelSettings } from '#lib/store/memory/model-settings.ts';
import { ModelSettings } from './settings.ts';

const id: Digest = `sha256:${'0'.repeat(64)}`;

function bench() {
  const store = new MemoryModelSettings();
  const writeNow = store.put.bind(store);
  return {
    writeNow,
    settings: new ModelSettings(store),
    read: vi.spyOn(store, 'get'),
    write: vi.spyOn(store, 'put'),
  };
}

it('reads the settings of a model once, and again when they were written', async () => {
  const { settings, read } = bench();
  expect([await settings.get(id), await settings.get(id)]).toEqual([{}, {}]);
  expect(read).toHaveBeenCalledOnce();
  await settings.put(id, { context_size: 512 });
  expect(await settings.get(id)).toEqual({ context_size: 512 });
  expect(read).toHaveBeenCalledTimes(2);
});

it('keeps the old ones when the new ones cannot be written', async () => {
  const { settings, write } = bench();
  await settings.put(id, { context_size: 512 });
  write.mockRejectedValue(new Error('full'));
  await expect(settings.put(id, { context_size: 1024 })).rejects.toThrow('full');
  expect(await settings.get(id)).toEqual({ context_size: 512 });
});

it('tries again after a failed read', async () => {
  const { settings, read } = bench();
  read.mockRejectedValueOnce(new Error('broken'));
  await expect(settings.get(id)).rejects.toThrow('broken');
  expect(await settings.get(id)).toEqual({});
});

it('does not keep what was read while new ones were being written', async () => {
  const { settings, write, writeNow } = bench();
  let written: () => void = () => undefined;
  write.mockImplementationOnce(async (...given) => {
    await new Promise<void>((resolve) => (written = resolve));
    await writeNow(...given);
  });
  const put = settings.put(id, { context_size: 512 });
  expect(await settings.get(id)).toEqual({});
  written();
  await put;
  expect(await settings.get(id)).toEqual({ context_size: 512 });
});
