/** Reads a whole blob again and compares it with its name. */
import type { Digest } from '#lib/core/digest.ts';
import { toApiError } from '#lib/core/errors.ts';
import type { BlobStore, HashOptions } from './port.ts';

export async function verifyBlob(
  store: Pick<BlobStore, 'open' | 'hash'>,
  digest: Digest,
  options?: HashOptions,
): Promise<'intact' | 'damaged' | 'absent'> {
  const blob = await store.open(digest);
  if (!blob) return 'absent';
  try {
    return (await store.hash(blob, options)) === digest ? 'intact' : 'damaged';
  } catch (thrown) {
    if (toApiError(thrown).code !== 'invalid_request') throw thrown;
    // Deleted meanwhile, or a disk that cannot read what it wrote.
    return (await store.open(digest)) ? 'damaged' : 'absent';
  }
}
