/** Two requests side by side: what differs between them. */
import type { RequestJson } from '#lib/model/wire-requests.ts';
import { modelOf, number, sourceOf, spanWords, stateWords } from './request-words.ts';

export interface ComparedRow {
  readonly label: string;
  readonly values: readonly [string, string];
  readonly differs: boolean;
}

type Fact = readonly [label: string, of: (request: RequestJson) => string];

const none = '–';
const span = (ms: number | undefined) => (ms === undefined ? none : spanWords(ms));
const count = (value: number | undefined) => (value === undefined ? none : number(value));

const facts: readonly Fact[] = [
  ['Status', (request) => stateWords(request).text],
  ['Model', modelOf],
  ['Engine', ({ engine }) => engine ?? none],
  ['Source', ({ source }) => sourceOf(source)],
  ['Duration', ({ timing }) => span(timing.duration_ms)],
  ['First token', ({ timing }) => span(timing.first_token_ms)],
  ['Queue', ({ timing }) => span(timing.queue_ms)],
  ['Load', ({ timing }) => span(timing.load_ms)],
  ['Prefill', ({ timing }) => span(timing.prefill_ms)],
  ['Decode', ({ timing }) => span(timing.decode_ms)],
  [
    'Speed',
    ({ timing: { tokens_per_second: speed } }) => (speed === undefined ? none : `${speed.toFixed(1)} tok/s`),
  ],
  ['Prompt tokens', ({ usage }) => count(usage?.prompt_tokens)],
  ['Cached tokens', ({ usage }) => count(usage?.cached_tokens)],
  ['Answer tokens', ({ usage }) => count(usage?.completion_tokens)],
  ['Finished', ({ finish_reason: reason }) => reason ?? none],
];

export function comparedFacts(left: RequestJson, right: RequestJson): readonly ComparedRow[] {
  return facts.map(([label, of]) => compared(label, of(left), of(right)));
}

/** Parameters in force of either, by name; what was asked stands where nothing was in force. */
export function comparedParameters(left: RequestJson, right: RequestJson): readonly ComparedRow[] {
  const [a, b] = [inForce(left), inForce(right)];
  const names = [...new Set([...Object.keys(a), ...Object.keys(b)])].sort();
  return names.map((name) => compared(name, valueText(a[name]), valueText(b[name])));
}

export function valueText(value: unknown): string {
  if (value === undefined) return none;
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function inForce({ parameters, parameters_in_force: used }: RequestJson): Readonly<Record<string, unknown>> {
  return { ...parameters, ...used };
}

function compared(label: string, left: string, right: string): ComparedRow {
  return { label, values: [left, right], differs: left !== right };
}
