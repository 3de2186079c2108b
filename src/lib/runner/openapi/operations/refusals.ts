/** Codes that come together: what finding, asking, loading, fetching a model may end with. */
import type { ErrorCode } from '#lib/core/errors.ts';

/** A name that is none, or of no stored model. */
export const findsModel: readonly ErrorCode[] = ['invalid_reference', 'model_not_found'];

export const loadsModel: readonly ErrorCode[] = [
  ...findsModel,
  'unsupported_model_format',
  'digest_mismatch',
  'insufficient_memory',
  'engine_unavailable',
  'device_lost',
  'loading_timeout',
  'not_supported',
  'aborted',
];

export const asksModel: readonly ErrorCode[] = [
  ...loadsModel,
  'unsupported_parameter',
  'context_length_exceeded',
  'rate_limited',
];

export const asksRegistry: readonly ErrorCode[] = [
  'invalid_reference',
  'unsupported_model_format',
  'unauthorized',
  'model_not_found',
  'rate_limited',
  'registry_unreachable',
  'digest_mismatch',
  'aborted',
];

export const storesModel: readonly ErrorCode[] = ['unsupported_model_format', 'storage_full', 'aborted'];
