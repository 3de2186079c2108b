/** Parses untrusted bodies, and names the field that is at fault. */
import * as v from 'valibot';
import { ApiError } from '#lib/core/errors.ts';

/** Throws `invalid_request`. */
export function parseFields<S extends v.GenericSchema>(schema: S, body: unknown): v.InferOutput<S> {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new ApiError('invalid_request', 'The body must be a JSON object.');
  }
  const parsed = v.safeParse(schema, body);
  if (parsed.success) return parsed.output;
  const [issue] = parsed.issues;
  throw invalid(v.getDotPath(issue) ?? 'body', issue.message);
}

export function invalid(param: string, problem: string): ApiError {
  return new ApiError('invalid_request', `“${param}”: ${problem}.`, { param });
}

/** A regular expression over megabytes would run out of its stack, so padding and letters are looked at apart. */
export function isBase64(text: string): boolean {
  const letters = text.endsWith('==') ? text.slice(0, -2) : text.endsWith('=') ? text.slice(0, -1) : text;
  return text.length % 4 === 0 && letters !== '' && !/[^A-Za-z0-9+/]/.test(letters);
}

export function isJson(given: string): boolean {
  try {
    JSON.parse(given);
    return true;
  } catch {
    return false;
  }
}

/** To a schema of an object a list is one too, whose keys are its places. Throws `invalid_request`. */
export function refuseLists(body: unknown, paths: readonly string[]): void {
  const list = paths.find((path) => Array.isArray(path.split('.').reduce(fieldOf, body)));
  if (list !== undefined) throw invalid(list, 'must be an object');
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}

/** Fields of other servers that would change the answer: only with a value that changes nothing are they let through. */
export function refuseFields(body: unknown, refused: Readonly<Record<string, readonly unknown[]>>): void {
  for (const [field, value] of Object.entries(body ?? {})) {
    const neutral = Object.hasOwn(refused, field) ? refused[field] : undefined;
    if (neutral === undefined || value === null || isEmpty(value) || neutral.includes(value)) continue;
    throw new ApiError('unsupported_parameter', `“${field}” is not supported by Sampan. Leave it out.`, {
      param: field,
    });
  }
}

function isEmpty(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}

/** The fields of a body that are not read, for a warning to whoever sent them. */
export function unreadFields(body: unknown, schema: { readonly entries: object }): readonly string[] {
  if (typeof body !== 'object' || body === null) return [];
  return Object.entries(body).flatMap(([field, value]) =>
    value === null || Object.hasOwn(schema.entries, field) ? [] : [field],
  );
}
