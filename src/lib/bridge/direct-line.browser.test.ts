import { afterEach, expect, it, onTestFinished, vi } from 'vitest';
import { Client } from './client.ts';
import { reachDirectly } from './direct-line.ts';
import { Host } from './election.ts';
import {
  errorCode,
  expectNothingLeft,
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
  const worker = await serveFromWorker(scope, 'own');
  onTestFinished(reachDirectly('own', worker));
  const channels = watchChannels();
  expect(await firstPiece(await new Client({ scope }).fetch('/v1/x'))).toBe(token);
  expect(channels.filter((name) => name.includes('req:'))).toEqual([]);
  await expectNothingLeft(scope);
});

it('still asks the engine of another page by a channel', async () => {
  const scope = newScope();
  const worker = await serveFromWorker(scope, 'theirs');
  onTestFinished(reachDirectly('own', worker));
  const channels = watchChannels();
  expect(await firstPiece(await new Client({ scope }).fetch('/v1/x'))).toBe(token);
  expect(channels.filter((name) => name.includes('req:'))).toHaveLength(1);
});

it('asks the next host when its own worker dies before it answers', async () => {
  const scope = newScope();
  const worker = await serveFromWorker(scope, 'own');
  onTestFinished(reachDirectly('own', worker));
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
