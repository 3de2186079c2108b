/** How much memory models may take here, as far as a browser tells. */
import type { EngineName } from '#lib/engine/port.ts';
import type { Hardware } from '#lib/engine/probe.ts';
import type { Machine } from '#lib/model/fit/judge.ts';

/** Of both builds of llama.cpp: the most that their memory may grow to. */
const wasmHeapBytes = 4 * 2 ** 30;
/** For the browser, the system and whatever else runs. */
const modelShare = 0.75;
const gibibyte = 2 ** 30;

export interface Memory {
  /** For all models together; `Infinity` where nobody tells. */
  readonly budgetBytes: number;
  /** A person's word on it. */
  readonly limitBytes: number | null;
}

/** What the engine would compute with. WebGPU tells the largest buffer, never the memory: only a person does. */
export function machineFor(
  engine: EngineName,
  { gpu }: Hardware,
  { budgetBytes, limitBytes }: Memory,
): Machine {
  const device = gpu && (engine === 'webllm' || gpu.f16) ? 'gpu' : 'cpu';
  return {
    device,
    wasmHeapBytes: Math.min(wasmHeapBytes, budgetBytes),
    ...(device === 'gpu' && gpu && { adapterMaxBufferBytes: gpu.maxBufferBytes }),
    ...(limitBytes !== null && { adapterMemoryGuessBytes: limitBytes }),
  };
}

/** For all models together. Browsers round the memory, and tell 8 GiB where there is more; others tell nothing. */
export function memoryBudget(navigator: WorkerNavigator): number {
  const told: unknown = 'deviceMemory' in navigator ? navigator.deviceMemory : undefined;
  return typeof told === 'number' ? told * gibibyte * modelShare : Infinity;
}
