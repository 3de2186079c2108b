/**
 * How requests of other programs cross the WebSocket between the companion and the runner's tab: many at once, each under
 * its own number, as binary frames: version, kind, request number (32 bit, big-endian), payload. Pure, so that both sides
 * speak from one page.
 */
import * as v from 'valibot';
import type { OriginRules } from '#lib/core/origin.ts';

/** First byte of every frame, and part of the subprotocol: two versions never talk to each other by accident. */
export const gatewayVersion = 2;

export const gatewayPath = '/_sampan/gateway';
/** Answers `{token, version}` to the companion's own pages and to nobody else. */
export const introductionPath = '/_sampan/companion';
/** Query of an engine that was replaced: it is let in only where no other one is connected. */
export const politeSearch = '?when=vacant';

export const gatewaySubprotocol = `sampan.gateway.${gatewayVersion}`;
/** The token travels as a second subprotocol, because a page cannot set headers of a WebSocket. */
export const tokenSubprotocolPrefix = 'sampan.token.';

/** How many bytes of one answer may be under way before the tab waits for credit. */
export const windowBytes = 512 * 1024;
/** Credit is returned in such steps, so that not every token costs a frame back. */
export const creditStepBytes = 64 * 1024;
/** The same for a body on its way to the tab: with the window of an answer an upload waits half its time for credit. */
export const bodyWindowBytes = 4 * 1024 * 1024;
export const bodyCreditStepBytes = 1024 * 1024;
/** Larger chunks are cut: one large answer must not hold up the tokens of another. */
export const maxChunkBytes = 128 * 1024;
/** The same for a body on its way to the tab, which holds up nothing but other bodies: small frames cost half the speed. */
export const maxBodyChunkBytes = 512 * 1024;
/** No honest frame is larger; it bounds what a dishonest one can make the other side hold. */
export const maxFrameBytes = 1024 * 1024;

/** Why a connection was closed. */
export const closeCodes = {
  /** A newer engine took the place. */
  replaced: 4000,
  /** The other side sent what is no frame. */
  breach: 4001,
} as const;

type Bytes = Uint8Array<ArrayBuffer>;
type HeaderList = [string, string][];

export interface OpenFrame {
  readonly kind: 'open';
  readonly request: number;
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  readonly headers: HeaderList;
  readonly body: 'none' | 'follows';
}

/** From the companion: open, body*, body-end; credit for the answer; cancel at any time. */
export type CompanionFrame =
  | OpenFrame
  | { readonly kind: 'body'; readonly request: number; readonly bytes: Bytes }
  | { readonly kind: 'body-end'; readonly request: number }
  | { readonly kind: 'credit'; readonly request: number; readonly sizeBytes: number }
  | { readonly kind: 'cancel'; readonly request: number }
  | { readonly kind: 'ping'; readonly request: 0 };

/** From the tab: ack, head, data*, then end or error; credit for the body that comes in; rules at any time. */
export type TabFrame =
  | { readonly kind: 'ack'; readonly request: number }
  | { readonly kind: 'head'; readonly request: number; readonly status: number; readonly headers: HeaderList }
  | { readonly kind: 'data'; readonly request: number; readonly bytes: Bytes }
  | { readonly kind: 'end'; readonly request: number }
  /** The JSON form of an `ApiError`. */
  | { readonly kind: 'error'; readonly request: number; readonly body: unknown }
  | { readonly kind: 'credit'; readonly request: number; readonly sizeBytes: number }
  | { readonly kind: 'pong'; readonly request: 0 }
  /** What the user has decided about pages of other origins, in place of what was told before. */
  | { readonly kind: 'origins'; readonly request: 0; readonly rules: OriginRules };

type Frame = CompanionFrame | TabFrame;

const kindNumbers = {
  open: 1,
  body: 2,
  'body-end': 3,
  credit: 4,
  cancel: 5,
  ping: 6,
  ack: 17,
  head: 18,
  data: 19,
  end: 20,
  error: 21,
  pong: 22,
  origins: 23,
} as const satisfies Record<Frame['kind'], number>;

const prefixBytes = 6;
const headers = v.array(v.tuple([v.string(), v.string()]));
const openPayload = v.object({
  method: v.pipe(v.string(), v.regex(/^[A-Z]{1,20}$/)),
  url: v.pipe(v.string(), v.startsWith('/')),
  headers,
  body: v.picklist(['none', 'follows']),
});
const headPayload = v.object({
  status: v.pipe(v.number(), v.integer(), v.minValue(200), v.maxValue(599)),
  headers,
});
const originsPayload = v.object({ allowed: v.array(v.string()), refused: v.array(v.string()) });

export function encodeFrame(frame: Frame): Bytes {
  const payload = payloadOf(frame);
  const bytes = new Uint8Array(prefixBytes + payload.byteLength);
  bytes[0] = gatewayVersion;
  bytes[1] = kindNumbers[frame.kind];
  new DataView(bytes.buffer).setUint32(2, frame.request);
  bytes.set(payload, prefixBytes);
  return bytes;
}

/** `undefined` for anything but a whole frame of a companion. `body` bytes are a view of `bytes`. */
export function decodeCompanionFrame(bytes: Bytes): CompanionFrame | undefined {
  const parts = split(bytes);
  if (!parts) return undefined;
  const { kind, request, payload } = parts;
  switch (kind) {
    case kindNumbers.open: {
      const open = parsed(openPayload, payload);
      return open && request !== 0 ? { kind: 'open', request, ...open } : undefined;
    }
    case kindNumbers.body:
      return { kind: 'body', request, bytes: payload };
    case kindNumbers['body-end']:
      return { kind: 'body-end', request };
    case kindNumbers.credit:
      return credit(request, payload);
    case kindNumbers.cancel:
      return { kind: 'cancel', request };
    case kindNumbers.ping:
      return request === 0 ? { kind: 'ping', request } : undefined;
    default:
      return undefined;
  }
}

/** `undefined` for anything but a whole frame of a tab. `data` bytes are a view of `bytes`. */
export function decodeTabFrame(bytes: Bytes): TabFrame | undefined {
  const parts = split(bytes);
  if (!parts) return undefined;
  const { kind, request, payload } = parts;
  switch (kind) {
    case kindNumbers.ack:
      return { kind: 'ack', request };
    case kindNumbers.head: {
      const head = parsed(headPayload, payload);
      return head && { kind: 'head', request, ...head };
    }
    case kindNumbers.data:
      return { kind: 'data', request, bytes: payload };
    case kindNumbers.end:
      return { kind: 'end', request };
    case kindNumbers.error: {
      const told = parsed(v.object({ body: v.unknown() }), payload);
      return told && { kind: 'error', request, body: told.body };
    }
    case kindNumbers.credit:
      return credit(request, payload);
    case kindNumbers.pong:
      return request === 0 ? { kind: 'pong', request } : undefined;
    case kindNumbers.origins: {
      const rules = parsed(originsPayload, payload);
      return rules && request === 0 ? { kind: 'origins', request, rules } : undefined;
    }
    default:
      return undefined;
  }
}

/** `bytes` in pieces that each fit a frame; views, not copies. */
export function* chunksOf(bytes: Bytes, mostBytes = maxChunkBytes): Generator<Bytes, void, undefined> {
  for (let from = 0; from < bytes.byteLength; from += mostBytes) {
    yield bytes.subarray(from, from + mostBytes);
  }
}

function payloadOf(frame: Frame): Bytes {
  switch (frame.kind) {
    case 'open':
      return json({ method: frame.method, url: frame.url, headers: frame.headers, body: frame.body });
    case 'head':
      return json({ status: frame.status, headers: frame.headers });
    case 'error':
      return json({ body: frame.body });
    case 'origins':
      return json({ allowed: frame.rules.allowed, refused: frame.rules.refused });
    case 'body':
    case 'data':
      return frame.bytes;
    case 'credit': {
      const bytes = new Uint8Array(4);
      new DataView(bytes.buffer).setUint32(0, frame.sizeBytes);
      return bytes;
    }
    case 'body-end':
    case 'cancel':
    case 'ping':
    case 'ack':
    case 'end':
    case 'pong':
      return new Uint8Array(0);
  }
}

function json(value: unknown): Bytes {
  return new TextEncoder().encode(JSON.stringify(value));
}

function split(bytes: Bytes): { kind: number; request: number; payload: Bytes } | undefined {
  if (bytes.byteLength < prefixBytes || bytes[0] !== gatewayVersion) return undefined;
  const request = new DataView(bytes.buffer, bytes.byteOffset).getUint32(2);
  return { kind: bytes[1] ?? 0, request, payload: bytes.subarray(prefixBytes) };
}

function credit(
  request: number,
  payload: Bytes,
): { kind: 'credit'; request: number; sizeBytes: number } | undefined {
  if (payload.byteLength !== 4) return undefined;
  const sizeBytes = new DataView(payload.buffer, payload.byteOffset).getUint32(0);
  return { kind: 'credit', request, sizeBytes };
}

function parsed<S extends v.GenericSchema>(schema: S, payload: Bytes): v.InferOutput<S> | undefined {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload));
    const result = v.safeParse(schema, value);
    return result.success ? result.output : undefined;
  } catch {
    // Neither text nor JSON: no frame of ours.
    return undefined;
  }
}
