/** One run of the browser, with everything that it starts itself: ended together, or not at all. */
import { spawn, type ChildProcess } from 'node:child_process';
import type { Clock } from '#lib/core/clock.ts';

export interface BrowserCommand {
  readonly program: string;
  readonly args: readonly string[];
  readonly platform: string;
}

/** Time to write the profile down before it is killed. */
const graceMs = 5000;

export class BrowserProcess {
  readonly #child: ChildProcess;
  readonly #platform: string;
  readonly #clock: Clock;
  /** Resolves with how it ended; never rejects. */
  readonly ended: Promise<string>;

  constructor({ program, args, platform }: BrowserCommand, clock: Clock) {
    this.#platform = platform;
    this.#clock = clock;
    // Two pipes for `--remote-debugging-pipe`; a group of its own, which one signal reaches whole.
    this.#child = spawn(program, [...args], {
      stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
      detached: platform !== 'win32',
      windowsHide: true,
    });
    // Nobody talks over them; a full pipe would stop the browser.
    for (const pipe of this.#child.stdio) {
      pipe?.on('error', () => undefined);
      if (pipe && 'resume' in pipe) pipe.resume();
    }
    this.ended = new Promise((resolve) => {
      this.#child.once('error', (error) => resolve(error.message));
      this.#child.once('exit', (code, signal) => resolve(signal ?? `exit code ${code ?? 0}`));
    });
  }

  /** Resolves when no process of it is left. */
  async stop(): Promise<void> {
    this.#signal('SIGTERM');
    const cancelTimer = this.#clock.after(graceMs, () => this.#signal('SIGKILL'));
    await this.ended;
    cancelTimer();
    // What the browser itself did not wait for.
    this.#signal('SIGKILL');
  }

  #signal(name: 'SIGTERM' | 'SIGKILL'): void {
    const { pid } = this.#child;
    if (pid === undefined) return;
    if (this.#platform === 'win32') {
      spawn('taskkill', ['/pid', String(pid), '/T', '/F'], { stdio: 'ignore' }).on('error', () => undefined);
      return;
    }
    try {
      process.kill(-pid, name);
    } catch {
      // ESRCH: the group has ended already.
    }
  }
}
