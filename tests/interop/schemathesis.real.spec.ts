/** schemathesis from PyPI reads `/openapi.json` and sends what it says may be sent, and what it says may not. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ask, expect, test } from '#tests/support/host-tab.ts';

const run = promisify(execFile);
const config = new URL('schemathesis.toml', import.meta.url).pathname;

test('nothing that schemathesis sends hangs, breaks, or is answered as it is not documented', async ({
  host,
}) => {
  test.setTimeout(30 * 60_000);
  const folder = await mkdtemp(join(tmpdir(), 'sampan-python-'));
  try {
    await run('python3', ['-m', 'venv', folder]);
    await run(join(folder, 'bin', 'python'), ['-m', 'pip', 'install', '--quiet', 'schemathesis==4.32.5']);
    const args = ['--no-color', '--config-file', config, 'run', `${host.url}/openapi.json`];
    // A rejection holds the report too.
    const outcome: unknown = await run(join(folder, 'bin', 'st'), args, {
      cwd: folder,
      maxBuffer: 2 ** 26,
    }).catch((failed: unknown) => failed);
    expect(outcome).toMatchObject({ stdout: expect.stringMatching(/(\d+) generated, \1 passed/) });
    const { status } = await ask(host, '/engines/v1/chat/completions', {
      model: host.model,
      messages: [{ role: 'user', content: 'Hello!' }],
    });
    expect(status).toBe(200);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
