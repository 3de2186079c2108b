// `npm test`: every check there is, from a clone with nothing in it. The last line sums all runners.
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { chromiumPath } from './chromium.mjs';
import { ensureBuild, ensureDependencies, root } from './setup.mjs';

const total = { passed: 0, failed: 0 };
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

const vitest = join(reports, 'vitest.json');
run('vitest/vitest.mjs', ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${vitest}`]);
count('vitest', vitest, (report) => ({
  passed: report.numPassedTests,
  failed: report.numFailedTests + emptyFiles(report),
}));

console.log('\n• build');
tally('build', builds());

const playwright = join(reports, 'playwright.json');
run('@playwright/test/cli.js', ['test', ...process.argv.slice(2)], {
  PLAYWRIGHT_JSON_OUTPUT_NAME: playwright,
});
count('playwright', playwright, ({ stats, errors }) => ({
  passed: stats.expected + stats.flaky,
  failed: stats.unexpected + errors.length,
}));

console.log(`${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.failed === 0 ? 0 : 1;

/** A check is one test: it passes or it does not. They run side by side, and each tells what it found when it is over. */
async function checks(list) {
  const waiting = [...list];
  const lane = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const [name, script, args] = next;
      const { ok, output } = await runQuietly(script, args);
      console.log(`\n• ${name}`);
      process.stdout.write(output);
      tally(name, ok);
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}

function tally(name, ok) {
  total[ok ? 'passed' : 'failed']++;
  if (!ok) console.log(`✗ ${name} failed`);
}

function builds() {
  try {
    ensureBuild();
    return true;
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    return false;
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

function run(script, args, env = {}) {
  const result = spawnSync(process.execPath, [join(root, 'node_modules', script), ...args], {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, ...env },
  });
  return result.status === 0;
}

/** A runner that left no report has failed as a whole. */
function count(name, file, read) {
  try {
    const { passed, failed } = read(JSON.parse(readFileSync(file, 'utf8')));
    total.passed += passed;
    total.failed += failed;
  } catch (error) {
    console.error(`${name} left no report: ${error instanceof Error ? error.message : error}`);
    total.failed++;
  }
}

/** Files that failed before their first test ran, and errors outside of tests. */
function emptyFiles(report) {
  const failures = report.testResults.filter(
    (file) => file.status === 'failed' && file.assertionResults.length === 0,
  ).length;
  return failures > 0 || report.success || report.numFailedTests > 0 ? failures : 1;
}
