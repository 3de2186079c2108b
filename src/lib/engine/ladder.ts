/** The rungs that models are computed on, from the fastest down: which one holds on this machine, why, and what is pinned. */
import { rungs, type ComputeJson, type Rung } from '#lib/model/wire.ts';
import type { Hardware } from './probe.ts';

/** `auto`, or the rung that a person pinned. */
export type ComputeWish = 'auto' | Rung;
export type Ladder = Omit<ComputeJson, 'wasm_build' | 'wasm_builds'>;

/** As a clause goes on after "pinned to". */
const rungNames: Readonly<Record<Rung, string>> = {
  'webgpu-f16': 'WebGPU with 16-bit floats',
  webgpu: 'WebGPU without 16-bit floats',
  'wasm-threads': 'the CPU',
  wasm: 'one thread of the CPU',
};

/** A pinned rung that this machine has lost since, as after a driver's update, counts as `auto` and the reason says so. */
export function ladderOf(hardware: Hardware, wish: ComputeWish): Ladder {
  const all = rungs.map((rung) => {
    const reason = obstacleTo(rung, hardware);
    return reason === undefined ? { rung, available: true } : { rung, available: false, reason };
  });
  const wished = all.find(({ rung }) => rung === wish);
  if (wished?.available)
    return { rung: wished.rung, reason: pinnedTo(wished.rung), pinned: true, rungs: all };
  const best = all.find(({ available }) => available)?.rung ?? 'wasm';
  const lost = wished && `${pinnedTo(wished.rung)}, which is not there: ${wished.reason ?? ''}`;
  const reason = lost ?? whyNotAbove(best, hardware);
  return { rung: best, ...(reason !== undefined && { reason }), pinned: false, rungs: all };
}

/** What engines may see of the machine: what lies above the rung that holds is as if it were not there. */
export function heldTo(hardware: Hardware, wish: ComputeWish): Hardware {
  const { rung, pinned } = ladderOf(hardware, wish);
  if (!pinned) return hardware;
  const gpu = rung.startsWith('webgpu') ? hardware.gpu : undefined;
  return {
    ...hardware,
    isolated: hardware.isolated && rung !== 'wasm',
    gpu: gpu && { ...gpu, f16: gpu.f16 && rung === 'webgpu-f16' },
    pinned: pinnedTo(rung),
  };
}

function pinnedTo(rung: Rung): string {
  return `pinned to ${rungNames[rung]}`;
}

/** All rungs above one are missing for the reason of the lowest of them, and threads for theirs. */
function whyNotAbove(rung: Rung, hardware: Hardware): string | undefined {
  if (rung === 'webgpu-f16') return undefined;
  if (rung === 'webgpu') return obstacleTo('webgpu-f16', hardware);
  const reasons = [obstacleTo('webgpu', hardware), rung === 'wasm' && obstacleTo('wasm-threads', hardware)];
  return reasons.filter(Boolean).join('; ');
}

/** `undefined` where the machine has it. */
function obstacleTo(rung: Rung, { gpu, isolated, cores }: Hardware): string | undefined {
  if (rung === 'wasm') return undefined;
  if (rung === 'wasm-threads') {
    if (!isolated) return 'the page is not isolated, so no threads';
    return cores > 1 ? undefined : 'there is one processor core';
  }
  if (!gpu) return 'no WebGPU';
  return gpu.f16 || rung === 'webgpu' ? undefined : 'the GPU has no shader-f16';
}
