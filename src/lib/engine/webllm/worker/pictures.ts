/**
 * The pictures of a request on their way to WebLLM. It reads them by URL, so each gets one that nothing but this worker
 * answers; and a mark that holds its place in the prompt while that is one text.
 */
import { sha256 } from '#lib/core/digest.ts';
import { refused, type Picture, type PicturePart, type ReadPicture } from '#lib/engine/pictures/read.ts';
import type { ChatMessage, ChatRequest } from '#lib/openai/chat.ts';

export interface MarkedPicture extends Picture {
  readonly url: string;
  /** Made of what the picture is, so that prompts with different ones differ; nobody outside can write it. */
  readonly mark: string;
}

/** A picture if it begins with one, and the text that follows. */
export interface Passage {
  readonly picture?: MarkedPicture | undefined;
  readonly text: string;
}

/** The widest that phi3_v divides its input into; the whole picture goes to the GPU with 4 bytes a number. */
const maxEdge = 1344;
const maxPictures = 20;

export class PictureShelf {
  readonly #read: ReadPicture;
  readonly #salt = crypto.randomUUID();
  #pictures: readonly MarkedPicture[] = [];

  constructor(read: ReadPicture) {
    this.#read = read;
  }

  find(url: string): Blob | undefined {
    return this.#pictures.find((picture) => picture.url === url)?.blob;
  }

  /** The same request in text, with marks; what it had before makes room. Throws `invalid_request`. */
  async take(
    request: ChatRequest,
    signal: AbortSignal,
  ): Promise<{ readonly request: ChatRequest; readonly pictures: readonly MarkedPicture[] }> {
    this.#pictures = [];
    const parts = request.messages.flatMap(picturesOf);
    if (parts.length > maxPictures) {
      throw refused(
        `There are ${parts.length} images, and ${maxPictures} is all that one request can have here. Leave some out.`,
      );
    }
    const marked = new Map<PicturePart, MarkedPicture>();
    for (const part of parts) {
      signal.throwIfAborted();
      marked.set(part, await this.#mark(part));
    }
    this.#pictures = [...marked.values()];
    const messages = request.messages.map((message) => inText(message, marked));
    return { request: { ...request, messages }, pictures: this.#pictures };
  }

  async #mark(part: PicturePart): Promise<MarkedPicture> {
    const picture = await this.#read(part, maxEdge);
    const name = (await sha256(new Uint8Array(await picture.blob.arrayBuffer()))).slice('sha256:'.length);
    return {
      ...picture,
      url: `https://picture.invalid/${name}.png`,
      mark: `\uFFFC${this.#salt}/${name}\uFFFC`,
    };
  }
}

/** One passage, without a picture, where there are none. */
export function passagesOf(text: string, pictures: readonly MarkedPicture[]): readonly Passage[] {
  const byMark = new Map(pictures.map((picture) => [picture.mark, picture]));
  const passages: Passage[] = [];
  let current: Passage = { text: '' };
  // A mark has nothing in it that means something to a pattern; without one, the pattern never matches.
  const anyMark = new RegExp(`(${[...byMark.keys()].join('|') || '(?!)'})`);
  for (const piece of text.split(anyMark)) {
    const picture = byMark.get(piece);
    if (!picture) {
      current = { ...current, text: current.text + piece };
      continue;
    }
    if (current.picture || current.text !== '') passages.push(current);
    current = { picture, text: '' };
  }
  return [...passages, current];
}

export function withoutMarks(text: string, pictures: readonly MarkedPicture[]): string {
  return pictures.reduce((shown, { mark }) => shown.replaceAll(mark, '<image>'), text);
}

/** As the model was taught: all pictures of a message, each on a line of its own, then its text. */
function inText(message: ChatMessage, marked: ReadonlyMap<PicturePart, MarkedPicture>): ChatMessage {
  const { content } = message;
  if (!Array.isArray(content)) return message;
  const marks = picturesOf(message).map((part) => `${marked.get(part)?.mark ?? ''}\n`);
  const texts = content.map((part) => (part.type === 'text' ? part.text : ''));
  return { ...message, content: [...marks, ...texts].join('') };
}

function picturesOf({ content }: ChatMessage): readonly PicturePart[] {
  return Array.isArray(content) ? content.filter((part) => part.type === 'image_url') : [];
}
