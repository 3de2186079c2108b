/** One 512-byte tar header: ustar as POSIX has it, with GNU's large numbers. Nothing in it is believed unchecked. */
import { damagedTar } from './damage.ts';

export const blockBytes = 512;

export interface TarHeader {
  /** As it stands there: not yet checked, cut off when a header before it has the whole, `\ufffd` for what is no UTF-8. */
  readonly path: string;
  /** `0` is a file, `5` a folder, `x` `g` `L` `K` are about the next header. */
  readonly typeFlag: string;
  readonly sizeBytes: number;
}

/** `undefined` for the block of zeros that ends an archive. */
export function parseTarHeader(block: Uint8Array): TarHeader | undefined {
  if (block.byteLength < blockBytes) throw damagedTar('it ends within a header');
  if (block.every((byte) => byte === 0)) return undefined;
  checkSum(block);
  // GNU's magic ends in spaces, and where POSIX has the prefix it keeps times.
  const posix = field(block, 257, 6) === 'ustar';
  const prefix = posix ? field(block, 345, 155) : '';
  const name = field(block, 0, 100);
  return {
    path: prefix === '' ? name : `${prefix}/${name}`,
    typeFlag: String.fromCharCode(block[156] ?? 0).replace('\0', '0'),
    sizeBytes: parseNumber(block.subarray(124, 136), 'size'),
  };
}

/** Up to the first NUL. */
function field(block: Uint8Array, at: number, length: number): string {
  const bytes = block.subarray(at, at + length);
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(end === -1 ? bytes : bytes.subarray(0, end));
}

export function decodeText(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw damagedTar('a name in it is not UTF-8');
  }
}

/** Old writers summed signed bytes; both are accepted, as every reader does. The field itself counts as spaces. */
function checkSum(block: Uint8Array): void {
  const bytes = block.slice();
  bytes.fill(0x20, 148, 156);
  const unsigned = bytes.reduce((sum, byte) => sum + byte, 0);
  const signed = new Int8Array(bytes.buffer).reduce((sum, byte) => sum + byte, 0);
  const claimed = parseNumber(block.subarray(148, 156), 'checksum');
  if (claimed !== unsigned && claimed !== signed) throw damagedTar('the checksum of a header is wrong');
}

/** Octal digits, or with the top bit set GNU's big-endian binary. */
function parseNumber(bytes: Uint8Array, what: string): number {
  const first = bytes[0] ?? 0;
  const value = first >= 0x80 ? parseBinary(bytes) : parseOctal(bytes);
  if (value === undefined || value < 0 || !Number.isSafeInteger(value)) {
    throw damagedTar(`the ${what} in a header is no number`);
  }
  return value;
}

function parseOctal(bytes: Uint8Array): number | undefined {
  const text = String.fromCharCode(...bytes)
    .replace(/[\0 ]+$/, '')
    .replace(/^ +/, '');
  if (text === '') return 0;
  return /^[0-7]+$/.test(text) ? parseInt(text, 8) : undefined;
}

function parseBinary(bytes: Uint8Array): number | undefined {
  const [first = 0, ...rest] = bytes;
  // The next bit is the sign.
  if ((first & 0x40) !== 0) return undefined;
  return rest.reduce((value, byte) => value * 256 + byte, first & 0x3f);
}
