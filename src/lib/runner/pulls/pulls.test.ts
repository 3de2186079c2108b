import { describe, expect, it } from 'vitest';
import { sha256 } from '#lib/core/digest.ts';
import { ApiError } from '#lib/core/errors.ts';
import { MemoryBlobStore } from '#lib/store/memory/blob-store.ts';
import { bytesOf, makeBench, streamOf, type Bench } from '#tests/support/runner-bench.ts';

const text =
  'GGUF weights of a model that is a little longer than four connections times four segments of sixteen bytes each. '.repeat(
    4,
  );
const weights = bytesOf(text);
const name = 'localhost:5000/ai/tiny:latest';

async function pull(
  bench: Bench,
): Promise<{ status: number; lines: { type: string; message: string; layer: { current: number } }[] }> {
  const response = await bench.call(
    '/models/create',
    { from: name },
    { headers: { accept: 'application/json' } },
  );
  const body = await response.text();
  return {
    status: response.status,
    lines: body
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line)),
  };
}

/** Lets time pass, a second at a time, until the pull has ended. */
async function drive<T>(bench: Bench, pulling: Promise<T>): Promise<T> {
  let ended = false;
  void pulling.finally(() => (ended = true));
  await expect.poll(async () => (await bench.clock.advance(1000), ended), { interval: 1 }).toBe(true);
  return pulling;
}

async function stored(bench: Bench): Promise<string | undefined> {
  return (await bench.store.open(await sha256(weights)))?.text();
}

describe('a pull', () => {
  it('stores the model under its tag and ends with Docker Model Runner’s success line', async () => {
    const bench = makeBench();
    await bench.registry.publish(name, [weights]);
    const { status, lines } = await pull(bench);
    expect(status).toBe(200);
    expect(lines.at(-1)).toEqual({
      type: 'success',
      message: 'Model pulled successfully',
      total: 0,
      layer: { size: 0, current: 0 },
      mode: 'pull',
    });
    expect(lines.at(-2)).toMatchObject({ type: 'progress', layer: { current: weights.byteLength } });
    expect(await stored(bench)).toBe(text);
    expect((await bench.index.list())[0]?.tags).toEqual([name]);
  });

  it('asks for four ranges at once and for every byte once', async () => {
    const bench = makeBench();
    await bench.registry.publish(name, [weights]);
    let inFlight = 0;
    let most = 0;
    bench.registry.beforeFetch = async () => {
      most = Math.max(most, ++inFlight);
      for (let i = 0; i < 5; i++) await Promise.resolve();
      inFlight--;
    };
    await pull(bench);
    expect(most).toBe(4);
    const sorted = bench.registry.asked.toSorted((a, b) => a.from - b.from);
    expect(sorted[0]?.from).toBe(0);
    expect(sorted.at(-1)?.to).toBe(weights.byteLength);
    for (const [index, range] of sorted.slice(1).entries()) expect(range.from).toBe(sorted[index]?.to);
  });

  it('answers a cached model with one line and fetches nothing', async () => {
    const bench = makeBench();
    await bench.registry.publish(name, [weights]);
    await pull(bench);
    bench.registry.asked.length = 0;
    const { lines } = await pull(bench);
    expect(lines).toMatchObject([{ type: 'success', message: `Using cached model: ${weights.byteLength}B` }]);
    expect(bench.registry.asked).toEqual([]);
  });

  it('escapes HTML in the text form, as Docker Model Runner does', async () => {
    const bench = makeBench();
    await bench.registry.publish(name, [weights]);
    const response = await bench.call('/models/create', { from: name });
    expect(response.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    expect(await response.text()).toContain('{&#34;type&#34;:&#34;progress&#34;');
  });

  it('keeps nothing of bytes with a wrong digest and says so', async () => {
    const bench = makeBench();
    await bench.registry.publish(name, [weights], await sha256(bytesOf('something else')));
    const { lines } = await pull(bench);
    expect(lines.at(-1)).toMatchObject({
      type: 'error',
      message: expect.stringContaining('do not match their checksum'),
    });
    expect(await bench.store.list()).toEqual([]);
    expect(await bench.store.partials()).toEqual([]);
    expect(await bench.index.list()).toEqual([]);
  });

  it('goes on where a dropped connection stopped, without asking twice for a byte that arrived', async () => {
    const bench = makeBench();
    await bench.registry.publish(name, [weights]);
    let dropped = false;
    bench.registry.serve = (bytes, { from, to }) => {
      if (dropped || from === 0) return { from, stream: streamOf(bytes.slice(from, to)) };
      dropped = true;
      return { from, stream: streamOf(bytes.slice(from, from + 24), 8) };
    };
    expect((await drive(bench, pull(bench))).lines.at(-1)).toMatchObject({ type: 'success' });
    expect(await stored(bench)).toBe(text);
    const again = bench.registry.asked.at(-1);
    expect(bench.registry.asked.some((range) => range.from + 24 === again?.from)).toBe(true);
  });

  it('reads everything through one connection when the registry ignores ranges', async () => {
    const bench = makeBench();
    await bench.registry.publish(name, [weights]);
    bench.registry.serve = (bytes) => ({ from: 0, stream: streamOf(bytes) });
    const { lines } = await pull(bench);
    expect(lines.at(-1)).toMatchObject({ type: 'success' });
    expect(await stored(bench)).toBe(text);
  });

  it('waits 1, 2, 4 and 8 seconds for an unreachable registry, then fails with the reason', async () => {
    const bench = makeBench();
    await bench.registry.publish(name, [weights]);
    bench.registry.beforeFetch = () =>
      Promise.reject(new ApiError('registry_unreachable', 'The registry is unreachable. Try again.'));
    const done = bench.call('/models/create', { from: name });
    const pullStatus = async () => (await (await bench.call('/_sampan/pulls')).json())[0].status;
    await expect.poll(pullStatus).toBe('retrying');
    for (const ms of [1000, 2000, 4000, 7999]) await bench.clock.advance(ms);
    expect(await pullStatus()).toBe('retrying');
    await bench.clock.advance(1);
    const response = await done;
    expect(response.status).toBe(502);
    expect(await response.json()).toMatchObject({ error: { code: 'registry_unreachable' } });
  });

  it('asks again when a connection is silent for a minute', async () => {
    const bench = makeBench();
    await bench.registry.publish(name, [weights]);
    let silent = true;
    bench.registry.serve = (bytes, { from, to }) => {
      if (!silent || from !== 0) return { from, stream: streamOf(bytes.slice(from, to)) };
      silent = false;
      return { from, stream: new ReadableStream() };
    };
    expect((await drive(bench, pull(bench))).lines.at(-1)).toMatchObject({ type: 'success' });
  });

  it('reports a full disk as storage_full', async () => {
    const bench = makeBench({ store: new MemoryBlobStore({ segmentBytes: 16, capacityBytes: 100 }) });
    await bench.registry.publish(name, [weights]);
    const response = await bench.call('/models/create', { from: name });
    expect(response.status).toBe(507);
    expect(await response.json()).toMatchObject({ error: { code: 'storage_full' } });
  });

  it('refuses what it cannot run before it fetches a byte of weights', async () => {
    const bench = makeBench();
    await bench.registry.publish(name, []);
    const response = await bench.call('/models/create', { from: name });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { code: 'unsupported_model_format' } });
    expect(bench.registry.asked).toEqual([]);
  });

  it.each([
    ['{nope', 400, 'invalid_request'],
    [{}, 400, 'invalid_request'],
    [{ from: '' }, 400, 'invalid_reference'],
    [{ from: '!!bad ref!!' }, 400, 'invalid_reference'],
    [{ from: 'localhost:5000/ai/none' }, 404, 'model_not_found'],
  ])('answers the body %j with %i %s', async (body, status, code) => {
    const response = await makeBench().call('/models/create', body);
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ error: { code } });
  });
});

describe('the list of pulls', () => {
  /** Holds every range after the first 16 bytes until released. */
  function hold(bench: Bench): () => void {
    let release: () => void = () => undefined;
    const released = new Promise<void>((resolve) => (release = resolve));
    bench.registry.beforeFetch = (_, signal) =>
      Promise.race([
        released,
        new Promise<void>((_resolve, reject) =>
          signal.addEventListener('abort', () => reject(signal.reason)),
        ),
      ]);
    return release;
  }

  const status = async (bench: Bench) =>
    ((await (await bench.call('/_sampan/pulls')).json()) as { status: string }[]).map((p) => p.status);

  it('pauses a pull when its last watcher leaves, and resumes with what it has', async () => {
    const bench = makeBench();
    await bench.registry.publish(name, [weights]);
    const release = hold(bench);
    const leave = new AbortController();
    const response = bench.call('/models/create', { from: name }, { signal: leave.signal });
    await expect.poll(() => status(bench)).toEqual(['pulling']);
    leave.abort();
    expect((await response).status).toBe(499);
    await expect.poll(() => status(bench)).toEqual(['paused']);
    release();
    expect((await pull(bench)).lines.at(-1)).toMatchObject({ type: 'success' });
  });

  it('keeps a pull that belongs to the runner when its watcher leaves', async () => {
    const bench = makeBench();
    await bench.registry.publish(name, [weights]);
    const release = hold(bench);
    await bench.call('/_sampan/pulls', { from: name });
    const leave = new AbortController();
    const watching = bench.call('/models/create', { from: name }, { signal: leave.signal });
    await expect.poll(() => status(bench)).toEqual(['pulling']);
    leave.abort();
    await watching;
    release();
    await expect.poll(() => status(bench)).toEqual(['done']);
  });

  it('pauses, resumes and cancels by name; cancelling leaves nothing on disk', async () => {
    const bench = makeBench();
    await bench.registry.publish(name, [weights]);
    hold(bench);
    await bench.call('/_sampan/pulls', { from: name });
    const path = `/_sampan/pulls/${encodeURIComponent(name)}`;
    await expect.poll(() => status(bench)).toEqual(['pulling']);
    await bench.call(`${path}/pause`, {});
    expect(await status(bench)).toEqual(['paused']);
    expect((await bench.call(`${path}/resume`, {})).status).toBe(202);
    await expect.poll(() => status(bench)).toEqual(['pulling']);
    expect((await bench.call(path, undefined, { method: 'DELETE' })).status).toBe(204);
    expect(await status(bench)).toEqual([]);
    expect(await bench.store.partials()).toEqual([]);
    expect((await bench.call(`${path}/pause`, {})).status).toBe(404);
  });

  it('goes on after a restart with what was running and never asks for a finished segment again', async () => {
    const first = makeBench();
    await first.registry.publish(name, [weights]);
    first.registry.beforeFetch = ({ from }, signal) =>
      from === 0
        ? Promise.resolve()
        : new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    await first.call('/_sampan/pulls', { from: name });
    await expect.poll(async () => (await first.store.partials())[0]?.receivedBytes).toBe(64);
    await first.runner.close();

    const second = makeBench({ store: first.store, index: first.index, records: first.records });
    second.registry.models.set(name, [...first.registry.models.values()][0] ?? expect.fail('no model'));
    await second.runner.start();
    await expect.poll(() => status(second)).toEqual(['done']);
    expect(second.registry.asked.every((range) => range.from >= 64)).toBe(true);
    expect(await stored(second)).toBe(text);
  });

  it('starts from nothing when a model that was deleted is pulled again', async () => {
    const bench = makeBench();
    await bench.registry.publish(name, [weights]);
    await pull(bench);
    await bench.call(`/models/${name}`, undefined, { method: 'DELETE' });
    const release = hold(bench);
    let told = false;
    const response = bench.call('/models/create', { from: name });
    void response.finally(() => (told = true));
    await expect.poll(async () => (await bench.store.partials()).length).toBe(1);
    // Nothing has arrived, so there is no line of progress yet.
    expect(told).toBe(false);
    release();
    expect(await (await response).text()).toContain('Model pulled successfully');
  });

  it('runs two pulls at once and queues the third', async () => {
    const bench = makeBench();
    const names = ['a', 'b', 'c'].map((word) => `localhost:5000/ai/${word}:latest`);
    for (const each of names) await bench.registry.publish(each, [bytesOf(each)]);
    const release = hold(bench);
    for (const from of names) await bench.call('/_sampan/pulls', { from });
    await expect.poll(() => status(bench)).toEqual(['pulling', 'pulling', 'queued']);
    release();
    await expect.poll(() => status(bench)).toEqual(['done', 'done', 'done']);
  });
});

describe('the queue', () => {
  const names = ['a', 'b', 'c', 'd'].map((letter) => `localhost:5000/ai/${letter}:latest`);
  interface Listed {
    id: string;
    status: string;
    position?: number;
  }
  const list = async (bench: Bench) => (await (await bench.call('/_sampan/pulls')).json()) as Listed[];
  const statuses = async (bench: Bench) =>
    Object.fromEntries(
      (await list(bench)).map(({ id, status, position }) => [id.at(-8), position ?? status]),
    );

  /** Four pulls of different models, none of which gets a byte until `release`. */
  async function fourPulls(): Promise<{ bench: Bench; release: () => void }> {
    const bench = makeBench();
    let release: () => void = () => undefined;
    const released = new Promise<void>((resolve) => (release = resolve));
    bench.registry.beforeFetch = () => released;
    for (const each of names) {
      await bench.registry.publish(each, [bytesOf(`weights of ${each}`)]);
      await bench.call('/_sampan/pulls', { from: each });
    }
    await expect.poll(() => statuses(bench)).toEqual({ a: 'pulling', b: 'pulling', c: 1, d: 2 });
    return { bench, release };
  }

  it('runs two at once, in order, and a waiting one can be put first', async () => {
    const { bench, release } = await fourPulls();
    expect((await bench.call(`/_sampan/pulls/${names[3]}/first`, '')).status).toBe(200);
    expect(await statuses(bench)).toEqual({ a: 'pulling', b: 'pulling', d: 1, c: 2 });
    release();
    await expect
      .poll(async () => (await list(bench)).map(({ status }) => status))
      .toEqual(Array(4).fill('done'));
  });

  it('runs as many as the settings say, also after a restart', async () => {
    const { bench, release } = await fourPulls();
    const put = (parallel: unknown) =>
      bench.call('/_sampan/settings', undefined, {
        method: 'PUT',
        body: JSON.stringify({ parallel_pulls: parallel }),
      });
    for (const wrong of [0, 9, 1.5, '3']) expect((await put(wrong)).status).toBe(400);
    expect(await (await put(3)).json()).toMatchObject({ parallel_pulls: 3 });
    await expect.poll(() => statuses(bench)).toEqual({ a: 'pulling', b: 'pulling', c: 'pulling', d: 1 });
    const again = makeBench({ preferencesStore: bench.preferencesStore });
    await again.runner.start();
    expect(await (await again.call('/_sampan/settings')).json()).toMatchObject({ parallel_pulls: 3 });
    release();
  });
});

describe('a layer that two pulls need', () => {
  it('is fetched once, and both show its progress', async () => {
    const bench = makeBench();
    const names = ['localhost:5000/ai/one:latest', 'localhost:5000/ai/two:latest'];
    for (const each of names) await bench.registry.publish(each, [weights]);
    await Promise.all(names.map(async (from) => (await bench.call('/models/create', { from })).text()));
    const asked = bench.registry.asked.reduce((sum, { from, to }) => sum + to - from, 0);
    expect(asked).toBe(weights.byteLength);
    expect(await bench.index.list()).toHaveLength(1);
  });

  it('is fetched by the other one when the first is cancelled', async () => {
    const bench = makeBench();
    const names = ['localhost:5000/ai/one:latest', 'localhost:5000/ai/two:latest'];
    for (const each of names) await bench.registry.publish(each, [weights]);
    let hold = true;
    bench.registry.beforeFetch = (_, signal) =>
      hold
        ? new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
        : Promise.resolve();
    for (const from of names) await bench.call('/_sampan/pulls', { from });
    await expect.poll(() => bench.registry.asked.length).toBeGreaterThan(0);
    hold = false;
    await bench.call(`/_sampan/pulls/${names[0]}`, undefined, { method: 'DELETE' });
    await expect.poll(async () => (await bench.index.list()).flatMap(({ tags }) => tags)).toEqual([names[1]]);
    expect(await stored(bench)).toBe(text);
  });
});

describe('without a network', () => {
  it.each([
    ['waits, says so, and goes on by itself', 'beforeFetch', 'offline'],
    ['that could not even begin starts again when the network is back', 'beforeResolve', 'failed'],
  ] as const)('a pull %s', async (_, step, meanwhile) => {
    const bench = makeBench();
    await bench.registry.publish(name, [weights]);
    bench.network.go(false);
    bench.registry[step] = () =>
      bench.network.online
        ? Promise.resolve()
        : Promise.reject(new ApiError('registry_unreachable', 'Failed to fetch.'));
    await bench.call('/_sampan/pulls', { from: name });
    const status = async () =>
      ((await (await bench.call('/_sampan/pulls')).json()) as { status: string }[])[0]?.status;
    await expect.poll(status).toBe(meanwhile);
    bench.network.go(true);
    await expect.poll(status).toBe('done');
  });
});

describe('a model that nothing here runs', () => {
  it('is refused before a byte is fetched, and stored for who insists', async () => {
    const bench = makeBench();
    await bench.registry.publish(name, [weights], undefined, { architecture: 'nothing-known' });
    const response = await bench.call('/models/create', { from: name });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { code: 'unsupported_model_format' } });
    expect(bench.registry.asked).toEqual([]);
    expect((await bench.call(`/_sampan/pulls/${name}/anyway`, '')).status).toBe(202);
    await expect.poll(() => stored(bench)).toBe(text);
    const [model] = (await (await bench.call('/_sampan/models')).json()) as { obstacle?: string }[];
    expect(model?.obstacle).toContain('nothing-known');
    const chat = await bench.call('/v1/chat/completions', {
      model: name,
      messages: [{ role: 'user', content: 'Hi' }],
    });
    expect(await chat.json()).toMatchObject({ error: { code: 'unsupported_model_format' } });
  });
});

it('a new version of a model starts with the settings of the old one', async () => {
  const bench = makeBench();
  await bench.registry.publish(name, [weights]);
  await pull(bench);
  const settings = () => bench.call(`/_sampan/models/${name}/settings`);
  await bench.call(`/_sampan/models/${name}/settings`, undefined, {
    method: 'PUT',
    body: '{"context_size":64}',
  });
  await bench.registry.publish(name, [bytesOf('a new version')]);
  await pull(bench);
  expect(await bench.index.list()).toHaveLength(2);
  expect(await (await settings()).json()).toEqual({ context_size: 64 });
});
