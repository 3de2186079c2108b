// A made-up model in Docker's format: its digest, config and manifest, and the tar that `docker model` would write of it.
import { createHash } from 'node:crypto';

const pieceBytes = 256 * 1024;
const blockBytes = 512;

/** `config` and `manifest` are `{ text, digest, size, type }`. @param {import('./page/bytes.mjs').ModelBytes} bytes */
export function packaged(bytes) {
  const digest = digestOf(bytes.pieces(pieceBytes));
  const config = document('application/vnd.docker.ai.model.config.v0.1+json', {
    config: { format: 'gguf', architecture: 'llama', quantization: 'unknown', parameters: '1', size: '1' },
    descriptor: { created: '2026-01-01T00:00:00Z' },
    rootfs: { type: 'rootfs', diff_ids: [digest] },
  });
  const type = 'application/vnd.oci.image.manifest.v1+json';
  const manifest = document(type, {
    schemaVersion: 2,
    mediaType: type,
    config: { mediaType: config.type, digest: config.digest, size: config.size },
    layers: [{ mediaType: 'application/vnd.docker.ai.gguf.v3', digest, size: bytes.sizeBytes }],
  });
  return { digest, config, manifest };
}

/** Pieces of the tar, made as they are asked for, and how long it is. */
export function archived(bytes) {
  const { digest, config, manifest } = packaged(bytes);
  const files = [
    { path: pathOf(digest), sizeBytes: bytes.sizeBytes, pieces: () => bytes.pieces(pieceBytes) },
    { path: pathOf(config.digest), sizeBytes: config.size, pieces: () => [Buffer.from(config.text)] },
    { path: 'manifest.json', sizeBytes: manifest.size, pieces: () => [Buffer.from(manifest.text)] },
  ];
  const padded = (sizeBytes) => Math.ceil(sizeBytes / blockBytes) * blockBytes;
  return {
    sizeBytes: files.reduce((sum, file) => sum + blockBytes + padded(file.sizeBytes), 2 * blockBytes),
    *pieces() {
      for (const { path, sizeBytes, pieces } of files) {
        yield tarHeader(path, sizeBytes);
        yield* pieces();
        yield Buffer.alloc(padded(sizeBytes) - sizeBytes);
      }
      yield Buffer.alloc(2 * blockBytes);
    },
  };
}

function document(type, value) {
  const text = JSON.stringify(value);
  return { text, type, digest: digestOf([text]), size: Buffer.byteLength(text) };
}

function digestOf(pieces) {
  const hash = createHash('sha256');
  for (const piece of pieces) hash.update(piece);
  return `sha256:${hash.digest('hex')}`;
}

function pathOf(digest) {
  return `blobs/${digest.replace(':', '/')}`;
}

/** ustar, of a plain file. */
function tarHeader(path, sizeBytes) {
  const block = Buffer.alloc(blockBytes);
  const octal = (value, digits) => `${value.toString(8).padStart(digits, '0')}\0`;
  const fields = [
    [0, path],
    [100, octal(0o644, 7)],
    [108, octal(0, 7)],
    [116, octal(0, 7)],
    [124, octal(sizeBytes, 11)],
    [136, octal(0, 11)],
    [148, ' '.repeat(8)],
    [156, '0'],
    [257, 'ustar\u000000'],
  ];
  for (const [at, text] of fields) block.write(text, at, 'latin1');
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(octal(sum, 6), 148, 'latin1');
  return block;
}
