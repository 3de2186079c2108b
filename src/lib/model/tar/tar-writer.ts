/** The bytes around the files of an archive, so that one is streamed as header, file, padding, …, end. */
import { ApiError } from '#lib/core/errors.ts';
import { blockBytes } from './header.ts';
import { paddedBytes } from './entry.ts';

export interface WrittenEntry {
  readonly path: string;
  readonly type: 'file' | 'folder';
  /** 0 for a folder. */
  readonly sizeBytes: number;
  /** Left out, it is 1970: the same files make the same archive. */
  readonly modifiedAtMs?: number;
}

type Bytes = Uint8Array<ArrayBuffer>;

/** Eleven octal digits. */
const maxOctalBytes = 8 ** 11 - 1;
const maxNameBytes = 100;
const maxPrefixBytes = 155;

/** Two blocks of zeros. */
export function tarEnd(): Bytes {
  return new Uint8Array(2 * blockBytes);
}

/** Zeros that fill the last block of a file. */
export function tarPadding(sizeBytes: number): Bytes {
  return new Uint8Array(paddedBytes(sizeBytes) - sizeBytes);
}

/** One header block, after a pax header when the path or the size does not fit in it. */
export function tarHeader(entry: WrittenEntry): Bytes {
  const path = entry.type === 'folder' ? `${entry.path}/` : entry.path;
  const place = splitPath(path);
  const large = entry.sizeBytes > maxOctalBytes;
  const header = block({
    ...(place ?? { prefix: '', name: cut(path, maxNameBytes) }),
    typeFlag: entry.type === 'folder' ? '5' : '0',
    sizeBytes: large ? 0 : entry.sizeBytes,
    modifiedAtMs: entry.modifiedAtMs ?? 0,
  });
  if (place && !large) return header;
  const records = [
    ...(place ? [] : [paxRecord('path', path)]),
    ...(large ? [paxRecord('size', String(entry.sizeBytes))] : []),
  ];
  return concatenate([...paxHeader(concatenate(records)), header]);
}

interface Block {
  readonly prefix: string;
  readonly name: string;
  readonly typeFlag: string;
  readonly sizeBytes: number;
  readonly modifiedAtMs: number;
}

function block({ prefix, name, typeFlag, sizeBytes, modifiedAtMs }: Block): Bytes {
  const bytes = new Uint8Array(blockBytes);
  const put = (at: number, text: string) => bytes.set(encode(text), at);
  put(0, name);
  put(100, typeFlag === '5' ? '0000755' : '0000644');
  put(108, '0000000');
  put(116, '0000000');
  put(124, octal(sizeBytes, 11));
  put(136, octal(Math.max(0, Math.floor(modifiedAtMs / 1000)), 11));
  put(148, ' '.repeat(8));
  put(156, typeFlag);
  put(257, 'ustar\u000000');
  put(345, prefix);
  const sum = bytes.reduce((total, byte) => total + byte, 0);
  put(148, `${octal(sum, 6)}\0 `);
  return bytes;
}

function paxHeader(records: Bytes): Bytes[] {
  const header = block({
    prefix: '',
    name: 'PaxHeader/next',
    typeFlag: 'x',
    sizeBytes: records.byteLength,
    modifiedAtMs: 0,
  });
  return [header, records, tarPadding(records.byteLength)];
}

/** Its own length counts in the length that stands before it. */
function paxRecord(key: string, value: string): Bytes {
  const rest = encode(` ${key}=${value}\n`);
  let length = rest.byteLength;
  while (String(length).length + rest.byteLength !== length) length = String(length).length + rest.byteLength;
  return concatenate([encode(String(length)), rest]);
}

/** `undefined` when no slash splits it into a prefix and a name that fit, or when it is more than plain ASCII. */
function splitPath(path: string): { prefix: string; name: string } | undefined {
  if (!/^[\x20-\x7e]+$/.test(path)) return undefined;
  if (path.length <= maxNameBytes) return { prefix: '', name: path };
  const slash = path.lastIndexOf('/', maxPrefixBytes);
  const name = path.slice(slash + 1);
  return slash > 0 && name !== '' && name.length <= maxNameBytes
    ? { prefix: path.slice(0, slash), name }
    : undefined;
}

/** For readers that know no pax: something like the path. */
function cut(path: string, maxBytes: number): string {
  return path
    .replaceAll(/[^\x20-\x7e]/g, '_')
    .slice(-maxBytes)
    .replace(/^\/+/, '');
}

function octal(value: number, digits: number): string {
  if (!Number.isSafeInteger(value) || value < 0 || value >= 8 ** digits) {
    throw new ApiError('internal', 'A number does not fit into a tar header. Leave that file out.');
  }
  return value.toString(8).padStart(digits, '0');
}

function concatenate(parts: readonly Bytes[]): Bytes {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.byteLength;
  }
  return whole;
}

function encode(text: string): Bytes {
  return new TextEncoder().encode(text);
}
