/**
 * Images and sounds in a request's body: long runs of base64, which every turn of a conversation sends again. They are
 * kept once, by their digest, and stand in the kept body as a mark.
 */
import { sha256, type Digest } from '#lib/core/digest.ts';
import type { StoredMedia } from './port.ts';

const longRun = /[A-Za-z0-9+/]{4096,}={0,2}/g;
const mark = (digest: Digest) => `[media ${digest}]`;
const marks = /\[media (sha256:[0-9a-f]{64})\]/g;

export interface Lifted {
  readonly text: string;
  readonly media: readonly StoredMedia[];
}

export async function liftMedia(text: string): Promise<Lifted> {
  const runs = [...new Set(text.match(longRun) ?? [])];
  if (runs.length === 0) return { text, media: [] };
  const encoder = new TextEncoder();
  const media = await Promise.all(
    runs.map(async (run) => ({ key: await sha256(encoder.encode(run)), text: run })),
  );
  const digests = new Map(media.map(({ key, text: run }) => [run, key]));
  const lifted = text.replace(longRun, (run) => {
    const digest = digests.get(run);
    return digest === undefined ? run : mark(digest);
  });
  return { text: lifted, media };
}

/** Only what the record itself holds: a client may have written something that looks like a mark. */
export async function restoreMedia(
  text: string,
  keys: ReadonlySet<string>,
  read: (key: string) => Promise<unknown>,
): Promise<string> {
  const found = new Map<string, string>();
  for (const [, key = ''] of text.matchAll(marks)) {
    if (!keys.has(key) || found.has(key)) continue;
    const media = await read(key);
    if (typeof media === 'string') found.set(key, media);
  }
  return text.replace(marks, (whole, key: string) => found.get(key) ?? whole);
}
