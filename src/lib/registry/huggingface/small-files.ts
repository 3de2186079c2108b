/** Small files have no sha256 on the Hub, so they are fetched to get one, and kept until they are stored. */
import { sha256, type Digest } from '#lib/core/digest.ts';
import { ApiError } from '#lib/core/errors.ts';
import { unreachable } from '#lib/registry/http.ts';
import { inLanes } from '#lib/registry/lanes.ts';
import type { ByteRange, LayerBody } from '#lib/registry/port.ts';
import type { Hub } from './hub.ts';
import type { HubRequest } from './refusal.ts';
import { nameOf, type HubFile } from './select.ts';

/** A repository at one commit. */
export interface Snapshot extends HubRequest {
  readonly commit: string;
}

export interface SmallFile {
  readonly path: string;
  readonly digest: Digest;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

const mebibyte = 2 ** 20;
const maxFileBytes = 16 * mebibyte;
const maxBytes = 64 * mebibyte;
const maxFiles = 500;
const lanes = 4;

/** Throws `unsupported_model_format` when they are more or larger than the small files of any model are. */
export async function readSmallFiles(
  hub: Hub,
  files: readonly HubFile[],
  snapshot: Snapshot,
): Promise<readonly SmallFile[]> {
  checkLimits(files);
  const read: SmallFile[] = [];
  const signal = snapshot.signal ?? new AbortController().signal;
  await inLanes(
    files,
    async (file, limited) => {
      read.push(await readSmallFile(hub, file, { ...snapshot, signal: limited }));
    },
    { lanes, signal },
  );
  return read;
}

export async function readSmallFile(
  hub: Hub,
  { path, sizeBytes }: HubFile,
  snapshot: Snapshot,
): Promise<SmallFile> {
  const range = { from: 0, to: sizeBytes };
  // No range means nothing, so nothing is asked for.
  const bytes = sizeBytes === 0 ? new Uint8Array() : await hub.read({ ...snapshot, path }, range);
  if (bytes.byteLength !== sizeBytes)
    throw unreachable(`Hugging Face sent only a part of ${nameOf(path)}. Try again.`);
  return { path, digest: await sha256(bytes), bytes };
}

export function sliceOf({ bytes }: SmallFile, { from, to }: ByteRange): LayerBody {
  return { from, stream: new Blob([bytes.subarray(from, to)]).stream() };
}

function checkLimits(files: readonly HubFile[]): void {
  const large = files.find(({ sizeBytes }) => sizeBytes > maxFileBytes);
  if (large) throw tooLarge(`${nameOf(large.path)} is larger than ${maxFileBytes / mebibyte} MiB`);
  const sum = files.reduce((bytes, file) => bytes + file.sizeBytes, 0);
  if (sum > maxBytes) throw tooLarge(`the small files are more than ${maxBytes / mebibyte} MiB`);
  if (files.length > maxFiles) throw tooLarge(`there are ${files.length} small files`);
}

function tooLarge(what: string): ApiError {
  return new ApiError(
    'unsupported_model_format',
    `This repository does not look like one model: ${what}, and they have no checksum. Choose another repository.`,
  );
}
