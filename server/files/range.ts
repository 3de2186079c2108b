/** One byte range of a file (RFC 9110 section 14). Several ranges, or a malformed one, mean the whole file. */

export type ByteSpan =
  | { readonly kind: 'whole' }
  /** Both ends inclusive, as the header counts. */
  | { readonly kind: 'part'; readonly first: number; readonly last: number }
  | { readonly kind: 'unsatisfiable' };

export function parseRange(range: string | undefined, sizeBytes: number): ByteSpan {
  const match = /^bytes=(\d*)-(\d*)$/.exec(range ?? '');
  const [, from = '', to = ''] = match ?? [];
  if (!match || (from === '' && to === '')) return { kind: 'whole' };
  if (from === '') return span(Math.max(0, sizeBytes - Number(to)), sizeBytes - 1, sizeBytes);
  if (to !== '' && Number(to) < Number(from)) return { kind: 'whole' };
  return span(Number(from), to === '' ? sizeBytes - 1 : Math.min(Number(to), sizeBytes - 1), sizeBytes);
}

function span(first: number, last: number, sizeBytes: number): ByteSpan {
  return first >= sizeBytes || last < first ? { kind: 'unsatisfiable' } : { kind: 'part', first, last };
}
