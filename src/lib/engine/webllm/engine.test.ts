import { version } from '@mlc-ai/web-llm/package.json';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from '#lib/core/clock.ts';
import type { LoadConfig, LoadedModel, LoadOptions } from '#lib/engine/port.ts';
import { parseChatRequest } from '#lib/openai/chat.ts';
import type { ChatEvent } from '#lib/openai/events.ts';
import { WebLlmEngine } from './engine.ts';
import { failing, FakeWorker, pending } from './testing/fake-worker.ts';
import { chatConfigJson, json, mlcFiles } from './testing/mlc-files.ts';

const id = `sha256:${'0'.repeat(64)}` as const;
const gpu = { name: 'Some GPU', f16: false, maxBufferBytes: 1e9 };
const request = parseChatRequest({ model: 'x', messages: [{ role: 'user', content: 'Hi' }] });
const never = new AbortController().signal;

let worker: FakeWorker;
let clock: ManualClock;
let workers: number;

beforeEach(() => {
  worker = new FakeWorker();
  clock = new ManualClock();
  workers = 0;
});

afterEach(() => worker.terminate());

function makeEngine(hardware: { gpu: typeof gpu | undefined } = { gpu }): WebLlmEngine {
  return new WebLlmEngine({
    createWorker: () => {
      workers++;
      return worker.asWorker();
    },
    locks: worker.locks,
    hardware: () => Promise.resolve({ isolated: true, cores: 2, ...hardware }),
    clock,
    stallMs: 1000,
  });
}

function load(
  options: LoadOptions = {},
  config: Partial<LoadConfig> = {},
  files = mlcFiles(),
): Promise<LoadedModel> {
  return makeEngine().load({ kind: 'mlc', id, files }, { contextSize: 512, ...config }, options);
}

describe('loading', () => {
  it('hands the checked files and the plan to a worker of its own', async () => {
    const model = await load({}, { prefillChunk: 64 });
    expect(worker.orders[0]).toMatchObject({ id, span: { kind: 'context', tokens: 512 }, prefillChunk: 64 });
    expect(model).toMatchObject({
      contextSize: 512,
      device: 'GPU, Some GPU',
      inForce: { cacheTypeK: 'f32' },
    });
    expect(workers).toBe(1);
  });

  it('starts no worker for what cannot run', async () => {
    const engine = makeEngine();
    const gguf = engine.load({ kind: 'gguf', id, weights: [] }, { contextSize: 1 });
    await expect(gguf).rejects.toMatchObject({ code: 'unsupported_model_format' });
    await expect(load({}, {}, new Map())).rejects.toMatchObject({ code: 'unsupported_model_format' });
    const half = mlcFiles({ 'mlc-chat-config.json': json({ ...chatConfigJson, quantization: 'q4f16_1' }) });
    await expect(load({}, {}, half)).rejects.toMatchObject({ code: 'engine_unavailable' });
    const noGpu = makeEngine({ gpu: undefined }).load(
      { kind: 'mlc', id, files: mlcFiles() },
      { contextSize: 1 },
    );
    await expect(noGpu).rejects.toMatchObject({ code: 'engine_unavailable' });
    expect(workers).toBe(0);
  });

  it('tells its progress', async () => {
    const seen: number[] = [];
    worker.onLoad = async () => {
      await worker.tell({ type: 'progress', fraction: 0.25 });
      await worker.tell({ type: 'progress', fraction: 1 });
    };
    await load({ onProgress: (fraction) => seen.push(fraction) });
    expect(seen).toEqual([0.25, 1]);
  });

  it('leaves no worker behind when aborted', async () => {
    worker.onLoad = pending;
    const abort = new AbortController();
    const loading = load({ signal: abort.signal });
    await expect.poll(() => worker.orders.length).toBe(1);
    abort.abort();
    await expect(loading).rejects.toMatchObject({ name: 'AbortError' });
    expect(worker.terminated).toBe(true);
  });

  it('is given up when there is no progress for long, and only then', async () => {
    let advanced = 0;
    worker.onLoad = pending;
    const loading = load({ onProgress: () => advanced++ });
    const ending = expect(loading).rejects.toMatchObject({ code: 'loading_timeout' });
    await expect.poll(() => worker.orders.length).toBe(1);
    await clock.advance(900);
    void worker.tell({ type: 'progress', fraction: 0.5 });
    await expect.poll(() => advanced).toBe(1);
    await clock.advance(900);
    expect(worker.terminated).toBe(false);
    await clock.advance(200);
    await ending;
    expect(worker.terminated).toBe(true);
  });

  it('keeps the code of what failed in the worker', async () => {
    worker.onLoad = failing('unsupported_model_format');
    await expect(load()).rejects.toMatchObject({ code: 'unsupported_model_format', message: 'No.' });
    expect(worker.terminated).toBe(true);
  });

  it.each([
    ['a worker that dies', () => worker.die()],
    ['a GPU device that is lost', () => worker.tell({ type: 'lost' })],
  ])('ends with insufficient_memory at %s', async (_, fault) => {
    worker.onLoad = pending;
    const loading = load();
    const ending = expect(loading).rejects.toMatchObject({ code: 'insufficient_memory' });
    await expect.poll(() => worker.orders.length).toBe(1);
    fault();
    await ending;
    expect(worker.terminated).toBe(true);
  });

  it('ends when the script of the worker does not start', async () => {
    worker.holdLock = pending;
    worker.onLoad = pending;
    const loading = load();
    const ending = expect(loading).rejects.toMatchObject({ code: 'internal' });
    await expect.poll(() => workers).toBe(1);
    worker.dispatchEvent(new Event('error'));
    await ending;
  });

  it('is described with the version that is pinned', async () => {
    expect(await makeEngine().describe()).toBe(`WebLLM ${version} (GPU, Some GPU)`);
    expect(await makeEngine({ gpu: undefined }).describe()).toContain('no WebGPU');
  });
});

describe('a loaded model', () => {
  const text = (content: string) => ({ type: 'chat', event: { type: 'text', text: content } }) as const;

  async function gather(events: AsyncIterable<ChatEvent>): Promise<ChatEvent[]> {
    const gathered: ChatEvent[] = [];
    for await (const event of events) gathered.push(event);
    return gathered;
  }

  it('passes events on in order, and ends', async () => {
    const model = await load();
    worker.onChat = async () => {
      void worker.tell(text('a'));
      await worker.tell(text('b'));
    };
    expect(await gather(model.chat(request, never))).toEqual([text('a').event, text('b').event]);
  });

  it('keeps codes of refused requests and lives on', async () => {
    const model = await load();
    worker.onChat = failing('context_length_exceeded');
    await expect(gather(model.chat(request, never))).rejects.toMatchObject({
      code: 'context_length_exceeded',
    });
    worker.onChat = () => Promise.resolve();
    expect(await gather(model.chat(request, never))).toEqual([]);
  });

  it('ends an aborted request at once and holds the next until the worker is done with it', async () => {
    const model = await load();
    let finish: () => void = () => undefined;
    worker.onChat = () => new Promise((resolve) => (finish = resolve));
    const abort = new AbortController();
    const first = gather(model.chat(request, abort.signal));
    await expect.poll(() => worker.requests.length).toBe(1);
    abort.abort();
    await expect(first).rejects.toMatchObject({ name: 'AbortError' });
    await expect.poll(() => worker.aborts).toBe(1);
    worker.onChat = async () => {
      await worker.tell(text('second'));
    };
    const second = gather(model.chat(request, never));
    const third = new AbortController();
    const waiting = gather(model.chat(request, third.signal));
    third.abort();
    await expect(waiting).rejects.toMatchObject({ name: 'AbortError' });
    await worker.tell(text('late'));
    expect(worker.requests).toHaveLength(1);
    finish();
    expect(await second).toEqual([text('second').event]);
    expect(worker.requests).toHaveLength(2);
  });

  it('never asks the worker for a request that was aborted before', async () => {
    const model = await load();
    await expect(gather(model.chat(request, AbortSignal.abort()))).rejects.toMatchObject({
      name: 'AbortError',
    });
    expect(worker.requests).toEqual([]);
  });

  it.each([
    ['its worker dies', () => worker.die()],
    ['its GPU device is lost', () => worker.tell({ type: 'lost' })],
    ['its worker fails by itself', () => worker.dispatchEvent(new Event('error'))],
  ])('is lost, with every request, when %s', async (_, fault) => {
    const model = await load();
    worker.onChat = pending;
    const running = expect(gather(model.chat(request, never))).rejects.toMatchObject({ code: 'device_lost' });
    const queued = expect(gather(model.chat(request, never))).rejects.toMatchObject({ code: 'device_lost' });
    await expect.poll(() => worker.requests.length).toBe(1);
    fault();
    expect(await model.lost).toMatchObject({ code: 'device_lost' });
    await Promise.all([running, queued]);
    await expect(gather(model.chat(request, never))).rejects.toMatchObject({ code: 'device_lost' });
    expect(worker.terminated).toBe(true);
  });

  it('is lost when a request fails in a way that leaves nothing', async () => {
    const model = await load();
    worker.onChat = failing('device_lost');
    await expect(gather(model.chat(request, never))).rejects.toMatchObject({ code: 'device_lost' });
    expect(await model.lost).toMatchObject({ code: 'device_lost' });
  });

  it('is gone after it was closed, and not lost', async () => {
    const model = await load();
    let lost = false;
    void model.lost.then(() => (lost = true));
    worker.onChat = pending;
    const running = expect(gather(model.chat(request, never))).rejects.toMatchObject({ code: 'aborted' });
    await expect.poll(() => worker.requests.length).toBe(1);
    await model.close();
    await model.close();
    await running;
    expect([worker.terminated, lost]).toEqual([true, false]);
  });

  it('runs with one conversation at a time, and says so', async () => {
    expect((await load({}, { parallel: 4 })).inForce).toMatchObject({ mode: 'completion', parallel: 1 });
  });

  it('continues raw prompts in turn with its chats', async () => {
    const model = await load();
    worker.onChat = async () => {
      await worker.tell(text('a'));
    };
    const events = gather(model.complete({ model: 'x', prompt: 'Once' }, never));
    expect(await events).toEqual([text('a').event]);
    expect(worker.prompts).toEqual(['Once']);
  });

  it('answers those of 50 requests that stay, one after the other, while the others leave', async () => {
    const model = await load();
    let running = 0;
    worker.onChat = async () => {
      expect(++running).toBe(1);
      await worker.tell(text('a'));
      running--;
    };
    const aborts = Array.from({ length: 50 }, () => new AbortController());
    const answers = aborts.map(({ signal }) =>
      gather(model.chat(request, signal)).catch((thrown: unknown) => thrown),
    );
    for (const [index, abort] of aborts.entries()) if (index % 2 === 1) abort.abort();
    for (const [index, answer] of (await Promise.all(answers)).entries()) {
      if (index % 2 === 0) expect(answer).toEqual([text('a').event]);
      else expect(answer).toMatchObject({ name: 'AbortError' });
    }
    expect(worker.requests).toHaveLength(25);
    expect(await gather(model.chat(request, never))).toEqual([text('a').event]);
  });

  it('never makes embeddings or a ranking', async () => {
    const model = await load();
    await expect(model.embed(['a'], never)).rejects.toMatchObject({ code: 'not_supported' });
    await expect(model.rerank({ query: 'a', documents: [] }, never)).rejects.toMatchObject({ status: 501 });
    for (const mode of ['embedding', 'reranking'] as const)
      await expect(load({}, { mode })).rejects.toMatchObject({ code: 'not_supported' });
  });

  it('says what would fit when it is lost', async () => {
    const model = await load({}, { contextSize: 2048 });
    worker.die();
    expect(await model.lost).toMatchObject({
      message: expect.stringContaining('1024 tokens instead of 2048'),
    });
  });
});

describe('an embedding model', () => {
  const bert = { 'mlc-chat-config.json': json({ ...chatConfigJson, model_type: 'bert' }) };

  it('makes one vector an input, and nothing else', async () => {
    const model = await load({}, {}, mlcFiles(bert));
    expect(model.inForce).toMatchObject({ mode: 'embedding', contextSize: 2048 });
    const { vectors, promptTokens } = await model.embed(['a', [1, 2]], never);
    expect([vectors.map((vector) => [...vector]), promptTokens]).toEqual([[[1], [1]], 2]);
    expect(worker.embedded).toEqual([['a', [1, 2]]]);
    expect(await model.embed([], never)).toEqual({ vectors: [], promptTokens: 0 });
    const chat = model.chat(request, never)[Symbol.asyncIterator]().next();
    await expect(chat).rejects.toMatchObject({ code: 'not_supported' });
  });

  it('ends a request that is aborted, and keeps the codes of its worker', async () => {
    const model = await load({}, {}, mlcFiles(bert));
    worker.onChat = failing('context_length_exceeded');
    await expect(model.embed(['a'], never)).rejects.toMatchObject({ code: 'context_length_exceeded' });
    worker.onChat = pending;
    const abort = new AbortController();
    const embedding = model.embed(['a'], abort.signal);
    await expect.poll(() => worker.embedded.length).toBe(2);
    abort.abort();
    await expect(embedding).rejects.toMatchObject({ name: 'AbortError' });
    await expect.poll(() => worker.aborts).toBe(1);
  });
});
