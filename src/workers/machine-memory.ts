/** How much memory models may take here, as far as a browser tells. */
import type { EngineName } from '#lib/engine/port.ts';
import type { Hardware } from '#lib/engine/probe.ts';
import type { Machine } from '#lib/model/fit/judge.ts';

/** Of both builds of llama.cpp: the most that their memory may grow to. */
const wasmHeapBytes = 4 * 2 ** 30;
/** For the browser, the system and whatever else runs. */
const modelShare = 0.75;
const gibibyte = 2 ** 30;

/** What the engine would compute with. WebGPU tells the largest buffer, never the memory. */
export async function machineFor(
  engine: EngineName,
  hardware: Promise<Hardware>,
  navigator: WorkerNavigator,
): Promise<Machine> {
  const { gpu } = await hardware;
  const device = gpu && (engine === 'webllm' || gpu.f16) ? 'gpu' : 'cpu';
  return {
    device,
    wasmHeapBytes: Math.min(wasmHeapBytes, memoryBudget(navigator)),
    ...(device === 'gpu' && gpu && { adapterMaxBufferBytes: gpu.maxBufferBytes }),
  };
}

/** For all models together. Browsers round the memory, and tell 8 GiB where there is more; others tell nothing. */
export function memoryBudget(navigator: WorkerNavigator): number {
  const told: unknown = 'deviceMemory' in navigator ? navigator.deviceMemory : undefined;
  return typeof told === 'number' ? told * gibibyte * modelShare : Infinity;
}
