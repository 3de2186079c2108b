import { describe, expect, it } from 'vitest';
import type { LogLineJson, RequestPageJson, RequestJson } from '#lib/model/wire-requests.ts';
import { bytesOf, makeBench, type Bench } from '#tests/support/runner-bench.ts';

const chat = '/engines/v1/chat/completions';
const messages = [{ role: 'user', content: 'Say hello.' }];

async function makePulled(): Promise<Bench> {
  const bench = makeBench();
  await bench.runner.start();
  await bench.registry.publish('docker.io/ai/tiny:latest', [bytesOf('weights')]);
  const pulled = await bench.call('/models/create', { from: 'ai/tiny' });
  await pulled.text();
  return bench;
}

async function linesOf(bench: Bench): Promise<LogLineJson[]> {
  const response = await bench.call('/logs', undefined, { headers: { accept: 'application/x-ndjson' } });
  const text = await response.text();
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as LogLineJson);
}

async function pageOf(bench: Bench): Promise<RequestPageJson> {
  return (await bench.call('/_sampan/requests')).json() as Promise<RequestPageJson>;
}

describe('the recorder in the runner', () => {
  it('keeps a chat with its answer, its figures and what the model ran with', async () => {
    const bench = await makePulled();
    const answer = await bench.call(chat, { model: 'ai/tiny', messages, temperature: 0.5 });
    await answer.text();
    const { requests, total } = await pageOf(bench);
    expect(total).toBe(1);
    expect(answer.headers.get('x-request-id')).toBe(requests[0]?.id);
    const record = (await (
      await bench.call(`/_sampan/requests/${requests[0]?.id ?? ''}`)
    ).json()) as RequestJson;
    expect(record).toMatchObject({
      state: 'done',
      engine: 'llama.cpp',
      model: 'ai/tiny',
      answer: { text: 'Hello there.' },
      parameters: { temperature: 0.5 },
      usage: { completion_tokens: 2 },
    });
  });

  it('keeps a request for a model that is not there as a failed one', async () => {
    const bench = await makePulled();
    await bench.call(chat, { model: 'ai/other', messages });
    expect((await pageOf(bench)).requests).toMatchObject([
      { state: 'failed', error_code: 'model_not_found' },
    ]);
  });

  it('does not record who only loads a model', async () => {
    const bench = await makePulled();
    const headers = { 'x-preload-only': 'true' };
    const init = { method: 'POST', body: JSON.stringify({ model: 'ai/tiny' }), headers };
    expect((await bench.call(chat, undefined, init)).status).toBe(200);
    expect((await pageOf(bench)).total).toBe(0);
    expect(bench.engine.loads).toBe(1);
  });

  it('sends a record again as a request of its own', async () => {
    const bench = await makePulled();
    await (await bench.call(chat, { model: 'ai/tiny', messages })).text();
    const [first] = (await pageOf(bench)).requests;
    const path = `/_sampan/requests/${first?.id ?? ''}/replay`;
    await (await bench.call(path, undefined, { method: 'POST' })).text();
    expect((await pageOf(bench)).requests).toMatchObject([
      { state: 'done', source: { kind: 'replay' } },
      { state: 'done' },
    ]);
  });
});

describe('the log of the runner', () => {
  it('tells of a pull, of a load and of what was answered', async () => {
    const bench = await makePulled();
    await (await bench.call(chat, { model: 'ai/tiny', messages })).text();
    await bench.call('/engines/unload', { all: true });
    const said = (await linesOf(bench)).map(({ message, fields }) => [message, fields?.model]);
    expect(said).toEqual([
      ['the runner started', undefined],
      ['pull began', undefined],
      ['pull done', 'docker.io/ai/tiny:latest'],
      ['request began', undefined],
      ['model loads', 'ai/tiny'],
      ['model loaded', 'ai/tiny'],
      ['request answered', undefined],
      ['model unloaded', 'ai/tiny'],
    ]);
  });

  it('holds no prompt, no answer, no header and no secret, wherever they came in', async () => {
    const canary = 'canary-8f2b';
    const bench = makeBench({ reply: () => [canary] });
    await bench.runner.start();
    await bench.registry.publish('docker.io/ai/tiny:latest', [bytesOf('weights')]);
    await (await bench.call('/models/create', { from: 'ai/tiny', 'bearer-token': canary })).text();
    const headers = { authorization: `Bearer ${canary}`, 'user-agent': canary, 'x-sampan-source': canary };
    const said = [{ role: 'user', content: canary }];
    const bodies = [
      { model: 'ai/tiny', messages: said, stop: canary },
      { model: canary, messages: said },
      { model: 'ai/tiny', messages: canary, [canary]: canary },
      { model: 'ai/tiny', messages: said, stream: true, user: canary },
      canary,
    ];
    for (const body of bodies)
      await (
        await bench.call(chat, body, {
          headers,
          method: 'POST',
          body: typeof body === 'string' ? body : JSON.stringify(body),
        })
      ).text();
    for (const path of [
      `/models/${canary}`,
      `/${canary}`,
      `/_sampan/requests?q=${canary}`,
      `/engines/${canary}/v1/models`,
    ]) {
      await (await bench.call(path, undefined, { headers })).text();
    }
    await (await bench.call('/models/create', { from: `ai/${canary}` })).text();
    await (await bench.call('/models/tiny/push', { 'bearer-token': canary, password: canary })).text();
    await (await bench.call('/engines/_configure', { model: 'ai/tiny', 'runtime-flags': [canary] })).text();
    await bench.clock.advance(5000);
    await bench.runner.close();
    const sinks = [
      JSON.stringify(await bench.logLines.batches()),
      await (await bench.call('/metrics')).text(),
    ];
    expect(sinks[0]).toContain('request answered');
    for (const sink of sinks) expect(sink).not.toContain(canary);
  });
});
