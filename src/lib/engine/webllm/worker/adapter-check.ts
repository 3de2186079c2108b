/** WebLLM asks every GPU for the same limits and fails with a bare text where one is missing; this says it first. */
import { ApiError } from '#lib/core/errors.ts';

export type AdapterSource = Pick<GPU, 'requestAdapter'>;

const mebibyte = 1024 * 1024;

/** What `@mlc-ai/web-llm` 0.2.86 falls back to before it gives up. */
const least = {
  maxBufferSize: 256 * mebibyte,
  maxStorageBufferBindingSize: 128 * mebibyte,
  maxComputeWorkgroupStorageSize: 32 * 1024,
  maxStorageBuffersPerShaderStage: 10,
} as const;

/** Throws `engine_unavailable`. */
export async function checkAdapter(gpu: AdapterSource): Promise<void> {
  // The same choice as WebLLM's: a laptop has two.
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
  if (!adapter) throw unfit('it cannot be used at the moment');
  for (const [name, needed] of Object.entries(least)) {
    const offered: unknown = Reflect.get(adapter.limits, name);
    if (typeof offered === 'number' && offered < needed)
      throw unfit(`its ${name} is ${offered} of ${needed}`);
  }
}

function unfit(why: string): ApiError {
  return new ApiError(
    'engine_unavailable',
    `This GPU or its driver cannot run WebLLM: ${why}. Update the driver, or choose the model’s GGUF variant.`,
  );
}
