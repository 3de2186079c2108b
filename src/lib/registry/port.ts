/** Where models come from: an OCI registry or Hugging Face, behind one interface. */
import type { Digest } from '#lib/core/digest.ts';
import type { Descriptor, Manifest } from '#lib/model/manifest.ts';
import type { Reference } from '#lib/model/reference.ts';

/** Asked for once and kept in memory only. A bearer token, or a user name and password. */
export type Credentials =
  | { readonly kind: 'token'; readonly token: string }
  | { readonly kind: 'password'; readonly username: string; readonly password: string };

export interface ResolveOptions {
  readonly credentials?: Credentials | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A model as its registry describes it; no byte of weights was fetched. */
export interface ResolvedModel {
  readonly reference: Reference;
  /** sha256 of `manifestBytes`, verified. */
  readonly id: Digest;
  readonly manifest: Manifest;
  readonly manifestBytes: Uint8Array<ArrayBuffer>;
  /** Verified against `manifest.config`. */
  readonly configBytes: Uint8Array<ArrayBuffer>;
  /**
   * Bytes from `from` to the end of `range` of one layer. The stream is raw: the caller verifies.
   * Throws `registry_unreachable` (retryable), `unauthorized`, `model_not_found`, `rate_limited`.
   */
  fetchLayer(layer: Descriptor, range: ByteRange, signal: AbortSignal): Promise<LayerBody>;
}

/** Half-open: `[from, to)`. */
export interface ByteRange {
  readonly from: number;
  readonly to: number;
}

export interface LayerBody {
  /** Where `stream` starts: `range.from`, or 0 when the server ignored the range and sends everything. */
  readonly from: number;
  readonly stream: ReadableStream<Uint8Array<ArrayBuffer>>;
}

/** A model as it lies in the store, ready to be sent. */
export interface PushableModel {
  readonly manifest: Manifest;
  /** Sent as they are: their sha256 is the model's id there too. */
  readonly manifestBytes: Uint8Array<ArrayBuffer>;
  readonly configBytes: Uint8Array<ArrayBuffer>;
  /** The bytes of a layer. */
  open(digest: Digest): Promise<Blob>;
}

export interface PushOptions {
  readonly credentials?: Credentials | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Repositories of the same registry that may hold the layers already (`ai/smollm2`): these are mounted, not sent. */
  readonly mountFrom?: readonly string[] | undefined;
  /** What of a layer is there, never backwards within one upload session; its size when it needed no sending. */
  readonly onProgress?: ((layer: Descriptor, sentBytes: number) => void) | undefined;
}

export interface Registry {
  /** Throws `model_not_found`, `unauthorized`, `registry_unreachable`, `rate_limited`, `unsupported_model_format`. */
  resolve(reference: Reference, options: ResolveOptions): Promise<ResolvedModel>;
  /**
   * Sends what the registry lacks, layers first, manifest last; resolves when the tag names the model there.
   * Throws `unauthorized`, `registry_unreachable`, `rate_limited`, `digest_mismatch`, `invalid_reference`
   * (a digest instead of a tag), `forbidden_origin` (the registry sends the upload to another host), `method_not_allowed`,
   * `request_too_large`, and `invalid_request` for a source that cannot be pushed to.
   */
  push(reference: Reference, model: PushableModel, options: PushOptions): Promise<void>;
}
