/**
 * How large a picture says it is, from its first bytes: decoded, a small file can fill the memory. Only the formats that
 * every browser and the API know have a size; whatever else calls itself a picture has none.
 */

export interface PictureSize {
  readonly width: number;
  readonly height: number;
}

/** `undefined` for what is no PNG, JPEG, GIF, WebP or BMP, and for one that ends before it says. */
export function pictureSize(bytes: Uint8Array<ArrayBuffer>): PictureSize | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const head = String.fromCharCode(...bytes.subarray(0, 16));
  for (const { begins, read } of formats) {
    if (!begins(head)) continue;
    try {
      const size = read(view);
      return size && size.width > 0 && size.height > 0 ? size : undefined;
    } catch (thrown) {
      if (thrown instanceof RangeError) return undefined;
      throw thrown;
    }
  }
  return undefined;
}

interface Format {
  readonly begins: (head: string) => boolean;
  /** Throws `RangeError` when the bytes end. */
  readonly read: (view: DataView) => PictureSize | undefined;
}

const formats: readonly Format[] = [
  {
    begins: (head) => head.startsWith('\x89PNG\r\n\x1a\n'),
    read: (view) => ({ width: view.getUint32(16), height: view.getUint32(20) }),
  },
  { begins: (head) => head.startsWith('\xff\xd8\xff'), read: jpegSize },
  {
    begins: (head) => /^GIF8[79]a/.test(head),
    read: (view) => ({ width: view.getUint16(6, true), height: view.getUint16(8, true) }),
  },
  { begins: (head) => head.startsWith('RIFF') && head.slice(8, 12) === 'WEBP', read: webpSize },
  {
    begins: (head) => head.startsWith('BM'),
    // A negative height says that the rows go down.
    read: (view) => ({ width: view.getInt32(18, true), height: Math.abs(view.getInt32(22, true)) }),
  },
];

/** Baseline, progressive and so on; C4, C8 and CC among them are no frames. */
function isFrame(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
}

function jpegSize(view: DataView): PictureSize | undefined {
  for (let at = 2; view.getUint8(at) === 0xff;) {
    const marker = view.getUint8(at + 1);
    // Filling between two segments.
    if (marker === 0xff) {
      at++;
      continue;
    }
    if (isFrame(marker)) return { width: view.getUint16(at + 7), height: view.getUint16(at + 5) };
    at += 2 + Math.max(2, view.getUint16(at + 2));
  }
  return undefined;
}

/** Lossy, lossless, and the form that can have more than a picture. */
function webpSize(view: DataView): PictureSize | undefined {
  const kind = String.fromCharCode(...[12, 13, 14, 15].map((at) => view.getUint8(at)));
  if (kind === 'VP8X') return { width: 1 + threeBytes(view, 24), height: 1 + threeBytes(view, 27) };
  if (kind === 'VP8 ') {
    return { width: view.getUint16(26, true) & 0x3fff, height: view.getUint16(28, true) & 0x3fff };
  }
  if (kind !== 'VP8L') return undefined;
  const bits = view.getUint32(21, true);
  return { width: 1 + (bits & 0x3fff), height: 1 + ((bits >> 14) & 0x3fff) };
}

function threeBytes(view: DataView, at: number): number {
  return view.getUint16(at, true) + view.getUint8(at + 2) * 0x1_00_00;
}
