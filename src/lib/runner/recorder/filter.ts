/** Which requests somebody wants to see: read from a query, checked by name, held against a row. */
import { ApiError } from '#lib/core/errors.ts';
import type { Digest } from '#lib/core/digest.ts';
import {
  requestSourceKinds,
  requestStates,
  type RequestFilter,
  type RequestRowJson,
} from '#lib/model/wire-requests.ts';

/** A filter whose model was looked up. */
export interface Criteria extends RequestFilter {
  readonly modelId?: Digest | undefined;
}

/** Throws `invalid_request`, naming the parameter. */
export function parseFilter(query: URLSearchParams): RequestFilter {
  const [model, q] = [wordOf(query, 'model'), wordOf(query, 'q')];
  const state = listOf(query, 'state', requestStates);
  const source = listOf(query, 'source', requestSourceKinds);
  const numbers = ['from_ms', 'to_ms', 'min_duration_ms', 'max_duration_ms'] as const;
  return {
    ...(model !== undefined && { model }),
    ...(q !== undefined && { q }),
    ...(state && { state }),
    ...(source && { source }),
    ...Object.fromEntries(numbers.flatMap((name) => numberEntry(query, name))),
  };
}

/** All but the text, which may be on the disk. */
export function matchesRow(row: RequestRowJson, wanted: Criteria): boolean {
  const { model, modelId, state, source } = wanted;
  if (state && !state.includes(row.state)) return false;
  if (source && !source.includes(row.source.kind)) return false;
  if (model !== undefined && row.model !== model && (!modelId || row.model_id !== modelId)) return false;
  return inTime(row, wanted) && inDuration(row, wanted);
}

function inTime({ started_ms: ms }: RequestRowJson, { from_ms: from, to_ms: to }: Criteria): boolean {
  return ms >= (from ?? -Infinity) && ms < (to ?? Infinity);
}

/** What is still under way has no duration: it matches no limit. */
function inDuration({ timing }: RequestRowJson, wanted: Criteria): boolean {
  const { min_duration_ms: min, max_duration_ms: max } = wanted;
  if (min === undefined && max === undefined) return true;
  const { duration_ms: ms } = timing;
  return ms !== undefined && ms >= (min ?? 0) && ms <= (max ?? Infinity);
}

function wordOf(query: URLSearchParams, name: string): string | undefined {
  const value = query.get(name);
  return value === null || value === '' ? undefined : value;
}

function listOf<T extends string>(
  query: URLSearchParams,
  name: string,
  known: readonly T[],
): readonly T[] | undefined {
  const given = wordOf(query, name)?.split(',');
  return given?.map((each) => {
    const found = known.find((one) => one === each);
    if (found !== undefined) return found;
    throw new ApiError('invalid_request', `“${name}” may be any of ${known.join(', ')}.`, { param: name });
  });
}

function numberEntry(query: URLSearchParams, name: string): readonly [string, number][] {
  const value = wholeNumber(query, name);
  return value === undefined ? [] : [[name, value]];
}

/** Throws `invalid_request` for what is no whole number from 0. */
export function wholeNumber(query: URLSearchParams, name: string): number | undefined {
  const value = wordOf(query, name);
  if (value === undefined) return undefined;
  if (/^\d{1,15}$/.test(value)) return Number(value);
  throw new ApiError('invalid_request', `“${name}” must be a whole number.`, { param: name });
}
