/** What `npm test` says of a runner is what happened in it, errors outside of tests too. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { failure } from '#scripts/reporters/report.mjs';

/** Runs files of tests in a process of their own, below this folder so that they find the runner. */
function reportOf(files: Readonly<Record<string, string>>) {
  mkdirSync('.cache', { recursive: true });
  const folder = mkdtempSync(join('.cache', 'reporters-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  writeFileSync(join(folder, 'vitest.config.mjs'), 'export default {};');
  const report = resolve(folder, 'report.json');
  const args = ['run', '--reporter', resolve('scripts/reporters/vitest.mjs')];
  const { status } = spawnSync(process.execPath, [resolve('node_modules/vitest/vitest.mjs'), ...args], {
    cwd: folder,
    env: { ...process.env, SAMPAN_VITEST_REPORT: report },
  });
  const told = JSON.parse(readFileSync(report, 'utf8')) as { passed: number; failures: unknown[] };
  return { status, ...told };
}

const using = "import { expect, it } from 'vitest';\n";

it('counts what passed, and tells of a test that failed, a broken file and a lost rejection', () => {
  const { status, passed, failures } = reportOf({
    'good.test.mjs': `${using}it('one', () => {}); it('two', () => {}); it.skip('three', () => {});`,
    'bad.test.mjs': `${using}it('is wrong', () => expect(1).toBe(2));`,
    'broken.test.mjs': "throw new Error('no file');",
    'lost.test.mjs': `${using}it('lives', () => { void Promise.reject(new Error('lost')); });`,
  });
  expect(status).toBe(1);
  expect(passed).toBe(3);
  const told = (name: string, message: string) => ({
    name: expect.stringContaining(name) as unknown,
    message: expect.stringContaining(message) as unknown,
  });
  expect(failures).toHaveLength(3);
  expect(failures).toEqual(
    expect.arrayContaining([
      told('bad.test.mjs › is wrong', 'expected 1 to be 2'),
      told('broken.test.mjs', 'no file'),
      told('outside of the tests', 'lost'),
    ]),
  );
});

it('cuts a long message and takes the colours out', () => {
  const lines = Array.from({ length: 20 }, (_, index) => `line ${index}`);
  const { message } = failure('x', [{ message: `\u001b[31m${lines.join('\n')}` }]);
  expect(message.split('\n')).toEqual([...lines.slice(0, 12), '… 8 more lines']);
});
