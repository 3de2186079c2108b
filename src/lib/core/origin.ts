/** Origins of web pages, and the entries of a list of them: exact, with any port, or `*` for every one. */
import { ApiError } from './errors.ts';

/** What the user has decided, as two lists of entries. In the same list and between them the more exact entry counts. */
export interface OriginRules {
  readonly allowed: readonly string[];
  readonly refused: readonly string[];
}

const entryShape =
  /^(?<scheme>https?|chrome-extension|moz-extension|app|tauri|vscode-webview|capacitor):\/\/(?<host>\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?<port>:\*|:\d{1,5})?$/;

/** One entry of a list, as it is compared; throws `invalid_request` with what is wrong. */
export function originEntry(text: string): string {
  const entry = text.toLowerCase().replace(/\/$/, '');
  if (entry === '*') return entry;
  const { scheme, host, port } = entryShape.exec(entry)?.groups ?? {};
  if (scheme === undefined || host === undefined) {
    throw new ApiError(
      'invalid_request',
      `“${text}” is no origin. Write it like http://localhost:3000, http://localhost:* or *.`,
    );
  }
  // Browsers leave the scheme's own port out.
  const isOwnPort = (scheme === 'http' && port === ':80') || (scheme === 'https' && port === ':443');
  return isOwnPort ? `${scheme}://${host}` : entry;
}

/** The entries that speak of `origin`, as a browser writes it, the most exact first. */
export function entriesFor(origin: string): readonly string[] {
  const exact = origin.toLowerCase();
  const anyPort = /^[a-z-]+:\/\/(?:\[[0-9a-f:.]+\]|[^:/]+)/.exec(exact)?.[0];
  return anyPort === undefined ? [exact, '*'] : [exact, `${anyPort}:*`, '*'];
}

/** `undefined` where no entry speaks of `origin`. */
export function ruledBy(
  { allowed, refused }: OriginRules,
  origin: string,
): 'allowed' | 'refused' | undefined {
  for (const entry of entriesFor(origin)) {
    if (refused.includes(entry)) return 'refused';
    if (allowed.includes(entry)) return 'allowed';
  }
  return undefined;
}
