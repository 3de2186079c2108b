/** How many requests are kept, as a person types it. The limits are the recorder's own. */

export type Caps =
  | { readonly status: 'right'; readonly count: number; readonly bytes: number }
  | { readonly status: 'wrong'; readonly field: 'count' | 'size'; readonly why: string };

const bytesPerMebibyte = 1024 * 1024;

export function readCaps(countText: string, mebibytesText: string): Caps {
  const count = wholeNumber(countText);
  if (count === undefined || count < 1 || count > 100_000) {
    return { status: 'wrong', field: 'count', why: 'It must be a whole number from 1 to 100,000.' };
  }
  const mebibytes = wholeNumber(mebibytesText);
  if (mebibytes === undefined || mebibytes < 1 || mebibytes > 65_536) {
    return { status: 'wrong', field: 'size', why: 'It must be a whole number from 1 to 65,536.' };
  }
  return { status: 'right', count, bytes: mebibytes * bytesPerMebibyte };
}

function wholeNumber(text: string): number | undefined {
  const digits = text.trim();
  return /^\d{1,9}$/.test(digits) ? Number(digits) : undefined;
}
