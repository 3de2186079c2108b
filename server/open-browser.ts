/** Opens the user's browser, where there is one to open. */
import { spawn } from 'node:child_process';
import type { Environment } from './options.ts';

export interface Opener {
  readonly command: string;
  readonly args: readonly string[];
}

/** Undefined in CI and where there is no display. */
export function browserOpener(url: string, platform: string, environment: Environment): Opener | undefined {
  if (environment.CI) return undefined;
  if (platform === 'darwin') return { command: 'open', args: [url] };
  // `start` takes its first quoted argument for a window title.
  if (platform === 'win32') return { command: 'cmd', args: ['/c', 'start', '', url] };
  const hasDisplay = Boolean(environment.DISPLAY ?? environment.WAYLAND_DISPLAY);
  return hasDisplay ? { command: 'xdg-open', args: [url] } : undefined;
}

export function launch({ command, args }: Opener): void {
  const child = spawn(command, [...args], { stdio: 'ignore', detached: true });
  // No browser is no failure: the address stands in the terminal.
  child.on('error', () => undefined);
  child.unref();
}
