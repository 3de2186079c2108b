// Packs a GGUF file as a model artifact in Docker's format, laid out as a read-only registry of static files.
// The built-in self-test: node scripts/pack-model.mjs tests/fixtures/tiny.gguf static/v2 sampan/tiny
import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { runnerImport } from 'vite';

const [file, outDir, name, tag = 'latest'] = process.argv.slice(2);
if (!file || !outDir || !name) {
  console.error('Usage: node scripts/pack-model.mjs <model.gguf> <out-dir> <name> [tag]');
  process.exit(2);
}

const load = async (path) => (await runnerImport(path)).module;
const { parseGgufHeader } = await load('./src/lib/model/gguf.ts');
const { packageModel } = await load('./src/lib/model/package.ts');

const bytes = await readFile(file);
const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
const weights = {
  name: basename(file),
  digest,
  sizeBytes: bytes.byteLength,
  header: await parseGgufHeader(bytes),
};
// A fixed time, so that the same bytes give the same id wherever they are packed.
const model = await packageModel({ weights: [weights], createdAtMs: Date.UTC(2026, 10, 24) });

const root = join(outDir, ...name.split('/'));
await mkdir(join(root, 'blobs'), { recursive: true });
await mkdir(join(root, 'manifests'), { recursive: true });
// Not every file system takes a colon.
const path = (kind, key) => join(root, kind, key.replace(':', '-'));
await writeFile(path('blobs', digest), bytes);
await writeFile(path('blobs', model.manifest.config.digest), model.configBytes);
await writeFile(path('manifests', model.id), model.manifestBytes);
await writeFile(path('manifests', tag), model.manifestBytes);
console.log(`${name}:${tag} ${model.id}`);
