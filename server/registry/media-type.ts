/** What a stored manifest says it is. */

const fallback = 'application/vnd.oci.image.manifest.v1+json';

/** Its own `mediaType`, which OCI lets a manifest leave out. */
export function mediaTypeOf(manifest: Buffer): string {
  const parsed = parseJson(manifest.toString('utf8'));
  if (typeof parsed !== 'object' || parsed === null || !('mediaType' in parsed)) return fallback;
  const { mediaType } = parsed;
  return typeof mediaType === 'string' && /^[\w.+-]+\/[\w.+-]+$/.test(mediaType) ? mediaType : fallback;
}

/** A broken manifest is sent as it is: its reader sees the digest and the bytes, and says what is wrong. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
