// What `npm start` and `npm test` both need: dependencies and a build, made only when something changed.
import { createHash } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compressFiles } from './compress.mjs';

export const root = fileURLToPath(new URL('..', import.meta.url));
const dependencyStamp = join(root, 'node_modules', '.sampan-stamp');
const buildStamp = join(root, 'build', '.stamp');
const sources = [
  'src',
  'server',
  'static',
  'package-lock.json',
  'svelte.config.js',
  'vite.config.ts',
  'vite.server.config.ts',
  'vite.sampan-js.config.ts',
];

/** Installs what `package-lock.json` says, unless that is what is installed. */
export function ensureDependencies() {
  requireNode();
  const wanted = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  if (readStamp(dependencyStamp) === wanted) return;
  console.log('Installing dependencies…');
  runNpm(['ci', '--no-audit', '--no-fund', '--loglevel=error']);
  writeFileSync(dependencyStamp, wanted);
}

/** Builds app and companion into `build/`, unless the sources are those of the last build. */
export function ensureBuild() {
  const wanted = sourceHash();
  if (readStamp(buildStamp) === wanted && existsSync(join(root, 'build', 'server', 'main.js'))) return;
  console.log('Building the app…');
  const env = { ...process.env, SAMPAN_BUILD: wanted.slice(0, 12) };
  runVite(['build', '--logLevel', 'warn'], env);
  for (const config of ['vite.sampan-js.config.ts', 'vite.server.config.ts']) {
    runVite(['build', '--config', config, '--logLevel', 'warn'], env);
  }
  compressFiles(join(root, 'build', 'app'));
  writeFileSync(buildStamp, wanted);
}

/** Runs a program of `node_modules` with Node itself, which works on every system. */
function runTool(script, args, options = {}) {
  execFileSync(process.execPath, [join(root, 'node_modules', script), ...args], {
    cwd: root,
    stdio: 'inherit',
    ...options,
  });
}

function runVite(args, env) {
  runTool('vite/bin/vite.js', args, { env });
}

function runNpm(args) {
  const npm = process.env.npm_execpath;
  if (npm) execFileSync(process.execPath, [npm, ...args], { cwd: root, stdio: 'inherit' });
  else execFileSync('npm', args, { cwd: root, stdio: 'inherit', shell: process.platform === 'win32' });
}

function requireNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return;
  console.error(
    `Sampan needs Node 20.19 or newer; this is ${process.versions.node}. Install a newer one from https://nodejs.org.`,
  );
  process.exit(1);
}

function readStamp(path) {
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
}

/** By content: a fresh checkout has new times for the same files. */
function sourceHash() {
  const hash = createHash('sha256');
  for (const path of sources.flatMap((source) => filesUnder(join(root, source)))) {
    hash.update(path.slice(root.length)).update('\0').update(readFileSync(path)).update('\0');
  }
  return hash.digest('hex');
}

function filesUnder(path) {
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path)
    .toSorted()
    .flatMap((name) => filesUnder(join(path, name)));
}
