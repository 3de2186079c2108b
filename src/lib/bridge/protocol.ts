/**
 * How a request crosses to the runner: the names of locks and channels, and the messages.
 * Pure text and shapes, so that the companion server can speak it too.
 */
import * as v from 'valibot';

/** Part of every engine lock: two versions of the app never talk to each other by accident. */
export const protocolVersion = 1;

const bytes = v.custom<Uint8Array<ArrayBuffer>>((input) => input instanceof Uint8Array);
const headers = v.array(v.tuple([v.string(), v.string()]));

const openMessage = v.object({
  type: v.literal('open'),
  engineId: v.string(),
  rid: v.string(),
  method: v.string(),
  /** Path and query. */
  url: v.pipe(v.string(), v.startsWith('/')),
  headers,
  /** A `Blob` crosses as a handle: its bytes stay where they are, on the disk if they are a file's. */
  body: v.optional(v.union([bytes, v.instance(Blob)])),
});

/** What everyone hears on `llm-ctl`. */
const controlMessage = v.variant('type', [
  openMessage,
  v.object({ type: v.literal('ping'), engineId: v.string() }),
  v.object({ type: v.literal('pong'), engineId: v.string() }),
  v.object({ type: v.literal('host-up'), engineId: v.string() }),
  v.object({ type: v.literal('host-down') }),
]);

/** From the consumer to the engine on `req:<rid>`. */
const consumerMessage = v.variant('type', [
  v.object({ type: v.literal('credit'), bytes: v.number() }),
  v.object({ type: v.literal('cancel') }),
  v.object({ type: v.literal('ping') }),
]);

/** From the engine to the consumer on `req:<rid>`: ack, head, d*, then end or error; or ack, head, file. */
const engineMessage = v.variant('type', [
  v.object({ type: v.literal('ack') }),
  v.object({ type: v.literal('head'), status: v.number(), headers }),
  v.object({ type: v.literal('d'), bytes }),
  /** All of the body, in place of `d*` and `end`; read where it is, while the lease is held. */
  v.object({ type: v.literal('file'), blob: v.instance(Blob) }),
  v.object({ type: v.literal('end') }),
  /** The body broke off; `body` is the JSON form of an `ApiError`. */
  v.object({ type: v.literal('error'), body: v.unknown() }),
  v.object({ type: v.literal('pong') }),
]);

export type OpenMessage = v.InferOutput<typeof openMessage>;
export type ControlMessage = v.InferOutput<typeof controlMessage>;
export type ConsumerMessage = v.InferOutput<typeof consumerMessage>;
export type EngineMessage = v.InferOutput<typeof engineMessage>;

/** `undefined` for what this version does not know; it is to be ignored. */
export function parseControlMessage(data: unknown): ControlMessage | undefined {
  return parsed(controlMessage, data);
}

export function parseConsumerMessage(data: unknown): ConsumerMessage | undefined {
  return parsed(consumerMessage, data);
}

export function parseEngineMessage(data: unknown): EngineMessage | undefined {
  return parsed(engineMessage, data);
}

function parsed<S extends v.GenericSchema>(schema: S, data: unknown): v.InferOutput<S> | undefined {
  const result = v.safeParse(schema, data);
  return result.success ? result.output : undefined;
}

export interface EngineLock {
  /** The lock's full name. */
  readonly name: string;
  readonly protocol: number;
  /** Grows with every engine of a profile: where two are alive, the higher one is meant. */
  readonly epoch: number;
  readonly engineId: string;
}

/** Held by the host page. `scope` prefixes every name; bridges of different scopes do not see each other. */
export function hostLockName(scope: string): string {
  return `${scope}llm-host`;
}

export function controlChannelName(scope: string): string {
  return `${scope}llm-ctl`;
}

/** Names both the channel of a request and the lock that its consumer holds. */
export function requestName(scope: string, rid: string): string {
  return `${scope}req:${rid}`;
}

/** A request that reads can be asked again after an update; one that works must not be interrupted. */
export function requestId(method: string): string {
  return `${method === 'GET' || method === 'HEAD' ? 'read' : 'work'}-${crypto.randomUUID()}`;
}

/** Whether a lock's name is the lease of a generation, a pull or another change under way. */
export function isWorkLease(scope: string, lockName: string): boolean {
  return lockName.startsWith(requestName(scope, 'work-'));
}

export function engineLockName(scope: string, epoch: number, engineId: string): string {
  return `${scope}llm-engine:${protocolVersion}:${epoch}:${engineId}`;
}

export function parseEngineLockName(scope: string, name: string): EngineLock | undefined {
  const prefix = `${scope}llm-engine:`;
  if (!name.startsWith(prefix)) return undefined;
  const match = /^(\d+):(\d+):(.+)$/.exec(name.slice(prefix.length));
  const [, protocol, epoch, engineId] = match ?? [];
  if (engineId === undefined) return undefined;
  return { name, protocol: Number(protocol), epoch: Number(epoch), engineId };
}
