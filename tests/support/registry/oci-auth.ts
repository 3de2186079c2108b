/** How the test registry asks for a sign-in, and its token server. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { sendJson } from './http-server.ts';

export type OciAuth =
  | { readonly kind: 'none' }
  | { readonly kind: 'basic'; readonly username: string; readonly password: string }
  | {
      readonly kind: 'bearer';
      /** Without a user name the token server opens to anyone. */
      readonly username?: string;
      readonly password?: string;
      readonly expiresInSeconds?: number;
      /** Replaces the whole challenge; `{token}` stands for the URL of the token server. */
      readonly challenge?: string;
    };

export function challenge(auth: OciAuth, tokenUrl: string, response: ServerResponse, url: URL): void {
  const repository = /^\/v2\/(.+)\/(?:manifests|blobs)\//.exec(url.pathname)?.[1];
  const scope = repository === undefined ? '' : `,scope="repository:${repository}:pull"`;
  const bearer = `Bearer realm="${tokenUrl}/token",service="test"${scope}`;
  const custom = auth.kind === 'bearer' ? auth.challenge?.replace('{token}', `${tokenUrl}/token`) : undefined;
  response.setHeader('www-authenticate', auth.kind === 'basic' ? 'Basic realm="test"' : (custom ?? bearer));
  sendJson(response, 401, { errors: [{ code: 'UNAUTHORIZED', message: 'authentication required' }] });
}

export class TestTokens {
  readonly #valid = new Set<string>();
  #count = 0;

  revoke(): void {
    this.#valid.clear();
  }

  admits(auth: OciAuth, request: IncomingMessage): boolean {
    const { authorization = '' } = request.headers;
    if (auth.kind === 'none') return true;
    if (auth.kind === 'basic') return authorization === basic(auth.username, auth.password);
    return this.#valid.has(authorization.replace(/^Bearer /, ''));
  }

  serve(auth: OciAuth, request: IncomingMessage, response: ServerResponse, url: URL): void {
    response.setHeader('access-control-allow-origin', request.headers.origin ?? '*');
    if (request.method === 'OPTIONS') {
      response.writeHead(200, { 'access-control-allow-headers': 'Authorization' }).end();
      return;
    }
    if (auth.kind !== 'bearer' || url.pathname !== '/token') return void response.writeHead(404).end();
    const wanted = auth.username === undefined ? undefined : basic(auth.username, auth.password ?? '');
    if (wanted !== undefined && request.headers.authorization !== wanted)
      return sendJson(response, 401, { details: 'no' });
    const token = `token-${++this.#count}`;
    this.#valid.add(token);
    sendJson(response, 200, { token, expires_in: auth.expiresInSeconds ?? 300 });
  }
}

function basic(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}
