/** What this browser can compute with. Asked once per runner; the answer does not change while a tab lives. */

export interface Hardware {
  /** Cross-origin isolated, so threads share memory. */
  readonly isolated: boolean;
  readonly cores: number;
  readonly gpu: GpuFacts | undefined;
  /** A clause for people where a person holds the machine to less than it has (`ladder.ts`). */
  readonly pinned?: string | undefined;
}

export interface GpuFacts {
  readonly name: string;
  readonly f16: boolean;
  readonly maxBufferBytes: number;
}

/** What of a global scope the probe looks at. */
interface Scope {
  readonly crossOriginIsolated: boolean;
  readonly navigator: { readonly hardwareConcurrency: number };
}

export async function probeHardware(scope: Scope): Promise<Hardware> {
  return {
    isolated: scope.crossOriginIsolated,
    cores: scope.navigator.hardwareConcurrency,
    gpu: await probeGpu(scope.navigator),
  };
}

async function probeGpu(navigator: Scope['navigator']): Promise<GpuFacts | undefined> {
  // Browsers without WebGPU leave it out.
  const gpu = 'gpu' in navigator ? (navigator.gpu as GPU) : undefined;
  const adapter = await gpu?.requestAdapter();
  if (!adapter) return undefined;
  const { vendor, architecture, description } = adapter.info;
  const name = description || [vendor, architecture].filter(Boolean).join(' ') || 'GPU';
  return { name, f16: adapter.features.has('shader-f16'), maxBufferBytes: adapter.limits.maxBufferSize };
}

/** Threads for the CPU path: all of a few cores, half of many (the other half is usually hyper-threads), 8 at most. */
export function chooseThreads(hardware: Hardware): number {
  if (!hardware.isolated) return 1;
  if (hardware.cores <= 4) return Math.max(1, hardware.cores);
  return Math.min(8, Math.ceil(hardware.cores / 2));
}
