/** Writes small GGUF files by hand, whole or hostile, for tests that need one the fixtures do not have. */

export type Entry = readonly [key: string, type: number, value: Uint8Array<ArrayBuffer>];

export interface GgufBytesOptions {
  readonly version?: number;
  readonly entries?: readonly Entry[];
  readonly tensors?: readonly { readonly name: string; readonly dimensions: readonly number[] }[];
  /** Claimed instead of the true counts. */
  readonly tensorCount?: bigint;
  readonly entryCount?: bigint;
  /** Bytes after the header, from its alignment on. */
  readonly weightBytes?: number;
}

export function ggufBytes(options: GgufBytesOptions = {}): Uint8Array<ArrayBuffer> {
  const { version = 3, entries = [], tensors = [], weightBytes = 0 } = options;
  const header = join(
    utf8('GGUF'),
    u32(version),
    u64(options.tensorCount ?? BigInt(tensors.length)),
    u64(options.entryCount ?? BigInt(entries.length)),
    ...entries.map(([key, type, value]) => join(text(key), u32(type), value)),
    ...tensors.map(({ name, dimensions }) =>
      join(
        text(name),
        u32(dimensions.length),
        ...dimensions.map((size) => u64(BigInt(size))),
        u32(0),
        u64(0n),
      ),
    ),
  );
  const padding = weightBytes === 0 ? 0 : (32 - (header.byteLength % 32)) % 32;
  return join(header, new Uint8Array(padding + weightBytes));
}

export const entry = {
  text: (key: string, value: string): Entry => [key, 8, text(value)],
  u32: (key: string, value: number): Entry => [key, 4, u32(value)],
  u64: (key: string, value: bigint): Entry => [key, 10, u64(value)],
  f32: (key: string, value: number): Entry => [key, 6, f32(value)],
  bool: (key: string, value: boolean): Entry => [key, 7, Uint8Array.of(value ? 1 : 0)],
  array: (key: string, type: number, items: readonly Uint8Array<ArrayBuffer>[], count?: bigint): Entry => [
    key,
    9,
    concatenate([u32(type), u64(count ?? BigInt(items.length)), ...items]),
  ],
};

export function text(value: string): Uint8Array<ArrayBuffer> {
  const bytes = utf8(value);
  return join(u64(BigInt(bytes.byteLength)), bytes);
}

export function u32(value: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return bytes;
}

export function u64(value: bigint): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, value, true);
  return bytes;
}

export function f32(value: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setFloat32(0, value, true);
  return bytes;
}

export function join(...parts: readonly Uint8Array<ArrayBuffer>[]): Uint8Array<ArrayBuffer> {
  return concatenate(parts);
}

/** For more parts than a call takes arguments. */
function concatenate(parts: readonly Uint8Array<ArrayBuffer>[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.byteLength;
  }
  return whole;
}

export function utf8(value: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(value);
}
