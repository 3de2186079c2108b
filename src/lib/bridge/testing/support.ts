/** What the bridge's browser tests share. */
import { expect, onTestFinished } from 'vitest';
import { holdLock } from '#lib/bridge/locks.ts';
import {
  controlChannelName,
  engineLockName,
  parseControlMessage,
  requestName,
} from '#lib/bridge/protocol.ts';
import type { EngineMessage } from '#lib/bridge/protocol.ts';
import { serveRequests } from '#lib/bridge/serve.ts';
import type { Handle } from '#lib/bridge/served-request.ts';

/** A world of its own: tests that run at the same time do not see each other's locks and channels. */
export function newScope(): string {
  return `test-${crypto.randomUUID()}/`;
}

/** Serves from this page until the test ends. */
export async function serve(scope: string, handle: Handle, engineId = 'engine') {
  const server = await serveRequests({ scope, engineId, handle });
  onTestFinished(() => server.close());
  return server;
}

/** Serves from a worker; resolves once its lock is held. */
export async function serveFromWorker(scope: string, engineId: string): Promise<Worker> {
  const worker = runnerWorker(scope, engineId);
  onTestFinished(() => worker.terminate());
  await expect
    .poll(() => lockNames(scope), { timeout: 10_000 })
    .toContainEqual(expect.stringContaining(engineId));
  return worker;
}

export function runnerWorker(scope: string, engineId: string): Worker {
  return new Worker(new URL('./runner.worker.ts', import.meta.url), {
    type: 'module',
    name: `${scope} ${engineId}`,
  });
}

/** An engine that holds its lock but does nothing by itself: frozen, or played by the test. */
export async function puppetEngine(scope: string, epoch: number, engineId: string) {
  const lock = await holdLock(navigator.locks, engineLockName(scope, epoch, engineId));
  const control = new BroadcastChannel(controlChannelName(scope));
  const opened: BroadcastChannel[] = [];
  const heard: unknown[] = [];
  control.onmessage = ({ data }: MessageEvent<unknown>) => {
    const message = parseControlMessage(data);
    if (message?.type !== 'open' || message.engineId !== engineId) return;
    const channel = new BroadcastChannel(requestName(scope, message.rid));
    channel.onmessage = (event: MessageEvent<unknown>) => heard.push(event.data);
    opened.push(channel);
  };
  const release = () => {
    lock.release();
    control.close();
    for (const channel of opened) channel.close();
  };
  onTestFinished(release);
  return {
    heard,
    opened,
    release,
    say: (message: EngineMessage) => opened.at(-1)?.postMessage(message),
  };
}

/** Every lock of the scope, held or waited for, without the scope. */
export async function lockNames(scope: string): Promise<string[]> {
  const { held = [], pending = [] } = await navigator.locks.query();
  return [...held, ...pending]
    .map(({ name = '' }) => name)
    .filter((name) => name.startsWith(scope))
    .map((name) => name.slice(scope.length));
}

/** No lease and no watch of a consumer or of a served request is left. */
export async function expectNothingLeft(scope: string): Promise<void> {
  await expect
    .poll(async () => (await lockNames(scope)).filter((name) => name.startsWith('req:')))
    .toEqual([]);
  const { pending = [] } = await navigator.locks.query();
  expect(pending.filter(({ name = '' }) => name.startsWith(scope))).toEqual([]);
}

export function post(path: string, body: unknown, init: RequestInit = {}): Request {
  return new Request(location.origin + path, { method: 'POST', body: JSON.stringify(body), ...init });
}

export function get(path: string, init: RequestInit = {}): Request {
  return new Request(location.origin + path, init);
}

export function bytes(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

export function streamOf(...chunks: readonly Uint8Array[]): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(chunk);
      controller.close();
    },
  });
}

/** An event stream that the test writes. */
export function writable(contentType = 'text/event-stream') {
  const { readable, writable: sink } = new TransformStream<
    Uint8Array<ArrayBuffer>,
    Uint8Array<ArrayBuffer>
  >();
  const writer = sink.getWriter();
  return {
    response: new Response(readable, { headers: { 'content-type': contentType } }),
    write: (text: string) => writer.write(bytes(text)),
    fail: (reason: unknown) => writer.abort(reason),
    end: () => writer.close(),
  };
}

export function textReader(response: Response) {
  const reader = response.body?.getReader();
  if (!reader) throw new Error('The response has no body.');
  return {
    async next(): Promise<string | undefined> {
      const { value } = await reader.read();
      return value && new TextDecoder().decode(value);
    },
    cancel: () => reader.cancel(),
  };
}

/** Reads events until one is an error; resolves with its code. Fails if the stream ends without. */
export async function errorCodeAtEnd(response: Response): Promise<unknown> {
  const text = await response.text();
  const last = text.trimEnd().split('\n\n').at(-1) ?? '';
  expect(text).not.toContain('[DONE]');
  return (JSON.parse(last.slice('data: '.length)) as { error: { code: unknown } }).error.code;
}

/** Unlike `text()`, a reader tells the reason for which a body broke. */
export async function readToEnd(response: Response): Promise<void> {
  const reader = textReader(response);
  while ((await reader.next()) !== undefined);
}

export async function errorCode(response: Response): Promise<unknown> {
  return ((await response.json()) as { error: { code: unknown } }).error.code;
}
