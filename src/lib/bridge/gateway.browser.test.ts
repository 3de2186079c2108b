import { describe, expect, it } from 'vitest';
import { ManualClock } from '#lib/core/clock.ts';
import { ApiError } from '#lib/core/errors.ts';
import { gateway } from './gateway.ts';
import { expectNothingLeft, get, newScope, post, serve, textReader, writable } from './testing/support.ts';

/** A runner that takes its time: the test settles its answer. */
async function slowRunner(request: Request) {
  const scope = newScope();
  const clock = new ManualClock();
  let signal: AbortSignal | undefined;
  let answer: (response: Response | Promise<Response>) => void = () => undefined;
  await serve(scope, (received) => {
    signal = received.signal;
    return new Promise((resolve) => (answer = resolve));
  });
  let response: Response | undefined;
  void gateway(request, { scope, clock, ackMs: 1e9 }).then((settled) => (response = settled));
  await expect.poll(() => signal).toBeDefined();
  // Each look is some milliseconds of real time, in which messages travel.
  await expect.poll(() => clock.advance(1000).then(() => response)).toBeDefined();
  if (!response || !signal) throw new Error('The gateway did not commit.');
  return { scope, clock, response, signal, answer: (late: Response | Promise<Response>) => answer(late) };
}

const streamed = () => post('/v1/chat/completions', { stream: true });
const whole = () => post('/v1/chat/completions', { stream: false });

describe('an answer in time', () => {
  it('passes its status and headers through', async () => {
    const scope = newScope();
    await serve(scope, async () => Response.json({ no: 'model' }, { status: 404, headers: { 'x-a': 'b' } }));
    const response = await gateway(streamed(), { scope });
    expect(response.status).toBe(404);
    expect(response.headers.get('x-a')).toBe('b');
    expect(await response.json()).toEqual({ no: 'model' });
    await expectNothingLeft(scope);
  });

  it('has a stream body, also when it is whole, whose cancelling stops the runner', async () => {
    const scope = newScope();
    let signal: AbortSignal | undefined;
    await serve(scope, async (request) => {
      signal = request.signal;
      return writable('application/json').response;
    });
    const response = await gateway(whole(), { scope });
    await response.body?.cancel();
    await expect.poll(() => signal?.aborted).toBe(true);
    await expectNothingLeft(scope);
  });

  it('is a 503 when no tab hosts the engine', async () => {
    const response = await gateway(get('/v1/models'), { scope: newScope(), waitForHostMs: 20 });
    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).toBe('1');
  });

  it('is a 413 for more than 10 MiB', async () => {
    const response = await gateway(post('/v1/x', 'x'.repeat(10 * 1024 * 1024)), { scope: newScope() });
    expect(response.status).toBe(413);
  });
});

describe('an answer that takes longer', () => {
  it('is promised as an event stream, with heartbeats until it comes', async () => {
    const { scope, clock, response, answer } = await slowRunner(streamed());
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('text/event-stream');

    const reader = textReader(response);
    const committedAtMs = clock.now();
    for (const beatAtMs of [10_000, 20_000]) {
      let beat: string | undefined;
      void reader.next().then((text) => (beat = text));
      await expect.poll(() => clock.advance(2_000).then(() => beat)).toBe(': waiting\n\n');
      expect(clock.now() - committedAtMs).toBe(beatAtMs);
    }

    const stream = writable();
    answer(stream.response);
    void stream.write('data: 1\n\n');
    expect(await reader.next()).toBe('data: 1\n\n');
    await clock.advance(5_000);
    void stream.write('data: [DONE]\n\n');
    expect(await reader.next()).toBe('data: [DONE]\n\n');
    void stream.end();
    expect(await reader.next()).toBeUndefined();
    await expectNothingLeft(scope);
  });

  it('is promised as JSON, with white space until it comes', async () => {
    const { scope, clock, response, answer } = await slowRunner(whole());
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('application/json');
    const text = response.text();
    await clock.advance(10_000);
    answer(Response.json({ late: true }));
    expect(await text).toBe(' {"late":true}');
    await expectNothingLeft(scope);
  });

  it('is promised as an event stream to whoever accepts one', async () => {
    const { response } = await slowRunner(
      get('/_sampan/events', { headers: { accept: 'text/event-stream' } }),
    );
    expect(response.headers.get('content-type')).toBe('text/event-stream');
  });

  it('tells a late error as an event', async () => {
    const { scope, response, answer } = await slowRunner(streamed());
    answer(
      Promise.reject(new ApiError('insufficient_memory', 'The model is too large. Choose a smaller one.')),
    );
    const text = await response.text();
    expect(text).toMatch(/^data: \{"error":.*"code":"insufficient_memory".*\}\n\n$/);
    await expectNothingLeft(scope);
  });

  it('tells a late error as the JSON body', async () => {
    const { scope, response, answer } = await slowRunner(whole());
    answer(
      Promise.reject(new ApiError('insufficient_memory', 'The model is too large. Choose a smaller one.')),
    );
    expect(await response.json()).toMatchObject({ error: { code: 'insufficient_memory' } });
    await expectNothingLeft(scope);
  });

  it('stops the runner when the consumer leaves first', async () => {
    const { scope, response, signal } = await slowRunner(streamed());
    await response.body?.cancel();
    await expect.poll(() => signal.aborted).toBe(true);
    await expectNothingLeft(scope);
  });

  it('stops the runner when the consumer leaves in the middle', async () => {
    const { scope, response, signal, answer } = await slowRunner(streamed());
    const reader = textReader(response);
    const stream = writable();
    answer(stream.response);
    void stream.write('data: 1\n\n').catch(() => undefined);
    expect(await reader.next()).toBe('data: 1\n\n');
    await reader.cancel();
    await expect.poll(() => signal.aborted).toBe(true);
    await expectNothingLeft(scope);
  });
});
