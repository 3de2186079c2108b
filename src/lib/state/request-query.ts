/** Which requests are shown, as it stands in the address of the page and as the API is asked for it. */
import {
  requestSourceKinds,
  requestStates,
  type RequestSourceKind,
  type RequestState,
} from '#lib/model/wire-requests.ts';

export type TimeSpan =
  | { readonly kind: 'any' }
  /** The last so many milliseconds. */
  | { readonly kind: 'within'; readonly ms: number }
  | { readonly kind: 'between'; readonly fromMs: number; readonly toMs: number };

/** What is empty, or `undefined`, holds nothing back. */
export interface RequestQuery {
  readonly text: string;
  readonly model: string;
  readonly states: readonly RequestState[];
  readonly source: RequestSourceKind | undefined;
  readonly span: TimeSpan;
  readonly minDurationMs: number | undefined;
}

export const everyRequest: RequestQuery = {
  text: '',
  model: '',
  states: [],
  source: undefined,
  span: { kind: 'any' },
  minDurationMs: undefined,
};

/** Of an address that a person may have typed: what makes no sense is left out. */
export function readQuery(address: URLSearchParams): RequestQuery {
  const states = (address.get('state') ?? '').split(',');
  return {
    text: address.get('q') ?? '',
    model: address.get('model') ?? '',
    states: requestStates.filter((state) => states.includes(state)),
    source: requestSourceKinds.find((kind) => kind === address.get('source')),
    span: readSpan(address),
    minDurationMs: wholeNumber(address.get('min')),
  };
}

/** The address of a query, without its `?`: empty for every request. */
export function addressOf(query: RequestQuery): URLSearchParams {
  const { span } = query;
  return compact({
    q: query.text,
    model: query.model,
    state: query.states.join(','),
    source: query.source,
    within: span.kind === 'within' ? span.ms : undefined,
    from: span.kind === 'between' ? span.fromMs : undefined,
    to: span.kind === 'between' ? span.toMs : undefined,
    min: query.minDurationMs,
  });
}

/** The filter of `/_sampan/requests` and of its events and exports. */
export function filterOf(query: RequestQuery, nowMs: number): URLSearchParams {
  const { span } = query;
  return compact({
    q: query.text.trim(),
    model: query.model,
    state: query.states.join(','),
    source: query.source,
    from_ms: startOf(span, nowMs),
    to_ms: span.kind === 'between' ? span.toMs : undefined,
    min_duration_ms: query.minDurationMs,
  });
}

/** A filter, and what else is asked with it. */
export function withParameters(
  filter: string,
  more: Readonly<Record<string, string | number>>,
): URLSearchParams {
  const parameters = new URLSearchParams(filter);
  for (const [name, value] of Object.entries(more)) parameters.set(name, String(value));
  return parameters;
}

export function isEveryRequest(query: RequestQuery): boolean {
  return addressOf(query).size === 0;
}

function startOf(span: TimeSpan, nowMs: number): number | undefined {
  if (span.kind === 'any') return undefined;
  return span.kind === 'within' ? Math.max(0, nowMs - span.ms) : span.fromMs;
}

function readSpan(address: URLSearchParams): TimeSpan {
  const [within, from, to] = ['within', 'from', 'to'].map((name) => wholeNumber(address.get(name)));
  if (within !== undefined) return { kind: 'within', ms: within };
  if (from === undefined || to === undefined || to <= from) return { kind: 'any' };
  return { kind: 'between', fromMs: from, toMs: to };
}

function wholeNumber(text: string | null): number | undefined {
  return text !== null && /^[1-9]\d{0,14}$/.test(text) ? Number(text) : undefined;
}

function compact(values: Readonly<Record<string, string | number | undefined>>): URLSearchParams {
  const present = Object.entries(values).flatMap(([name, value]) =>
    value === undefined || value === '' ? [] : [[name, String(value)]],
  );
  return new URLSearchParams(present);
}
