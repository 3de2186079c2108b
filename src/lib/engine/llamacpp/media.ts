/** Images and sound of a chat message as wllama takes them: bytes, where OpenAI has base64. */
import { ApiError } from '#lib/core/errors.ts';
import type { ContentPart } from '#lib/openai/chat.ts';

export interface Media {
  readonly image: boolean;
  readonly audio: boolean;
}

export type EnginePart =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'image' | 'audio'; readonly data: ArrayBuffer };

/** Throws `unsupported_parameter` for what the model cannot take: it would read the place holder as text. */
export function toEnginePart(part: ContentPart, media: Media): EnginePart {
  switch (part.type) {
    case 'text':
      return part;
    case 'image_url':
      if (!media.image) throw refused('see images', media);
      return { type: 'image', data: bytesOf(part.image_url.url.replace(/^data:[^,]*,/, '')) };
    case 'input_audio':
      if (!media.audio) throw refused('hear', media);
      return { type: 'audio', data: bytesOf(part.input_audio.data) };
  }
}

function bytesOf(base64: string): ArrayBuffer {
  let text: string;
  try {
    text = atob(base64);
  } catch (cause) {
    throw new ApiError('invalid_request', 'An image or sound is not valid base64. Encode it again.', {
      param: 'messages',
      cause,
    });
  }
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0)).buffer;
}

function refused(what: string, { image, audio }: Media): ApiError {
  const can = ['text', ...(image ? ['images'] : []), ...(audio ? ['sound'] : [])].join(' and ');
  return new ApiError(
    'unsupported_parameter',
    `This model cannot ${what}: it takes ${can} only. Leave that part out, or choose another model.`,
    { param: 'messages' },
  );
}
