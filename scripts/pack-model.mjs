// Packs a GGUF file or an MLC folder as a model artifact in Docker's format, laid out as a read-only registry of files.
// The built-in self-test: node scripts/pack-model.mjs tests/fixtures/tiny.gguf static/v2 sampan/tiny
//                         node scripts/pack-model.mjs tests/fixtures/tiny-mlc static/v2 sampan/tiny-mlc
import { createHash } from 'node:crypto';
import { mkdir, readFile, readdir, stat, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { runnerImport } from 'vite';

const [source, outDir, name, tag = 'latest'] = process.argv.slice(2);
if (!source || !outDir || !name) {
  console.error('Usage: node scripts/pack-model.mjs <model.gguf | mlc-folder> <out-dir> <name> [tag]');
  process.exit(2);
}

const load = async (path) => (await runnerImport(path)).module;
/** A fixed time, so that the same bytes give the same id wherever they are packed. */
const createdAtMs = Date.UTC(2026, 10, 24);
const isFolder = (await stat(source)).isDirectory();
const files = await Promise.all(
  (isFolder ? await readdir(source) : ['']).map((name) => describe(join(source, name))),
);
const model = await (isFolder ? packFolder() : packGguf());

async function describe(path) {
  const bytes = await readFile(path);
  const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
  return { name: basename(path), digest, sizeBytes: bytes.byteLength, bytes };
}

async function packGguf() {
  const { parseGgufHeader } = await load('./src/lib/model/gguf.ts');
  const { packageModel } = await load('./src/lib/model/package.ts');
  const [{ bytes, ...weights }] = files;
  return packageModel({ weights: [{ ...weights, header: await parseGgufHeader(bytes) }], createdAtMs });
}

async function packFolder() {
  const { packageFiles } = await load('./src/lib/model/package-files.ts');
  const { parseMlcConfig } = await load('./src/lib/model/mlc.ts');
  const config = files.find(({ name }) => name === 'mlc-chat-config.json');
  const { architecture, quantization, contextSize } = parseMlcConfig(config.bytes);
  const described = files.map(({ name, digest, sizeBytes }) => ({ path: name, digest, sizeBytes }));
  const facts = { format: 'mlc', architecture, quantization, parameters: '', contextSize, createdAtMs };
  return packageFiles(described, facts);
}

const root = join(outDir, ...name.split('/'));
await mkdir(join(root, 'blobs'), { recursive: true });
await mkdir(join(root, 'manifests'), { recursive: true });
// Not every file system takes a colon.
const path = (kind, key) => join(root, kind, key.replace(':', '-'));
for (const { digest, bytes } of files) await writeFile(path('blobs', digest), bytes);
await writeFile(path('blobs', model.manifest.config.digest), model.configBytes);
await writeFile(path('manifests', model.id), model.manifestBytes);
await writeFile(path('manifests', tag), model.manifestBytes);
console.log(`${name}:${tag} ${model.id}`);
