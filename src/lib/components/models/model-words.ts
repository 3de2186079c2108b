/** A stored model in words: its state, its size, when it was used last, and what else to run it with. */
import { formatBytes } from '#lib/core/format.ts';
import type { Capabilities } from '#lib/model/capabilities.ts';
import type { FitJson } from '#lib/model/wire.ts';
import { daysBetween, formatDay } from '#lib/components/ui/duration.ts';
import { ownBytes, type LocalModel } from '#lib/state/models.svelte.ts';
import { shortReference } from '#lib/state/names.ts';

export interface ModelState {
  readonly tone: 'live' | 'soft' | 'warn';
  readonly text: string;
  /** The class of the dot before it; without one a warning sign stands there. */
  readonly dot?: 'live' | 'on' | 'off';
}

/** The most important thing about it first. */
export function stateOf({ runner, missingFiles = 0, obstacle }: LocalModel): ModelState {
  if (runner?.loading) return { tone: 'live', text: 'Loading', dot: 'live' };
  if (runner) return { tone: 'live', text: 'Loaded', dot: runner.in_use ? 'live' : 'on' };
  if (missingFiles > 0) {
    return { tone: 'warn', text: missingFiles === 1 ? '1 file damaged' : `${missingFiles} files damaged` };
  }
  if (obstacle !== undefined) return { tone: 'warn', text: 'Cannot run here' };
  return { tone: 'soft', text: 'Ready', dot: 'off' };
}

export function canChat({ missingFiles = 0, obstacle }: LocalModel): boolean {
  return missingFiles === 0 && obstacle === undefined;
}

/** "1.20 GB, 900 MB shared": what it takes, and what of that other models use too. */
export function sizeWords({ sizeBytes, sharedBytes = 0 }: LocalModel): string {
  const size = formatBytes(sizeBytes);
  return sharedBytes > 0 ? `${size}, ${formatBytes(sharedBytes)} shared` : size;
}

/** "Chat, tools, thinking": what may be asked of it; empty where its files say nothing. */
export function abilityWords(capabilities: Capabilities | undefined): string {
  if (!capabilities) return '';
  const words: Readonly<Record<keyof Capabilities, string>> = {
    chat: 'chat',
    tools: 'tools',
    reasoning: 'thinking',
    vision: 'images',
    audio: 'sound',
    fim: 'filling in the middle',
    embedding: 'embeddings',
    rerank: 'ranking',
  };
  const can = Object.entries(words).filter(([key]) => capabilities[key as keyof Capabilities]);
  const text = can.map(([, word]) => word).join(', ');
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Of weights, context and buffers; empty where it is not known. */
export function memoryWords(fit: FitJson | undefined): string {
  if (!fit) return '';
  const need = `about ${formatBytes(fit.need_bytes)}`;
  return fit.have_bytes === undefined ? need : `${need} of ${formatBytes(fit.have_bytes)}`;
}

/** What is freed when the whole model goes. */
export function freedWords(model: LocalModel): string {
  const { sharedBytes = 0 } = model;
  if (sharedBytes === 0) return `Frees ${formatBytes(ownBytes(model))} in this browser.`;
  const stays = `${formatBytes(sharedBytes)} stay: another model uses them.`;
  return ownBytes(model) === 0
    ? `Frees nothing; ${stays}`
    : `Frees ${formatBytes(ownBytes(model))}. ${stays}`;
}

/** "now", "3 min ago", "2 h ago", "yesterday", "9 Nov". */
export function agoWords(ms: number, nowMs: number): string {
  const minutes = Math.floor((nowMs - ms) / 60_000);
  if (minutes < 1) return 'now';
  if (minutes < 60) return `${minutes} min ago`;
  const days = daysBetween(ms, nowMs);
  if (days === 0) return `${Math.floor(minutes / 60)} h ago`;
  return days === 1 ? 'yesterday' : formatDay(ms, nowMs);
}

/** A request that any program on this machine can send. */
export function curlFor(reference: string, origin: string): string {
  const body = { model: shortReference(reference), messages: [{ role: 'user', content: 'Hello' }] };
  const json = JSON.stringify(body).replaceAll("'", String.raw`'\''`);
  return [
    `curl ${origin}/engines/v1/chat/completions`,
    `-H 'content-type: application/json'`,
    `-d '${json}'`,
  ].join(' \\\n  ');
}
