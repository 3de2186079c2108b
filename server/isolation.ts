/** The headers that make a page cross-origin isolated (threads, SharedArrayBuffer) and keep other sites out. */
import type { Headers } from './respond.ts';

/** `kept` is for `/bridge` only: COOP there would sever the page that opened it, and then it has nobody to serve. */
export type Opener = 'severed' | 'kept';

export function isolationHeaders(opener: Opener): Headers {
  return {
    ...(opener === 'severed' ? { 'Cross-Origin-Opener-Policy': 'same-origin' } : {}),
    'Cross-Origin-Embedder-Policy': 'require-corp',
    'Cross-Origin-Resource-Policy': 'same-origin',
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'no-referrer',
  };
}
