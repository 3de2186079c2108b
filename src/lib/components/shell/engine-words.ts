/** The engine's state in words, for the status bar and the phone's sheet. */
import type { HostKind } from '#lib/state/host.svelte.ts';
import type { StatusJson } from '#lib/model/wire.ts';
import { formatBytes } from '#lib/core/format.ts';

/** The class of the dot; it has its halo only while something runs. */
export function hostDot(kind: HostKind, isBusy: 'busy' | 'idle'): string {
  if (kind === 'down') return 'bad';
  if (kind === 'starting') return 'warn';
  return isBusy === 'busy' ? 'live' : 'on';
}

/** The rung that models are computed on. Without 16-bit shaders the GPU is WebLLM's alone and the CPU llama.cpp's. */
export function deviceWords({ gpu, threads, compute }: StatusJson): string {
  const name = gpu?.name ?? 'GPU';
  switch (compute.rung) {
    case 'webgpu-f16':
      return `${name} · WebGPU f16`;
    case 'webgpu':
      return `${name} · WebGPU f32 · ${threadWords(threads)}`;
    case 'wasm-threads':
    case 'wasm':
      return `CPU · ${threadWords(threads)}`;
  }
}

function threadWords(threads: number): string {
  return threads === 1 ? '1 thread' : `${threads} threads`;
}

/** Why it is that rung, with the build that computes on the CPU. */
export function deviceHint({ compute: { rung, reason, wasm_build: build } }: StatusJson): string {
  const onCpu = rung === 'webgpu-f16' ? '' : `On the CPU: llama.cpp, ${build}.`;
  const why = reason === undefined ? '' : `${reason.charAt(0).toUpperCase()}${reason.slice(1)}.`;
  return [why, onCpu, 'Check this device'].filter(Boolean).join(' ');
}

export function storageWords({ storage }: StatusJson): string {
  return `${formatBytes(storage.used_bytes)} of ${formatBytes(storage.quota_bytes)} used`;
}

export function relayWords({ relay }: StatusJson): string {
  return relay ? 'Relay on' : 'No relay';
}

export function relayHint({ relay }: StatusJson): string {
  return relay
    ? 'This site relays registries that do not answer browsers, such as Docker Hub. It stores nothing.'
    : 'This site has no relay. Hugging Face works; Docker Hub and other registries that refuse browsers do not.';
}

export function pullWords(count: number): string {
  return count === 1 ? '1 pull' : `${count} pulls`;
}
