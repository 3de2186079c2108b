/**
 * How a page of another origin speaks with the bridge window that it opened. The window says `ready` to its opener; the
 * page answers `hello` with one end of a message channel; the browser tells the window the page's origin; all else
 * crosses the channel. What comes from the page is parsed, for it may be anybody's.
 */
import * as v from 'valibot';
import type { ErrorBody } from '#lib/core/errors.ts';

export const foreignVersion = 1;

/** How many bytes of one answer may be under way before its sender waits for credit. */
export const windowBytes = 256 * 1024;

type Bytes = Uint8Array<ArrayBuffer>;

/** To whoever opened the window; it holds nothing that matters. */
export interface ReadyMessage {
  readonly sampan: 'ready';
  readonly version: number;
}

/** From the page, with one port. */
export interface HelloMessage {
  readonly sampan: 'hello';
  readonly version: number;
}

const id = v.pipe(v.number(), v.safeInteger(), v.minValue(1));

const openMessage = v.object({
  type: v.literal('open'),
  /** Never used twice in a session. */
  id,
  method: v.pipe(v.string(), v.regex(/^[A-Z]{1,20}$/)),
  /** Path and query. */
  url: v.pipe(v.string(), v.startsWith('/'), v.maxLength(8192)),
  headers: v.pipe(v.array(v.tuple([v.string(), v.string()])), v.maxLength(100)),
  body: v.optional(v.custom<Bytes>((input) => input instanceof Uint8Array)),
});

const pageMessage = v.variant('type', [
  openMessage,
  /** So many more bytes were read. */
  v.object({ type: v.literal('credit'), id, bytes: v.pipe(v.number(), v.safeInteger(), v.minValue(0)) }),
  v.object({ type: v.literal('cancel'), id }),
  /** The page is going away. */
  v.object({ type: v.literal('bye') }),
]);

export type ForeignOpen = v.InferOutput<typeof openMessage>;
export type PageMessage = v.InferOutput<typeof pageMessage>;

/** From the window: welcome or bye; then for each request head, data*, end or error; bye at any time. */
export type BridgeMessage =
  | { readonly type: 'welcome' }
  | {
      readonly type: 'head';
      readonly id: number;
      readonly status: number;
      readonly headers: [string, string][];
    }
  | { readonly type: 'data'; readonly id: number; readonly bytes: Bytes }
  | { readonly type: 'end'; readonly id: number }
  /** The body broke off. */
  | { readonly type: 'error'; readonly id: number; readonly body: ErrorBody }
  /** Nothing more is answered, and why. */
  | { readonly type: 'bye'; readonly body: ErrorBody };

/** `undefined` for what is no message of this version. */
export function parsePageMessage(data: unknown): PageMessage | undefined {
  const result = v.safeParse(pageMessage, data);
  return result.success ? result.output : undefined;
}

const hello = v.object({ sampan: v.literal('hello'), version: v.number() });

/** The version that a page's hello speaks; `undefined` for any other message. */
export function helloVersion(data: unknown): number | undefined {
  const result = v.safeParse(hello, data);
  return result.success ? result.output.version : undefined;
}
