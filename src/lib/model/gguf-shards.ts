/**
 * Large GGUF files as shards that no one has written: each is a header made here and slices of the file that is stored,
 * so nothing is copied. The engine is not known to read files of 2 GB and more; it reads split ones as gguf-split makes
 * them (llama.cpp, `tools/gguf-split`).
 */
import { ApiError } from '#lib/core/errors.ts';
import { formatBytes } from '#lib/core/format.ts';
import { parseGgufHeader } from './gguf.ts';
import {
  defaultAlignment,
  readGgufIndex,
  type GgufIndex,
  type RawEntry,
  type RawTensor,
} from './gguf-shards-index.ts';
import { entryBytes, headerBytes } from './gguf-shards-writer.ts';

/** Below 2 GB and 2 GiB, whichever is meant. */
const defaultLimitBytes = 1.9e9;
/** Of a header without metadata and tensors, and of the padding behind it. */
const frameBytes = 512;
/** The number of a shard has 16 bits. */
const maxShards = 65_535;

/**
 * The files themselves when none is larger than the limit; else shards in order, none larger, that make up the same
 * model. Throws `unsupported_model_format` for files that are damaged, and where one tensor alone is larger.
 */
export async function virtualShards(
  files: readonly Blob[],
  limitBytes = defaultLimitBytes,
): Promise<readonly Blob[]> {
  if (files.every(({ size }) => size <= limitBytes)) return files;
  const indices = await Promise.all(
    files.map(async (file) => readGgufIndex(file, await parseGgufHeader(file))),
  );
  const metadata = (indices[0]?.metadata ?? []).filter(({ key }) => !key.startsWith('split.'));
  const alignment = commonAlignment(indices);
  const groups = groupTensors(
    metadata,
    indices.flatMap(({ tensors }) => tensors),
    limitBytes,
  );
  if (groups.length > maxShards) throw tooLarge(limitBytes);
  const tensorCount = groups.reduce((sum, group) => sum + group.length, 0);
  return groups.map((tensors, number) => {
    const split = splitEntries(number, groups.length, tensorCount);
    const entries = number === 0 ? [...metadata, ...split] : [...alignmentEntry(alignment), ...split];
    return new Blob([headerBytes(entries, tensors, alignment), ...tensors.map(({ data }) => data)]);
  });
}

/** The first shard carries all metadata, and no tensors where they leave no room. */
function groupTensors(
  metadata: readonly RawEntry[],
  tensors: readonly RawTensor[],
  limitBytes: number,
): RawTensor[][] {
  let current: RawTensor[] = [];
  const groups = [current];
  let sizeBytes = frameBytes + metadata.reduce((sum, { bytes }) => sum + bytes.byteLength, 0);
  for (const tensor of tensors) {
    const ownBytes = tensor.bytes.byteLength + 8 + tensor.data.size;
    if (frameBytes + ownBytes > limitBytes) throw tensorTooLarge(tensor.data.size, limitBytes);
    if (sizeBytes + ownBytes > limitBytes) {
      current = [];
      groups.push(current);
      sizeBytes = frameBytes;
    }
    current.push(tensor);
    sizeBytes += ownBytes;
  }
  return groups;
}

function splitEntries(number: number, count: number, tensorCount: number): RawEntry[] {
  return [
    entryBytes.u16('split.no', number),
    entryBytes.u16('split.count', count),
    entryBytes.i32('split.tensors.count', tensorCount),
  ];
}

function alignmentEntry(alignment: number): RawEntry[] {
  return alignment === defaultAlignment ? [] : [entryBytes.u32('general.alignment', alignment)];
}

/** Offsets are multiples of it, so files that differ in it cannot be put together. */
function commonAlignment(indices: readonly GgufIndex[]): number {
  const [alignment = defaultAlignment, ...others] = new Set(indices.map((index) => index.alignment));
  if (others.length === 0) return alignment;
  throw new ApiError(
    'unsupported_model_format',
    'The files of this model are aligned differently, so they do not belong together. Download it again.',
  );
}

function tensorTooLarge(sizeBytes: number, limitBytes: number): ApiError {
  return new ApiError(
    'unsupported_model_format',
    `One tensor of this model has ${formatBytes(sizeBytes)}, and the engine reads at most ${formatBytes(limitBytes)} at a time. Choose a smaller quantization of it.`,
  );
}

function tooLarge(limitBytes: number): ApiError {
  return new ApiError(
    'unsupported_model_format',
    `This model is too large to be read in parts of ${formatBytes(limitBytes)}. Choose a smaller one.`,
  );
}
