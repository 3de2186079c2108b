import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { scratchCompanion, writeFileAt, type ScratchCompanion } from '#server/testing/companion.ts';
import { call } from '#server/testing/http.ts';

const layer = Buffer.from('the weights of a very small model');
const config = Buffer.from('{}');
const manifest = Buffer.from(
  JSON.stringify({
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: descriptor('application/vnd.docker.ai.model.config.v0.1+json', config),
    layers: [descriptor('application/vnd.docker.ai.gguf.v3', layer)],
  }),
);
const manifestDigest = digestOf(manifest);

let companion: ScratchCompanion;
beforeAll(async () => {
  companion = await scratchCompanion();
  const dir = join(companion.appDir, 'v2/sampan/tiny');
  await writeFileAt(join(dir, 'manifests/latest'), manifest);
  await writeFileAt(join(dir, 'manifests', manifestDigest.replace(':', '-')), manifest);
  await writeFileAt(join(dir, 'manifests/untyped'), '{"schemaVersion":2}');
  for (const blob of [layer, config])
    await writeFileAt(join(dir, 'blobs', digestOf(blob).replace(':', '-')), blob);
});
afterAll(() => companion[Symbol.asyncDispose]());

function digestOf(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

function descriptor(mediaType: string, bytes: Buffer) {
  return { mediaType, digest: digestOf(bytes), size: bytes.length };
}

it.each(['GET', 'HEAD'])('says by %s that it is a registry', async (method) => {
  const reply = await call(companion.port, '/v2/', { method });
  expect(reply).toMatchObject({ status: 200, text: method === 'GET' ? '{}' : '' });
  expect(reply.headers).toHaveProperty('docker-distribution-api-version', 'registry/2.0');
});

describe('a manifest', () => {
  it.each(['latest', manifestDigest])('comes by %s with its type and digest', async (reference) => {
    const reply = await call(companion.port, `/v2/sampan/tiny/manifests/${reference}`);
    expect(reply).toMatchObject({ status: 200, bytes: manifest });
    expect(reply.headers).toMatchObject({
      'content-type': 'application/vnd.oci.image.manifest.v1+json',
      'content-length': String(manifest.length),
      'docker-content-digest': manifestDigest,
      etag: `"${manifestDigest}"`,
    });
  });

  it('has only a head for HEAD, and is not sent twice', async () => {
    const path = '/v2/sampan/tiny/manifests/latest';
    const head = await call(companion.port, path, { method: 'HEAD' });
    expect(head).toMatchObject({ status: 200, text: '' });
    expect(head.headers).toHaveProperty('content-length', String(manifest.length));
    const again = await call(companion.port, path, { headers: { 'if-none-match': head.headers.etag ?? '' } });
    expect(again.status).toBe(304);
  });

  it('is an OCI manifest when it does not say', async () => {
    const { headers } = await call(companion.port, '/v2/sampan/tiny/manifests/untyped');
    expect(headers['content-type']).toBe('application/vnd.oci.image.manifest.v1+json');
  });
});

describe('a blob', () => {
  const path = `/v2/sampan/tiny/blobs/${digestOf(layer)}`;

  it('comes whole as bytes', async () => {
    const reply = await call(companion.port, path);
    expect(reply).toMatchObject({ status: 200, bytes: layer });
    expect(reply.headers).toMatchObject({
      'content-type': 'application/octet-stream',
      'docker-content-digest': digestOf(layer),
      'accept-ranges': 'bytes',
    });
  });

  it('comes in part', async () => {
    const reply = await call(companion.port, path, { headers: { range: 'bytes=4-' } });
    expect(reply).toMatchObject({ status: 206, bytes: layer.subarray(4) });
  });
});

it('lists tags without the digests', async () => {
  const reply = await call(companion.port, '/v2/sampan/tiny/tags/list');
  expect(JSON.parse(reply.text)).toEqual({ name: 'sampan/tiny', tags: ['latest', 'untyped'] });
});

it.each([
  ['/v2/sampan/tiny/manifests/other', 404, 'MANIFEST_UNKNOWN'],
  [`/v2/sampan/tiny/blobs/sha256:${'0'.repeat(64)}`, 404, 'BLOB_UNKNOWN'],
  ['/v2/sampan/none/manifests/latest', 404, 'NAME_UNKNOWN'],
  ['/v2/sampan/none/tags/list', 404, 'NAME_UNKNOWN'],
  ['/v2/sampan/tiny/blobs/uploads/x', 404, 'NAME_UNKNOWN'],
  ['/v2/../../etc/passwd', 404, 'NAME_UNKNOWN'],
])('answers %s with %i %s', async (path, status, code) => {
  const reply = await call(companion.port, path);
  expect(reply.status).toBe(status);
  expect(JSON.parse(reply.text)).toMatchObject({ errors: [{ code }] });
});

it('takes no pushes', async () => {
  const reply = await call(companion.port, '/v2/sampan/tiny/blobs/uploads/', { method: 'POST' });
  expect(reply.status).toBe(405);
  expect(JSON.parse(reply.text)).toMatchObject({ errors: [{ code: 'UNSUPPORTED' }] });
});

describe.runIf(existsSync('/usr/bin/skopeo'))('skopeo', () => {
  const run = promisify(execFile);
  const source = () => `docker://localhost:${companion.port}/sampan/tiny`;

  it('reads the manifest', async () => {
    const { stdout } = await run('skopeo', ['inspect', '--raw', '--tls-verify=false', source()]);
    expect(stdout).toBe(manifest.toString());
  });

  it('copies the artifact whole', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'sampan-copy-'));
    try {
      await run('skopeo', ['copy', '--insecure-policy', '--src-tls-verify=false', source(), `dir:${dir}`]);
      expect(await readFile(join(dir, digestOf(layer).slice('sha256:'.length)))).toEqual(layer);
    } finally {
      await rm(dir, { recursive: true });
    }
  });
});
