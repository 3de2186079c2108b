/** The command `npm start` runs: parses, starts, says where Sampan is, opens the browser. */
import { toApiError } from '#lib/core/errors.ts';
import { startCompanion, type Companion } from './companion.ts';
import { browserOpener, launch, type Opener } from './open-browser.ts';
import { parseCommand, usage, type Environment, type StartOptions } from './options.ts';

export interface Surroundings {
  readonly environment: Environment;
  readonly platform: string;
  readonly appDir: string;
  /** Standard output: the address, the help. */
  readonly print: (line: string) => void;
  /** Standard error: refusals and the log. */
  readonly warn: (line: string) => void;
  readonly launch?: (opener: Opener) => void;
}

export type Outcome =
  | { readonly kind: 'running'; readonly companion: Companion }
  | { readonly kind: 'ended'; readonly exitCode: number };

export async function runCommand(args: readonly string[], surroundings: Surroundings): Promise<Outcome> {
  const command = parseCommand(args, surroundings.environment);
  if (command.kind === 'help') {
    surroundings.print(usage);
    return { kind: 'ended', exitCode: 0 };
  }
  if (command.kind === 'refused') {
    surroundings.warn(command.message);
    return { kind: 'ended', exitCode: 2 };
  }
  try {
    return { kind: 'running', companion: await start(command.options, surroundings) };
  } catch (thrown) {
    surroundings.warn(startFault(thrown, command.options));
    return { kind: 'ended', exitCode: 1 };
  }
}

async function start({ browser, ...options }: StartOptions, surroundings: Surroundings): Promise<Companion> {
  const { appDir, environment, platform, print, warn } = surroundings;
  const companion = await startCompanion({ ...options, appDir, log: warn });
  print(`Sampan is at ${companion.url}`);
  const opener = browser === 'open' ? browserOpener(companion.url, platform, environment) : undefined;
  if (opener) (surroundings.launch ?? launch)(opener);
  return companion;
}

function startFault(thrown: unknown, { port, host }: StartOptions): string {
  const code = thrown instanceof Error && 'code' in thrown ? thrown.code : undefined;
  if (code === 'EADDRINUSE') {
    return `Port ${port} is taken by another program. Stop it, or start Sampan with --port ${port + 1} (or SAMPAN_PORT).`;
  }
  if (code === 'EACCES') return `This user may not listen on port ${port}. Start Sampan with --port 12434.`;
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') {
    return `This machine has no address ${host}. Start Sampan with another --host, or without one.`;
  }
  return toApiError(thrown).message;
}
