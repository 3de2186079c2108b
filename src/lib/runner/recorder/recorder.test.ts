import { describe, expect, it, vi } from 'vitest';
import type { RequestJson, RequestPageJson } from '#lib/model/wire-requests.ts';
import { MemoryRequests } from '#lib/store/memory/requests.ts';
import { chatPath, makeRecorderBench, modelId } from './testing/recorder-bench.ts';

const ask = { model: 'ai/tiny', messages: [{ role: 'user', content: 'Hello?' }], temperature: 0.5 };

type Bench = Awaited<ReturnType<typeof makeRecorderBench>>;

async function page(bench: Bench, query = ''): Promise<RequestPageJson> {
  return (await (await bench.call(`/_sampan/requests${query}`)).json()) as RequestPageJson;
}

async function detail(bench: Bench, id: string): Promise<RequestJson> {
  return (await (await bench.call(`/_sampan/requests/${id}`)).json()) as RequestJson;
}

async function only(bench: Bench): Promise<RequestJson> {
  const [row] = (await page(bench)).requests;
  return detail(bench, row?.id ?? '');
}

describe('a recorded request', () => {
  it('holds what was asked, what was used, every piece with its time, and the figures', async () => {
    const bench = await makeRecorderBench({
      onLoad: async () => bench.clock.advance(300),
      beforeWord: async () => bench.clock.advance(20),
    });
    const response = await bench.call(chatPath, ask, {
      headers: {
        'user-agent': 'golden/1',
        authorization: 'Bearer hidden',
        'content-type': 'application/json',
      },
    });
    const sent = await response.text();
    const record = await only(bench);
    expect(response.headers.get('x-request-id')).toBe(record.id);
    expect(record).toMatchObject({
      state: 'done',
      mode: 'chat',
      method: 'POST',
      path: chatPath,
      source: { kind: 'program', name: 'golden/1' },
      model: 'ai/tiny',
      model_id: modelId,
      engine: 'llama.cpp',
      device: 'scripted',
      prompt: 'Hello?',
      status_code: 200,
      finish_reason: 'stop',
      request_body: { text: JSON.stringify(ask) },
      request_headers: { 'user-agent': 'golden/1', 'content-type': 'application/json' },
      parameters: { temperature: 0.5 },
      parameters_in_force: { temperature: 0.5, context_size: 64, threads: 1 },
      answer: { text: 'Hello there.' },
      response_body: { text: sent },
      pieces: [
        { at_ms: 320, type: 'text', text: 'Hello' },
        { at_ms: 340, type: 'text', text: ' there.' },
      ],
      frames: [],
      usage: { prompt_tokens: 1, cached_tokens: 0, completion_tokens: 2 },
      context_size: 64,
      timing: {
        queue_ms: 0,
        load_ms: 300,
        prefill_ms: 20,
        decode_ms: 20,
        first_token_ms: 320,
        duration_ms: 340,
        tokens_per_second: 2000,
      },
    });
    expect(JSON.stringify(record)).not.toContain('hidden');
    expect(record.rendered_prompt?.text).toBe('Hello?');
  });

  it('keeps the frames of a stream as they were sent, joined as well', async () => {
    const bench = await makeRecorderBench();
    const text = await (await bench.call(chatPath, { ...ask, stream: true })).text();
    const { frames, response_body: body, answer } = await only(bench);
    expect(frames.map((frame) => frame.text).join('')).toBe(text);
    expect(frames).toHaveLength(5);
    expect(body.text).toBe(text);
    expect(answer.text).toBe('Hello there.');
  });

  it('is one already while it loads, waits and answers', async () => {
    const steps: string[] = [];
    const note = async () => {
      const [row] = (await page(bench)).requests;
      steps.push(`${row?.state} ${row?.status_code}`);
    };
    const bench = await makeRecorderBench({ onLoad: note, beforeWord: note });
    await (await bench.call(chatPath, ask)).text();
    await note();
    expect(steps).toEqual(['loading undefined', 'prefill undefined', 'decode undefined', 'done 200']);
  });

  it('waits in the queue behind another', async () => {
    let finishFirst: () => void = () => undefined;
    const first = new Promise<void>((resolve) => (finishFirst = resolve));
    const bench = await makeRecorderBench({ beforeWord: () => first });
    const answers = [bench.call(chatPath, ask), bench.call(chatPath, ask)];
    await expect.poll(() => bench.scheduler.queued).toBe(1);
    await bench.clock.advance(50);
    const states = (await page(bench)).requests.map(({ state }) => state);
    expect(states).toEqual(['queued', 'prefill']);
    finishFirst();
    await Promise.all(answers);
    expect((await page(bench)).requests[0]?.timing).toMatchObject({ queue_ms: 50, load_ms: 0 });
  });

  it.each([
    ['an unknown model', { ...ask, model: 'ai/none' }, 404, 'model_not_found'],
    ['a body that is no JSON', '{', 400, 'invalid_request'],
    ['a wrong field', { ...ask, temperature: 'hot' }, 400, 'invalid_request'],
    [
      'too long a prompt',
      { ...ask, messages: [{ role: 'user', content: 'a '.repeat(90) }] },
      400,
      'context_length_exceeded',
    ],
  ])('that failed for %s says so', async (_, body, status, code) => {
    const bench = await makeRecorderBench();
    const response = await bench.call(chatPath, body);
    expect(response.status).toBe(status);
    const record = await only(bench);
    expect(record).toMatchObject({ state: 'failed', status_code: status, error_code: code, error: { code } });
    expect(response.headers.get('x-request-id')).toBe(record.id);
    expect(JSON.parse(record.response_body.text)).toMatchObject({ error: { code } });
  });

  it('that failed to load says so, and an unforeseen failure is told', async () => {
    const bench = await makeRecorderBench({ onLoad: () => Promise.reject(new Error('Hello?')) });
    expect((await bench.call(chatPath, ask)).status).toBe(500);
    expect(await only(bench)).toMatchObject({ state: 'failed', error_code: 'internal', model_id: modelId });
  });

  it('that failed in the middle of its stream keeps what was said', async () => {
    const bench = await makeRecorderBench({
      beforeWord: (index) => (index === 1 ? Promise.reject(new Error('broken')) : Promise.resolve()),
    });
    await (await bench.call(chatPath, { ...ask, stream: true })).text();
    expect(await only(bench)).toMatchObject({
      state: 'failed',
      status_code: 200,
      error_code: 'internal',
      answer: { text: 'Hello' },
    });
  });

  it('is cancelled when its reader leaves or its caller aborts', async () => {
    const bench = await makeRecorderBench();
    const streaming = await bench.call(chatPath, { ...ask, stream: true });
    await streaming.body?.cancel();
    expect(await only(bench)).toMatchObject({ state: 'cancelled', status_code: 499, error_code: 'aborted' });
    const abort = new AbortController();
    const waiting = await makeRecorderBench({ onLoad: async () => abort.abort() });
    expect((await waiting.call(chatPath, ask, { signal: abort.signal })).status).toBe(499);
    expect((await only(waiting)).state).toBe('cancelled');
  });

  it.each([
    [{ 'x-sampan-source': 'page' }, { kind: 'page' }],
    [{ 'x-sampan-source': 'tab', origin: 'https://x.example' }, { kind: 'tab' }],
    [
      { 'x-sampan-source': 'program', 'user-agent': 'OpenAI/Python 1.2' },
      { kind: 'program', name: 'OpenAI/Python' },
    ],
    [
      { 'x-sampan-source': 'program', origin: 'https://x.example' },
      { kind: 'site', name: 'https://x.example' },
    ],
    [{ origin: 'http://localhost' }, { kind: 'unknown' }],
    [{ origin: 'null' }, { kind: 'unknown' }],
    [{ 'user-agent': 'Mozilla/5.0 (X11)' }, { kind: 'unknown' }],
    [{ 'x-sampan-source': '<b>' }, { kind: 'unknown' }],
  ])('comes with %o from %o', async (headers, source) => {
    const bench = await makeRecorderBench();
    await (await bench.call(chatPath, ask, { headers: headers as HeadersInit })).text();
    expect((await only(bench)).source).toEqual(source);
  });

  it('leaves no trace when it asks for that, or recording is off', async () => {
    const bench = await makeRecorderBench();
    const quiet = await bench.call(chatPath, ask, { headers: { 'x-sampan-record': 'off' } });
    expect(await quiet.json()).toMatchObject({ object: 'chat.completion' });
    expect(quiet.headers.get('x-request-id')).toBeNull();
    const off = await bench.call('/_sampan/requests/settings', { recording: false }, { method: 'PUT' });
    expect(await off.json()).toMatchObject({ recording: false, max_count: 10_000 });
    await (await bench.call(chatPath, ask)).text();
    expect(await page(bench)).toMatchObject({ requests: [], total: 0, kept: { count: 0 } });
    expect(await bench.requests.entries()).toEqual([]);
  });

  it('keeps a prompt of 5 MB, broken surrogates and all, whole and out of the row', async () => {
    const bench = await makeRecorderBench();
    const content = `<script>\u001b[31m\u202e${'x'.repeat(5_000_000)}\ud800`;
    await (await bench.call(chatPath, { ...ask, messages: [{ role: 'user', content }] })).text();
    const record = await only(bench);
    expect((JSON.parse(record.request_body.text) as typeof ask).messages[0]?.content).toBe(content);
    expect(record.request_body).not.toHaveProperty('cut_chars');
    expect(record.prompt.length).toBeLessThanOrEqual(200);
  });
});

describe('the recorder', () => {
  it('keeps its records for the next session and marks what was under way as lost', async () => {
    const requests = new MemoryRequests();
    const bench = await makeRecorderBench({ requests, beforeWord: () => new Promise(() => undefined) });
    void bench.call(chatPath, ask);
    await expect.poll(async () => (await page(bench)).requests.length).toBe(1);
    await bench.clock.advance(100);
    await expect.poll(async () => (await requests.entries()).length).toBe(1);
    const next = await makeRecorderBench({ requests, laterMs: 1000 });
    const record = await only(next);
    expect(record).toMatchObject({ state: 'lost', prompt: 'Hello?', model_id: modelId });
    expect(record).not.toHaveProperty('status_code');
    await (await next.call(chatPath, ask)).text();
    const third = await makeRecorderBench({ requests, laterMs: 2000 });
    expect((await page(third)).requests.map(({ state }) => state)).toEqual(['done', 'lost']);
  });

  it('writes a request that is over at once a single time', async () => {
    const requests = new MemoryRequests();
    const put = vi.spyOn(requests, 'put');
    const bench = await makeRecorderBench({ requests });
    await (await bench.call(chatPath, ask)).text();
    await bench.clock.advance(1000);
    await bench.recorder.close();
    expect(put).toHaveBeenCalledOnce();
  });

  it('drops the oldest when there are too many', async () => {
    const bench = await makeRecorderBench();
    const count = (max: number) =>
      bench.call('/_sampan/requests/settings', { max_count: max }, { method: 'PUT' });
    await count(2);
    const ids: (string | null)[] = [];
    for (let index = 0; index < 4; index++) {
      const response = await bench.call(chatPath, ask);
      ids.push(response.headers.get('x-request-id'));
    }
    expect((await page(bench)).requests.map(({ id }) => id)).toEqual([ids[3], ids[2]]);
    expect((await bench.call(`/_sampan/requests/${ids[0]}`)).status).toBe(404);
    await count(1);
    await bench.recorder.close();
    expect(await bench.requests.entries()).toHaveLength(1);
  });

  it('answers while the disk refuses, and says so', async () => {
    const requests = new MemoryRequests();
    requests.put = () => Promise.reject(new DOMException('full', 'QuotaExceededError'));
    const bench = await makeRecorderBench({ requests });
    expect((await bench.call(chatPath, ask)).status).toBe(200);
    await bench.recorder.close();
    expect(bench.failures).toMatchObject([{ code: 'storage_full' }]);
  });

  it('leaves out records that it cannot read', async () => {
    const requests = new MemoryRequests();
    await requests.put([{ id: 'req_x', entry: { from: 'another version' }, record: 1 }]);
    expect((await page(await makeRecorderBench({ requests }))).total).toBe(0);
  });
});
