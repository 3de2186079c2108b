/** What the command line and the environment say. A flag wins over its variable; lists add up. */
import { parseArgs, type ParseArgsConfig } from 'node:util';
import { toApiError } from '#lib/core/errors.ts';
import { originEntry } from '#lib/core/origin.ts';
import { parseOptIn } from './relay/allow.ts';

export interface StartOptions {
  readonly port: number;
  readonly host: string;
  /** Whether the user's browser is opened, left alone, or started without a window to run the models. */
  readonly browser: 'open' | 'leave' | 'headless';
  /** The model that the headless browser loads first. */
  readonly model: string | undefined;
  readonly relayAllow: readonly string[];
  readonly origins: readonly string[];
}

export type Command =
  | { readonly kind: 'start'; readonly options: StartOptions }
  | { readonly kind: 'help' }
  | { readonly kind: 'refused'; readonly message: string };

export type Environment = Readonly<Record<string, string | undefined>>;

export const usage = `Usage: npm start -- [options]

  --port <number>              port to listen on (default 12434, or SAMPAN_PORT)
  --host <address>             address to listen on (default 127.0.0.1)
  --no-open                    do not open a browser
  --headless                   run the models in Chrome, Edge or Chromium without a window (or SAMPAN_HEADLESS=1).
                               SAMPAN_BROWSER names its program, SAMPAN_PROFILE the folder that keeps its models
  --model <reference>          with --headless: pull this model if it is missing, and load it
  --origin <origin>            let pages of this origin use the API; repeatable, or a comma list (or SAMPAN_ORIGINS,
                               or DMR_ORIGINS). http://localhost:3000, http://localhost:* for any port, * for all
  --relay-allow <host:port>    let the relay reach this private registry; repeatable, or a comma list
                               (or SAMPAN_RELAY_ALLOW). Plain http, except for port 443 and https://host:port
  --help                       show this text`;

const flags = {
  port: { type: 'string' },
  host: { type: 'string' },
  'no-open': { type: 'boolean' },
  headless: { type: 'boolean' },
  model: { type: 'string' },
  origin: { type: 'string', multiple: true },
  'relay-allow': { type: 'string', multiple: true },
  help: { type: 'boolean' },
} as const satisfies ParseArgsConfig['options'];

export function parseCommand(args: readonly string[], environment: Environment): Command {
  const misuse = findMisuse(args);
  if (misuse !== undefined) return refused(misuse);
  const { values } = parseArgs({ args: [...args], options: flags });
  if (values.help) return { kind: 'help' };
  const port = parsePort(values.port ?? (environment.SAMPAN_PORT || '12434'));
  if (port === undefined) return refused('The port must be a number from 0 to 65535.');
  const lists = parseLists(environment, { relayAllow: values['relay-allow'], origins: values.origin });
  const fault = listFault(lists);
  if (fault !== undefined) return refused(fault);
  const isHeadless = values.headless ?? isOn(environment.SAMPAN_HEADLESS);
  if (values.model !== undefined && !isHeadless) return refused('The option --model needs --headless.');
  const browser = isHeadless ? 'headless' : values['no-open'] ? 'leave' : 'open';
  const { host = '127.0.0.1', model } = values;
  return { kind: 'start', options: { port, host, browser, model, ...lists } };
}

interface Lists {
  readonly relayAllow: readonly string[];
  readonly origins: readonly string[];
}

/** What flags and variables name together. */
export function parseLists(
  environment: Environment,
  flagged: { relayAllow?: string[] | undefined; origins?: string[] | undefined } = {},
): Lists {
  const { SAMPAN_RELAY_ALLOW = '', SAMPAN_ORIGINS = '', DMR_ORIGINS = '' } = environment;
  return {
    relayAllow: [...(flagged.relayAllow ?? []), SAMPAN_RELAY_ALLOW].flatMap(splitList),
    origins: [...(flagged.origins ?? []), SAMPAN_ORIGINS, DMR_ORIGINS].flatMap(splitList),
  };
}

/** Node's own messages speak of positional arguments; these name the flag. */
function findMisuse(args: readonly string[]): string | undefined {
  const { tokens } = parseArgs({ args: [...args], options: flags, strict: false, tokens: true });
  for (const token of tokens) {
    if (token.kind === 'positional') return `Sampan takes no argument “${token.value}”.`;
    if (token.kind !== 'option') continue;
    if (!isFlag(token.name)) return `Sampan does not know the option ${token.rawName}.`;
    const takesValue = flags[token.name].type === 'string';
    if (takesValue && isMissing(token.value)) return `The option ${token.rawName} needs a value.`;
    if (!takesValue && token.value !== undefined) return `The option ${token.rawName} takes no value.`;
  }
  return undefined;
}

function isFlag(name: string): name is keyof typeof flags {
  return Object.hasOwn(flags, name);
}

function isMissing(value: string | undefined): boolean {
  return value === undefined || value === '' || value.startsWith('-');
}

function isOn(value: string | undefined): boolean {
  return value !== undefined && !['', '0', 'false', 'no'].includes(value.toLowerCase());
}

function parsePort(text: string): number | undefined {
  return /^\d{1,5}$/.test(text) && Number(text) <= 65_535 ? Number(text) : undefined;
}

function splitList(text: string): string[] {
  return text
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');
}

function listFault({ relayAllow, origins }: Lists): string | undefined {
  const faults = [
    ...relayAllow.map((entry) => entryFault('--relay-allow', () => parseOptIn(entry))),
    ...origins.map((entry) => entryFault('--origin', () => originEntry(entry))),
  ];
  return faults.find((fault) => fault !== undefined);
}

function entryFault(flag: string, parse: () => unknown): string | undefined {
  try {
    parse();
    return undefined;
  } catch (thrown) {
    return `${flag}: ${toApiError(thrown).message}`;
  }
}

function refused(message: string): Command {
  return { kind: 'refused', message: `${message} Run it with --help to see every option.` };
}
