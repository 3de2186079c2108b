import { describe, expect, it } from 'vitest';
import type { ReadPicture } from '#lib/engine/pictures/read.ts';
import type { ChatMessage, ContentPart } from '#lib/openai/chat.ts';
import { readMedia } from './media.ts';

const never = new AbortController().signal;
const image: ContentPart = { type: 'image_url', image_url: { url: 'data:image/png;base64,AQID' } };
const seeing = { image: true, audio: true, lacksThreads: false };

/** As the decoder would, which only a browser has. */
const read: ReadPicture = () => Promise.resolve({ width: 1, height: 1, blob: new Blob(['png']) });

function sound(text: string): ContentPart {
  return { type: 'input_audio', input_audio: { data: btoa(text), format: 'wav' } };
}

const saying = (...content: ContentPart[]): ChatMessage[] => [{ role: 'user', content }];

describe('readMedia', () => {
  it('reads what is not text, in every message', async () => {
    const heard = sound('RIFF....WAVEfmt ');
    const messages = [
      ...saying({ type: 'text', text: 'a' }, image),
      { role: 'user' as const, content: [heard] },
    ];
    const media = await readMedia([...messages, { role: 'user', content: 'b' }], seeing, {
      signal: never,
      read,
    });
    expect([...media.keys()]).toEqual([image, heard]);
    expect(new TextDecoder().decode([...media.values()][1])).toBe('RIFF....WAVEfmt ');
  });

  it.each([
    ['FLAC', 'fLaC\0\0'],
    ['MP3 with its tag', 'ID3\x03'],
    ['MP3', '\xff\xfb\x90'],
  ])('takes %s', async (_, text) => {
    expect((await readMedia(saying(sound(text)), seeing, { signal: never })).size).toBe(1);
  });

  it.each([
    ['a picture', '\x89PNG\r\n\x1a\n'],
    ['AAC', '\xff\xf1\x50'],
    ['older AAC', '\xff\xf9\x50'],
    ['half a WAV', 'RIFF....AVI '],
    ['nothing', ''],
  ])('refuses %s that is said to be a sound', async (_, text) => {
    const refused = readMedia(saying(sound(text)), seeing, { signal: never });
    await expect(refused).rejects.toMatchObject({ code: 'invalid_request', param: 'messages' });
  });

  it.each<[ContentPart, object, RegExp]>([
    [image, { image: false, audio: false, lacksThreads: false }, /cannot see images: it takes text only/],
    [
      image,
      { image: false, audio: true, lacksThreads: false },
      /cannot see images: it takes text and sound only/,
    ],
    [
      sound('ID3'),
      { image: true, audio: false, lacksThreads: false },
      /cannot hear: it takes text and images only/,
    ],
  ])('says what a model takes that cannot take a part', async (part, media, message) => {
    const refused = readMedia(saying(part), media as typeof seeing, { signal: never, read });
    await expect(refused).rejects.toMatchObject({ code: 'unsupported_parameter' });
    await expect(refused).rejects.toThrow(message);
  });

  it('refuses too many before it decodes one, and reads no more once the request is cancelled', async () => {
    const many = saying(...Array.from({ length: 101 }, () => image));
    await expect(readMedia(many, seeing, { signal: never, read })).rejects.toMatchObject({ status: 400 });
    const abort = new AbortController();
    let seen = 0;
    const cancelling: ReadPicture = (part, edge) => {
      seen++;
      abort.abort();
      return read(part, edge);
    };
    const reading = readMedia(saying(image, { ...image }), seeing, {
      signal: abort.signal,
      read: cancelling,
    });
    await expect(reading).rejects.toMatchObject({ name: 'AbortError' });
    expect(seen).toBe(1);
  });
});
