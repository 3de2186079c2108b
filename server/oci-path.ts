/** The paths of the OCI distribution specification, section “Endpoints”; nothing else below `/v2/` exists for us. */

export type OciPath =
  | { readonly kind: 'base' }
  | { readonly kind: 'catalog' }
  | { readonly kind: 'tags'; readonly name: string }
  | { readonly kind: 'manifest'; readonly name: string; readonly reference: string }
  | { readonly kind: 'blob'; readonly name: string; readonly digest: string }
  | { readonly kind: 'uploads'; readonly name: string }
  | { readonly kind: 'upload'; readonly name: string; readonly id: string }
  | { readonly kind: 'referrers'; readonly name: string; readonly digest: string };

/** Takes the path as it stands in the request line. No escape is decoded, so none can hide a slash or a dot. */
export function parseOciPath(path: string): OciPath | undefined {
  if (path === '/v2' || path === '/v2/') return { kind: 'base' };
  if (path === '/v2/_catalog') return { kind: 'catalog' };
  if (!path.startsWith('/v2/')) return undefined;
  const segments = path.slice('/v2/'.length).split('/');
  return parseUpload(segments) ?? parseContent(segments);
}

/** GHCR says `upload` where the others say `uploads`. */
function parseUpload(segments: readonly string[]): OciPath | undefined {
  const [blobs, uploads, id = ''] = segments.slice(-3);
  const name = parseName(segments.slice(0, -3));
  if (blobs !== 'blobs' || !/^uploads?$/.test(uploads ?? '') || name === undefined) return undefined;
  if (id === '') return { kind: 'uploads', name };
  return /^[A-Za-z0-9_][A-Za-z0-9._~=-]*$/.test(id) ? { kind: 'upload', name, id } : undefined;
}

function parseContent(segments: readonly string[]): OciPath | undefined {
  const [collection, item = ''] = segments.slice(-2);
  const name = parseName(segments.slice(0, -2));
  if (name === undefined) return undefined;
  if (collection === 'tags') return item === 'list' ? { kind: 'tags', name } : undefined;
  if (collection === 'blobs') return isDigest(item) ? { kind: 'blob', name, digest: item } : undefined;
  if (collection === 'referrers')
    return isDigest(item) ? { kind: 'referrers', name, digest: item } : undefined;
  if (collection !== 'manifests' || !(isDigest(item) || isTag(item))) return undefined;
  return { kind: 'manifest', name, reference: item };
}

function parseName(segments: readonly string[]): string | undefined {
  const name = segments.join('/');
  if (segments.length === 0 || name.length > 255) return undefined;
  return segments.every((part) => /^[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*$/.test(part)) ? name : undefined;
}

function isTag(text: string): boolean {
  return /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/.test(text);
}

function isDigest(text: string): boolean {
  return /^[a-z0-9]{1,32}(?:[+._-][a-z0-9]{1,32}){0,3}:[A-Za-z0-9=_-]{32,256}$/.test(text);
}
