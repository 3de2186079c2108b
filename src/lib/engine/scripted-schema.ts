/** The least JSON that a schema allows: how the scripted engine is held by one. Knows the keywords that tests use. */
import type { JsonSchema } from '#lib/openai/json-schema.ts';

export function leastJson(schema: JsonSchema): string {
  return JSON.stringify(leastValue(schema, schema));
}

function leastValue(schema: unknown, root: JsonSchema): unknown {
  if (!isRecord(schema)) return null;
  if (typeof schema.$ref === 'string') return leastValue(resolve(schema.$ref, root), root);
  if ('const' in schema) return schema.const;
  const [first] = [schema.enum, schema.anyOf, schema.oneOf].filter((list) => Array.isArray(list));
  if (first !== undefined) return first === schema.enum ? first[0] : leastValue(first[0], root);
  return leastOfType(schema, root);
}

function leastOfType(schema: JsonSchema, root: JsonSchema): unknown {
  switch (schema.type) {
    case 'object':
      return leastObject(schema, root);
    case 'array':
      return Array.from({ length: Number(schema.minItems ?? 0) }, () => leastValue(schema.items, root));
    case 'string':
      return 'text';
    case 'number':
    case 'integer':
      return schema.minimum ?? 0;
    case 'boolean':
      return true;
    default:
      return null;
  }
}

function leastObject({ properties, required }: JsonSchema, root: JsonSchema): unknown {
  if (!isRecord(properties) || !Array.isArray(required)) return {};
  const kept = Object.entries(properties).filter(([name]) => required.includes(name));
  return Object.fromEntries(kept.map(([name, value]) => [name, leastValue(value, root)]));
}

function resolve(reference: string, root: JsonSchema): unknown {
  const steps = reference.split('/').slice(1);
  return steps.reduce<unknown>((at, step) => (isRecord(at) ? at[step] : undefined), root);
}

function isRecord(value: unknown): value is JsonSchema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
