/** The records of a pax header, `<length> <key>=<value>\n`: what of them says which bytes are which file. */
import { damagedTar } from './damage.ts';
import { decodeText } from './header.ts';

export interface PaxOverrides {
  readonly path?: string | undefined;
  readonly sizeBytes?: number | undefined;
}

/** More than any real one has, and little enough to hold. */
export const maxPaxBytes = 1024 * 1024;

export function parsePax(bytes: Uint8Array): PaxOverrides {
  const records = new Map<string, string>();
  for (let at = 0; at < bytes.byteLength;) {
    const end = at + recordLength(bytes, at);
    if (end > bytes.byteLength || bytes[end - 1] !== 0x0a) throw damagedTar('an extended header is broken');
    const equals = bytes.indexOf(0x3d, at);
    const space = bytes.indexOf(0x20, at);
    if (equals === -1 || equals >= end || space > equals) throw damagedTar('an extended header is broken');
    const key = decodeText(bytes.subarray(space + 1, equals));
    // Other keys may hold any bytes.
    if (key === 'path' || key === 'size') records.set(key, decodeText(bytes.subarray(equals + 1, end - 1)));
    if (key.startsWith('GNU.sparse.')) throw damagedTar('it has sparse files, which are not supported');
    at = end;
  }
  return { path: records.get('path'), sizeBytes: parseSize(records.get('size')) };
}

function recordLength(bytes: Uint8Array, at: number): number {
  const space = bytes.subarray(at, at + 12).indexOf(0x20);
  const digits = String.fromCharCode(...bytes.subarray(at, at + Math.max(space, 0)));
  // A record is at least its length, a space, a key, an equals sign and a line feed.
  if (!/^[0-9]+$/.test(digits) || Number(digits) < space + 4)
    throw damagedTar('an extended header is broken');
  return Number(digits);
}

function parseSize(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const size = Number(text);
  if (!/^[0-9]+$/.test(text) || !Number.isSafeInteger(size))
    throw damagedTar('the size of a file is no number');
  return size;
}
