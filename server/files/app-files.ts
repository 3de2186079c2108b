/** The built app: its files as they are, and the start page for every path that only the app's own router knows. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { ApiError } from '#lib/core/errors.ts';
import { contentTypeOf } from './content-types.ts';
import { sendFile } from './send-file.ts';

/** What pages of other origins load, isolated ones among them; all else is for our own pages. */
const clientScript = '/sampan.js';
const forAnyOrigin = { 'Access-Control-Allow-Origin': '*', 'Cross-Origin-Resource-Policy': 'cross-origin' };

export class AppFiles {
  readonly #dir: string;

  constructor(dir: string) {
    this.#dir = dir;
  }

  get indexPath(): string {
    return join(this.#dir, 'index.html');
  }

  /** False when the app has no such file. Throws `invalid_request` for a path that climbs. */
  send(request: IncomingMessage, response: ServerResponse, path: string): Promise<boolean> {
    const segments = safeSegments(path);
    if (segments.length === 0 || segments.some(isNoFileName)) return Promise.resolve(false);
    return sendFile(request, response, {
      path: join(this.#dir, ...segments),
      contentType: contentTypeOf(path),
      siblings: 'precompressed',
      headers: { 'Cache-Control': cacheControlOf(path), ...(path === clientScript && forAnyOrigin) },
    });
  }

  /** The start page. Another `Accept` gets another answer on the same path, hence `Vary`. */
  async sendPage(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const isSent = await sendFile(request, response, {
      path: this.indexPath,
      contentType: contentTypeOf(this.indexPath),
      siblings: 'precompressed',
      headers: { 'Cache-Control': 'no-cache', Vary: 'Accept, Accept-Encoding' },
    });
    if (isSent) return;
    throw new ApiError(
      'route_not_found',
      'The app is not built. Start Sampan with npm start, which builds it first.',
    );
  }
}

/** Names under `immutable` carry a hash of their content. */
function cacheControlOf(path: string): string {
  return path.startsWith('/_app/immutable/') ? 'public, max-age=31536000, immutable' : 'no-cache';
}

function safeSegments(path: string): string[] {
  const segments = decode(path)
    .split(/[/\\]/)
    .filter((segment) => segment !== '');
  if (!segments.some((segment) => segment === '..' || segment.includes('\0'))) return segments;
  throw new ApiError('invalid_request', 'The path leaves the app. Ask for a path below the root.');
}

/** A model's page may have such a path; a file of the app never has: `.`-files, and drives and streams on Windows. */
function isNoFileName(segment: string): boolean {
  return segment.startsWith('.') || segment.includes(':');
}

function decode(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch (cause) {
    throw new ApiError('invalid_request', 'The path has a broken percent escape. Encode it again.', {
      cause,
    });
  }
}
