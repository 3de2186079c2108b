/** Walks the bytes of a GGUF header. Every length comes from an untrusted file and is checked before it is believed. */
import { ApiError } from '#lib/core/errors.ts';

export type GgufScalar = string | number | bigint | boolean | GgufFloat;

/** Kept apart from integers, for Docker Model Runner prints `100000.000000` for it. */
export interface GgufFloat {
  readonly float: number;
}

export interface GgufArray {
  readonly count: number;
  /** The first 50 at most; none of an array of arrays. */
  readonly items: readonly GgufScalar[];
}

export type GgufValue = GgufScalar | GgufArray;

/** More bytes than the window holds are needed: the reader widens it and starts again, if there can be so many. */
export class OutOfWindow extends Error {
  constructor(readonly neededBytes: number) {
    super('more bytes are needed');
  }
}

const maxKeptItems = 50;
const maxDepth = 4;
const maxTextBytes = 4 * 1024 * 1024;
const arrayType = 9;
const textType = 8;

/** Bytes per item, by value type. */
const widths: ReadonlyMap<number, number> = new Map([
  [0, 1], // u8
  [1, 1], // i8
  [2, 2], // u16
  [3, 2], // i16
  [4, 4], // u32
  [5, 4], // i32
  [6, 4], // f32
  [7, 1], // bool
  [10, 8], // u64
  [11, 8], // i64
  [12, 8], // f64
]);

/** By value type. */
const typeNames: readonly string[] = [
  'uint8',
  'int8',
  'uint16',
  'int16',
  'uint32',
  'int32',
  'float32',
  'bool',
  'string',
  'array',
  'uint64',
  'int64',
  'float64',
];

export class GgufCursor {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #offset = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get offset(): number {
    return this.#offset;
  }

  get remaining(): number {
    return this.#bytes.byteLength - this.#offset;
  }

  /** At least so many bytes must follow: what a count claims is held against the file before anything is read. */
  require(length: number): void {
    if (length > this.remaining) throw new OutOfWindow(this.#offset + length);
  }

  ascii(length: number): string {
    return String.fromCharCode(...this.#take(length));
  }

  u32(): number {
    return this.#view.getUint32(this.#advance(4), true);
  }

  /** An unsigned 64-bit count; more than `max` is damage. */
  count(max: number, what: string): number {
    const value = this.#view.getBigUint64(this.#advance(8), true);
    if (value > BigInt(max)) throw this.damaged(`it claims ${value} ${what}`);
    return Number(value);
  }

  text(maxBytes = maxTextBytes): string {
    // A token may begin with what looks like a byte order mark.
    return new TextDecoder('utf-8', { ignoreBOM: true }).decode(
      this.#take(this.count(maxBytes, 'bytes of text')),
    );
  }

  skipText(maxBytes = maxTextBytes): void {
    this.#advance(this.count(maxBytes, 'bytes of text'));
  }

  skip(length: number): void {
    this.#advance(length);
  }

  /** Of the value that comes next: `string`, `array of uint8`. */
  typeName(type: number): string {
    if (type !== arrayType) return typeNames[type] ?? 'unknown';
    this.require(4);
    return `array of ${typeNames[this.#view.getUint32(this.#offset, true)] ?? 'unknown'}`;
  }

  value(type: number): GgufValue {
    return type === arrayType ? this.#array(1) : this.#scalar(type);
  }

  damaged(why: string): ApiError {
    return new ApiError('unsupported_model_format', `The GGUF file is damaged: ${why}. Download it again.`);
  }

  #scalar(type: number): GgufScalar {
    if (type === textType) return this.text();
    const at = this.#advance(this.#width(type));
    switch (type) {
      case 0:
        return this.#view.getUint8(at);
      case 1:
        return this.#view.getInt8(at);
      case 2:
        return this.#view.getUint16(at, true);
      case 3:
        return this.#view.getInt16(at, true);
      case 4:
        return this.#view.getUint32(at, true);
      case 5:
        return this.#view.getInt32(at, true);
      case 6:
        return { float: this.#view.getFloat32(at, true) };
      case 7:
        return this.#view.getUint8(at) !== 0;
      case 10:
        return narrow(this.#view.getBigUint64(at, true));
      case 11:
        return narrow(this.#view.getBigInt64(at, true));
      default:
        return { float: this.#view.getFloat64(at, true) };
    }
  }

  #array(depth: number): GgufArray {
    if (depth > maxDepth) throw this.damaged('its arrays are nested too deeply');
    const type = this.u32();
    const count = this.count(Number.MAX_SAFE_INTEGER, 'array items');
    this.require(count * this.#leastBytes(type));
    const kept = type === arrayType ? 0 : Math.min(count, maxKeptItems);
    const items = Array.from({ length: kept }, () => this.#scalar(type));
    this.#skipItems(type, count - kept, depth);
    return { count, items };
  }

  /** Takes time in proportion to the bytes passed, never to the count claimed: every item has at least one byte. */
  #skipItems(type: number, count: number, depth: number): void {
    if (type !== textType && type !== arrayType) return this.skip(this.#width(type) * count);
    for (let index = 0; index < count; index++) {
      if (type === textType) this.skipText();
      else this.#array(depth + 1);
    }
  }

  /** A text is its length at least, an array its type and its length. */
  #leastBytes(type: number): number {
    if (type === textType) return 8;
    return type === arrayType ? 12 : this.#width(type);
  }

  #width(type: number): number {
    const width = widths.get(type);
    if (width === undefined) throw this.damaged(`it has a value of the unknown type ${type}`);
    return width;
  }

  #take(length: number): Uint8Array {
    const start = this.#advance(length);
    return this.#bytes.subarray(start, start + length);
  }

  #advance(length: number): number {
    this.require(length);
    const start = this.#offset;
    this.#offset += length;
    return start;
  }
}

function narrow(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}
