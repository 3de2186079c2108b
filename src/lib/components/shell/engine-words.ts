/** The engine's state in words, for the status bar and the phone's sheet. */
import type { HostKind } from '#lib/state/host.svelte.ts';
import type { StatusJson } from '#lib/model/wire.ts';
import { formatBytes } from '#lib/core/format.ts';

/** The class of the dot; it breathes only while something runs. */
export function hostDot(kind: HostKind, isBusy: 'busy' | 'idle'): string {
  if (kind === 'down') return 'bad';
  if (kind === 'starting') return 'warn';
  return isBusy === 'busy' ? 'live' : 'on';
}

/** Where llama.cpp computes: an adapter without 16-bit shaders is of no use to it. */
export function deviceWords({ gpu, threads }: StatusJson): string {
  if (gpu?.f16) return `${gpu.name} · WebGPU f16`;
  return threads === 1 ? 'CPU · 1 thread' : `CPU · ${threads} threads`;
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
