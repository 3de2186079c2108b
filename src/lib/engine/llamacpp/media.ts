/** Images and sound of chat messages as wllama takes them: bytes, where OpenAI has base64. */
import { ApiError } from '#lib/core/errors.ts';
import { bytesOf, refused, readPicture, type ReadPicture } from '#lib/engine/pictures/read.ts';
import type { ChatMessage, ContentPart } from '#lib/openai/chat.ts';

export interface Media {
  readonly image: boolean;
  readonly audio: boolean;
  /** The package's builds take a sound apart in threads, and a model that was loaded without them would die of it. */
  readonly lacksThreads: boolean;
}

export type MediaPart = Exclude<ContentPart, { type: 'text' }>;

/** What the engine reads in the place of each. */
export type MediaBytes = ReadonlyMap<MediaPart, ArrayBuffer>;

/** The largest that any known projector takes apart; all others shrink it further. */
const maxEdge = 2048;
/** Decoded, they wait in memory until the last one is. */
const maxParts = 100;
/** WAV, FLAC, MP3 with and without its tag, and not AAC: what the engine decodes. It would take a picture for a sound as well. */
const sounds = /^(?:RIFF[^]{4}WAVE|fLaC|ID3|\xff[\xe2-\xe7\xf2-\xf7\xfa-\xff])/;

/**
 * One after another: each takes the memory of a decoded picture. Throws `unsupported_parameter` for what the model cannot
 * take, and `invalid_request` for what is damaged or too much.
 */
export async function readMedia(
  messages: readonly ChatMessage[],
  media: Media,
  { signal, read = readPicture }: { readonly signal: AbortSignal; readonly read?: ReadPicture },
): Promise<MediaBytes> {
  const parts = messages.flatMap(({ content }) => (Array.isArray(content) ? content : [])).filter(isMedia);
  if (parts.length > maxParts) {
    throw refused(
      `There are ${parts.length} images and sounds, and ${maxParts} is all that one request can have. Leave some out.`,
    );
  }
  const bytes = new Map<MediaPart, ArrayBuffer>();
  for (const part of parts) {
    signal.throwIfAborted();
    requireSense(part, media);
    bytes.set(
      part,
      part.type === 'image_url' ? await (await read(part, maxEdge)).blob.arrayBuffer() : soundOf(part),
    );
  }
  return bytes;
}

export function isMedia(part: ContentPart): part is MediaPart {
  return part.type !== 'text';
}

function soundOf({ input_audio: { data } }: Extract<ContentPart, { type: 'input_audio' }>): ArrayBuffer {
  const bytes = bytesOf(data, 'A sound');
  if (!sounds.test(String.fromCharCode(...bytes.subarray(0, 12)))) {
    throw refused('A sound is no WAV, MP3 or FLAC, whatever it is called. Convert it.');
  }
  return bytes.buffer;
}

/** The engine would read the place holder as text. */
function requireSense({ type }: MediaPart, { image, audio, lacksThreads }: Media): void {
  if (type === 'input_audio' && audio && lacksThreads) throw needsThreads();
  if (type === 'image_url' ? image : audio) return;
  const can = ['text', ...(image ? ['images'] : []), ...(audio ? ['sound'] : [])].join(' and ');
  throw new ApiError(
    'unsupported_parameter',
    `This model cannot ${type === 'image_url' ? 'see images' : 'hear'}: it takes ${can} only. Leave that part out, or choose another model.`,
    { param: 'messages' },
  );
}

function needsThreads(): ApiError {
  return new ApiError(
    'not_supported',
    'A sound is heard by two threads or more, and this model was loaded with one. Leave the sound out, or give the model more threads in its settings; a page that is not isolated has none to give.',
    { param: 'messages' },
  );
}
