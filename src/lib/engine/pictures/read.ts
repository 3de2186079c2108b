/**
 * The picture of a message as any engine can read it: decoded by the browser, which knows more formats than they do,
 * upright as its camera held it, on white where it is transparent, the first of an animation, and not larger than a
 * model has use for.
 */
import { ApiError } from '#lib/core/errors.ts';
import type { ContentPart } from '#lib/openai/chat.ts';
import { pictureSize, type PictureSize } from './size.ts';

export interface Picture extends PictureSize {
  /** PNG. */
  readonly blob: Blob;
}

export type PicturePart = Extract<ContentPart, { type: 'image_url' }>;
export type ReadPicture = (part: PicturePart, maxEdge: number) => Promise<Picture>;

/** Four bytes a pixel: what a tab can hold besides a model. */
const maxPixels = 64_000_000;
/** As OpenAI has it for `"detail": "low"`. */
const lowDetailEdge = 512;

/** Throws `invalid_request` for what is no picture, is damaged, or is larger than 64 megapixels. */
export async function readPicture({ image_url: image }: PicturePart, maxEdge: number): Promise<Picture> {
  const bytes = bytesOf(image.url.slice(image.url.indexOf(',') + 1), 'An image');
  const size = pictureSize(bytes);
  if (!size) throw refused('An image is no PNG, JPEG, WebP, GIF or BMP, whatever it is called. Convert it.');
  if (size.width * size.height > maxPixels) {
    throw refused(
      `An image is ${size.width} × ${size.height} pixels, more than can be decoded here. Make it smaller.`,
    );
  }
  const bitmap = await decode(bytes);
  try {
    return await redraw(bitmap, image.detail === 'low' ? Math.min(lowDetailEdge, maxEdge) : maxEdge);
  } finally {
    bitmap.close();
  }
}

/** `what` begins the sentence that refuses it. Throws `invalid_request`. */
export function bytesOf(base64: string, what: string): Uint8Array<ArrayBuffer> {
  let text: string;
  try {
    text = atob(base64);
  } catch (cause) {
    throw refused(`${what} is not valid base64. Encode it again.`, cause);
  }
  const bytes = new Uint8Array(text.length);
  // Megabytes of letters: an iterator over them takes seconds.
  for (let at = 0; at < text.length; at++) bytes[at] = text.charCodeAt(at);
  return bytes;
}

export function refused(message: string, cause?: unknown): ApiError {
  return new ApiError('invalid_request', message, { param: 'messages', cause });
}

async function decode(bytes: Uint8Array<ArrayBuffer>): Promise<ImageBitmap> {
  try {
    return await createImageBitmap(new Blob([bytes]), { imageOrientation: 'from-image' });
  } catch (cause) {
    throw refused('An image is damaged: the browser cannot decode it. Save it again.', cause);
  }
}

async function redraw(bitmap: ImageBitmap, maxEdge: number): Promise<Picture> {
  const scale = Math.min(1, maxEdge / Math.max(bitmap.width, bitmap.height));
  const width = Math.max(1, Math.round(bitmap.width * scale));
  const height = Math.max(1, Math.round(bitmap.height * scale));
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext('2d', { alpha: false, willReadFrequently: true });
  if (!context) throw noCanvas();
  context.fillStyle = '#fff';
  context.fillRect(0, 0, width, height);
  context.imageSmoothingQuality = 'high';
  context.drawImage(bitmap, 0, 0, width, height);
  return { width, height, blob: await canvas.convertToBlob({ type: 'image/png' }) };
}

function noCanvas(): ApiError {
  return new ApiError(
    'engine_unavailable',
    'This browser cannot draw images in a worker, so models see none here. Use a current browser.',
  );
}
