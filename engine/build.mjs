/**
 * Builds the WASM engine from registry sources and puts it where the app ships it from:
 *
 *   node engine/build.mjs [WORK]          toolchain, sources and objects stay in WORK (4 GB)
 *   node engine/build.mjs --pin [WORK]    writes toolchain.lock with what Debian offers today
 *
 * Needs Linux with apt, dpkg, chroot and root. README.md in this folder says what is built and why.
 */
import { availableParallelism, tmpdir } from 'node:os';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compileVariant, releaseRoot, variants } from './recipe/compile.mjs';
import { compileKernelTest } from './recipe/kernel-test.mjs';
import { keepVariant, publish } from './recipe/publish.mjs';
import { prepareSources } from './recipe/sources.mjs';
import { installToolchain, pinToolchain, readPins } from './recipe/toolchain.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const lock = join(here, 'toolchain.lock');
const published = join(here, '../static/engine');
const [work = join(tmpdir(), 'sampan-engine')] = process.argv
  .slice(2)
  .filter((argument) => !argument.startsWith('--'));

if (process.argv.includes('--pin')) pin(resolve(work));
else build(resolve(work));

function build(folder) {
  const sources = JSON.parse(readFileSync(join(here, 'sources.json'), 'utf8'));
  const root = join(folder, 'root');
  installToolchain({ work: folder, root, pins: readPins(readFileSync(lock, 'utf8')) });
  prepareSources({ work: folder, folder: join(root, 'src/engine'), pins: sources });
  try {
    for (const variant of variants) {
      compileVariant(root, variant, availableParallelism());
      keepVariant(root, variant, join(folder, 'out'));
      compileKernelTest(root, variant, join(here, 'kernel-test'));
    }
  } finally {
    releaseRoot(root);
  }
  publish(variants, join(folder, 'out'), published);
}

function pin(folder) {
  writeFileSync(lock, pinToolchain({ work: folder }));
}
