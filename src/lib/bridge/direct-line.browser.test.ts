import { afterEach, expect, it, onTestFinished, vi, type Mock } from 'vitest';
import { FileResponse } from '#lib/core/file-response.ts';
import { Client } from './client.ts';
import { reachDirectly } from './direct-line.ts';
import { findEngine } from './discovery.ts';
import { Host } from './election.ts';
import { bridgeOf } from './environment.ts';
import { isWorkLease } from './protocol.ts';
import { serveRequests } from './serve.ts';
import {
  errorCode,
  expectNothingLeft,
  lockNames,
  newScope,
  runnerWorker,
  serve,
  serveFromWorker,
  textReader,
} from './testing/support.ts';

/** The names of channels that this page opens. */
function watchChannels(): readonly string[] {
  const names: string[] = [];
  const Original = BroadcastChannel;
  vi.stubGlobal(
    'BroadcastChannel',
    class extends Original {
      constructor(name: string) {
        names.push(name);
        super(name);
      }
    },
  );
  return names;
}

/** Returns how to forget it. */
async function reach(scope: string, worker: Pick<Worker, 'postMessage'>): Promise<() => void> {
  const bridge = bridgeOf({ scope });
  const lock = await findEngine(bridge);
  if (!lock) throw new Error('There is no engine.');
  return reachDirectly(bridge, lock, worker);
}

/** A worker that this page hosts until the returned function is called. */
async function hostedWorker(scope: string, engineId = 'own') {
  const worker = await serveFromWorker(scope, engineId);
  const forget = await reach(scope, worker);
  onTestFinished(forget);
  return { worker, forget };
}

/** How often `navigator.locks` is asked for anything. */
function watchLocks(): { readonly request: Mock; readonly query: Mock } {
  const spies = { request: vi.spyOn(navigator.locks, 'request'), query: vi.spyOn(navigator.locks, 'query') };
  onTestFinished(() => void vi.restoreAllMocks());
  return spies;
}

/** Of an endless answer; stops the engine. */
async function firstPiece(response: Response): Promise<string | undefined> {
  const reader = textReader(response);
  const piece = await reader.next();
  await reader.cancel();
  return piece;
}

const token = 'data: token\n\n';

afterEach(() => vi.unstubAllGlobals());

it('asks the engine of its own page without a channel, and stops it when the reader leaves', async () => {
  const scope = newScope();
  const { forget } = await hostedWorker(scope);
  const channels = watchChannels();
  const locks = watchLocks();
  expect(await firstPiece(await new Client({ scope }).fetch('/v1/x'))).toBe(token);
  expect(channels).toEqual([]);
  expect(locks.request).not.toHaveBeenCalled();
  expect(locks.query).not.toHaveBeenCalled();
  forget();
  await expectNothingLeft(scope);
});

it('tells an update that work is under way, until it is over', async () => {
  const scope = newScope();
  const { forget } = await hostedWorker(scope);
  const response = await new Client({ scope }).fetch('/v1/x', { method: 'POST', body: '{}' });
  const reader = textReader(response);
  expect(await reader.next()).toBe(token);
  const work = async () => (await lockNames(scope)).filter((name) => isWorkLease('', name));
  await expect.poll(work).toHaveLength(1);
  await reader.cancel();
  await expect.poll(work).toEqual([]);
  forget();
  await expectNothingLeft(scope);
});

it('ends a file that is read, though nobody holds a lease of it', async () => {
  const scope = newScope();
  const { port1: page, port2: worker } = new MessageChannel();
  worker.start();
  const onEnd = vi.fn();
  const handle = async () => new FileResponse(new Blob(['all of it']), {}, onEnd);
  const server = await serveRequests({ scope, engineId: 'own', handle, worker });
  onTestFinished(() => server.close());
  onTestFinished(await reach(scope, page));
  expect(await (await new Client({ scope }).fetch('/v1/file')).text()).toBe('all of it');
  await expect.poll(() => onEnd.mock.calls.length).toBe(1);
});

it('still asks the engine of another page by a channel', async () => {
  const scope = newScope();
  await hostedWorker(newScope());
  await serveFromWorker(scope, 'theirs');
  const channels = watchChannels();
  expect(await firstPiece(await new Client({ scope }).fetch('/v1/x'))).toBe(token);
  expect(channels.filter((name) => name.includes('req:'))).toHaveLength(1);
});

it('asks the next host when its own worker dies before it answers', async () => {
  const scope = newScope();
  const { worker } = await hostedWorker(scope);
  const answer = new Client({ scope }).fetch('/v1/hang');
  await serve(scope, async () => new Response('second'), 'second');
  worker.terminate();
  expect(await (await answer).text()).toBe('second');
  await expectNothingLeft(scope);
});

it('is there for the page that hosts, and over when that page no longer does', async () => {
  const scope = newScope();
  const host = new Host({ scope, createWorker: (engineId) => runnerWorker(scope, engineId) });
  onTestFinished(() => host.close());
  await expect.poll(() => host.state.kind, { timeout: 10_000 }).toBe('hosting');
  const channels = watchChannels();
  const client = new Client({ scope, waitForHostMs: 20 });
  expect(await firstPiece(await client.fetch('/v1/x'))).toBe(token);
  expect(channels.filter((name) => name.includes('req:'))).toEqual([]);
  await host.close();
  expect(await errorCode(await client.fetch('/v1/x'))).toBe('no_host');
});
