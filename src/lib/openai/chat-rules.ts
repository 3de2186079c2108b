/** What the fields of a chat request must have to do with each other; each alone is checked by its schema. */
import { checkSchema } from './json-schema.ts';
import { invalid, refuseFields } from './parse.ts';
import type { ChatMessage, ChatRequest } from './chat.ts';

/** Other servers' fields that would change the answer, with the values that would not. */
const refusedFields: Readonly<Record<string, readonly unknown[]>> = {
  functions: [],
  function_call: ['none', 'auto'],
  audio: [],
  modalities: [],
  web_search_options: [],
  verbosity: ['medium'],
  json_schema: [],
  n_predict: [-1],
  typical_p: [1],
  top_n_sigma: [-1],
  repeat_last_n: [64],
  mirostat: [0],
  dynatemp_range: [0],
  xtc_probability: [0],
  dry_multiplier: [0],
  samplers: [],
  n_probs: [0],
  lora: [],
  continue_final_message: [false],
};

/** Throws `unsupported_parameter`, naming the field. */
export function refuseUnsupported(body: unknown): void {
  const onlyText = (value: unknown) => JSON.stringify(value) === '["text"]';
  const isPlain =
    typeof body === 'object' && body !== null && 'modalities' in body && onlyText(body.modalities);
  refuseFields(isPlain ? { ...body, modalities: null } : body, refusedFields);
}

/** Throws `invalid_request`, naming the field. */
export function checkChat(request: ChatRequest): void {
  request.messages.forEach(checkMessage);
  checkTools(request);
  checkFormat(request);
  checkLogitBias(request);
  const thinking = request.chat_template_kwargs?.enable_thinking;
  if (thinking !== undefined && typeof thinking !== 'boolean') {
    throw invalid('chat_template_kwargs.enable_thinking', 'must be true or false');
  }
  if (typeof request.top_logprobs === 'number' && request.logprobs !== true) {
    throw invalid('top_logprobs', 'is told only with “logprobs”: true');
  }
}

/** Also of text completions. */
export function checkLogitBias({ logit_bias: bias }: Pick<ChatRequest, 'logit_bias'>): void {
  const strange = Object.keys(bias ?? {}).find((id) => !/^\d{1,9}$/.test(id));
  if (strange !== undefined) throw invalid('logit_bias', `“${strange.slice(0, 40)}” is no token id`);
}

function checkMessage(message: ChatMessage, index: number): void {
  const at = `messages.${index}`;
  const { role, content, tool_calls: calls, tool_call_id: callId } = message;
  if (role !== 'assistant') {
    if (content === null || content === undefined) throw invalid(`${at}.content`, 'is missing');
    if (calls?.length) throw invalid(`${at}.tool_calls`, 'only messages of the assistant have them');
  }
  if (role === 'tool' && !callId) {
    throw invalid(`${at}.tool_call_id`, 'must name the call that this message answers');
  }
  const isMixed = Array.isArray(content) && content.some((part) => part.type !== 'text');
  if (isMixed && role !== 'user') {
    throw invalid(`${at}.content`, 'only messages of the user hold images and sounds');
  }
}

function checkTools({ tools, tool_choice: choice }: ChatRequest): void {
  const names = tools?.map((tool) => tool.function.name) ?? [];
  names.forEach((name, index) => {
    if (names.indexOf(name) < index)
      throw invalid(`tools.${index}.function.name`, 'another tool has this name');
  });
  tools?.forEach((tool, index) => {
    const { parameters, strict } = tool.function;
    const strictness = strict === true ? 'strict' : 'loose';
    if (parameters) checkSchema(parameters, `tools.${index}.function.parameters`, strictness);
  });
  if (choice === 'required' && names.length === 0) {
    throw invalid('tool_choice', 'there are no tools to call; list them in “tools”');
  }
  if (typeof choice === 'object' && choice && !names.includes(choice.function.name)) {
    throw invalid('tool_choice', 'names a tool that is not among “tools”');
  }
}

function checkFormat({ response_format: format, grammar, tools }: ChatRequest): void {
  if (format?.type === 'json_schema') {
    const { schema, strict } = format.json_schema;
    if (schema) checkSchema(schema, 'response_format', strict === false ? 'loose' : 'strict');
  }
  if (!grammar) return;
  if (format && format.type !== 'text') throw invalid('grammar', 'give either this or “response_format”');
  if (tools?.length)
    throw invalid('grammar', 'cannot hold an answer that may also call tools; give one of the two');
}
