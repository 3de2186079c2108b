import { spawnSync } from 'node:child_process';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ManualClock } from '#lib/core/clock.ts';
import { HeadlessHost } from './headless-host.ts';

// A browser that writes down its own process and its “renderer”, which ignores SIGTERM as a hung one does.
const lasting = `#!/bin/sh
(trap '' TERM; while :; do sleep 1; done) &
echo "$$ $!" >> "$0.log"
wait
`;
const crashing = `#!/bin/sh
echo "$$ 0" >> "$0.log"
exit 7
`;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sampan-browser-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function browser(name: string, script: string): Promise<string> {
  const program = join(folder, name);
  await writeFile(program, script);
  await chmod(program, 0o755);
  return program;
}

async function runs(program: string): Promise<number[][]> {
  const text = await readFile(`${program}.log`, 'utf8').catch(() => '');
  return text.split('\n').flatMap((line) => (line === '' ? [] : [line.split(' ').map(Number)]));
}

/** A process that has ended but was not collected yet (`Z`) is none any more. */
function isAlive(pid: number): boolean {
  const { stdout } = spawnSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' });
  return /^[^Z\s]/.test(stdout);
}

const options = { args: [], platform: 'linux', log: () => undefined };

it('ends the browser and everything it started', async () => {
  const program = await browser('lasting', lasting);
  const host = new HeadlessHost({ ...options, program });
  await expect.poll(() => runs(program)).toHaveLength(1);
  const [pids = []] = await runs(program);
  expect(pids.map(isAlive)).toEqual([true, true]);
  await host.stop();
  await expect.poll(() => pids.map(isAlive)).toEqual([false, false]);
  await host.stop();
});

it('starts it again after a crash, a little later each time', async () => {
  const program = await browser('crashing', crashing);
  const clock = new ManualClock();
  const log: string[] = [];
  const host = new HeadlessHost({ ...options, program, clock, log: (line) => log.push(line) });
  await expect.poll(() => log).toHaveLength(1);
  expect(log[0]).toBe('The headless browser ended (exit code 7). It starts again in 1 s.');
  await clock.advance(999);
  expect(await runs(program)).toHaveLength(1);
  await clock.advance(1);
  await expect.poll(() => log).toHaveLength(2);
  expect(log[1]).toContain('again in 2 s.');
  await host.stop();
  await clock.advance(60_000);
  expect(await runs(program)).toHaveLength(2);
});

it('ends the renderers that a crashed browser left', async () => {
  const program = await browser('leaving', lasting.replace('wait', 'exit 1'));
  const log: string[] = [];
  const host = new HeadlessHost({
    ...options,
    program,
    clock: new ManualClock(),
    log: (line) => log.push(line),
  });
  await expect.poll(() => log).toHaveLength(1);
  const [[, renderer = 0] = []] = await runs(program);
  await expect.poll(() => isAlive(renderer)).toBe(false);
  await host.stop();
});

it('says what is wrong with a program that does not start', async () => {
  const log: string[] = [];
  const host = new HeadlessHost({ ...options, program: '/nonexistent', log: (line) => log.push(line) });
  await expect.poll(() => log[0]).toContain('ENOENT');
  await host.stop();
});
