/**
 * The runner's line to the companion that served it, through which other programs ask. It is kept up for as long as the
 * runner lives: after every loss it is taken up again, a little later each time.
 */
import * as v from 'valibot';
import { sleep, type Clock } from '#lib/core/clock.ts';
import { closeCodes, gatewayPath, gatewaySubprotocol, gatewayVersion } from './protocol.ts';
import { introductionPath, politeSearch, tokenSubprotocolPrefix } from './protocol.ts';
import { serveSocket, type SessionOptions } from './session.ts';

export interface LinkOptions extends SessionOptions {
  readonly fetch: typeof fetch;
  readonly openSocket: (url: string, subprotocols: string[]) => WebSocket;
  readonly clock: Clock;
  /** From 0 to 1, for the jitter. */
  readonly random: () => number;
  /** Ends the link; programs see `host_lost`. */
  readonly signal: AbortSignal;
}

/** Whether to push an engine out that is connected already. One that was pushed out itself does not fight back. */
type Manner = 'newest' | 'polite';

type Introduction =
  | { readonly kind: 'token'; readonly token: string }
  /** The companion is not up, or is of another version than this app. */
  | { readonly kind: 'later' }
  /** The app comes from a server without a companion. */
  | { readonly kind: 'never' };

const introductionBody = v.object({ token: v.string(), version: v.number() });
const firstDelayMs = 500;
const longestDelayMs = 15_000;
/** There is no hurry to come back where another engine answers. */
const failuresWhenReplaced = 5;
/** A connection that lasted so long was a good one: the next loss counts as the first. */
const steadyMs = 10_000;

/** Resolves when `signal` aborts, or at once where the app was served without a companion. */
export async function linkToCompanion(options: LinkOptions): Promise<void> {
  const { clock, random, signal } = options;
  let manner: Manner = 'newest';
  let failures = 0;
  while (!signal.aborted) {
    const introduction = await introduce(options);
    if (introduction.kind === 'never') return;
    if (introduction.kind === 'token') {
      const startMs = clock.now();
      const code = await connectOnce(introduction.token, manner, options);
      if (clock.now() - startMs >= steadyMs) failures = 0;
      if (code === closeCodes.replaced) {
        manner = 'polite';
        failures = failuresWhenReplaced;
      }
    }
    const delayMs = Math.min(firstDelayMs * 2 ** failures, longestDelayMs);
    failures++;
    // Half of the delay is jitter: several browsers do not knock in step.
    await pause(clock, delayMs * (0.5 + random() / 2), signal);
  }
}

function connectOnce(token: string, manner: Manner, options: LinkOptions): Promise<number> {
  const url = new URL(gatewayPath + (manner === 'polite' ? politeSearch : ''), options.origin);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  const subprotocols = [gatewaySubprotocol, tokenSubprotocolPrefix + token];
  return serveSocket(options.openSocket(url.href, subprotocols), options, options.signal);
}

async function introduce({ fetch, origin, signal }: LinkOptions): Promise<Introduction> {
  try {
    const response = await fetch(origin + introductionPath, {
      cache: 'no-store',
      signal,
      headers: { accept: 'application/json' },
    });
    if (response.status >= 500) return { kind: 'later' };
    if (!response.ok || !isJson(response)) return { kind: 'never' };
    const { token, version } = v.parse(introductionBody, await response.json());
    return version === gatewayVersion ? { kind: 'token', token } : { kind: 'later' };
  } catch (thrown) {
    return v.isValiError(thrown) ? { kind: 'never' } : { kind: 'later' };
  }
}

/** A static host answers unknown paths with its page. */
function isJson(response: Response): boolean {
  return response.headers.get('content-type')?.startsWith('application/json') ?? false;
}

/** Ends early, without a word, when aborted. */
async function pause(clock: Clock, delayMs: number, signal: AbortSignal): Promise<void> {
  await sleep(clock, delayMs, signal).catch(() => undefined);
}
