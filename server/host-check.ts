/**
 * Refuses requests that were addressed to another name than ours. A site can point its own name at 127.0.0.1 (DNS
 * rebinding); its pages are then same-origin with us, and the Host header is what gives them away.
 */
import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { ApiError } from '#lib/core/errors.ts';

const wildcards = new Set(['0.0.0.0', '::', '[::]']);

export class HostCheck {
  readonly #named: string;

  /** `host` is what `--host` names; a wildcard stands for every address of this machine. */
  constructor(host: string) {
    this.#named = host.includes(':') && !host.startsWith('[') ? `[${host}]` : host.toLowerCase();
  }

  /** Throws `invalid_request` without exactly one Host, `forbidden_origin` for a foreign one. */
  check(request: IncomingMessage): void {
    const { host } = request.headers;
    if (host === undefined || host === '' || hostCount(request) !== 1) {
      throw new ApiError(
        'invalid_request',
        'The request needs exactly one Host header. Send it to http://localhost.',
      );
    }
    if (this.#isOurs(host.toLowerCase(), request.socket.localPort)) return;
    throw new ApiError(
      'forbidden_origin',
      'This address is not one of Sampan’s. Use http://localhost, or start Sampan with --host and this name.',
    );
  }

  #isOurs(host: string, listeningPort: number | undefined): boolean {
    const { name, port } =
      /^(?<name>\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::(?<port>\d{1,5}))?$/.exec(host)?.groups ?? {};
    if (name === undefined) return false;
    if (port !== undefined && Number(port) !== listeningPort) return false;
    return isLoopbackName(name) || name === this.#named || (wildcards.has(this.#named) && isAddress(name));
  }
}

function isLoopbackName(name: string): boolean {
  return (
    name === 'localhost' || name === '127.0.0.1' || name === '[::1]' || /^[a-z0-9.-]+\.localhost$/.test(name)
  );
}

/** An address cannot be rebound: a page of it came from it. */
function isAddress(name: string): boolean {
  return isIP(name.replace(/^\[|\]$/g, '')) !== 0;
}

function hostCount(request: IncomingMessage): number {
  return request.rawHeaders.filter((text, index) => index % 2 === 0 && text.toLowerCase() === 'host').length;
}
