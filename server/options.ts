/** What the command line and the environment say. A flag wins over its variable; the relay's lists add up. */
import { parseArgs, type ParseArgsConfig } from 'node:util';
import { toApiError } from '#lib/core/errors.ts';
import { parseOptIn } from './relay/allow.ts';

export interface StartOptions {
  readonly port: number;
  readonly host: string;
  readonly browser: 'open' | 'leave';
  readonly relayAllow: readonly string[];
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
  --relay-allow <host:port>    let the relay reach this private registry; repeatable, or a comma list
                               (or SAMPAN_RELAY_ALLOW). Plain http, except for port 443 and https://host:port
  --help                       show this text`;

const flags = {
  port: { type: 'string' },
  host: { type: 'string' },
  'no-open': { type: 'boolean' },
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
  const relayAllow = [...(values['relay-allow'] ?? []), environment.SAMPAN_RELAY_ALLOW ?? ''].flatMap(
    splitList,
  );
  const badEntry = relayAllow.map(entryFault).find((fault) => fault !== undefined);
  if (badEntry !== undefined) return refused(badEntry);
  const browser = values['no-open'] ? 'leave' : 'open';
  return { kind: 'start', options: { port, host: values.host ?? '127.0.0.1', browser, relayAllow } };
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

function parsePort(text: string): number | undefined {
  return /^\d{1,5}$/.test(text) && Number(text) <= 65_535 ? Number(text) : undefined;
}

function splitList(text: string): string[] {
  return text
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');
}

function entryFault(entry: string): string | undefined {
  try {
    parseOptIn(entry);
    return undefined;
  } catch (thrown) {
    return `--relay-allow: ${toApiError(thrown).message}`;
  }
}

function refused(message: string): Command {
  return { kind: 'refused', message: `${message} Run it with --help to see every option.` };
}
