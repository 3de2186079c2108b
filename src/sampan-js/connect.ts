/**
 * sampan.js, for pages of other origins: finds a way to the models of this machine, and gives it as a `fetch`. No
 * dependency, and small enough to be loaded without a thought.
 */
import { direct } from './direct.ts';
import { failure } from './failure.ts';
import { openWindow } from './window.ts';

interface Options {
  /** Where Sampan is served; by default from where this script came. */
  readonly origin?: string;
  /** Where a companion may listen, if that is another place. */
  readonly companion?: string;
}

interface Connection {
  /** As the browser's, but it asks Sampan, by absolute URL or by path. */
  readonly fetch: (input: RequestInfo | URL, init?: RequestInit) => Promise<Response>;
  /** For OpenAI clients. */
  readonly baseURL: string;
  readonly way: 'direct' | 'window' | 'companion';
  /** Ends what runs, and closes the window if there is one. */
  readonly close: () => void;
}

/**
 * Asks directly where that is allowed; else opens Sampan's window, which asks the user, and therefore has to be called
 * in a click; else looks for a companion. Rejects with an `Error` that has a `code`: `popup_blocked`,
 * `forbidden_origin`, or `host_lost` where the window was closed without an answer.
 */
export async function connect(options: Options = {}): Promise<Connection> {
  const origin = new URL(options.origin ?? import.meta.url).origin;
  const companion = new URL(options.companion ?? 'http://localhost:12434').origin;
  const connection = (at: string, way: Connection['way'], found: Pick<Connection, 'fetch' | 'close'>) => ({
    ...found,
    baseURL: `${at}/engines/v1`,
    way,
  });

  const straight = await direct(origin);
  if (straight) return connection(origin, 'direct', straight);
  const popup = openWindow(origin);
  if (popup) return connection(origin, 'window', await popup);
  const beside = companion === origin ? undefined : await direct(companion);
  if (beside) return connection(companion, 'companion', beside);
  throw crossOriginIsolated
    ? failure(
        'forbidden_origin',
        'An isolated page cannot open a window. Allow its origin in Sampan’s settings.',
      )
    : failure('popup_blocked', 'The browser did not open Sampan’s window. Call connect() in a click.');
}
