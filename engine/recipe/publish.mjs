/** What the app ships: the builds under static/engine, and a manifest by which each file is checked when it is fetched. */
import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sha256 } from './run.mjs';

/** Copies a variant's files out of the build folder, which the next variant overwrites. */
export function keepVariant(root, variant, folder) {
  mkdirSync(folder, { recursive: true });
  const script = readFileSync(join(root, 'src/build/wllama.js'), 'utf8');
  writeFileSync(join(folder, `wllama-${variant.name}.js`), withoutComments(script));
  writeFileSync(
    join(folder, `wllama-${variant.name}.wasm`),
    readFileSync(join(root, 'src/build/wllama.wasm')),
  );
}

/** Puts the kept variants where the app ships them from, when all are there. */
export function publish(variants, from, to) {
  const builds = variants.map(({ name, features }) => ({
    name,
    features,
    js: fileOf(from, `wllama-${name}.js`),
    wasm: fileOf(from, `wllama-${name}.wasm`),
  }));
  const version = createHash('sha256').update(JSON.stringify(builds)).digest('hex').slice(0, 12);
  mkdirSync(to, { recursive: true });
  for (const { path } of builds.flatMap(({ js, wasm }) => [js, wasm]))
    copyFileSync(join(from, path), join(to, path));
  writeFileSync(join(to, 'manifest.json'), `${JSON.stringify({ version, builds }, null, 2)}\n`);
}

/** wllama's JavaScript replaces the first `var Module` of the script, and a comment above it has the same words. */
function withoutComments(script) {
  return script
    .split('\n')
    .filter((line) => !/^\s*\/\//.test(line))
    .join('\n');
}

function fileOf(folder, path) {
  const file = join(folder, path);
  return { path, sha256: sha256(file), bytes: readFileSync(file).length };
}
