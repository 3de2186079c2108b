/** Puts schemas of others into one of ours; their references start at their own root and are led to their new place. */
import { isSchema, type JsonSchema } from '#lib/openai/json-schema.ts';

export class SchemaNest {
  readonly #definitions = new Map<string, unknown>();

  /** What stands for `schema` inside of ours. `name` must be its own. */
  place(schema: JsonSchema, name: string): JsonSchema {
    if (!refers(schema)) return schema;
    this.#definitions.set(name, moved(schema, `#/$defs/${name}`));
    return { $ref: `#/$defs/${name}` };
  }

  /** Our schema with what was placed in it. */
  root(schema: JsonSchema): JsonSchema {
    if (this.#definitions.size === 0) return schema;
    return { ...schema, $defs: Object.fromEntries(this.#definitions) };
  }
}

function refers(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(refers);
  if (!isSchema(value)) return false;
  return typeof value.$ref === 'string' || Object.values(value).some(refers);
}

function moved(value: unknown, to: string): unknown {
  if (Array.isArray(value)) return value.map((each) => moved(each, to));
  if (!isSchema(value)) return value;
  const entries = Object.entries(value).map(([key, each]) =>
    key === '$ref' && typeof each === 'string' && each.startsWith('#')
      ? [key, to + each.slice(1)]
      : [key, moved(each, to)],
  );
  return Object.fromEntries(entries);
}
