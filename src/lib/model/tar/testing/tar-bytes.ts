/** Writes tar archives by hand, whole or hostile, for tests that need one no writer makes. */

type Bytes = Uint8Array<ArrayBuffer>;

export interface RawEntry {
  readonly name?: string;
  readonly prefix?: string;
  readonly typeFlag?: string;
  readonly magic?: string;
  readonly body?: Bytes;
  /** The field as it stands, instead of the body's length in octal. */
  readonly size?: string | Bytes;
  /** Instead of the right one. */
  readonly checksum?: string;
}

export function utf8(text: string): Bytes {
  return new TextEncoder().encode(text);
}

export function tarHeaderBytes(entry: RawEntry): Bytes {
  const { name = 'file', prefix = '', typeFlag = '0', magic = 'ustar\u000000', body, size, checksum } = entry;
  const block = new Uint8Array(512);
  const put = (at: number, value: string | Bytes) =>
    block.set(typeof value === 'string' ? utf8(value) : value, at);
  put(0, name);
  put(100, '0000644\0');
  put(124, size ?? `${(body?.byteLength ?? 0).toString(8).padStart(11, '0')}\0`);
  put(136, '00000000000\0');
  put(148, '        ');
  put(156, typeFlag);
  put(257, magic);
  put(345, prefix);
  const sum = block.reduce((total, byte) => total + byte, 0);
  put(148, checksum ?? `${sum.toString(8).padStart(6, '0')}\0 `);
  return block;
}

export function tarEntryBytes(entry: RawEntry): Bytes {
  const body = entry.body ?? new Uint8Array();
  return join(tarHeaderBytes(entry), body, new Uint8Array((512 - (body.byteLength % 512)) % 512));
}

/** With the blocks of zeros at the end. */
export function tarBytes(...entries: readonly RawEntry[]): Bytes {
  return join(...entries.map(tarEntryBytes), new Uint8Array(1024));
}

/** A pax header for the next entry. */
export function pax(records: Readonly<Record<string, string>>, typeFlag = 'x'): RawEntry {
  const body = join(...Object.entries(records).map(([key, value]) => paxRecord(key, value)));
  return { name: 'PaxHeaders/x', typeFlag, body };
}

export function paxRecord(key: string, value: string): Bytes {
  const rest = utf8(` ${key}=${value}\n`);
  let length = rest.byteLength + 1;
  while (String(length).length + rest.byteLength !== length) length++;
  return join(utf8(String(length)), rest);
}

export function join(...parts: readonly Bytes[]): Bytes {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.byteLength;
  }
  return whole;
}
