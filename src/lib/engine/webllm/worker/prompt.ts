/** From messages to the one text that the model reads: by its Jinja template if it has one, else by MLC's own form. */
import { Template } from '@huggingface/jinja';
import * as v from 'valibot';
import { ApiError } from '#lib/core/errors.ts';
import type { ChatConfig } from '#lib/engine/webllm/chat-config.ts';
import { messageText, type ChatRequest } from '#lib/openai/chat.ts';
import { renderConversation } from './conversation-template.ts';

export interface PromptForm {
  /** Throws `invalid_request` for messages that the template does not take. */
  readonly render: (request: ChatRequest) => string;
  /** Tokens before the text, when the text itself does not have them. */
  readonly prefixTokens: readonly number[];
}

export interface PromptSource {
  readonly config: ChatConfig;
  readonly files: ReadonlyMap<string, Blob>;
  /** Wins over the one in the files. */
  readonly chatTemplate: string | undefined;
}

const specialToken = v.fallback(
  v.nullish(
    v.union([
      v.string(),
      v.pipe(
        v.object({ content: v.string() }),
        v.transform(({ content }) => content),
      ),
    ]),
  ),
  undefined,
);

/** `tokenizer_config.json`; the models that have several templates name the one for chats `default`. */
const tokenizerConfig = v.object({
  bos_token: specialToken,
  eos_token: specialToken,
  chat_template: v.fallback(
    v.nullish(v.union([v.string(), v.array(v.object({ name: v.string(), template: v.string() }))])),
    undefined,
  ),
});

type TokenizerConfig = v.InferOutput<typeof tokenizerConfig>;

/** Throws `unsupported_model_format` when the template is no Jinja. */
export async function promptForm({ config, files, chatTemplate }: PromptSource): Promise<PromptForm> {
  const tokenizer = await readTokenizerConfig(files);
  const text = chatTemplate ?? templateIn(tokenizer) ?? (await files.get('chat_template.jinja')?.text());
  // Only this tokenizer reads `<|im_start|>` in a text as the one token it is.
  if (text === undefined || !config.tokenizerFiles.includes('tokenizer.json')) {
    const { conversation } = config;
    return {
      render: (request) => renderConversation(request.messages, conversation),
      prefixTokens: conversation.prefixTokens,
    };
  }
  const template = parseTemplate(text);
  return { render: (request) => renderTemplate(template, request, tokenizer), prefixTokens: [] };
}

async function readTokenizerConfig(files: ReadonlyMap<string, Blob>): Promise<TokenizerConfig | undefined> {
  const blob = files.get('tokenizer_config.json');
  if (!blob) return undefined;
  try {
    return v.parse(tokenizerConfig, JSON.parse(await blob.text()));
  } catch {
    // Nothing but the template is needed of it, and there is another.
    return undefined;
  }
}

function templateIn(tokenizer: TokenizerConfig | undefined): string | undefined {
  const template = tokenizer?.chat_template;
  if (typeof template === 'string') return template;
  return template?.find(({ name }) => name === 'default')?.template;
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

function renderTemplate(
  template: Template,
  request: ChatRequest,
  tokenizer: TokenizerConfig | undefined,
): string {
  try {
    return template.render({
      bos_token: tokenizer?.bos_token ?? '',
      eos_token: tokenizer?.eos_token ?? '',
      ...request.chat_template_kwargs,
      messages: request.messages.map(templateMessage),
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

/** Templates ask whether a field is there, so what is empty is left out. */
function templateMessage(message: ChatRequest['messages'][number]): Record<string, unknown> {
  const { role, content: _, ...rest } = message;
  const present = Object.entries(rest).filter(([, value]) => value !== undefined && value !== null);
  return {
    ...Object.fromEntries(present),
    role: role === 'developer' ? 'system' : role,
    content: messageText(message),
  };
}
