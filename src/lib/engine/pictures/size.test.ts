import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pictureSize } from './size.ts';

/** Letters as bytes, and numbers of two and four. */
function bytes(...parts: readonly (string | readonly number[])[]): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(
    parts.flatMap((part) =>
      typeof part === 'string' ? Array.from(part, (letter) => letter.charCodeAt(0)) : [...part],
    ),
  );
}

const png = bytes('\x89PNG\r\n\x1a\n', [0, 0, 0, 13], 'IHDR', [0, 0, 1, 2, 0, 0, 0, 3]);
const jpeg = bytes([
  0xff, 0xd8, 0xff, 0xe0, 0, 4, 9, 9, 0xff, 0xff, 0xc4, 0, 2, 0xff, 0xc2, 0, 17, 8, 0, 3, 1, 2,
]);
const gif = bytes('GIF89a', [2, 1, 3, 0]);
const bmp = bytes('BM', new Array<number>(16).fill(0), [2, 1, 0, 0, 0xfd, 0xff, 0xff, 0xff]);
const lossy = bytes('RIFF....WEBPVP8 ', new Array<number>(10).fill(0), [2, 0x41, 3, 0x40]);
/** 14 bits each, less one: 257 and 2. */
const lossless = bytes('RIFF....WEBPVP8L', [0, 0, 0, 0, 0x2f, 0x01, 0x81, 0, 0]);
const animated = bytes('RIFF....WEBPVP8X', new Array<number>(8).fill(0), [1, 1, 0, 2, 0, 0]);

describe('pictureSize', () => {
  it.each([
    ['PNG', png],
    ['progressive JPEG, past its other segments', jpeg],
    ['GIF', gif],
    ['BMP, upside down', bmp],
    ['WebP', lossy],
    ['lossless WebP', lossless],
    ['WebP that moves', animated],
  ])('reads that of a %s', (_, picture) => {
    expect(pictureSize(picture)).toEqual({ width: 258, height: 3 });
    for (let length = 0; length < picture.length; length++) {
      expect(pictureSize(picture.slice(0, length))).toBeUndefined();
    }
  });

  it.each([
    ['no picture', bytes('<svg width="1" height="1"/>')],
    ['AVIF', bytes([0, 0, 0, 28], 'ftypavif')],
    ['another RIFF', bytes('RIFF....WAVEfmt ')],
    ['a WebP of an unknown kind', bytes('RIFF....WEBPVP9 ', new Array<number>(30).fill(1))],
    ['a picture without an edge', bytes('GIF89a', [0, 0, 3, 0])],
    ['a JPEG that is only filling', bytes([0xff, 0xd8, 0xff, 0xff, 0xff])],
    ['a JPEG whose segments lead astray', bytes([0xff, 0xd8, 0xff, 0xe0, 0, 0, 1, 2])],
  ])('has none for %s', (_, picture) => {
    expect(pictureSize(picture)).toBeUndefined();
  });

  it('ends, whatever it is given', () => {
    const heads = [png, jpeg, gif, bmp, lossless].map((picture) => [...picture.slice(0, 4)]);
    fc.assert(
      fc.property(fc.constantFrom(...heads), fc.uint8Array({ maxLength: 200 }), (head, rest) => {
        const size = pictureSize(Uint8Array.from([...head, ...rest]));
        expect(size === undefined || (size.width > 0 && size.height > 0)).toBe(true);
      }),
    );
  });
});
