/**
 * A JSON Schema as the grammar compiler of WebLLM holds it. That compiler aborts at what is wrong, and some of what it
 * does not know it passes over in silence: both are refused here by name, and what it only gets wrong is put right.
 */
import { ApiError } from '#lib/core/errors.ts';
import type { JsonSchema } from '#lib/openai/chat.ts';

type Fields = Readonly<Record<string, unknown>>;

/** It would accept what they forbid. */
const notHeld = [
  'not',
  'if',
  'multipleOf',
  'contains',
  'dependentRequired',
  'dependentSchemas',
  'dependencies',
  'then',
  'else',
  '$dynamicRef',
] as const;
const types: ReadonlySet<unknown> = new Set([
  'string',
  'number',
  'integer',
  'boolean',
  'null',
  'array',
  'object',
]);
/** Where schemas are by name, in a list, or alone. */
const named = ['properties', 'patternProperties', '$defs', 'definitions'] as const;
const listed = ['anyOf', 'oneOf', 'allOf', 'prefixItems'] as const;
const single = ['items', 'additionalProperties', 'unevaluatedProperties', 'propertyNames'] as const;
const ranges = [
  ['minimum', 'maximum'],
  ['minLength', 'maxLength'],
  ['minItems', 'maxItems'],
  ['minProperties', 'maxProperties'],
] as const;
/** More than any that a person or a library writes. */
const maxDepth = 64;
const maxBytes = 256 * 1024;

/**
 * As JSON text; throws `invalid_request` for what cannot be held, with the path of it. What is loose is held as far as
 * it can be: keywords that are not known are left out.
 */
export function heldSchema(schema: JsonSchema, strictness: 'strict' | 'loose' = 'strict'): string {
  const text = JSON.stringify(new Normalizer(schema, strictness).schema(schema, '#', 0));
  if (text.length > maxBytes) throw refusal('#', 'is longer than 256 KiB');
  return text;
}

class Normalizer {
  readonly #root: JsonSchema;
  readonly #strictness: 'strict' | 'loose';

  constructor(root: JsonSchema, strictness: 'strict' | 'loose') {
    this.#root = root;
    this.#strictness = strictness;
  }

  schema(given: unknown, path: string, depth: number): unknown {
    if (given === true) return true;
    if (!isFields(given)) throw refusal(path, given === false ? 'allows nothing' : 'is no schema');
    const value = this.#strictness === 'loose' ? withoutUnheld(given) : given;
    if (depth > maxDepth) throw refusal(path, 'is nested too deeply');
    checkKeywords(value, path);
    if (value.$ref !== undefined) this.#checkReference(value.$ref, path);
    const within = (part: unknown, ...names: readonly string[]) =>
      this.schema(part, [path, ...names].join('/'), depth + 1);
    const fixed: Record<string, unknown> = { ...boundless(value) };
    for (const key of named) {
      const parts = value[key];
      if (parts === undefined) continue;
      if (!isFields(parts)) throw refusal(`${path}/${key}`, 'is no object');
      fixed[key] = Object.fromEntries(
        Object.entries(parts).map(([name, part]) => [name, within(part, key, name)]),
      );
    }
    for (const key of listed) {
      const parts = value[key];
      if (parts === undefined) continue;
      if (!Array.isArray(parts) || parts.length === 0)
        throw refusal(`${path}/${key}`, 'is no list of schemas');
      fixed[key] = parts.map((part, index) => within(part, key, String(index)));
    }
    for (const key of single) {
      const part = value[key];
      if (part !== undefined)
        fixed[key] = part === false && key !== 'propertyNames' ? false : within(part, key);
    }
    return withRequired(fixed);
  }

  /** Only to a place in the schema itself, and not to another reference for ever. */
  #checkReference(first: unknown, path: string): void {
    const seen = new Set<unknown>();
    for (let reference = first; reference !== undefined;) {
      if (seen.has(reference)) throw refusal(path, 'refers to itself only');
      seen.add(reference);
      const target = resolve(this.#root, reference);
      if (target === undefined) throw refusal(path, 'refers to what is not in the schema');
      reference = isFields(target) ? target.$ref : undefined;
    }
  }
}

function withoutUnheld(schema: Fields): Fields {
  const { pattern, allOf } = schema;
  const dropped = new Set<string>(['uniqueItems', ...notHeld]);
  if (Array.isArray(allOf) && allOf.length > 1) dropped.add('allOf');
  if (pattern !== undefined) for (const key of isPattern(pattern) ? lengths : ['pattern']) dropped.add(key);
  return Object.fromEntries(Object.entries(schema).filter(([key]) => !dropped.has(key)));
}

const lengths = ['minLength', 'maxLength'];

function checkKeywords(schema: Fields, path: string): void {
  const unheld = notHeld.find((key) => schema[key] !== undefined);
  if (unheld !== undefined) throw refusal(path, `uses “${unheld}”, which cannot be held`);
  if (schema.uniqueItems === true) throw refusal(path, 'uses “uniqueItems”, which cannot be held');
  const { allOf, type, pattern } = schema;
  if (Array.isArray(allOf) && allOf.length > 1)
    throw refusal(path, 'uses “allOf” with several schemas, which cannot be held');
  const wanted: readonly unknown[] = Array.isArray(type) ? type : [type ?? 'object'];
  if (!wanted.every((each) => types.has(each)) || wanted.length === 0)
    throw refusal(path, 'has an unknown “type”');
  if (Array.isArray(schema.enum) && schema.enum.length === 0) throw refusal(path, 'allows nothing');
  if (pattern !== undefined && !isPattern(pattern))
    throw refusal(path, 'has a “pattern” that cannot be held');
  if (pattern !== undefined && (schema.minLength ?? schema.maxLength) !== undefined)
    throw refusal(path, 'has a “pattern” and a length, of which only one can be held');
  for (const [least, most] of ranges) checkRange(schema, least, most, path);
}

function checkRange(schema: Fields, least: string, most: string, path: string): void {
  for (const key of [least, most]) {
    const bound = schema[key];
    if (bound === undefined) continue;
    if (typeof bound !== 'number' || Math.abs(bound) > Number.MAX_SAFE_INTEGER)
      throw refusal(path, `has a “${key}” that is out of range`);
    if (schema.type !== 'number' && !Number.isInteger(bound))
      throw refusal(path, `has a “${key}” that is no whole number`);
  }
  if (Number(schema[least] ?? -Infinity) > Number(schema[most] ?? Infinity))
    throw refusal(path, `allows nothing between “${least}” and “${most}”`);
}

/** An integer with a lower bound alone is held by the number of its digits only. */
function boundless(schema: Fields): Fields {
  const bounded = schema.minimum !== undefined || schema.exclusiveMinimum !== undefined;
  const open = schema.maximum === undefined && schema.exclusiveMaximum === undefined;
  return schema.type === 'integer' && bounded && open
    ? { ...schema, maximum: Number.MAX_SAFE_INTEGER }
    : schema;
}

/** Required properties that are described nowhere would be left out. */
function withRequired(schema: Fields): Fields {
  const { required, properties } = schema;
  if (!Array.isArray(required) || (properties !== undefined && !isFields(properties))) return schema;
  const missing = required.filter((name): name is string => typeof name === 'string' && !properties?.[name]);
  if (missing.length === 0) return schema;
  return {
    ...schema,
    properties: { ...properties, ...Object.fromEntries(missing.map((name) => [name, {}])) },
  };
}

function resolve(root: JsonSchema, reference: unknown): unknown {
  if (reference === '#') return root;
  if (typeof reference !== 'string' || !reference.startsWith('#/')) return undefined;
  let place: unknown = root;
  for (const part of reference.slice(2).split('/')) {
    const name = part.replaceAll('~1', '/').replaceAll('~0', '~');
    if (typeof place !== 'object' || place === null || !Object.hasOwn(place, name)) return undefined;
    place = Reflect.get(place, name);
  }
  return place;
}

/** Without looking around, word boundaries and references back, which are in no grammar. */
function isPattern(value: unknown): boolean {
  try {
    return (
      typeof value === 'string' && !/\(\?<?[=!]|\\[bBk1-9]/.test(value) && Boolean(new RegExp(value, 'u'))
    );
  } catch {
    return false;
  }
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function refusal(path: string, why: string): ApiError {
  return new ApiError(
    'invalid_request',
    `WebLLM cannot hold this JSON Schema: ${path.slice(0, 120)} ${why}. Change it, or use the model’s GGUF variant.`,
    { param: 'response_format' },
  );
}
