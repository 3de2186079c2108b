import { describe, expect, it } from 'vitest';
import { ManualClock } from '#lib/core/clock.ts';
import { callHost } from './call.ts';
import { engineLockName } from './protocol.ts';
import {
  errorCode,
  errorCodeAtEnd,
  expectNothingLeft,
  get,
  newScope,
  puppetEngine,
  readToEnd,
  serve,
  serveFromWorker,
  writable,
} from './testing/support.ts';

function withResolvers() {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((settle) => (resolve = settle));
  return { promise, resolve };
}

describe('an engine that dies', () => {
  it('ends a running event stream with host_lost', async () => {
    const scope = newScope();
    const worker = await serveFromWorker(scope, 'engine');
    const response = await callHost(get('/v1/tokens'), { scope });
    const rest = errorCodeAtEnd(response);
    worker.terminate();
    expect(await rest).toBe('host_lost');
    await expectNothingLeft(scope);
  });

  it('breaks any other body', async () => {
    const scope = newScope();
    const worker = await serveFromWorker(scope, 'engine');
    const rest = readToEnd(await callHost(get('/v1/bytes'), { scope }));
    worker.terminate();
    await expect(rest).rejects.toThrow(expect.objectContaining({ code: 'host_lost' }));
    await expectNothingLeft(scope);
  });

  it('is a 503 before the head, even when it closes itself', async () => {
    const scope = newScope();
    await serveFromWorker(scope, 'engine');
    const response = await callHost(get('/v1/die'), { scope });
    expect(response.status).toBe(503);
    expect(response.headers.get('x-should-retry')).toBe('true');
    expect(await errorCode(response)).toBe('host_lost');
    await expectNothingLeft(scope);
  });

  it('is a lost host too when its server is closed', async () => {
    const scope = newScope();
    const server = await serve(scope, async () => writable().response);
    const response = await callHost(get('/v1/x'), { scope });
    server.close();
    expect(await errorCodeAtEnd(response)).toBe('host_lost');
    await expectNothingLeft(scope);
  });
});

describe('finding the engine', () => {
  it('gives up with a 503 when no tab hosts one', async () => {
    const scope = newScope();
    const response = await callHost(get('/v1/x'), { scope, waitForHostMs: 20 });
    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).toBe('1');
    expect(await errorCode(response)).toBe('no_host');
    await expectNothingLeft(scope);
  });

  it('waits for one that comes', async () => {
    const scope = newScope();
    const answer = callHost(get('/v1/x'), { scope });
    await serve(scope, async () => new Response('there'));
    expect(await (await answer).text()).toBe('there');
  });

  it('moves on when the engine dies before it has taken the request', async () => {
    const scope = newScope();
    const dying = await puppetEngine(scope, 1, 'dying');
    const answer = callHost(get('/v1/x'), { scope });
    await expect.poll(() => dying.opened.length).toBe(1);
    dying.release();
    await serve(scope, async () => new Response('moved'));
    expect(await (await answer).text()).toBe('moved');
    await expectNothingLeft(scope);
  });

  it('does not take the watch of another consumer on a dead engine for an engine', async () => {
    const scope = newScope();
    const { promise: over, resolve: finish } = withResolvers();
    const watch = navigator.locks.request(engineLockName(scope, 1, 'dead'), { mode: 'shared' }, () => over);
    const response = await callHost(get('/v1/x'), { scope, waitForHostMs: 20 });
    expect(await errorCode(response)).toBe('no_host');
    finish();
    await watch;
  });

  it('prefers the newest engine', async () => {
    const scope = newScope();
    const frozen = await puppetEngine(scope, 7, 'frozen');
    await serve(scope, async () => new Response('newest'));
    expect(await (await callHost(get('/v1/x'), { scope })).text()).toBe('newest');
    expect(frozen.opened).toEqual([]);
  });

  it('moves on from a silent engine to a newer one', async () => {
    const scope = newScope();
    const silent = await puppetEngine(scope, 1, 'silent');
    const answer = callHost(get('/v1/x'), { scope, ackMs: 200 });
    await expect.poll(() => silent.opened.length).toBe(1);
    await serve(scope, async () => new Response('newer'));
    expect(await (await answer).text()).toBe('newer');
    await expectNothingLeft(scope);
  });

  it('gives an engine five seconds, which a busy machine may need', async () => {
    const scope = newScope();
    const clock = new ManualClock();
    const busy = await puppetEngine(scope, 1, 'busy');
    const answer = callHost(get('/v1/x'), { scope, clock });
    await expect.poll(() => busy.opened.length).toBe(1);
    await clock.advance(4900);
    busy.say({ type: 'ack' });
    busy.say({ type: 'head', status: 200, headers: [] });
    busy.say({ type: 'end' });
    expect((await answer).status).toBe(200);
    const late = callHost(get('/v1/x'), { scope, clock });
    await expect.poll(() => busy.opened.length).toBe(2);
    await clock.advance(5000);
    expect(await errorCode(await late)).toBe('host_stalled');
    await expectNothingLeft(scope);
  });

  it('reports an engine that does not acknowledge', async () => {
    const scope = newScope();
    await puppetEngine(scope, 1, 'silent');
    const response = await callHost(get('/v1/x'), { scope, ackMs: 20 });
    expect(response.status).toBe(503);
    expect(await errorCode(response)).toBe('host_stalled');
    await expectNothingLeft(scope);
  });
});

describe('an engine that falls silent', () => {
  async function streaming() {
    const scope = newScope();
    const clock = new ManualClock();
    const engine = await puppetEngine(scope, 1, 'engine');
    const answer = callHost(get('/v1/x'), { scope, clock });
    await expect.poll(() => engine.opened.length).toBe(1);
    engine.say({ type: 'ack' });
    engine.say({ type: 'head', status: 200, headers: [['content-type', 'text/event-stream']] });
    return { scope, clock, engine, response: await answer };
  }

  it('is asked, and ends the stream with host_stalled if it says nothing', async () => {
    const { scope, clock, engine, response } = await streaming();
    await clock.advance(10_000);
    await expect.poll(() => engine.heard).toContainEqual({ type: 'ping' });
    await clock.advance(10_000);
    expect(await errorCodeAtEnd(response)).toBe('host_stalled');
    await expectNothingLeft(scope);
  });

  it('may think for as long as it answers', async () => {
    const scope = newScope();
    const clock = new ManualClock();
    let release: (response: Response) => void = () => undefined;
    let asked = 0;
    await serve(scope, () => {
      asked += 1;
      return new Promise((resolve) => (release = resolve));
    });
    const answer = callHost(get('/v1/x'), { scope, clock, ackMs: 1e9 });
    await expect.poll(() => asked).toBe(1);
    const endMs = clock.now() + 120_000;
    // Each look is some milliseconds of real time, enough for a ping and its pong.
    await expect.poll(() => clock.advance(5_000).then(() => clock.now()), { timeout: 5000 }).toBe(endMs);
    release(new Response('at last'));
    expect(await (await answer).text()).toBe('at last');
  });
});
