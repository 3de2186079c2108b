/** From messages to the one text that the model reads: by its Jinja template if it has one, else by MLC's own form. */
import { Template } from '@huggingface/jinja';
import { ApiError } from '#lib/core/errors.ts';
import { withoutToolFields } from '#lib/engine/tool-calls/generic-form.ts';
import { callFormatOf, type CallFormat } from '#lib/engine/tool-calls/syntax.ts';
import { templateToolFields, templateTools } from '#lib/engine/tool-calls/template-messages.ts';
import type { ChatConfig } from '#lib/engine/webllm/chat-config.ts';
import { messageText, type ChatMessage, type ChatRequest, type Tool } from '#lib/openai/chat.ts';
import { renderConversation } from './conversation-template.ts';
import { readTokenizerConfig, type TokenizerConfig } from './tokenizer-config.ts';

export interface PromptForm {
  /** Throws `invalid_request` for messages that the template does not take. */
  readonly render: (request: ChatRequest) => string;
  /** How the model writes calls when it is told of tools. */
  readonly callFormat: CallFormat;
  /** Tokens before the text, when the text itself does not have them. */
  readonly prefixTokens: readonly number[];
  /** What a text that is no conversation begins with. */
  readonly beginText: string;
}

export interface PromptSource {
  readonly config: ChatConfig;
  readonly files: ReadonlyMap<string, Blob>;
  /** Wins over the one in the files. */
  readonly chatTemplate: string | undefined;
  /** 0 turns thinking off where a request does not turn it on. */
  readonly thinkBudget?: number | undefined;
}

/** Throws `unsupported_model_format` when the template is no Jinja. */
export async function promptForm(source: PromptSource): Promise<PromptForm> {
  const { config, files, chatTemplate } = source;
  const tokenizer = await readTokenizerConfig(files);
  const text = chatTemplate ?? tokenizer.chatTemplate ?? (await files.get('chat_template.jinja')?.text());
  const { conversation } = config;
  // Only this tokenizer reads `<|im_start|>` in a text as the one token it is.
  if (text === undefined || !config.tokenizerFiles.includes('tokenizer.json')) {
    return {
      render: (request) =>
        renderConversation(withoutToolFields(request.messages, toolsOf(request)), conversation),
      callFormat: 'hermes',
      prefixTokens: conversation.prefixTokens,
      beginText: '',
    };
  }
  const toolText = chatTemplate === undefined ? (tokenizer.toolTemplate ?? text) : text;
  const form = new JinjaForm({
    template: parseTemplate(text),
    toolTemplate: parseTemplate(toolText),
    callFormat: callFormatOf(toolText),
    tokenizer,
    thinks: source.thinkBudget === 0 ? 'on request' : 'as it likes',
  });
  return {
    render: (request) => form.render(request),
    callFormat: form.callFormat ?? 'hermes',
    prefixTokens: [],
    beginText: conversation.prefixTokens.length > 0 ? tokenizer.beginToken : '',
  };
}

/** Those that the model is told of. */
export function toolsOf({ tools, tool_choice: choice }: ChatRequest): readonly Tool[] {
  return choice === 'none' ? [] : (tools ?? []);
}

interface JinjaParts {
  readonly template: Template;
  readonly toolTemplate: Template;
  readonly callFormat: CallFormat | undefined;
  readonly tokenizer: TokenizerConfig;
  readonly thinks: 'as it likes' | 'on request';
}

class JinjaForm {
  readonly #parts: JinjaParts;

  constructor(parts: JinjaParts) {
    this.#parts = parts;
  }

  get callFormat(): CallFormat | undefined {
    return this.#parts.callFormat;
  }

  render(request: ChatRequest): string {
    const tools = toolsOf(request);
    const talksOfTools = tools.length > 0 || request.messages.some(hasToolFields);
    if (!talksOfTools) return this.#fill(this.#parts.template, request, request.messages, null);
    if (this.callFormat) {
      const told = tools.length > 0 ? templateTools(tools) : null;
      return this.#fill(this.#parts.toolTemplate, request, request.messages, told);
    }
    return this.#fill(this.#parts.template, request, withoutToolFields(request.messages, tools), null);
  }

  #fill(
    template: Template,
    request: ChatRequest,
    messages: readonly ChatMessage[],
    tools: readonly object[] | null,
  ): string {
    const { tokenizer, thinks } = this.#parts;
    const thinking = thinks === 'as it likes' && request.reasoning_effort !== 'none';
    try {
      return template.render({
        bos_token: tokenizer.beginToken,
        eos_token: tokenizer.endToken,
        ...(thinking ? {} : { enable_thinking: false }),
        ...request.chat_template_kwargs,
        messages: messages.map((message) => templateMessage(message, this.callFormat ?? 'hermes')),
        tools,
        add_generation_prompt: true,
      });
    } catch {
      // Without the cause: what a template throws may quote the messages.
      throw new ApiError(
        'invalid_request',
        'The chat template of this model does not take these messages. Check their roles and their order.',
        { param: 'messages' },
      );
    }
  }
}

function parseTemplate(text: string): Template {
  try {
    return new Template(text);
  } catch (cause) {
    throw new ApiError(
      'unsupported_model_format',
      'The chat template of this model cannot be read. Package the model with another template.',
      { cause },
    );
  }
}

function hasToolFields({ role, tool_calls: calls }: ChatMessage): boolean {
  return role === 'tool' || (calls?.length ?? 0) > 0;
}

/** Templates ask whether a field is there, so what is empty is left out. */
function templateMessage(message: ChatMessage, format: CallFormat): Record<string, unknown> {
  const { role, content: _, tool_calls: _calls, tool_call_id: _id, ...rest } = message;
  const present = Object.entries(rest).filter(([, value]) => value !== undefined && value !== null);
  return {
    ...Object.fromEntries(present),
    ...templateToolFields(message, format),
    role: role === 'developer' ? 'system' : role,
    content: messageText(message),
  };
}
