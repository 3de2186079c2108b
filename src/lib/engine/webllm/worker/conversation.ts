/**
 * How a rendered prompt is handed to WebLLM. It keeps the computed tokens of a conversation only when the messages
 * begin with those it knows, and its own templates leave out the end of the previous reply there. So its template is
 * made one that adds nothing, and the messages are pieces of the rendered text: what it was given, what it replied,
 * and the rest.
 */
import type {
  ChatCompletionMessageParam,
  ChatCompletionUserMessageParam,
  ChatOptions,
} from '@mlc-ai/web-llm';
import type { ChatConfig } from '#lib/engine/webllm/chat-config.ts';
import { passagesOf, type MarkedPicture, type Passage } from './pictures.ts';

/** A prompt cut into what is computed already and what is new, with marks in the place of pictures. */
export interface PromptPieces {
  readonly known: readonly Exchange[];
  readonly rest: string;
}

interface Exchange {
  readonly given: string;
  readonly replied: string;
}

export class Conversation {
  #exchanges: readonly Exchange[] = [];

  /** Continues the last conversation if the prompt does; WebLLM adds one message to one, and new pictures take more. */
  cut(prompt: string, pictures: readonly MarkedPicture[] = []): PromptPieces {
    const known = this.#exchanges.map(({ given, replied }) => given + replied).join('');
    const continues = known !== '' && prompt.length > known.length && prompt.startsWith(known);
    return continues && passagesOf(prompt.slice(known.length), pictures).length === 1
      ? { known: this.#exchanges, rest: prompt.slice(known.length) }
      : { known: [], rest: prompt };
  }

  /** After a reply that the model itself ended; any other leaves tokens that are not in its text. */
  remember({ known, rest }: PromptPieces, replied: string): void {
    this.#exchanges = [...known, { given: rest, replied }];
  }

  forget(): void {
    this.#exchanges = [];
  }
}

export function toMessages(
  { known, rest }: PromptPieces,
  pictures: readonly MarkedPicture[] = [],
): ChatCompletionMessageParam[] {
  const userMessages = (text: string) => passagesOf(text, pictures).map(userMessage);
  const past = known.flatMap(({ given, replied }): ChatCompletionMessageParam[] => [
    ...userMessages(given),
    { role: 'assistant', content: replied },
  ]);
  return [...past, ...userMessages(rest)];
}

/** WebLLM puts pictures before the text of their message, and ends their line itself. */
function userMessage({ picture, text }: Passage): ChatCompletionUserMessageParam {
  if (!picture) return { role: 'user', content: text };
  return {
    role: 'user',
    content: [
      { type: 'image_url', image_url: { url: picture.url } },
      { type: 'text', text: text.replace(/^\n/, '') },
    ],
  };
}

/** The template that adds nothing. Stop texts are looked for in the reply by us, who hold back half of one. */
export function passThrough({ conversation }: ChatConfig, prefixTokens: readonly number[]): ChatOptions {
  return {
    conv_config: {},
    conv_template: {
      system_template: '',
      system_message: '',
      roles: { user: '', assistant: '', tool: '' },
      seps: [''],
      role_content_sep: '',
      role_empty_sep: '',
      stop_str: [],
      stop_token_ids: [...conversation.stopTokens],
      ...(prefixTokens.length === 0 ? {} : { system_prefix_token_ids: [...prefixTokens] }),
    },
  };
}
