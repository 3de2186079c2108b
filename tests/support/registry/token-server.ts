/** A token server that real registries trust: signs JSON Web Tokens for one user, with a key made for the occasion. */
import { execFile } from 'node:child_process';
import { createSign, X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { sendJson, startServer, type TestServer } from './http-server.ts';

export interface TokenServer extends TestServer {
  readonly service: string;
  readonly issuer: string;
  /** What the registry checks the tokens with. */
  readonly certificateFile: string;
}

export interface TokenServerOptions {
  readonly username: string;
  readonly password: string;
  /** Everyone may pull; the user may push where this matches. */
  readonly mayPush: RegExp;
}

interface Key {
  readonly privateKey: string;
  readonly certificate: X509Certificate;
  readonly certificateFile: string;
}

const service = 'sampan-test';
const issuer = 'sampan-test-issuer';

export async function startTokenServer(options: TokenServerOptions): Promise<TokenServer> {
  const folder = await mkdtemp(join(tmpdir(), 'sampan-tokens-'));
  const key = await makeKey(folder);
  const wanted = `Basic ${Buffer.from(`${options.username}:${options.password}`).toString('base64')}`;
  const server = await startServer((request, response, url) => {
    const { authorization } = request.headers;
    if (authorization !== undefined && authorization !== wanted)
      return sendJson(response, 401, { details: 'no such user' });
    const access = url.searchParams.getAll('scope').flatMap((scope) => grant(scope, authorization, options));
    sendJson(response, 200, { token: sign(key, access), expires_in: 300 });
  });
  return {
    ...server,
    service,
    issuer,
    certificateFile: key.certificateFile,
    close: async () => {
      await server.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Node makes keys and no certificates. */
async function makeKey(folder: string): Promise<Key> {
  const keyFile = join(folder, 'key.pem');
  const certificateFile = join(folder, 'certificate.pem');
  const request = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=sampan-test'];
  await promisify(execFile)('openssl', [...request, '-keyout', keyFile, '-out', certificateFile]);
  const certificate = new X509Certificate(await readFile(certificateFile));
  return { privateKey: await readFile(keyFile, 'utf8'), certificate, certificateFile };
}

function grant(scope: string, authorization: string | undefined, { mayPush }: TokenServerOptions): unknown[] {
  const [, type, name = '', asked = ''] = /^(repository):(.+):([a-z,]+)$/.exec(scope) ?? [];
  if (type === undefined) return [];
  const allowed = authorization !== undefined && mayPush.test(name) ? ['pull', 'push'] : ['pull'];
  return [{ type, name, actions: asked.split(',').filter((action) => allowed.includes(action)) }];
}

function sign({ privateKey, certificate }: Key, access: readonly unknown[]): string {
  const seconds = Math.floor(Date.now() / 1000);
  const header = { typ: 'JWT', alg: 'RS256', x5c: [certificate.raw.toString('base64')] };
  const claims = {
    iss: issuer,
    sub: 'alice',
    aud: service,
    exp: seconds + 300,
    nbf: seconds - 10,
    iat: seconds,
    jti: String(seconds),
    access,
  };
  const text = [header, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.');
  return `${text}.${createSign('RSA-SHA256').update(text).sign(privateKey, 'base64url')}`;
}
