/** The command `npm start` runs: parses, starts, says where Sampan is, opens the browser. */
import { toApiError } from '#lib/core/errors.ts';
import { startCompanion, type Companion } from './companion.ts';
import type { HeadlessHost } from './headless/headless-host.ts';
import { preload } from './headless/preload.ts';
import { startHeadless } from './headless/start.ts';
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
  | { readonly kind: 'running'; readonly companion: Companion; readonly stop: () => Promise<void> }
  | { readonly kind: 'ended'; readonly exitCode: number };

/** A browser and its GPU take seconds to come up, and whoever started them expects to be answered. */
const headlessTabMs = 30_000;

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
    return await start(command.options, surroundings);
  } catch (thrown) {
    surroundings.warn(startFault(thrown, command.options));
    return { kind: 'ended', exitCode: 1 };
  }
}

async function start(
  { browser, model, ...options }: StartOptions,
  surroundings: Surroundings,
): Promise<Outcome> {
  const { appDir, environment, platform, print, warn } = surroundings;
  const firstTabMs = browser === 'headless' ? headlessTabMs : 0;
  const companion = await startCompanion({ ...options, appDir, log: warn, firstTabMs });
  const { url } = companion;
  print(`Sampan is at ${url}`);
  print(`Programs use it at ${url}/engines/v1 (OpenAI) and ${url} (Docker Model Runner).`);
  if (browser === 'headless') return runHeadless(companion, model, surroundings);
  const opener = browser === 'open' ? browserOpener(url, platform, environment) : undefined;
  if (opener) (surroundings.launch ?? launch)(opener);
  return { kind: 'running', companion, stop: () => companion.close() };
}

async function runHeadless(
  companion: Companion,
  model: string | undefined,
  { environment, platform, print, warn }: Surroundings,
): Promise<Outcome> {
  const { url } = companion;
  const stopping = new AbortController();
  let host: HeadlessHost;
  try {
    host = startHeadless({ url, platform, environment, log: warn });
  } catch (thrown) {
    await companion.close();
    throw thrown;
  }
  const stop = async () => {
    stopping.abort();
    await host.stop();
    await companion.close();
  };
  if (model !== undefined) {
    preload({ url, model, print, signal: stopping.signal }).catch((thrown: unknown) => {
      if (!stopping.signal.aborted) warn(`${model} could not be loaded: ${toApiError(thrown).message}`);
    });
  }
  return { kind: 'running', companion, stop };
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
