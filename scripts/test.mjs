// `npm test`: every check there is, from a clone with nothing in it. The last line sums all runners.
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { chromiumPath } from './chromium.mjs';
import { failure } from './reporters/report.mjs';
import { ensureBuild, ensureDependencies, root } from './setup.mjs';

let passed = 0;
/** @type {import('./reporters/report.mjs').Failure[]} */
const failures = [];
const reports = join(root, '.cache', 'reports');
/** Each holds a type checker in memory. */
const lanes = Math.min(3, Math.max(1, availableParallelism()));

ensureDependencies();
rmSync(reports, { recursive: true, force: true });
mkdirSync(reports, { recursive: true });
// Found or installed once, and handed to every runner.
process.env.SAMPAN_CHROMIUM = await chromiumPath();

await checks([['svelte-kit sync', '@sveltejs/kit/svelte-kit.js', ['sync']]]);
await checks([
  [
    'types of the pages',
    'svelte-check/bin/svelte-check',
    ['--tsconfig', 'tsconfig.pages.json', '--fail-on-warnings'],
  ],
  ['lint of layers and pages', 'eslint/bin/eslint.js', ['.', '--max-warnings', '0']],
  ['lint', 'oxlint/bin/oxlint', ['--type-aware']],
  ['types below the pages', 'typescript-7/bin/tsc', ['-p', 'tsconfig.worker.json']],
  ['types of server and tests', 'typescript-7/bin/tsc', ['-p', 'tsconfig.tests.json']],
  ['format', 'prettier/bin/prettier.cjs', ['--check', '--log-level', 'warn', '.']],
  ['unused code', 'knip/bin/knip.js', []],
]);

runner('vitest', 'vitest/vitest.mjs', [
  'run',
  '--reporter=default',
  '--reporter=./scripts/reporters/vitest.mjs',
]);

console.log('\n• build');
tally('build', builds());

runner('playwright', '@playwright/test/cli.js', ['test', ...process.argv.slice(2)]);

// Again at the end, where somebody looks, whatever was printed since.
for (const { name, message } of failures) console.log(`\n✗ ${name}\n${message}`);
console.log(`${passed} passed, ${failures.length} failed`);
process.exitCode = failures.length === 0 ? 0 : 1;

/** A check is one test: it passes or it does not. They run side by side, and each tells what it found when it is over. */
async function checks(list) {
  const waiting = [...list];
  const lane = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const [name, script, args] = next;
      const { ok, output } = await runQuietly(script, args);
      console.log(`\n• ${name}`);
      process.stdout.write(output);
      tally(name, { ok, message: String(output) });
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}

function tally(name, { ok, message }) {
  if (ok) passed++;
  else failures.push(failure(name, [{ message }]));
}

function builds() {
  try {
    ensureBuild();
    return { ok: true };
  } catch (error) {
    return { ok: false, message: error instanceof Error ? error.message : String(error) };
  }
}

function runQuietly(script, args) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [join(root, 'node_modules', script), ...args], { cwd: root });
    const output = [];
    child.stdout.on('data', (chunk) => output.push(chunk));
    child.stderr.on('data', (chunk) => output.push(chunk));
    child.on('error', (error) => resolve({ ok: false, output: `${error.message}\n` }));
    child.on('close', (code) => resolve({ ok: code === 0, output: Buffer.concat(output) }));
  });
}

/** One that left no report, or failed for a reason that is not in it, has failed as a whole. */
function runner(name, script, args) {
  const report = join(reports, `${name}.json`);
  const { status } = spawnSync(process.execPath, [join(root, 'node_modules', script), ...args], {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, [`SAMPAN_${name.toUpperCase()}_REPORT`]: report },
  });
  try {
    const told = JSON.parse(readFileSync(report, 'utf8'));
    passed += told.passed;
    failures.push(...told.failures);
    if (status !== 0 && told.failures.length === 0) throw new Error(`It ended with status ${status}.`);
  } catch (error) {
    failures.push(failure(`all of ${name}`, [error]));
  }
}
