/** The check of a device in words. */
import { formatBytes } from '#lib/core/format.ts';
import type { AdapterJson, EngineTestJson } from '#lib/model/wire-self-test.ts';

export function adapterWords(adapter: AdapterJson | null): string {
  if (!adapter) return 'None that this browser offers. Models run on the CPU.';
  const { vendor, architecture, description, f16 } = adapter;
  const name = description || [vendor, architecture].filter(Boolean).join(' ') || 'GPU';
  return f16 ? `${name}, with 16-bit shaders` : `${name}, without 16-bit shaders: llama.cpp uses the CPU`;
}

export function limitWords(limits: AdapterJson['limits']): string {
  return formatBytes(limits.maxBufferSize ?? 0);
}

export function verdictWords({ verdict, device, tokens_per_second: speed, detail }: EngineTestJson): string {
  const where = device === undefined ? '' : ` on ${device}`;
  switch (verdict) {
    case 'correct':
      return `computes correctly${where}, ${speedWords(speed)}.`;
    case 'wrong':
      return `computes wrongly${where}. ${detail ?? ''}`;
    case 'failed':
      return `did not run${where}. ${detail ?? ''}`;
    case 'unavailable':
      return `cannot run here. ${detail ?? ''}`;
  }
}

function speedWords(tokensPerSecond = 0): string {
  return `${tokensPerSecond >= 10 ? Math.round(tokensPerSecond) : tokensPerSecond.toFixed(1)} tokens/s with the tiny model`;
}
