/**
 * A schema that an answer need not keep to in all details, without the patterns that no engine's grammar knows: one of
 * them would be refused for the whole of it, and lists of tools from elsewhere are full of them.
 */
import { isSchema, type JsonSchema } from '#lib/openai/json-schema.ts';

/** Hold values, not schemas. */
const values: ReadonlySet<string> = new Set(['const', 'enum', 'default', 'examples']);

export function loosened(schema: JsonSchema): JsonSchema {
  const kept = Object.entries(schema).filter(([key, value]) => key !== 'pattern' || !isUnheld(value));
  return Object.fromEntries(kept.map(([key, value]) => [key, values.has(key) ? value : loosenedPart(value)]));
}

function loosenedPart(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(loosenedPart);
  return isSchema(value) ? loosened(value) : value;
}

/** A property may be called “pattern”: that one is no text. */
function isUnheld(pattern: unknown): boolean {
  if (typeof pattern !== 'string') return false;
  const isWhole = pattern.startsWith('^') && pattern.endsWith('$');
  return !isWhole || /\(\?(?!:)|\\[1-9bBpPk]/.test(pattern);
}
