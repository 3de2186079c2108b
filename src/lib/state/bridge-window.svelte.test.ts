import { expect, it } from 'vitest';
import { ManualClock } from '#lib/core/clock.ts';
import { ApiError } from '#lib/core/errors.ts';
import { Signal } from '#lib/core/observable.ts';
import { BridgeWindow, type ModelScope, type RelayPort } from './bridge-window.svelte.ts';
import { json, ScriptedClient } from './testing/scripted-client.ts';

const origin = 'http://site.example';

class ScriptedRelay implements RelayPort {
  readonly changed = new Signal();
  requests = 0;
  running = 0;
  isOver = false;
  stoppedBy: string | undefined;

  stop(error: ApiError): void {
    this.stoppedBy = error.code;
    this.isOver = true;
    this.changed.notify();
  }
}

function setUp(grants: readonly object[] = []) {
  const clock = new ManualClock();
  const client = new ScriptedClient()
    .on('GET /_sampan/grants', json(grants))
    .on('GET /engines/v1/models', json({ data: [{ id: 'docker.io/ai/a:latest' }] }))
    .on('PUT /_sampan/grants', json({}))
    .on(`DELETE /_sampan/grants?origin=${encodeURIComponent(origin)}`, new Response(null, { status: 204 }));
  const relay = new ScriptedRelay();
  const scopes: (ModelScope | undefined)[] = [];
  const turnedAway: string[] = [];
  const closes: string[] = [];
  const { port1: port } = new MessageChannel();
  const bridge = new BridgeWindow({
    client,
    clock,
    arrival: Promise.resolve({ kind: 'visitor', visitor: { origin, port } }),
    relay: (_visitor, once) => {
      scopes.push(once);
      return relay;
    },
    turnAway: (_visitor, error) => turnedAway.push(error.code),
    close: () => closes.push('closed'),
  });
  const changes = () => client.sent.filter(({ method }) => method !== 'GET');
  return { bridge, client, clock, relay, scopes, turnedAway, closes, changes };
}

async function asked() {
  const parts = setUp();
  await parts.bridge.start();
  await parts.clock.advance(700);
  return parts;
}

it('asks about a page that it does not know', async () => {
  const { bridge, scopes } = await asked();
  expect(bridge.state).toEqual({ kind: 'asking', origin, models: ['docker.io/ai/a:latest'] });
  expect(scopes).toEqual([]);
});

it('takes no answer in the moment after it came to the front', async () => {
  const { bridge, clock, changes } = setUp();
  await bridge.start();
  await bridge.answer('always', 'all');
  await clock.advance(700);
  bridge.focused();
  await bridge.answer('always', 'all');
  expect(bridge.isAwake).toBe(false);
  expect(changes()).toEqual([]);
  expect(bridge.state.kind).toBe('asking');
  await clock.advance(700);
  expect(bridge.isAwake).toBe(true);
});

it('keeps “always” and connects', async () => {
  const { bridge, scopes, changes } = await asked();
  await bridge.answer('always', ['docker.io/ai/a:latest']);
  expect(changes()).toMatchObject([
    { method: 'PUT', body: { origin, decision: 'always', models: ['docker.io/ai/a:latest'] } },
  ]);
  expect(scopes).toEqual([undefined]);
  expect(bridge.state).toMatchObject({
    kind: 'connected',
    word: 'own grant',
    scope: ['docker.io/ai/a:latest'],
  });
});

it('connects “once” without keeping anything', async () => {
  const { bridge, scopes, changes } = await asked();
  await bridge.answer('once', 'all');
  expect(changes()).toEqual([]);
  expect(scopes).toEqual(['all']);
  expect(bridge.state).toMatchObject({ kind: 'connected', word: 'once' });
});

it('keeps “never” and turns the page away', async () => {
  const { bridge, turnedAway, changes } = await asked();
  await bridge.answer('never', 'all');
  expect(changes()).toMatchObject([{ method: 'PUT', body: { decision: 'never' } }]);
  expect(turnedAway).toEqual(['forbidden_origin']);
  expect(bridge.state).toMatchObject({ kind: 'over', reason: 'refused' });
});

it('stays with the question where the answer cannot be kept', async () => {
  const { bridge, client } = await asked();
  client.on('PUT /_sampan/grants', new ApiError('storage_full', 'The disk is full.').toResponse());
  await bridge.answer('always', 'all');
  expect(bridge.problem?.code).toBe('storage_full');
  expect(bridge.state.kind).toBe('asking');
});

it('does not ask about a page that has a grant, the most exact one counting', async () => {
  const wide = { origin: 'http://site.example:*', decision: 'never', models: 'all' };
  const known = setUp([wide, { origin, decision: 'always', models: 'all' }]);
  await known.bridge.start();
  expect(known.bridge.state).toMatchObject({ kind: 'connected', word: 'own grant', scope: 'all' });
  expect(known.scopes).toEqual([undefined]);
  const refused = setUp([wide]);
  await refused.bridge.start();
  expect(refused.turnedAway).toEqual(['forbidden_origin']);
  expect(refused.bridge.state).toMatchObject({ kind: 'over', reason: 'refused' });
  const everybody = setUp([{ origin: '*', decision: 'always', models: [] }]);
  await everybody.bridge.start();
  expect(everybody.bridge.state).toMatchObject({ kind: 'connected', word: 'wider grant' });
});

it('waits for a tab of Sampan', async () => {
  const { bridge, client, clock } = setUp();
  client.on('GET /_sampan/grants', new ApiError('no_host', 'none').toResponse());
  const started = bridge.start();
  await expect.poll(() => bridge.state).toEqual({ kind: 'no-host', origin });
  client.on('GET /_sampan/grants', json([]));
  await clock.advance(1000);
  await started;
  expect(bridge.state.kind).toBe('asking');
});

it('tells the page what else went wrong', async () => {
  const { bridge, client, turnedAway } = setUp();
  client.on('GET /_sampan/grants', new ApiError('host_stalled', 'frozen').toResponse());
  await bridge.start();
  expect(turnedAway).toEqual(['host_stalled']);
  expect(bridge.state).toMatchObject({ kind: 'over', reason: 'failed', message: 'frozen' });
});

it('revokes a grant, stops a session, and sees the page leave', async () => {
  const first = await asked();
  await first.bridge.answer('always', 'all');
  await first.bridge.revoke();
  expect(first.changes().at(-1)).toMatchObject({ method: 'DELETE' });
  expect(first.relay.stoppedBy).toBe('forbidden_origin');
  expect(first.bridge.state).toMatchObject({ kind: 'over', reason: 'stopped' });

  const second = await asked();
  await second.bridge.answer('once', 'all');
  second.bridge.stop();
  expect(second.relay.stoppedBy).toBe('host_lost');
  expect(second.bridge.state).toMatchObject({ kind: 'over', reason: 'stopped' });

  const third = await asked();
  await third.bridge.answer('once', 'all');
  third.relay.isOver = true;
  third.relay.changed.notify();
  expect(third.bridge.state).toMatchObject({ kind: 'over', reason: 'left' });
  expect([second.closes, third.closes]).toEqual([[], ['closed']]);
});

it('knows when nobody opened it', async () => {
  const bridge = new BridgeWindow({
    client: new ScriptedClient(),
    clock: new ManualClock(),
    arrival: undefined,
    relay: () => new ScriptedRelay(),
    turnAway: () => undefined,
    close: () => undefined,
  });
  await bridge.start();
  expect(bridge.state).toEqual({ kind: 'alone' });
});
