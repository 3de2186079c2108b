/** What another site may do here, in words. */
import type { GrantJson } from '#lib/model/wire-access.ts';
import { formatMoment } from '#lib/components/ui/duration.ts';
import { countWords } from './setting-words.ts';

export function scopeWords(models: GrantJson['models']): string {
  return models === 'all' ? 'All models' : countWords(models.length, 'model');
}

/** "11:20 · 61 requests"; the day when it was not today. */
export function usageWords(
  { last_used_ms: lastUsedMs, requests }: Pick<GrantJson, 'last_used_ms' | 'requests'>,
  nowMs: number,
): string {
  if (lastUsedMs === undefined) return 'Not used yet';
  return `${formatMoment(lastUsedMs, nowMs)} · ${countWords(requests, 'request')}`;
}
