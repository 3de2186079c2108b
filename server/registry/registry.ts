/** The registry inside the app's own files: read-only, so that a pull works with no network, also for `docker` and `skopeo`. */
import { createHash } from 'node:crypto';
import { readFile, readdir } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { bytesType } from '#server/files/content-types.ts';
import { sendFile } from '#server/files/send-file.ts';
import { parseOciPath } from '#server/oci-path.ts';
import { isRead } from '#server/paths.ts';
import { sendJson } from '#server/respond.ts';
import { mediaTypeOf } from './media-type.ts';
import { sendOciError } from './oci-error.ts';

export class EmbeddedRegistry {
  readonly #dir: string;

  /** `dir` holds `<name>/manifests/<tag>`, `<name>/manifests/sha256-<hex>` and `<name>/blobs/sha256-<hex>`. */
  constructor(dir: string) {
    this.#dir = dir;
  }

  async handle(request: IncomingMessage, response: ServerResponse, path: string): Promise<void> {
    response.setHeader('Docker-Distribution-Api-Version', 'registry/2.0');
    response.setHeader('Cache-Control', 'no-cache');
    const wanted = parseOciPath(path);
    if (!isRead(request)) sendOciError(response, 'UNSUPPORTED', 'This registry is read-only.');
    else if (wanted?.kind === 'base') sendJson(response, 200, {});
    else if (wanted?.kind === 'tags') await this.#sendTags(response, wanted.name);
    else if (wanted?.kind === 'manifest')
      await this.#sendManifest(request, response, wanted.name, wanted.reference);
    else if (wanted?.kind === 'blob') await this.#sendBlob(request, response, wanted.name, wanted.digest);
    else sendOciError(response, 'NAME_UNKNOWN', 'This registry has no such path.');
  }

  async #sendManifest(
    request: IncomingMessage,
    response: ServerResponse,
    name: string,
    reference: string,
  ): Promise<void> {
    const path = this.#path(name, 'manifests', reference);
    const bytes = await readFile(path).catch(() => undefined);
    if (!bytes) return this.#sendUnknown(response, name, 'MANIFEST_UNKNOWN', reference);
    const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
    await this.#send(request, response, { path, contentType: mediaTypeOf(bytes), digest });
  }

  async #sendBlob(
    request: IncomingMessage,
    response: ServerResponse,
    name: string,
    digest: string,
  ): Promise<void> {
    const path = this.#path(name, 'blobs', digest);
    const isSent = await this.#send(request, response, { path, contentType: bytesType, digest });
    if (!isSent) return this.#sendUnknown(response, name, 'BLOB_UNKNOWN', digest);
  }

  #send(
    request: IncomingMessage,
    response: ServerResponse,
    content: { readonly path: string; readonly contentType: string; readonly digest: string },
  ): Promise<boolean> {
    const { path, contentType, digest } = content;
    const headers = { 'Docker-Content-Digest': digest };
    return sendFile(request, response, { path, contentType, headers, siblings: 'none', etag: `"${digest}"` });
  }

  async #sendTags(response: ServerResponse, name: string): Promise<void> {
    const files = await readdir(join(this.#dir, name, 'manifests')).catch(() => undefined);
    if (!files) {
      sendOciError(response, 'NAME_UNKNOWN', `This registry has no repository ${name}.`);
      return;
    }
    const tags = files.filter((file) => !file.startsWith('sha256-')).sort();
    sendJson(response, 200, { name, tags });
  }

  async #sendUnknown(
    response: ServerResponse,
    name: string,
    code: 'MANIFEST_UNKNOWN' | 'BLOB_UNKNOWN',
    item: string,
  ): Promise<void> {
    const repository = await readdir(join(this.#dir, name)).catch(() => undefined);
    if (!repository) {
      sendOciError(response, 'NAME_UNKNOWN', `This registry has no repository ${name}.`);
      return;
    }
    sendOciError(response, code, `The repository ${name} has no ${item}.`);
  }

  /** A colon is no character for a file name on every system. */
  #path(name: string, collection: 'manifests' | 'blobs', item: string): string {
    return join(this.#dir, name, collection, item.replace(':', '-'));
  }
}
