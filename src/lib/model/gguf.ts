/** Reads the header of a GGUF file (version 2 and 3): what the model is, without its weights. */
import { ApiError } from '#lib/core/errors.ts';
import { GgufCursor, OutOfWindow, type GgufValue } from './gguf-cursor.ts';
import { fileTypeNames, wireValue } from './gguf-wire.ts';

/** Bytes that are read piece by piece, such as a file behind HTTP ranges. */
export interface ByteSource {
  readonly size: number;
  /** Bytes `[from, to)`; shorter only at the end. */
  read(from: number, to: number): Promise<Uint8Array>;
}

export interface GgufHeader {
  readonly version: number;
  readonly metadata: ReadonlyMap<string, GgufValue>;
  /** `uint32`, `array of string`, by key. */
  readonly types: ReadonlyMap<string, string>;
  readonly tensorCount: number;
  /** Of the tensors in this file: a shard has its own only. */
  readonly parameters: number;
  readonly architecture: string;
  readonly contextLength: number | undefined;
  /** `MOSTLY_Q4_K_M`; undefined when the file does not say. */
  readonly quantization: string | undefined;
  /** Where the weights start. */
  readonly dataOffset: number;
  /** The metadata as Docker Model Runner puts it on the wire, sorted; arrays over 50 items are left out. */
  readonly wireMetadata: Readonly<Record<string, string>>;
}

const firstWindowBytes = 1024 * 1024;
/** Vocabularies of 250 000 tokens take about 10 MiB. */
const maxWindowBytes = 64 * 1024 * 1024;
const maxMetadata = 65_536;
const maxTensors = 1_000_000;
const maxDimensions = 8;
const maxKeyBytes = 65_535;
/** A key of no letters, its type, one byte. */
const leastEntryBytes = 8 + 4 + 1;
/** A name of no letters, no dimensions, its type, its place. */
const leastTensorBytes = 8 + 4 + 4 + 8;

/** Throws `unsupported_model_format` when the bytes are no GGUF header, or one that was made to do harm. */
export async function parseGgufHeader(source: Blob | Uint8Array | ByteSource): Promise<GgufHeader> {
  const bytes = toByteSource(source);
  const limit = Math.min(bytes.size, maxWindowBytes);
  let window: Uint8Array = new Uint8Array();
  for (let end = Math.min(firstWindowBytes, limit); ; end = Math.min(end * 2, limit)) {
    const start = window.byteLength;
    window = concatenate(window, await bytes.read(start, end), end);
    try {
      return readHeader(new GgufCursor(window));
    } catch (thrown) {
      if (!(thrown instanceof OutOfWindow)) throw thrown;
      const hopeless = thrown.neededBytes > limit || window.byteLength < end;
      if (hopeless) throw cutShort(thrown.neededBytes > maxWindowBytes ? 'larger' : 'short');
    }
  }
}

function readHeader(cursor: GgufCursor): GgufHeader {
  const version = readVersion(cursor);
  const tensorCount = cursor.count(maxTensors, 'tensors');
  const metadataCount = cursor.count(maxMetadata, 'metadata entries');
  cursor.require(metadataCount * leastEntryBytes + tensorCount * leastTensorBytes);
  const { metadata, types } = readMetadata(cursor, metadataCount);
  const parameters = readTensors(cursor, tensorCount);
  const architecture = textOf(metadata, 'general.architecture') ?? '';
  return {
    version,
    metadata,
    types,
    tensorCount,
    parameters,
    architecture,
    contextLength: countOf(metadata, `${architecture}.context_length`),
    quantization: fileTypeNames.get(countOf(metadata, 'general.file_type') ?? -1),
    dataOffset: align(cursor.offset, countOf(metadata, 'general.alignment') ?? 32),
    wireMetadata: toWire(metadata),
  };
}

function readVersion(cursor: GgufCursor): number {
  if (cursor.remaining < 4 || cursor.ascii(4) !== 'GGUF') {
    throw new ApiError(
      'unsupported_model_format',
      'This is not a GGUF file. Choose a file that ends in “.gguf”.',
    );
  }
  const version = cursor.u32();
  if (version === 2 || version === 3) return version;
  const what = version % 65_536 === 0 ? 'big-endian' : `version ${version}`;
  throw new ApiError(
    'unsupported_model_format',
    `This GGUF file is ${what}, which is not supported. Convert it to GGUF version 3 and try again.`,
  );
}

function readMetadata(cursor: GgufCursor, count: number): Pick<GgufHeader, 'metadata' | 'types'> {
  const metadata = new Map<string, GgufValue>();
  const types = new Map<string, string>();
  for (let index = 0; index < count; index++) {
    const key = cursor.text(maxKeyBytes);
    const type = cursor.u32();
    types.set(key, cursor.typeName(type));
    metadata.set(key, cursor.value(type));
  }
  return { metadata, types };
}

/** The sum over all tensors of the product of their dimensions. */
function readTensors(cursor: GgufCursor, count: number): number {
  let parameters = 0;
  for (let index = 0; index < count; index++) {
    cursor.skipText(maxKeyBytes);
    const dimensions = cursor.u32();
    if (dimensions > maxDimensions) throw cursor.damaged(`a tensor has ${dimensions} dimensions`);
    let product = 1;
    for (let axis = 0; axis < dimensions; axis++) product *= cursor.count(Number.MAX_SAFE_INTEGER, 'weights');
    parameters += product;
    cursor.skip(4 + 8);
  }
  if (!Number.isSafeInteger(parameters)) throw cursor.damaged('its tensors are larger than any file');
  return parameters;
}

function textOf(metadata: ReadonlyMap<string, GgufValue>, key: string): string | undefined {
  const value = metadata.get(key);
  return typeof value === 'string' ? value : undefined;
}

function countOf(metadata: ReadonlyMap<string, GgufValue>, key: string): number | undefined {
  const value = metadata.get(key);
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

function align(offset: number, alignment: number): number {
  return alignment > 0 ? Math.ceil(offset / alignment) * alignment : offset;
}

function toWire(metadata: ReadonlyMap<string, GgufValue>): Record<string, string> {
  const entries = [...metadata].flatMap(([key, value]): [string, string][] => {
    const wire = wireValue(value);
    return wire === undefined ? [] : [[key, wire]];
  });
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

function toByteSource(source: Blob | Uint8Array | ByteSource): ByteSource {
  if (source instanceof Uint8Array) {
    return { size: source.byteLength, read: (from, to) => Promise.resolve(source.subarray(from, to)) };
  }
  if (!(source instanceof Blob)) return source;
  return {
    size: source.size,
    read: async (from, to) => new Uint8Array(await source.slice(from, to).arrayBuffer()),
  };
}

/** Takes at most `end` bytes in all, whatever the source answered. */
function concatenate(head: Uint8Array, tail: Uint8Array, end: number): Uint8Array {
  const wanted = tail.subarray(0, end - head.byteLength);
  if (head.byteLength === 0) return wanted;
  const whole = new Uint8Array(head.byteLength + wanted.byteLength);
  whole.set(head);
  whole.set(wanted, head.byteLength);
  return whole;
}

function cutShort(header: 'larger' | 'short'): ApiError {
  const why = header === 'larger' ? `its header is larger than ${maxWindowBytes} bytes` : 'it was cut short';
  return new ApiError('unsupported_model_format', `The GGUF file cannot be read: ${why}. Download it again.`);
}
