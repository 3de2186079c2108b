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

export interface Registry {
  /** Throws `model_not_found`, `unauthorized`, `registry_unreachable`, `rate_limited`, `unsupported_model_format`. */
  resolve(reference: Reference, options: ResolveOptions): Promise<ResolvedModel>;
}
