/** The built companion as a process of its own that starts its own browser, as on a machine without a screen. */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { chromiumPath } from '#scripts/chromium.mjs';
import { freePort } from './free-port.ts';

const program = new URL('../../build/server/main.js', import.meta.url).pathname;

export interface HeadlessCompanion {
  readonly url: string;
  readonly model: string;
  /** As a service manager ends it. Resolves with the exit code. */
  stop(): Promise<number | null>;
}

/** Resolves when the built-in model is loaded; throws what was printed where it never is. */
export async function startHeadlessCompanion(profile: string): Promise<HeadlessCompanion> {
  const port = await freePort();
  const model = `localhost:${port}/sampan/tiny`;
  const child = spawn(process.execPath, [program, '--port', String(port), '--headless', '--model', model], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, SAMPAN_PROFILE: profile, SAMPAN_BROWSER: await chromiumPath() },
  });
  await printed(child, `${model} is ready.`);
  return {
    url: `http://localhost:${port}`,
    model,
    stop: async () => {
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      const [code] = (await ended) as [number | null];
      return code;
    },
  };
}

/** Every process whose command line names `text`. */
export async function processesNaming(text: string): Promise<readonly string[]> {
  const { stdout } = await promisify(execFile)('ps', ['-A', '-o', 'args=']);
  return stdout.split('\n').filter((line) => line.includes(text));
}

async function printed({ stdout }: ChildProcess, wanted: string): Promise<void> {
  const lines: string[] = [];
  if (stdout) {
    for await (const line of createInterface(stdout)) {
      if (line === wanted) {
        stdout.resume();
        return;
      }
      lines.push(line);
    }
  }
  throw new Error(`The companion ended early:\n${lines.join('\n')}`);
}
