/**
 * llama.cpp's source from the npm registry (node-llama-cpp carries it as a git bundle) with wllama's C++ glue, laid
 * out as one CMake project. Archives are what sources.json says, by the registry's own integrity digest.
 */
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { editSources } from './edits.mjs';
import { run } from './run.mjs';

const here = dirname(fileURLToPath(import.meta.url));

/** Lays the project's sources out in `folder`, edited, with our kernels in place. */
export function prepareSources({ work, folder, pins }) {
  const [llama, glue, messages] = pins.map((pin) => fetchPackage(join(work, 'npm'), pin));
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  cloneLlama(llama, join(folder, 'llama.cpp'));
  cpSync(join(glue, 'cpp'), join(folder, 'cpp'), { recursive: true });
  // The JavaScript that loads the build speaks this version's messages.
  cpSync(join(messages, 'cpp/glue.hpp'), join(folder, 'cpp/glue.hpp'));
  cpSync(join(here, 'CMakeLists.txt'), join(folder, 'CMakeLists.txt'));
  placeKernels(folder);
  editSources(folder);
}

/** llama.cpp alone, as it was released. */
export function prepareLlama({ work, folder, pins: [pin] }) {
  cloneLlama(fetchPackage(join(work, 'npm'), pin), folder);
}

function cloneLlama(unpacked, folder) {
  const bundle = join(unpacked, 'llama/gitRelease.bundle');
  run('git', ['clone', '-q', '-c', 'advice.detachedHead=false', bundle, folder]);
  rmSync(join(folder, '.git'), { recursive: true });
}

/** Our kernels stand beside ggml's own for WASM. */
export function placeKernels(folder) {
  cpSync(join(here, '../kernels'), join(folder, 'llama.cpp/ggml/src/ggml-cpu/arch/wasm/kernels'), {
    recursive: true,
  });
}

/** The folder of its files. */
function fetchPackage(packages, pin) {
  mkdirSync(packages, { recursive: true });
  const archive = join(packages, `${archiveName(pin)}.tgz`);
  if (!existsSync(archive)) run('npm', ['pack', '--silent', `${pin.name}@${pin.version}`], { cwd: packages });
  const digest = createHash('sha512').update(readFileSync(archive)).digest('base64');
  if (`sha512-${digest}` !== pin.integrity)
    throw new Error(`${pin.name} ${pin.version} is not the package that is pinned.`);
  const unpacked = join(packages, archiveName(pin));
  if (!existsSync(join(unpacked, '.ready'))) {
    mkdirSync(unpacked, { recursive: true });
    run('tar', ['xzf', archive, '-C', unpacked]);
    writeFileSync(join(unpacked, '.ready'), '');
  }
  return join(unpacked, 'package');
}

function archiveName({ name, version }) {
  return `${name.replace('@', '').replace('/', '-')}-${version}`;
}
