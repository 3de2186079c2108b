/** Who opened the bridge window: the origin that the browser tells, and the port to speak through. */
import { ApiError } from '#lib/core/errors.ts';
import { originEntry } from '#lib/core/origin.ts';
import { foreignVersion, helloVersion, type BridgeMessage, type ReadyMessage } from './protocol.ts';

export interface Visitor {
  /** As browsers write it; never `null` and never a pattern. */
  readonly origin: string;
  readonly port: MessagePort;
}

export type Arrival =
  | { readonly kind: 'visitor'; readonly visitor: Visitor }
  /** It was told why. */
  | { readonly kind: 'refused'; readonly error: ApiError };

/** The window's `opener`. */
export interface Opener {
  postMessage(message: unknown, targetOrigin: string): void;
}

/**
 * Says `ready` and resolves with the first hello of `opener`; messages of other windows are not heard. One window serves
 * one page: who says hello later, through the same opener or after it has moved on, is not heard either.
 */
export function awaitArrival(windowEvents: EventTarget, opener: Opener): Promise<Arrival> {
  return new Promise((resolve) => {
    const listen = (event: Event) => {
      if (!(event instanceof MessageEvent) || event.source !== opener) return;
      const version = helloVersion(event.data);
      const [port, ...others] = event.ports;
      if (version === undefined || !port || others.length > 0) return;
      windowEvents.removeEventListener('message', listen);
      resolve(arrivalOf(event.origin, version, port));
    };
    windowEvents.addEventListener('message', listen);
    const ready: ReadyMessage = { sampan: 'ready', version: foreignVersion };
    // Who it is, is not known yet.
    opener.postMessage(ready, '*');
  });
}

/** Tells the page why nothing is answered; it hears no more. */
export function turnAway({ port }: Visitor, error: ApiError): void {
  const bye: BridgeMessage = { type: 'bye', body: error.toJSON() };
  port.postMessage(bye);
  port.close();
}

function arrivalOf(origin: string, version: number, port: MessagePort): Arrival {
  const visitor = { origin, port };
  const error = version === foreignVersion ? originFault(origin) : otherVersion();
  if (!error) return { kind: 'visitor', visitor };
  turnAway(visitor, error);
  return { kind: 'refused', error };
}

/** Files and sandboxed frames have the origin `null`: nobody could say later who that was. */
function originFault(origin: string): ApiError | undefined {
  try {
    if (originEntry(origin) === origin && origin !== '*' && !origin.endsWith(':*')) return undefined;
  } catch {
    // Told below in words for this place.
  }
  return new ApiError(
    'forbidden_origin',
    'The page has no origin of its own, like a file or a sandboxed frame. Open it from a web server.',
  );
}

function otherVersion(): ApiError {
  return new ApiError(
    'invalid_request',
    'The page uses a sampan.js of another version. Reload it, so that it loads the one of this Sampan.',
  );
}
