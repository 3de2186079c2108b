import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from '#tests/support/host-tab.ts';

const run = promisify(execFile);
const script = new URL('openai-client.py', import.meta.url).pathname;

test('the OpenAI client from PyPI talks to the tab', async ({ host }) => {
  test.setTimeout(5 * 60_000);
  const folder = await mkdtemp(join(tmpdir(), 'sampan-python-'));
  try {
    await run('python3', ['-m', 'venv', folder]);
    const python = join(folder, 'bin', 'python');
    await run(python, ['-m', 'pip', 'install', '--quiet', 'openai']);
    const { stdout } = await run(python, [script, `${host.url}/engines/v1`, host.model]);
    expect(stdout.trim().split('\n').at(-1)).toBe('everything held');
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
