/**
 * Which JSON Schemas may go to an engine. A schema that an engine cannot turn into a grammar stops it in the middle of
 * other people's answers, and one that no finite text fulfils is never answered; both are refused before.
 */
import { invalid } from './parse.ts';

/** A JSON Schema. Whether the engine knows every keyword is the engine's to say. */
export type JsonSchema = Readonly<Record<string, unknown>>;

const types = ['string', 'number', 'integer', 'boolean', 'null', 'object', 'array'];
const maxDepth = 64;
const maxSchemas = 5000;

/** `strict`: the answer is held to all of it. `loose`: what an engine cannot hold may be left out. */
export type Strictness = 'strict' | 'loose';

/** Throws `invalid_request` with `param`. */
export function checkSchema(schema: JsonSchema, param: string, strictness: Strictness = 'strict'): void {
  const all = collect(schema, param);
  for (const each of all) {
    checkKeywords(each, schema, param);
    if (strictness === 'strict') checkPattern(each.pattern, param);
  }
  if (!closable(schema, all)) {
    throw invalid(param, 'no finite JSON can fulfil this schema; give its recursion an end');
  }
}

export function isSchema(value: unknown): value is JsonSchema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What a local reference points to: `#`, `#/$defs/name`, … */
export function resolveReference(reference: string, root: JsonSchema): unknown {
  if (!reference.startsWith('#')) return undefined;
  const steps = reference.slice(1).split('/').slice(1).map(unescapeStep);
  return steps.reduce<unknown>(
    (at, step) =>
      typeof at === 'object' && at !== null && Object.hasOwn(at, step) ? Reflect.get(at, step) : undefined,
    root,
  );
}

/** RFC 6901, and the percent escapes of a URI fragment. */
function unescapeStep(step: string): string {
  try {
    return decodeURIComponent(step).replaceAll('~1', '/').replaceAll('~0', '~');
  } catch {
    return step;
  }
}

function collect(root: JsonSchema, param: string): ReadonlySet<JsonSchema> {
  const found = new Set<JsonSchema>();
  const visit = (schema: unknown, depth: number): void => {
    if (typeof schema === 'boolean') return;
    if (!isSchema(schema)) throw invalid(param, 'holds something where a schema must be');
    if (found.has(schema)) return;
    if (depth > maxDepth || found.size >= maxSchemas) throw invalid(param, 'is too large or too deep');
    found.add(schema);
    for (const part of partsOf(schema, param)) visit(part, depth + 1);
    if (typeof schema.$ref === 'string') visit(referenced(schema.$ref, root, param), depth + 1);
  };
  visit(root, 0);
  return found;
}

function referenced(reference: string, root: JsonSchema, param: string): unknown {
  const target = resolveReference(reference, root);
  if (target !== undefined) return target;
  throw invalid(param, `“${reference}” points to nothing inside of the schema`);
}

/** The schemas directly inside of one. */
function partsOf(schema: JsonSchema, param: string): readonly unknown[] {
  const maps = ['properties', '$defs', 'definitions'].flatMap((key) => {
    const map = schema[key];
    if (map === undefined) return [];
    if (!isSchema(map)) throw invalid(param, `“${key}” must be an object of schemas`);
    return Object.values(map);
  });
  const lists = ['anyOf', 'oneOf', 'allOf', 'prefixItems'].flatMap((key) => listAt(schema, key, param));
  const single = [...itemsOf(schema), schema.additionalProperties].filter((part) => part !== undefined);
  return [...maps, ...lists, ...single];
}

function listAt(schema: JsonSchema, key: string, param: string): readonly unknown[] {
  const list = schema[key];
  if (list === undefined) return [];
  if (!Array.isArray(list) || list.length === 0) throw invalid(param, `“${key}” must be a list of schemas`);
  return list;
}

function checkKeywords(schema: JsonSchema, root: JsonSchema, param: string): void {
  const named = schema.type === undefined ? [] : [schema.type].flat();
  const strange = named.find((type) => typeof type !== 'string' || !types.includes(type));
  if (strange !== undefined || (Array.isArray(schema.type) && named.length === 0)) {
    throw invalid(param, `there is no type ${JSON.stringify(strange ?? [])}; use ${types.join(', ')}`);
  }
  if (schema.enum !== undefined && !(Array.isArray(schema.enum) && schema.enum.length > 0)) {
    throw invalid(param, '“enum” must be a list of values');
  }
  const { required, $ref } = schema;
  if (
    required !== undefined &&
    !(Array.isArray(required) && required.every((name) => typeof name === 'string'))
  ) {
    throw invalid(param, '“required” must be a list of names');
  }
  if ($ref !== undefined && (typeof $ref !== 'string' || resolveReference($ref, root) === undefined)) {
    throw invalid(param, '“$ref” must be the path of something inside of the schema');
  }
  for (const key of countKeywords) checkCount(schema[key], key, param);
}

const countKeywords = ['minItems', 'maxItems', 'minLength', 'maxLength', 'minProperties', 'maxProperties'];

function checkCount(value: unknown, key: string, param: string): void {
  if (value === undefined || (Number.isSafeInteger(value) && Number(value) >= 0)) return;
  throw invalid(param, `“${key}” must be a whole number of at least 0`);
}

/** The engines take a pattern for the whole text; only an anchored one means the same to them as to everybody else. */
function checkPattern(pattern: unknown, param: string): void {
  if (pattern === undefined) return;
  if (typeof pattern !== 'string' || !pattern.startsWith('^') || !pattern.endsWith('$')) {
    throw invalid(param, 'a “pattern” must begin with “^” and end with “$”');
  }
  try {
    new RegExp(pattern, 'u');
  } catch {
    throw invalid(param, 'a “pattern” is no regular expression');
  }
}

/** Grows the set of schemas that some finite JSON fulfils until nothing is added. */
function closable(root: JsonSchema, all: ReadonlySet<JsonSchema>): boolean {
  const closed = new Set<unknown>([true]);
  const isClosed = (schema: unknown): boolean => schema === undefined || closed.has(schema);
  for (let before = -1; before !== closed.size;) {
    before = closed.size;
    for (const schema of all) if (canClose(schema, root, isClosed)) closed.add(schema);
  }
  return closed.has(root);
}

function canClose(schema: JsonSchema, root: JsonSchema, isClosed: (schema: unknown) => boolean): boolean {
  const { $ref, anyOf, oneOf, allOf } = schema;
  if (typeof $ref === 'string') return isClosed(resolveReference($ref, root));
  if (schema.const !== undefined || schema.enum !== undefined) return true;
  if (Array.isArray(anyOf) && !anyOf.some(isClosed)) return false;
  if (Array.isArray(oneOf) && !oneOf.some(isClosed)) return false;
  if (Array.isArray(allOf) && !allOf.every(isClosed)) return false;
  const alternatives = schema.type === undefined ? [undefined] : [schema.type].flat();
  return alternatives.some((type) => closesAs(type, schema, isClosed));
}

function closesAs(type: unknown, schema: JsonSchema, isClosed: (schema: unknown) => boolean): boolean {
  if (type === 'object' || (type === undefined && isSchema(schema.properties))) {
    const { properties, required } = schema;
    if (!isSchema(properties) || !Array.isArray(required)) return true;
    return required.every((name: string) => !Object.hasOwn(properties, name) || isClosed(properties[name]));
  }
  if (type !== 'array' || Number(schema.minItems ?? 0) === 0) return true;
  return itemsOf(schema).every(isClosed);
}

/** One schema for all, or one each. */
function itemsOf({ items }: JsonSchema): readonly unknown[] {
  return Array.isArray(items) ? items : [items];
}
