/** The Content-Security-Policy of the app: nothing inline runs but the start script that the build itself wrote. */
import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';

export class ContentPolicy {
  readonly #indexPath: string;
  #known = { mtimeMs: 0, header: policyFor([]) };

  constructor(indexPath: string) {
    this.#indexPath = indexPath;
  }

  /** What was last computed, for answers that cannot wait. */
  get current(): string {
    return this.#known.header;
  }

  /** Reads `index.html` again only when it was rebuilt. */
  async header(): Promise<string> {
    const mtimeMs = await modifiedMs(this.#indexPath);
    if (mtimeMs !== this.#known.mtimeMs) {
      const html = mtimeMs === 0 ? '' : await readFile(this.#indexPath, 'utf8');
      this.#known = { mtimeMs, header: policyFor(inlineScriptHashes(html)) };
    }
    return this.#known.header;
  }
}

/** CSP sources (`'sha256-…'`) of the scripts that stand in the page itself. */
export function inlineScriptHashes(html: string): string[] {
  const hashes: string[] = [];
  for (const [, attributes = '', text = ''] of html.matchAll(/<script\b([^>]*)>([\s\S]*?)<\/script>/gi)) {
    if (/\ssrc\s*=/i.test(attributes)) continue;
    hashes.push(`'sha256-${createHash('sha256').update(text).digest('base64')}'`);
  }
  return [...new Set(hashes)];
}

function policyFor(scriptHashes: readonly string[]): string {
  return [
    `default-src 'self'`,
    ['script-src', `'self'`, `'wasm-unsafe-eval'`, ...scriptHashes].join(' '),
    `style-src 'self' 'unsafe-inline'`,
    `img-src 'self' data: blob:`,
    // The page itself pulls from Hugging Face and from registries that the user names.
    `connect-src 'self' https: http://localhost:* http://127.0.0.1:* ws://localhost:* ws://127.0.0.1:* blob: data:`,
    // llama.cpp starts its thread workers from blob URLs.
    `worker-src 'self' blob:`,
    `object-src 'none'`,
    `base-uri 'none'`,
    `form-action 'none'`,
    `frame-ancestors 'none'`,
  ].join('; ');
}

/** 0 when the app is not built. */
async function modifiedMs(path: string): Promise<number> {
  const found = await stat(path).catch(() => undefined);
  return found?.mtimeMs ?? 0;
}
