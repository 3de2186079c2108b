import { expect, it } from 'vitest';
import { checkAdapter, type AdapterSource } from './adapter-check.ts';

const enough = {
  maxBufferSize: 2 ** 28,
  maxStorageBufferBindingSize: 2 ** 27,
  maxComputeWorkgroupStorageSize: 2 ** 15,
  maxStorageBuffersPerShaderStage: 10,
};

function gpuWith(limits: object | undefined): AdapterSource {
  const adapter = limits && ({ limits } as GPUAdapter);
  return { requestAdapter: () => Promise.resolve(adapter ?? null) };
}

it('takes a GPU with the least that WebLLM needs', async () => {
  await expect(checkAdapter(gpuWith(enough))).resolves.toBeUndefined();
});

it.each(Object.keys(enough))('refuses a GPU with too little %s, by its name', async (name) => {
  await expect(checkAdapter(gpuWith({ ...enough, [name]: 8 }))).rejects.toMatchObject({
    code: 'engine_unavailable',
    message: expect.stringContaining(name),
  });
});

it('refuses a GPU that is not given', async () => {
  await expect(checkAdapter(gpuWith(undefined))).rejects.toMatchObject({ code: 'engine_unavailable' });
});
