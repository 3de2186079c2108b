/** Of JSON Schema, what llama.cpp passes over in silence: refused here, for such a schema would not hold. */
import { ApiError } from '#lib/core/errors.ts';
import type { JsonSchema, ResponseFormat } from '#lib/openai/chat.ts';

const unheld = [
  ...['not', 'if', 'then', 'else', 'contains', 'multipleOf', 'propertyNames', 'patternProperties'],
  ...['minProperties', 'maxProperties', 'dependentRequired', 'dependentSchemas'],
  ...['unevaluatedItems', 'unevaluatedProperties', '$dynamicRef'],
];
const bounds = ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum'];
const maxDepth = 64;

/** The schema that an answer is held by; undefined where it is free. */
export function schemaOf(format: ResponseFormat | null | undefined): JsonSchema | undefined {
  if (format?.type === 'json_object') return { type: 'object' };
  if (format?.type !== 'json_schema') return undefined;
  const { schema, strict } = format.json_schema;
  if (!schema) return { type: 'object' };
  // Whoever says that it need not be strict gets what there is.
  if (strict !== false) checkHeld(schema, maxDepth);
  return schema;
}

/** Throws `invalid_request` with the keyword by name. */
function checkHeld(schema: unknown, depth: number): void {
  if (!isObject(schema)) return;
  if (depth === 0) throw refused('it is nested too deeply');
  const keyword = unheld.find((key) => key in schema) ?? unheldBound(schema);
  if (keyword !== undefined) throw refused(`it uses “${keyword}”`);
  if (schema.uniqueItems === true) throw refused('it uses “uniqueItems”');
  if (typeof schema.pattern === 'string' && !isPlainPattern(schema.pattern)) {
    throw refused('its “pattern” is not of the form “^…$” without look-arounds and back references');
  }
  for (const part of partsOf(schema)) checkHeld(part, depth - 1);
}

/** Integers are held within bounds, other numbers are not. */
function unheldBound(schema: JsonSchema): string | undefined {
  const types = schema.type === undefined ? [] : [schema.type].flat();
  if (types.length > 0 && !types.includes('number')) return undefined;
  return bounds.find((key) => key in schema);
}

function isPlainPattern(pattern: string): boolean {
  return /^\^.*\$$/s.test(pattern) && !/\(\?(?!:)|\\[1-9bBpPk]/.test(pattern);
}

function partsOf(schema: JsonSchema): readonly unknown[] {
  const maps = [schema.properties, schema.$defs, schema.definitions].flatMap((map) =>
    isObject(map) ? Object.values(map) : [],
  );
  const lists = [schema.anyOf, schema.oneOf, schema.allOf, schema.prefixItems, schema.items].flat();
  return [...maps, ...lists, schema.additionalProperties];
}

function isObject(value: unknown): value is JsonSchema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function refused(why: string): ApiError {
  return new ApiError(
    'invalid_request',
    `llama.cpp cannot hold an answer to this schema: ${why}. Change it, or set “strict” to false to use it without that.`,
    { param: 'response_format' },
  );
}
