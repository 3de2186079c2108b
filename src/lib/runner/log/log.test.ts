import { describe, expect, it } from 'vitest';
import { ManualClock } from '#lib/core/clock.ts';
import type { LogLineJson } from '#lib/model/wire-requests.ts';
import { chatPath, makeRecorderBench } from '#lib/runner/recorder/testing/recorder-bench.ts';
import { MemoryLogLines } from '#lib/store/memory/log-lines.ts';
import { Log, maxLines } from './log.ts';

async function makeLog(store = new MemoryLogLines(), clock = new ManualClock(Date.UTC(2026, 0, 1))) {
  const log = new Log({ clock, store });
  await log.start();
  return { log, store, clock };
}

describe('the log', () => {
  it('numbers its lines, with time, level, part and fields', async () => {
    const { log } = await makeLog();
    log.write('info', 'runner', 'the runner started', { version: '1.2', code: undefined });
    log.engine('llama.cpp', { level: 'debug', text: '\u001b[31mload_tensors:\u001b[0m done\r\n' });
    expect(log.lines()).toEqual([
      {
        number: 1,
        time_ms: Date.UTC(2026, 0, 1),
        level: 'info',
        source: 'service',
        component: 'runner',
        message: 'the runner started',
        fields: { version: '1.2' },
      },
      {
        number: 2,
        time_ms: Date.UTC(2026, 0, 1),
        level: 'debug',
        source: 'engine',
        component: 'llama.cpp',
        message: 'load_tensors: done',
      },
    ]);
  });

  it('is written soon after, and goes on where the last session ended', async () => {
    const { log, store, clock } = await makeLog();
    log.write('info', 'runner', 'the runner started');
    expect(await store.batches()).toEqual([]);
    await clock.advance(1000);
    log.write('info', 'runner', 'the runner stops');
    await log.close();
    const next = await makeLog(store);
    next.log.write('info', 'runner', 'the runner started');
    expect(next.log.lines().map(({ number, message }) => [number, message])).toEqual([
      [1, 'the runner started'],
      [2, 'the runner stops'],
      [3, 'the runner started'],
    ]);
  });

  it('keeps what is written before the disk was read', async () => {
    const store = new MemoryLogLines();
    const earlier = await makeLog(store);
    earlier.log.write('info', 'runner', 'the runner started');
    await earlier.log.close();
    const log = new Log({ clock: new ManualClock(), store });
    log.write('warn', 'runner', 'engine lost');
    await log.start();
    await log.close();
    const read = (await makeLog(store)).log.lines();
    expect(read.map(({ number, message }) => [number, message])).toEqual([
      [1, 'the runner started'],
      [2, 'engine lost'],
    ]);
  });

  it('keeps its newest lines only, in memory and on the disk', async () => {
    const { log, store } = await makeLog();
    for (let batch = 0; batch < 6; batch++) {
      for (let line = 0; line < 4000; line++) log.write('debug', 'store', 'model stored', { count: line });
      await log.close();
    }
    expect(log.lines()).toHaveLength(maxLines);
    expect(log.lines().at(-1)?.number).toBe(24_000);
    const kept = await store.batches();
    expect(kept.map(([first]) => first)).toEqual([12_001, 16_001, 20_001]);
    expect((await makeLog(store)).log.lines()).toHaveLength(maxLines);
  });

  it('starts from a disk that it cannot read, and goes on when it cannot write', async () => {
    const store = new MemoryLogLines();
    store.batches = () => Promise.reject(new Error('damaged'));
    store.put = () => Promise.reject(new Error('full'));
    const { log } = await makeLog(store);
    log.write('info', 'runner', 'the runner started');
    await log.close();
    expect(log.lines()).toHaveLength(1);
  });

  it('leaves out lines of another version', async () => {
    const store = new MemoryLogLines();
    await store.put(1, [{ text: 'old' }]);
    await store.put(2, 'nothing');
    expect((await makeLog(store)).log.lines()).toEqual([]);
  });

  it('names an unforeseen failure and its place, not its message', async () => {
    const { log } = await makeLog();
    log.failure('runner', new TypeError('secret words'));
    log.failure('runner', 'secret words');
    expect(log.lines()).toMatchObject([
      {
        message: 'unexpected failure',
        fields: { error: 'TypeError', at: expect.stringContaining('log.test.ts') as string },
      },
      { fields: { error: 'string' } },
    ]);
    expect(JSON.stringify(log.lines())).not.toContain('secret');
  });

  it('cuts and cleans what an engine says', async () => {
    const { log } = await makeLog();
    log.engine('webllm', { level: 'info', text: `a\u0000\u202eb\nc ${'x'.repeat(9000)}` });
    const [line] = log.lines();
    expect(line?.message.startsWith('a b c xxx')).toBe(true);
    expect(line?.message).toHaveLength(2000);
  });
});

describe('GET /logs', () => {
  async function withLines() {
    const bench = await makeRecorderBench();
    bench.log.write('info', 'runner', 'the runner started', { version: '1', model: 'a b' });
    bench.log.engine('llama.cpp', { level: 'info', text: 'loaded 3 tensors' });
    return bench;
  }

  const service =
    '[2026-01-01T00:00:00.000Z] time=2026-01-01T00:00:00.000Z level=INFO msg="the runner started" component=runner version=1 model="a b"\n';
  const engine = '[2026-01-01T00:00:00.000Z] loaded 3 tensors\n';

  it('answers in Docker Model Runner’s text form, without engines on demand', async () => {
    const bench = await withLines();
    const response = await bench.call('/logs');
    expect(response.headers.get('content-type')).toContain('text/plain');
    expect(await response.text()).toBe(service + engine);
    expect(await (await bench.call('/logs?no-engines=true')).text()).toBe(service);
    expect(await (await bench.call('/logs?no-engines')).text()).toBe(service);
    expect(await (await bench.call('/logs?no-engines=0&follow=F')).text()).toBe(service + engine);
  });

  it('answers in JSON lines to who accepts them, after a number', async () => {
    const bench = await withLines();
    const headers = { accept: 'application/x-ndjson' };
    const lines = (await (await bench.call('/logs?after=1', undefined, { headers })).text())
      .trim()
      .split('\n');
    expect(lines.map((line) => (JSON.parse(line) as LogLineJson).message)).toEqual(['loaded 3 tensors']);
  });

  it('follows until the reader leaves', async () => {
    const bench = await withLines();
    const response = await bench.call('/logs?follow=true&no-engines=true');
    const reader = (
      response.body ?? new ReadableStream()
    ).getReader() as ReadableStreamDefaultReader<Uint8Array>;
    const next = async () => new TextDecoder().decode((await reader.read()).value);
    expect(await next()).toBe(service);
    bench.log.engine('llama.cpp', { level: 'info', text: 'not this' });
    bench.log.write('info', 'runner', 'the runner stops');
    expect(await next()).toContain('msg="the runner stops"');
    await reader.cancel();
  });

  it.each(['follow', 'no-engines'])('refuses %s=maybe', async (name) => {
    const response = await (await makeRecorderBench()).call(`/logs?${name}=maybe`);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { param: name } });
  });
});

describe('no secret and no prompt', () => {
  const canary = 'canary-7f3a9b';
  const ask = { model: 'ai/tiny', messages: [{ role: 'user', content: canary }] };

  it('enters a line, whatever is asked and whatever fails', async () => {
    const lines = new MemoryLogLines();
    const bench = await makeRecorderBench({
      lines,
      reply: (prompt) => [prompt, ' again'],
      beforeWord: (index) => {
        bench.log.engine('llama.cpp', { level: 'info', text: `prompt: ${canary}` });
        bench.log.engine('llama.cpp', { level: 'error', text: `cannot parse ${canary}` });
        return index === 1 && failing ? Promise.reject(new Error(canary)) : Promise.resolve();
      },
    });
    let failing = false;
    const headers = {
      authorization: `Bearer ${canary}`,
      cookie: canary,
      'user-agent': canary,
      origin: `https://${canary}.example`,
      'x-sampan-source': canary,
    };
    const bodies = [
      ask,
      { ...ask, stream: true },
      { ...ask, model: canary },
      { ...ask, model: canary, password: canary },
      { ...ask, temperature: canary },
      `{"${canary}`,
      canary,
    ];
    for (const body of bodies) await (await bench.call(chatPath, body, { headers })).text();
    failing = true;
    for (const body of [ask, { ...ask, stream: true }]) {
      await (await bench.call(chatPath, body, { headers })).text();
    }
    await (await bench.call(chatPath, { ...ask, stream: true }, { headers })).body?.cancel();
    for (const path of ['', `/${canary}`, `/${canary}/replay`, `?q=${canary}`, `/import`, '/settings']) {
      for (const method of ['GET', 'PUT', 'POST', 'DELETE']) {
        const body = method === 'GET' ? {} : { body: JSON.stringify({ password: canary }) };
        await bench.call(`/_sampan/requests${path}`, undefined, { method, headers, ...body });
      }
    }
    await bench.call(`/logs?follow=${canary}`, undefined, { headers });
    await bench.call(`/engines/requests?model=${canary}`, undefined, { headers });
    await bench.log.close();
    const written = JSON.stringify(bench.log.lines());
    expect(written).toContain('request failed');
    expect(written).toContain('which is left out');
    for (const sink of [
      written,
      JSON.stringify(await lines.batches()),
      await (await bench.call('/logs')).text(),
      await (await bench.call('/metrics')).text(),
    ]) {
      expect(sink).not.toContain(canary);
    }
  });
});
