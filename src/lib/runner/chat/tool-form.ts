/**
 * Tool calls in a form that every model can write: the tools are described in the system text, and a call is the answer
 * `{"tool_calls":[{"name":…,"arguments":{…}}]}`. A schema of that form forces calls; without one the model may answer
 * with text or with the form, and the reader tells which from its first characters.
 */
import type { Tool } from '#lib/openai/chat.ts';
import type { JsonSchema } from '#lib/openai/json-schema.ts';
import type { SchemaNest } from './embedded-schema.ts';

/** How many calls one answer may hold. */
export type CallLimit = 'one' | 'several';

/** A model that is held to a list and does not know when to end it ends here. */
const maxCalls = 8;

const form = '{"tool_calls":[{"name":"…","arguments":{…}}]}';

/** Holds an answer to calls of these tools. */
export function callSchema(tools: readonly Tool[], limit: CallLimit, nest: SchemaNest): JsonSchema {
  const calls = tools.map((tool) => oneCall(tool, nest));
  const [only] = calls;
  const items = only && calls.length === 1 ? only : { anyOf: calls };
  const list = { type: 'array', items, minItems: 1, maxItems: limit === 'one' ? 1 : maxCalls };
  return closedObject({ tool_calls: list });
}

/** For the system text. */
export function describeTools(tools: readonly Tool[], limit: CallLimit, use: 'free' | 'forced'): string {
  const lines = tools.map(({ function: { name, description, parameters } }) =>
    JSON.stringify({
      name,
      ...(description ? { description } : {}),
      parameters: parameters ?? noParameters,
    }),
  );
  const number = limit === 'one' ? 'one call' : 'one call or several';
  const rule =
    use === 'forced'
      ? `Answer with ${number} of these tools, as JSON of this form and nothing else: ${form}`
      : `To use tools, answer with ${number} as JSON of this form and nothing else: ${form}\nIf no tool is needed, answer with plain text.`;
  return `You have these tools, one a line:\n${lines.join('\n')}\n${rule}`;
}

const noParameters = { type: 'object', properties: {}, additionalProperties: false };

function oneCall({ function: { name, parameters } }: Tool, nest: SchemaNest): JsonSchema {
  return closedObject({
    name: { type: 'string', const: name },
    arguments: parameters ? nest.place(asObject(parameters), `tool_${name}`) : noParameters,
  });
}

/** Arguments are an object, whether the schema says so or not. */
function asObject(parameters: JsonSchema): JsonSchema {
  const says = ['type', '$ref', 'anyOf', 'oneOf', 'allOf'].some((key) => parameters[key] !== undefined);
  return says ? parameters : { type: 'object', ...parameters };
}

function closedObject(properties: Readonly<Record<string, unknown>>): JsonSchema {
  return { type: 'object', properties, required: Object.keys(properties), additionalProperties: false };
}
