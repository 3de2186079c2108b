/** What the filters offer, each with a key that stands in a select. */
import type { RequestSourceKind, RequestState } from '#lib/model/wire-requests.ts';
import type { RequestQuery, TimeSpan } from '#lib/state/request-query.ts';
import { clockOf, sourceWords, spanWords } from './request-words.ts';

interface Choice<Value> {
  readonly key: string;
  readonly label: string;
  readonly value: Value;
}

export const stateChoices: readonly Choice<readonly RequestState[]>[] = [
  { key: '', label: 'Any status', value: [] },
  { key: 'now', label: 'Under way', value: ['queued', 'loading', 'prefill', 'decode'] },
  { key: 'done', label: 'Done', value: ['done'] },
  { key: 'failed', label: 'Failed', value: ['failed', 'lost'] },
  { key: 'cancelled', label: 'Cancelled', value: ['cancelled'] },
];

const kinds: readonly RequestSourceKind[] = ['page', 'tab', 'site', 'program', 'replay', 'unknown'];

export const sourceChoices: readonly Choice<RequestSourceKind | undefined>[] = [
  { key: '', label: 'Any source', value: undefined },
  ...kinds.map((kind) => ({ key: kind, label: sourceWords[kind], value: kind })),
];

const minuteMs = 60_000;

export const spanChoices: readonly Choice<TimeSpan>[] = [
  { key: '', label: 'Any time', value: { kind: 'any' } },
  ...[
    ['Last 15 minutes', 15 * minuteMs] as const,
    ['Last hour', 60 * minuteMs] as const,
    ['Last 24 hours', 1440 * minuteMs] as const,
    ['Last 7 days', 10_080 * minuteMs] as const,
  ].map(([label, ms]): Choice<TimeSpan> => ({ key: String(ms), label, value: { kind: 'within', ms } })),
];

const durations: readonly number[] = [500, 1000, 5000, 10_000, 30_000];

export const durationChoices: readonly Choice<number | undefined>[] = [
  { key: '', label: 'Any duration', value: undefined },
  ...durations.map((ms) => ({ key: String(ms), label: `${spanWords(ms)} or longer`, value: ms })),
];

/** The choices, and the value of an address that is none of them under a name of its own. */
export function withOwn<Value>(
  choices: readonly Choice<Value>[],
  value: Value,
  label: (value: Value) => string,
): readonly Choice<Value>[] {
  return keyOf(choices, value) === ownKey
    ? [...choices, { key: ownKey, label: label(value), value }]
    : choices;
}

const ownKey = 'own';

export function keyOf<Value>(choices: readonly Choice<Value>[], value: Value): string {
  const text = JSON.stringify(value);
  return choices.find((choice) => JSON.stringify(choice.value) === text)?.key ?? ownKey;
}

/** "14:18:02 to 14:33:10". */
export function spanLabel(span: TimeSpan): string {
  if (span.kind === 'between') return `${clockOf(span.fromMs)} to ${clockOf(span.toMs)}`;
  return span.kind === 'within' ? `Last ${spanWords(span.ms)}` : 'Any time';
}

/** Filters that hold something back, the text aside. */
export function countFilters({ model, states, source, span, minDurationMs }: RequestQuery): number {
  return [model !== '', states.length > 0, source, span.kind !== 'any', minDurationMs].filter(Boolean).length;
}
