/** Expands a gzip layer into the tar that its config announces, without ever holding either in memory. */
import type { Digest } from '#lib/core/digest.ts';
import { ApiError } from '#lib/core/errors.ts';
import { ingest } from '#lib/store/ingest.ts';
import type { BlobStore } from '#lib/store/port.ts';

export interface UnpackOptions {
  readonly store: BlobStore;
  readonly signal: AbortSignal;
  readonly limits?: UnpackLimits;
}

export interface UnpackLimits {
  /** Weights hardly compress; what grows further than this is a bomb. */
  readonly timesLarger: number;
  /** Texts compress well, so small layers may grow up to this. */
  readonly alwaysAllowedBytes: number;
}

const usualLimits: UnpackLimits = { timesLarger: 8, alwaysAllowedBytes: 64 * 1024 * 1024 };

/**
 * Resolves when `unpacked` is stored; at once when it is. Throws `digest_mismatch` when `packed` is gone or expands to
 * something else, and `unsupported_model_format` when it is no gzip or grows beyond the limits.
 */
export async function unpackLayer(packed: Digest, unpacked: Digest, options: UnpackOptions): Promise<void> {
  const { store, signal, limits = usualLimits } = options;
  if (await store.open(unpacked)) return;
  const blob = await store.open(packed);
  if (!blob) throw new ApiError('digest_mismatch', 'A layer went missing while it was unpacked. Pull again.');
  const maxBytes = Math.max(limits.alwaysAllowedBytes, blob.size * limits.timesLarger);
  // The store reserves a blob's whole size before its first byte, and gzip does not reliably say it: so once to measure.
  const sizeBytes = await measure(blob, maxBytes, signal);
  await ingest(store, unpacked, sizeBytes, gunzip(blob), { signal });
}

async function measure(blob: Blob, maxBytes: number, signal: AbortSignal): Promise<number> {
  let sizeBytes = 0;
  const reader = gunzip(blob).getReader();
  try {
    for (;;) {
      signal.throwIfAborted();
      const { done, value } = await reader.read();
      if (done) return sizeBytes;
      sizeBytes += value.byteLength;
      if (sizeBytes > maxBytes) throw tooLarge(blob.size, maxBytes);
    }
  } catch (thrown) {
    signal.throwIfAborted();
    throw thrown instanceof ApiError ? thrown : notGzip(thrown);
  } finally {
    // A stream that broke has nothing left to cancel.
    await reader.cancel().catch(() => undefined);
  }
}

function gunzip(blob: Blob): ReadableStream<Uint8Array<ArrayBuffer>> {
  return blob.stream().pipeThrough(new DecompressionStream('gzip'));
}

function tooLarge(packedBytes: number, maxBytes: number): ApiError {
  return new ApiError(
    'unsupported_model_format',
    `A layer of ${packedBytes} bytes expands to more than ${maxBytes}, which no model does. It was not unpacked.`,
  );
}

function notGzip(cause: unknown): ApiError {
  return new ApiError(
    'unsupported_model_format',
    'A layer says that it is compressed with gzip, and it is not. Ask whoever packaged the model.',
    { cause },
  );
}
