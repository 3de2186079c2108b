import { tmpdir } from 'node:os';
import { expect, it } from 'vitest';
import { runCommand } from './command.ts';
import type { Opener } from './open-browser.ts';
import { serve } from './testing/http.ts';

async function run(args: string[], environment: Record<string, string> = {}) {
  const printed: string[] = [];
  const warned: string[] = [];
  const launched: Opener[] = [];
  const outcome = await runCommand(args, {
    environment,
    platform: 'linux',
    appDir: tmpdir(),
    print: (line) => printed.push(line),
    warn: (line) => warned.push(line),
    launch: (opener) => launched.push(opener),
  });
  if (outcome.kind === 'running') await outcome.stop();
  return { outcome, printed, warned, launched };
}

it('says where Sampan is, for people and for programs, and opens the browser there', async () => {
  const { outcome, printed, launched } = await run(['--port', '0'], { DISPLAY: ':0' });
  const url = outcome.kind === 'running' ? outcome.companion.url : '';
  expect(url).toMatch(/^http:\/\/localhost:\d+$/);
  expect(printed).toEqual([
    `Sampan is at ${url}`,
    `Programs use it at ${url}/engines/v1 (OpenAI) and ${url} (Docker Model Runner).`,
  ]);
  expect(launched).toEqual([{ command: 'xdg-open', args: [url] }]);
});

it('leaves the browser alone with --no-open', async () => {
  const { launched } = await run(['--port', '0', '--no-open'], { DISPLAY: ':0' });
  expect(launched).toEqual([]);
});

it('prints the help and ends well', async () => {
  const { outcome, printed } = await run(['--help']);
  expect(outcome).toEqual({ kind: 'ended', exitCode: 0 });
  expect(printed.join('\n')).toContain('--relay-allow <host:port>');
});

it('ends with 2 for an unknown option', async () => {
  const { outcome, warned } = await run(['--colour']);
  expect(outcome).toEqual({ kind: 'ended', exitCode: 2 });
  expect(warned).toEqual([
    'Sampan does not know the option --colour. Run it with --help to see every option.',
  ]);
});

it('names the flag that helps when the port is taken', async () => {
  await using taken = await serve(() => undefined);
  const { outcome, warned } = await run(['--port', String(taken.port)]);
  expect(outcome).toEqual({ kind: 'ended', exitCode: 1 });
  expect(warned).toEqual([
    `Port ${taken.port} is taken by another program. Stop it, or start Sampan with --port ${taken.port + 1} (or SAMPAN_PORT).`,
  ]);
});

it('says what to install when there is no browser to run without a window, and frees the port', async () => {
  const { outcome, warned } = await run(['--port', '0', '--headless'], { PATH: '/nonexistent' });
  expect(outcome).toEqual({ kind: 'ended', exitCode: 1 });
  expect(warned).toEqual([
    'No Chrome, Edge or Chromium was found. Install one, or name its program with SAMPAN_BROWSER.',
  ]);
});

it('says so when this machine has no such address', async () => {
  const { outcome, warned } = await run(['--port', '0', '--host', '192.0.2.1']);
  expect(outcome).toEqual({ kind: 'ended', exitCode: 1 });
  expect(warned[0]).toContain('This machine has no address 192.0.2.1.');
});
