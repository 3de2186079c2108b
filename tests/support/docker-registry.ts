/** Debian's `docker-registry` on a free loopback port, and `skopeo` beside it: programs that nobody here wrote. */
import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './free-port.ts';
import type { BuiltArtifact } from './registry/artifact.ts';
import type { TokenServer } from './registry/token-server.ts';

export interface DockerRegistry {
  readonly host: string;
  push(repository: string, tag: string, artifact: BuiltArtifact): Promise<void>;
  close(): Promise<void>;
}

export function has(program: string, argument = '--version'): boolean {
  try {
    execFileSync(program, [argument], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

export interface DockerRegistryOptions {
  /** Any free one, unless somebody has to know it before. */
  readonly port?: number;
  /** Answers pages of this origin; without it, nobody's. */
  readonly allowOrigin?: string;
  /** Asks for tokens of this server; without it, for nothing. */
  readonly tokens?: TokenServer;
}

export async function startDockerRegistry(options: DockerRegistryOptions = {}): Promise<DockerRegistry> {
  const folder = await mkdtemp(join(tmpdir(), 'sampan-registry-'));
  const port = options.port ?? (await freePort());
  const host = `localhost:${port}`;
  const config = join(folder, 'config.yml');
  await writeFile(config, configYaml(port, folder, options));
  const child = spawn('docker-registry', ['serve', config], { stdio: 'ignore' });
  // A failed test closes nothing.
  const killWithUs = () => child.kill();
  process.once('exit', killWithUs);
  const url = `http://127.0.0.1:${port}`;
  await until(async () => [200, 401].includes((await fetch(`${url}/v2/`)).status));
  return {
    host,
    push: (repository, tag, artifact) => push(url, repository, tag, artifact),
    close: async () => {
      process.off('exit', killWithUs);
      child.kill('SIGTERM');
      await new Promise((resolve) => child.once('exit', resolve));
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function configYaml(port: number, folder: string, { allowOrigin, tokens }: DockerRegistryOptions): string {
  return `version: 0.1
storage:
  filesystem:
    rootdirectory: ${folder}
  delete:
    enabled: true
http:
  addr: 127.0.0.1:${port}${allowOrigin === undefined ? '' : corsYaml(allowOrigin)}
${tokens === undefined ? '' : authYaml(tokens)}`;
}

function corsYaml(origin: string): string {
  return `
  headers:
    Access-Control-Allow-Origin: ['${origin}']
    Access-Control-Allow-Methods: ['GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS']
    Access-Control-Allow-Headers: ['Authorization, Content-Type, Accept, Range, Content-Range']
    Access-Control-Expose-Headers: ['Docker-Content-Digest, Location, Range, Content-Range, Content-Length, WWW-Authenticate']`;
}

function authYaml({ url, service, issuer, certificateFile }: TokenServer): string {
  return `auth:
  token:
    realm: ${url}/token
    service: ${service}
    issuer: ${issuer}
    rootcertbundle: ${certificateFile}
`;
}

async function push(url: string, repository: string, tag: string, artifact: BuiltArtifact): Promise<void> {
  for (const [digest, bytes] of artifact.blobs) {
    const actual = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
    if (actual !== digest) throw new Error(`a real registry takes no false digest: ${digest}`);
    const session = await fetch(`${url}/v2/${repository}/blobs/uploads/`, { method: 'POST' });
    const location = new URL(session.headers.get('location') ?? '', url);
    location.searchParams.set('digest', digest);
    await expectOk(
      fetch(location, {
        method: 'PUT',
        body: bytes,
        headers: { 'content-type': 'application/octet-stream' },
      }),
    );
  }
  await expectOk(
    fetch(`${url}/v2/${repository}/manifests/${tag}`, {
      method: 'PUT',
      body: artifact.manifestBytes,
      headers: { 'content-type': artifact.mediaType },
    }),
  );
}

async function expectOk(answering: Promise<Response>): Promise<void> {
  const response = await answering;
  if (!response.ok) throw new Error(`${response.url}: ${response.status} ${await response.text()}`);
}

/** Until the program listens; each attempt fails at once while it does not. */
async function until(ready: () => Promise<boolean>): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    if (await ready().catch(() => false)) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('the registry did not start');
}
