/** A pull in words: what the tray, the cards and the screen reader say. */
import { formatBytes } from '#lib/core/format.ts';
import type { PullJson } from '#lib/model/wire.ts';
import { formatLeft } from '#lib/components/ui/duration.ts';
import { percentOf, secondsLeft } from '#lib/state/pulls.svelte.ts';

/** 1.31e9 of 2.02e9 → "1.31 of 2.02 GB": the unit once when both share it. */
export function formatPart(part: number, whole: number): string {
  const [partValue = '', partUnit] = formatBytes(part).split(' ');
  const [wholeValue = '', wholeUnit = ''] = formatBytes(whole).split(' ');
  const first = partUnit === wholeUnit ? partValue : `${partValue} ${partUnit ?? ''}`;
  return `${first} of ${wholeValue} ${wholeUnit}`;
}

export function speedWords(pull: PullJson): string {
  const left = secondsLeft(pull);
  if (pull.bytes_per_second <= 0) return '';
  const speed = `${formatBytes(pull.bytes_per_second)}/s`;
  return left === undefined ? speed : `${speed} · ${formatLeft(left)} left`;
}

/** The sentence for a meter: "65 percent, 15 s left". */
export function meterWords(pull: PullJson): string {
  const percent = percentOf(pull) ?? 0;
  const left = secondsLeft(pull);
  if (pull.status === 'paused') return `paused at ${percent} percent`;
  return left === undefined ? `${percent} percent` : `${percent} percent, ${formatLeft(left)} left`;
}

/** 1 → "1st", 12 → "12th". */
export function ordinal(place: number): string {
  const endings: Partial<Record<Intl.LDMLPluralRule, string>> = { one: 'st', two: 'nd', few: 'rd' };
  const rule = new Intl.PluralRules('en', { type: 'ordinal' }).select(place);
  return `${place}${endings[rule] ?? 'th'}`;
}

/** More than this is worth a question before it is thrown away. */
export const askAboveBytes = 100_000_000;

const quarters = [100, 75, 50, 25, 0];

/** What a screen reader hears: each quarter once, and every end. `undefined` where there is nothing to say yet. */
export function announcement(pull: PullJson, title: string): string | undefined {
  if (pull.status === 'done') return `${title} is ready.`;
  if (pull.status === 'failed') return `The pull of ${title} failed. ${pull.error?.message ?? ''}`.trim();
  if (pull.status === 'paused') return `${title} is paused.`;
  const percent = percentOf(pull);
  if (percent === undefined || pull.status !== 'pulling') return undefined;
  return `${title}: ${quarters.find((quarter) => percent >= quarter) ?? 0} percent.`;
}
