import { describe, expect, it } from 'vitest';
import type { RequestPageJson } from '#lib/model/wire-requests.ts';
import { chatPath, makeRecorderBench, modelId } from '#lib/runner/recorder/testing/recorder-bench.ts';

type Bench = Awaited<ReturnType<typeof makeRecorderBench>>;

const ask = (content: string, fields: object = {}) => ({
  model: 'ai/tiny',
  messages: [{ role: 'user', content }],
  ...fields,
});

async function say(bench: Bench, content: string, fields: object = {}, headers: HeadersInit = {}) {
  const response = await bench.call(chatPath, ask(content, fields), { headers });
  await response.text();
  await bench.clock.advance(10);
  return response.headers.get('x-request-id') ?? '';
}

async function page(bench: Bench, query = ''): Promise<RequestPageJson> {
  return (await (await bench.call(`/_sampan/requests${query}`)).json()) as RequestPageJson;
}

async function found(bench: Bench, query: string): Promise<readonly string[]> {
  return (await page(bench, query)).requests.map(({ prompt }) => prompt);
}

/** Server-sent events as they come. */
function eventsOf(response: Response) {
  const reader = (
    response.body ?? new ReadableStream()
  ).getReader() as ReadableStreamDefaultReader<Uint8Array>;
  const decoder = new TextDecoder();
  return {
    async next(): Promise<{ event: string; data: unknown }> {
      const frame = decoder.decode((await reader.read()).value);
      const [, event = '', data = ''] = /^event: (.*)\ndata: (.*)\n\n$/.exec(frame) ?? [];
      return { event, data: JSON.parse(data) };
    },
    leave: () => reader.cancel(),
  };
}

describe('the list of requests', () => {
  it('comes in pages, newest first, with how many there are', async () => {
    const bench = await makeRecorderBench();
    for (const content of ['one', 'two', 'three']) await say(bench, content);
    const first = await page(bench, '?limit=2');
    expect(first.requests.map(({ prompt }) => prompt)).toEqual(['three', 'two']);
    expect(first).toMatchObject({ total: 3, kept: { count: 3 } });
    const second = await page(bench, `?limit=2&before=${first.next}`);
    expect(second.requests.map(({ prompt }) => prompt)).toEqual(['one']);
    expect(second).not.toHaveProperty('next');
    expect(second.total).toBe(3);
  });

  it('is filtered by model, state, source, time and duration', async () => {
    const bench = await makeRecorderBench({
      beforeWord: (index) => (index === 1 ? bench.clock.advance(100) : Promise.resolve()),
    });
    await say(bench, 'whole', {}, { 'x-sampan-source': 'page' });
    await say(bench, 'short', { max_tokens: 1, model: modelId });
    await say(bench, 'refused', { model: 'ai/none' });
    for (const model of ['ai/tiny', modelId, 'docker.io/ai/tiny:latest']) {
      expect(await found(bench, `?model=${model}`)).toEqual(['short', 'whole']);
    }
    expect(await found(bench, '?model=ai/none')).toEqual(['refused']);
    expect(await found(bench, '?state=failed,cancelled')).toEqual(['refused']);
    expect(await found(bench, '?source=page')).toEqual(['whole']);
    expect(await found(bench, '?min_duration_ms=100')).toEqual(['whole']);
    expect(await found(bench, '?max_duration_ms=99&state=done')).toEqual(['short']);
    const from = Date.UTC(2026, 0, 1) + 110;
    expect(await found(bench, `?from_ms=${from}`)).toEqual(['refused', 'short']);
    expect(await found(bench, `?to_ms=${from}`)).toEqual(['whole']);
  });

  it('is searched by text, also far inside a long one', async () => {
    const bench = await makeRecorderBench({ reply: (prompt) => [prompt.slice(0, 5), ' Échange'] });
    await say(bench, 'Apples and pears');
    await say(bench, `${'long'.repeat(3000)}NEEDLE`);
    expect(await found(bench, '?q=PEARS')).toEqual(['Apples and pears']);
    expect(await found(bench, '?q=needle')).toHaveLength(1);
    expect(await found(bench, '?q=échange')).toHaveLength(2);
    expect(await found(bench, '?q=longneedle&state=done')).toHaveLength(1);
    expect(await found(bench, '?q=messages')).toEqual([]);
    expect(await found(bench, '?q=needle&model=ai/none')).toEqual([]);
  });

  it.each(['state=odd', 'source=me', 'from_ms=x', 'limit=-1', 'min_duration_ms=1e9'])(
    'refuses %s by name',
    async (query) => {
      const bench = await makeRecorderBench();
      const response = await bench.call(`/_sampan/requests?${query}`);
      expect(response.status).toBe(400);
      expect(await response.json()).toMatchObject({ error: { param: query.split('=')[0] } });
    },
  );

  it('finds its way among 10 000 records', async () => {
    const bench = await makeRecorderBench();
    const id = await say(bench, 'seed');
    const seed = JSON.stringify(await (await bench.call(`/_sampan/requests/${id}`)).json());
    const lines = Array.from({ length: 9_999 }, (_, index) =>
      seed.replaceAll(id, `req_0000000${String(index).padStart(6, '0')}`).replaceAll('seed', `n${index}.`),
    );
    const imported = await bench.call('/_sampan/requests/import', lines.join('\n'));
    expect(await imported.json()).toEqual({ imported: 9_999, known: 0, refused: 0 });
    expect(await page(bench, '?limit=1')).toMatchObject({ total: 10_000, requests: [{ id }] });
    expect(await found(bench, '?q=n4321.')).toEqual(['n4321.']);
  });
});

describe('clearing', () => {
  it('removes what matches, and everything without a filter', async () => {
    const bench = await makeRecorderBench();
    await say(bench, 'one');
    await say(bench, 'two', { model: 'ai/none' });
    await say(bench, 'three');
    const remove = async (query: string) =>
      (await bench.call(`/_sampan/requests${query}`, undefined, { method: 'DELETE' })).json();
    expect(await remove('?state=failed')).toEqual({ removed: 1 });
    expect(await found(bench, '')).toEqual(['three', 'one']);
    expect(await remove('')).toEqual({ removed: 2 });
    expect(await bench.requests.entries()).toEqual([]);
  });
});

describe('the live feed', () => {
  it('tells of a request as it goes on, and of what is dropped', async () => {
    const bench = await makeRecorderBench({ beforeWord: () => bench.clock.advance(300) });
    const feed = eventsOf(await bench.call('/_sampan/requests/events'));
    expect(await feed.next()).toEqual({ event: 'kept', data: { count: 0, bytes: 0 } });
    const seen: string[] = [];
    let [last, kept]: unknown[] = [];
    const until = async (over: () => boolean) => {
      while (!over()) {
        const { event, data } = await feed.next();
        if (event === 'kept') kept = data;
        else seen.push((data as { state?: string }).state ?? event);
        if (event !== 'kept') last = data;
      }
    };
    const done = until(() => seen.at(-1) === 'done');
    const id = await say(bench, 'one');
    await done;
    expect(last).toMatchObject({ id, prompt: 'one', usage: { completion_tokens: 2 } });
    expect([...new Set(seen)]).toEqual(['queued', 'loading', 'prefill', 'decode', 'done']);
    await bench.recorder.clear({});
    await until(() => seen.at(-1) === 'gone' && (kept as { count: number }).count === 0);
    expect(last).toEqual({ ids: [id] });
    expect(kept).toEqual({ count: 0, bytes: 0 });
    await feed.leave();
  });

  it('tells a reader that lags of the newest only', async () => {
    const bench = await makeRecorderBench();
    const feed = eventsOf(await bench.call('/_sampan/requests/events'));
    await feed.next();
    await say(bench, 'one');
    await say(bench, 'two');
    const told: unknown[] = [];
    while (told.length < 2) {
      const { event, data } = await feed.next();
      if (event === 'request') told.push(data);
    }
    expect(told).toMatchObject([
      { prompt: 'one', state: 'done' },
      { prompt: 'two', state: 'done' },
    ]);
    await feed.leave();
  });

  it('leaves aside what does not match, and says when a row no longer does', async () => {
    const bench = await makeRecorderBench({
      beforeWord: () => new Promise((resolve) => (go = resolve)),
    });
    let go: () => void = () => undefined;
    const feed = eventsOf(await bench.call('/_sampan/requests/events?state=prefill'));
    await feed.next();
    const answer = bench.call(chatPath, ask('one', { max_tokens: 1 }));
    const isPrefill = ({ event, data }: { event: string; data: unknown }) =>
      event === 'request' && (data as { state: string }).state === 'prefill';
    await expect.poll(async () => isPrefill(await feed.next())).toBe(true);
    go();
    await answer;
    await expect.poll(async () => (await feed.next()).event).toBe('gone');
    await feed.leave();
  });
});

describe('replay', () => {
  it('sends the stored body again and answers with its answer', async () => {
    const bench = await makeRecorderBench();
    const id = await say(bench, 'again?');
    const response = await bench.call(`/_sampan/requests/${id}/replay`, undefined, { method: 'POST' });
    expect(await response.json()).toMatchObject({ choices: [{ message: { content: 'Hello there.' } }] });
    const { requests } = await page(bench);
    expect(requests).toMatchObject([{ source: { kind: 'replay' }, prompt: 'again?' }, { id }]);
    expect(await bench.recorder.get(requests[0]?.id ?? '')).toMatchObject({ replay_of: id });
  });

  it('sends an edited body in its place', async () => {
    const bench = await makeRecorderBench();
    const id = await say(bench, 'before');
    await (await bench.call(`/_sampan/requests/${id}/replay`, ask('after'))).text();
    expect(await found(bench, '')).toEqual(['after', 'before']);
  });

  it('refuses a record that does not exist, and an imported one of another path', async () => {
    const bench = await makeRecorderBench();
    expect((await bench.call('/_sampan/requests/req_none/replay', {})).status).toBe(404);
    const id = await say(bench, 'one');
    const line = JSON.stringify(await bench.recorder.get(id))
      .replaceAll(id, 'req_00000000000000001')
      .replace(`"path":"${chatPath}"`, '"path":"/engines/unload"');
    await bench.call('/_sampan/requests/import', line);
    const response = await bench.call('/_sampan/requests/req_00000000000000001/replay', { all: true });
    expect(response.status).toBe(400);
  });
});

describe('files', () => {
  it('exported as JSONL are imported elsewhere as they were', async () => {
    const bench = await makeRecorderBench();
    await say(bench, 'one', { stream: true });
    await say(bench, 'two', { model: 'ai/none' });
    const file = await (await bench.call('/_sampan/requests/export')).text();
    expect(file.trim().split('\n')).toHaveLength(2);
    const other = await makeRecorderBench();
    const text = `${file}\nnot json\n{"id":"req_0000000000000"}\n${file}`;
    const counts = await (await other.call('/_sampan/requests/import', text)).json();
    expect(counts).toEqual({ imported: 2, known: 2, refused: 2 });
    const [two, one] = (await page(other)).requests;
    expect(two).toMatchObject({ prompt: 'two', imported: true, error_code: 'model_not_found' });
    const original = await bench.recorder.get(one?.id ?? '');
    const { size_bytes: _size, imported: _imported, ...rest } = await other.recorder.get(one?.id ?? '');
    expect(original).toMatchObject(rest);
  });

  it('exported as HAR hold request, answer and times', async () => {
    const bench = await makeRecorderBench();
    await say(bench, 'one');
    const har = await (await bench.call('/_sampan/requests/export?format=har')).json();
    expect(har).toMatchObject({
      log: {
        version: '1.2',
        entries: [
          {
            startedDateTime: '2026-01-01T00:00:00.000Z',
            request: { method: 'POST', url: `http://localhost${chatPath}` },
            response: { status: 200, content: { text: expect.stringContaining('Hello there.') as string } },
          },
        ],
      },
    });
    const empty = await makeRecorderBench();
    expect(await (await empty.call('/_sampan/requests/export?format=har')).json()).toMatchObject({
      log: { entries: [] },
    });
    expect((await bench.call('/_sampan/requests/export?format=csv')).status).toBe(400);
  });

  it.each([
    ['an id that is a path', '"id":"../../x"'],
    ['a state that does not exist', '"state":"odd"'],
    ['a status of no protocol', '"status_code":1e99'],
  ])('with %s are refused', async (_, field) => {
    const bench = await makeRecorderBench();
    const record = JSON.stringify(await bench.recorder.get(await say(bench, 'one')));
    const name = field.split(':')[0] ?? '';
    const line = record.replace(new RegExp(`${name}:("[^"]*"|\\d+)`), () => field);
    const counts = await (await bench.call('/_sampan/requests/import', line)).json();
    expect(counts).toEqual({ imported: 0, known: 0, refused: 1 });
  });
});

describe('GET /engines/requests', () => {
  it('groups what is over by model, as Docker Model Runner does', async () => {
    const bench = await makeRecorderBench();
    await say(bench, 'one', {}, { 'user-agent': 'golden/1' });
    await say(bench, 'two', { stream: true });
    await say(bench, 'three', { model: 'ai/none' });
    const groups = await (await bench.call('/engines/requests')).json();
    expect(groups).toMatchObject([
      {
        count: 2,
        model: modelId,
        records: [
          {
            model: 'ai/tiny',
            method: 'POST',
            url: chatPath,
            request: JSON.stringify(ask('one')),
            timestamp: Date.UTC(2026, 0, 1) / 1000,
            status_code: 200,
            user_agent: 'golden/1',
          },
          { response: expect.stringContaining('"content":"Hello there."') as string },
        ],
      },
      {
        count: 1,
        model: 'ai/none',
        records: [{ status_code: 404, error: expect.stringContaining('model_not_found') as string }],
      },
    ]);
    const filtered = await (await bench.call('/engines/requests?model=docker.io/ai/tiny:latest')).json();
    expect(filtered).toMatchObject([{ count: 2 }]);
    expect(await (await bench.call('/engines/requests?model=ai/unknown')).json()).toEqual([]);
  });

  it.each(['include_existing', 'include-existing'])(
    'streams what there is (%s), then that it is connected, then what ends',
    async (flag) => {
      const bench = await makeRecorderBench();
      await say(bench, 'one');
      const feed = eventsOf(
        await bench.call(`/engines/requests?${flag}=true&model=docker.io/ai/tiny:latest`, undefined, {
          headers: { accept: 'text/event-stream' },
        }),
      );
      expect(await feed.next()).toMatchObject({
        event: 'existing_request',
        data: [{ count: 1, model: modelId, records: [{ model: 'ai/tiny' }] }],
      });
      expect(await feed.next()).toEqual({ event: 'connected', data: { status: 'connected' } });
      await say(bench, 'other', { model: 'ai/none' });
      await say(bench, 'two');
      const told = (await feed.next()) as { event: string; data: { records: { request: string }[] }[] };
      expect(told).toMatchObject({ event: 'new_request', data: [{ count: 1, model: 'ai/tiny' }] });
      expect(told.data[0]?.records[0]?.request).toContain('two');
      await feed.leave();
    },
  );
});

describe('GET /metrics', () => {
  it('counts requests, tokens and times by model, engine and mode', async () => {
    const bench = await makeRecorderBench({ beforeWord: () => bench.clock.advance(30) });
    await say(bench, 'one');
    await say(bench, 'two', {}, { 'x-sampan-record': 'off' });
    await say(bench, 'three', { model: 'evil"\n' });
    const response = await bench.call('/metrics');
    expect(response.headers.get('content-type')).toContain('version=0.0.4');
    const text = await response.text();
    const labels = 'model="ai/tiny",engine="llama.cpp",mode="chat"';
    for (const line of [
      `sampan_requests_total{${labels},outcome="done"} 2`,
      'sampan_requests_total{model="",engine="",mode="chat",outcome="failed"} 1',
      `sampan_prompt_tokens_total{${labels}} 2`,
      `sampan_completion_tokens_total{${labels}} 4`,
      `sampan_time_to_first_token_seconds_bucket{${labels},le="0.025"} 0`,
      `sampan_time_to_first_token_seconds_bucket{${labels},le="0.05"} 2`,
      `sampan_time_to_first_token_seconds_count{${labels}} 2`,
      `sampan_inter_token_seconds_count{${labels}} 2`,
      `sampan_inter_token_seconds_sum{${labels}} 0.06`,
      'sampan_requests_in_flight 0',
      'sampan_queue_length 0',
      'sampan_resident_bytes{model="ai/tiny",engine="llama.cpp",mode="completion"} 1',
      '# TYPE sampan_inter_token_seconds histogram',
    ]) {
      expect(text.split('\n')).toContain(line);
    }
    expect(text).not.toContain('evil');
  });
});
