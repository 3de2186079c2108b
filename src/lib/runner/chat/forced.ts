/**
 * What a chat asks of its answer, in terms that every engine can hold: one schema at most, and tools only where the
 * model's own template knows them and the model may decide.
 *
 * Tools together with `response_format` take the generic form with a schema that allows both: calls, or the format.
 */
import { ApiError } from '#lib/core/errors.ts';
import type { ChatRequest, Tool } from '#lib/openai/chat.ts';
import type { ChatEvent } from '#lib/openai/events.ts';
import type { JsonSchema, Strictness } from '#lib/openai/json-schema.ts';
import { readCalls } from './call-reader.ts';
import { SchemaNest } from './embedded-schema.ts';
import { loosened } from './loose-schema.ts';
import { callSchema, describeTools, type CallLimit } from './tool-form.ts';
import { plainHistory, withSystemText } from './tool-history.ts';

export interface ChatPlan {
  /** For the engine. */
  readonly request: ChatRequest;
  /** Makes of the engine's events what the answer is. */
  readonly read: (events: AsyncIterable<ChatEvent>) => AsyncIterable<ChatEvent>;
}

export function planChat(given: ChatRequest, model: { readonly tools: boolean }): ChatPlan {
  const tools = wantedTools(given);
  const format = heldFormat(given);
  const { tools: _tools, tool_choice: _choice, response_format: _format, ...rest } = given;
  const messages = model.tools ? given.messages : plainHistory(given.messages);
  if (tools.length === 0) return { request: { ...rest, messages, ...formatOf(format) }, read: asTold };
  const isForced = given.tool_choice === 'required' || typeof given.tool_choice === 'object';
  if (model.tools && !isForced && !format) {
    return { request: { ...rest, messages, tools: [...tools], tool_choice: 'auto' }, read: asTold };
  }
  // Who names a function wants it once; a small model that is held to a list would go on.
  const once = typeof given.tool_choice === 'object' && given.tool_choice !== null;
  const asked = { ...rest, messages, ...(once && { parallel_tool_calls: false }) };
  return generic(asked, tools, isForced ? 'forced' : format);
}

/** `held`: calls only, calls or this format, or calls or text. */
function generic(rest: ChatRequest, tools: readonly Tool[], held: Held | 'forced' | undefined): ChatPlan {
  const limit: CallLimit = rest.parallel_tool_calls === false ? 'one' : 'several';
  const text = describeTools(tools, limit, held === 'forced' ? 'forced' : 'free');
  const request = { ...rest, messages: withSystemText(rest.messages, text) };
  const names = new Set(tools.map((tool) => tool.function.name));
  const read = (events: AsyncIterable<ChatEvent>) => readCalls(blamingTools(events), names);
  if (held === undefined) return { request, read };
  const nest = new SchemaNest();
  const calls = callSchema(tools, limit, nest);
  const isStrict = tools.every((tool) => tool.function.strict === true);
  const schema = nest.root(
    held === 'forced' ? calls : { anyOf: [calls, nest.place(held.schema, 'response_format')] },
  );
  // There is one measure for the whole of it: the looser of the two.
  const strictness = isStrict && (held === 'forced' || held.strictness === 'strict') ? 'strict' : 'loose';
  return { request: { ...withoutDetours(request), ...formatOf({ schema, strictness }) }, read };
}

/** An engine knows only of a schema; whoever asked gave tools. */
async function* blamingTools(events: AsyncIterable<ChatEvent>): AsyncGenerator<ChatEvent, void, undefined> {
  try {
    yield* events;
  } catch (thrown) {
    if (!(thrown instanceof ApiError) || thrown.param !== 'response_format') throw thrown;
    throw new ApiError(thrown.code, thrown.message, { param: 'tools', cause: thrown });
  }
}

/** A thought or a stop text would end a call that is forced in the middle. */
function withoutDetours(request: ChatRequest): ChatRequest {
  const { stop: _stop, ...rest } = request;
  return { ...rest, chat_template_kwargs: { ...request.chat_template_kwargs, enable_thinking: false } };
}

/** Those that may be called, in a form that an engine takes. */
function wantedTools({ tools, tool_choice: choice }: ChatRequest): readonly Tool[] {
  if (!tools || choice === 'none') return [];
  const named = typeof choice === 'object' && choice !== null ? choice.function.name : undefined;
  const wanted = tools.filter((tool) => named === undefined || tool.function.name === named);
  return wanted.map((tool) => {
    const { parameters, strict } = tool.function;
    if (!parameters || strict === true) return tool;
    return { ...tool, function: { ...tool.function, parameters: loosened(parameters) } };
  });
}

interface Held {
  readonly schema: JsonSchema;
  readonly strictness: Strictness;
}

/** A JSON object without a schema is one of any form. */
function heldFormat({ response_format: format }: ChatRequest): Held | undefined {
  if (format?.type === 'json_object') return { schema: { type: 'object' }, strictness: 'strict' };
  if (format?.type !== 'json_schema') return undefined;
  const { schema, strict } = format.json_schema;
  const given = schema ?? { type: 'object' };
  return strict === false
    ? { schema: loosened(given), strictness: 'loose' }
    : { schema: given, strictness: 'strict' };
}

function formatOf(held: Held | undefined): Pick<ChatRequest, 'response_format'> {
  if (!held) return {};
  const { schema, strictness } = held;
  const format = { name: 'answer', schema, strict: strictness === 'strict' };
  return { response_format: { type: 'json_schema', json_schema: format } };
}

function asTold(events: AsyncIterable<ChatEvent>): AsyncIterable<ChatEvent> {
  return events;
}
