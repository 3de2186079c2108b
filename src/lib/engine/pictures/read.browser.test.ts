import { describe, expect, it } from 'vitest';
import { readPicture, type Picture } from './read.ts';

type Draw = (context: OffscreenCanvasRenderingContext2D) => void;

const read = (bytes: Uint8Array, { maxEdge = 2048, detail }: { maxEdge?: number; detail?: string } = {}) => {
  const url = `data:image/png;base64,${btoa(String.fromCharCode(...bytes))}`;
  return readPicture({ type: 'image_url', image_url: { url, detail } }, maxEdge);
};

async function drawn([width, height]: [number, number], draw: Draw, type = 'image/png'): Promise<Uint8Array> {
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext('2d');
  if (context) draw(context);
  return new Uint8Array(await (await canvas.convertToBlob({ type, quality: 1 })).arrayBuffer());
}

const fill =
  (colour: string, ...area: [number, number, number, number]): Draw =>
  (context) => {
    context.fillStyle = colour;
    context.fillRect(...area);
  };

/** Red, green and blue at the place, rounded to whether there is any. */
async function colourAt({ blob }: Picture, x: number, y: number): Promise<readonly boolean[]> {
  const context = new OffscreenCanvas(1, 1).getContext('2d');
  context?.drawImage(await createImageBitmap(blob), -x, -y);
  return [...(context?.getImageData(0, 0, 1, 1).data ?? [])].slice(0, 3).map((part) => part > 127);
}

const [red, blue, white] = [
  [true, false, false],
  [false, false, true],
  [true, true, true],
];

describe('readPicture', () => {
  it('makes a PNG of any kind, white where there was nothing', async () => {
    for (const type of ['image/png', 'image/webp']) {
      const picture = await read(await drawn([4, 2], fill('red', 0, 0, 2, 2), type));
      expect(picture).toMatchObject({ width: 4, height: 2, blob: { type: 'image/png' } });
      expect(await colourAt(picture, 0, 0)).toEqual(red);
      expect(await colourAt(picture, 3, 1)).toEqual(white);
    }
  });

  it('is not larger than asked, keeps its shape, and is small where no detail is wanted', async () => {
    const bytes = await drawn([2000, 500], fill('blue', 0, 0, 2000, 500));
    expect(await read(bytes, { maxEdge: 1000 })).toMatchObject({ width: 1000, height: 250 });
    expect(await read(bytes)).toMatchObject({ width: 2000, height: 500 });
    expect(await read(bytes, { detail: 'low' })).toMatchObject({ width: 512, height: 128 });
    expect(await read(bytes, { detail: 'high' })).toMatchObject({ width: 2000 });
    const line = await drawn([4000, 1], fill('blue', 0, 0, 4000, 1));
    expect(await read(line, { maxEdge: 100 })).toMatchObject({ width: 100, height: 1 });
  });

  it('stands as the camera was held', async () => {
    const lying = await drawn(
      [16, 8],
      (context) => {
        fill('red', 0, 0, 8, 8)(context);
        fill('blue', 8, 0, 8, 8)(context);
      },
      'image/jpeg',
    );
    const picture = await read(turned(lying));
    expect(picture).toMatchObject({ width: 8, height: 16 });
    expect(await colourAt(picture, 4, 3)).toEqual(red);
    expect(await colourAt(picture, 4, 12)).toEqual(blue);
  });

  it.each([
    ['no picture', () => Promise.resolve(new TextEncoder().encode('<svg/>')), 'Convert it'],
    ['a picture that is cut off', async () => (await drawn([9, 9], () => undefined)).slice(0, 40), 'damaged'],
    ['a picture that would fill the memory', () => hugePng(), '30000 × 30000'],
  ])('refuses %s', async (_, bytes, words) => {
    const refused = read(await bytes());
    await expect(refused).rejects.toMatchObject({ code: 'invalid_request', param: 'messages' });
    await expect(refused).rejects.toThrow(words);
  });
});

async function hugePng(): Promise<Uint8Array> {
  const bytes = await drawn([9, 9], () => undefined);
  const view = new DataView(bytes.buffer);
  view.setUint32(16, 30_000);
  view.setUint32(20, 30_000);
  return bytes;
}

/** A JPEG with the Exif tag that says: a quarter to the right. */
function turned(jpeg: Uint8Array): Uint8Array {
  const tag = 'Exif\0\0MM\0*\0\0\0\b\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0';
  const exif = new TextEncoder().encode(tag);
  return Uint8Array.from([0xff, 0xd8, 0xff, 0xe1, 0, exif.length + 2, ...exif, ...jpeg.slice(2)]);
}
