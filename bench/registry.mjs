// An OCI registry on the loopback that takes pushes and keeps nothing of them, as a process of its own so that it has its own share of the cores:
//   node bench/registry.mjs '{"models": [{"name", "file", "sizeBytes"?}], "bytesPerSecond"?}'
// With `sizeBytes` a model is its file followed by noise up to that size. The first line it prints is
//   {"port", "models": {name: {"path", "digest", "sizeBytes", "headerBytes"}}}
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { packaged } from './package.mjs';
import { ModelBytes } from './page/bytes.mjs';

const pieceBytes = 256 * 1024;
const cors = {
  'access-control-allow-origin': '*',
  'access-control-allow-headers': 'authorization, accept, range, content-type, content-range',
  'access-control-allow-methods': 'GET, HEAD, OPTIONS, POST, PATCH, PUT',
  'access-control-expose-headers':
    'content-range, docker-content-digest, www-authenticate, location, range, docker-upload-uuid',
};
/** Bytes of each upload so far. */
const uploads = new Map();

const { models, bytesPerSecond } = JSON.parse(process.argv[2] ?? '{}');
const documents = new Map();
const blobs = new Map();
const described = Object.fromEntries(models.map((model) => [model.name, publish(model)]));

const server = createServer((request, response) => {
  answer(request, response).catch(() => response.destroy());
});
server.listen(0, '127.0.0.1', () => {
  console.log(JSON.stringify({ port: server.address().port, models: described }));
});
// The parent's end is the registry's end.
process.stdin.resume().on('end', () => process.exit());

function publish({ name, file, sizeBytes }) {
  const header = readFileSync(file);
  const bytes = new ModelBytes(header, sizeBytes ?? header.byteLength);
  const { digest, config, manifest } = packaged(bytes);
  const root = `/v2/${name}`;
  blobs.set(`${root}/blobs/${digest}`, bytes);
  documents.set(`${root}/blobs/${config.digest}`, { ...config, type: 'application/octet-stream' });
  for (const key of ['latest', manifest.digest]) documents.set(`${root}/manifests/${key}`, manifest);
  return {
    path: `${root}/blobs/${digest}`,
    digest,
    sizeBytes: bytes.sizeBytes,
    headerBytes: header.byteLength,
  };
}

async function answer(request, response) {
  if (request.method === 'OPTIONS') return void response.writeHead(204, cors).end();
  const { pathname } = new URL(request.url, 'http://localhost');
  if (pathname === '/v2/') return void response.writeHead(200, cors).end();
  if (['POST', 'PATCH', 'PUT'].includes(request.method)) return take(request, response, pathname);
  const found = documents.get(pathname);
  if (found) {
    const headers = { ...cors, 'content-type': found.type, 'docker-content-digest': found.digest };
    return void response.writeHead(200, headers).end(found.text);
  }
  const bytes = blobs.get(pathname);
  if (!bytes) return void response.writeHead(404, cors).end();
  await sendBlob(request, response, bytes);
}

/** Upload sessions as a registry has them, but the bytes are dropped. */
async function take(request, response, pathname) {
  const location = request.method === 'POST' ? `${pathname}${uploads.size}` : pathname;
  let sizeBytes = uploads.get(location) ?? 0;
  for await (const piece of request) sizeBytes += piece.byteLength;
  uploads.set(location, sizeBytes);
  const { searchParams } = new URL(request.url, 'http://localhost');
  const digest = searchParams.get('digest') ?? decodeURIComponent(pathname.split('/').at(-1) ?? '');
  response
    .writeHead(request.method === 'PUT' ? 201 : 202, {
      ...cors,
      location,
      'docker-upload-uuid': '1',
      ...(sizeBytes > 0 ? { range: `0-${sizeBytes - 1}` } : {}),
      ...(request.method === 'PUT' && digest.startsWith('sha256:')
        ? { 'docker-content-digest': digest }
        : {}),
    })
    .end();
}

async function sendBlob(request, response, bytes) {
  const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? [];
  const from = Number(first ?? 0);
  const to = Math.min(Number(last ?? Infinity) + 1, bytes.sizeBytes);
  response.writeHead(first === undefined ? 200 : 206, {
    ...cors,
    'content-type': 'application/octet-stream',
    'content-length': to - from,
    ...(first === undefined ? {} : { 'content-range': `bytes ${from}-${to - 1}/${bytes.sizeBytes}` }),
  });
  // A reader that leaves in the middle is nobody's fault.
  await pipeline(Readable.from(paced(bytes, from, to), { highWaterMark: 1 }), response).catch(
    () => undefined,
  );
}

async function* paced(bytes, from, to) {
  for (const piece of bytes.pieces(pieceBytes, from, to)) {
    await allowance(piece.byteLength);
    yield piece;
  }
}

/** One budget for all connections together: each piece books its time after the last one's. */
const booked = { untilMs: 0 };

function allowance(sizeBytes) {
  if (!bytesPerSecond) return undefined;
  const nowMs = performance.now();
  booked.untilMs = Math.max(booked.untilMs, nowMs) + (sizeBytes * 1000) / bytesPerSecond;
  return new Promise((resolve) => setTimeout(resolve, booked.untilMs - nowMs));
}
