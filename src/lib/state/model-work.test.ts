import { expect, it } from 'vitest';
import { loadWork, packageWork, pushWork, repairWork } from './model-work.ts';
import type { TaskStep, Work } from './tasks.svelte.ts';
import { json, ScriptedClient } from './testing/scripted-client.ts';
import { digestOf } from './testing/wire-samples.ts';

const push = 'POST /models/ai/smollm2/push';
const repair = `POST /_sampan/models/${digestOf(1)}/repair`;

function lines(...values: readonly unknown[]): Response {
  return new Response(values.map((value) => `${JSON.stringify(value)}\n`).join(''));
}

function pushed(id: string, current: number) {
  return { type: 'progress', message: '', total: 300, layer: { id, size: 200, current }, mode: 'push' };
}

/** Every step, and the closing sentence. */
async function run(work: Work, credentials?: Parameters<Work>[0]['credentials']) {
  const steps: TaskStep[] = [];
  const generator = work({ signal: new AbortController().signal, credentials });
  for (;;) {
    const { done, value } = await generator.next();
    if (done) return { steps, end: value };
    steps.push(value);
  }
}

it('adds up what each layer of a push has sent', async () => {
  const success = { type: 'success', message: '', total: 300, layer: { size: 0, current: 0 }, mode: 'push' };
  const client = new ScriptedClient().on(
    push,
    lines(pushed('a', 100), pushed('b', 50), pushed('a', 200), success),
  );
  const { steps, end } = await run(pushWork(client, 'ai/smollm2'));
  expect(steps.map(({ doneBytes }) => doneBytes)).toEqual([0, 100, 150, 250]);
  expect(steps.at(-1)?.totalBytes).toBe(300);
  expect(end).toBe('ai/smollm2 is pushed.');
});

it('sends credentials when there are some, and else an empty body', async () => {
  const client = new ScriptedClient().on(push, () => lines({ type: 'success' }));
  await run(pushWork(client, 'ai/smollm2'));
  await run(pushWork(client, 'ai/smollm2'), { token: 'secret' });
  await run(pushWork(client, 'ai/smollm2'), { username: 'ada', password: 'secret' });
  expect(client.sent.map(({ body }) => body)).toEqual([
    {},
    { 'bearer-token': 'secret' },
    { username: 'ada', password: 'secret' },
  ]);
});

it('fails with what the runner says when a push breaks on its way', async () => {
  const error = { type: 'error', message: 'The registry closed the connection.' };
  const client = new ScriptedClient().on(push, lines(pushed('a', 1), error));
  await expect(run(pushWork(client, 'ai/smollm2'))).rejects.toThrow('The registry closed the connection.');
});

it('takes a push that just stops for a failure', async () => {
  const client = new ScriptedClient().on(push, lines(pushed('a', 1)));
  await expect(run(pushWork(client, 'ai/smollm2'))).rejects.toMatchObject({ code: 'host_lost' });
});

it.each([
  [[], undefined, 'Every file is as it should be.'],
  [['a.gguf'], 'docker.io/ai/a:latest', 'a.gguf was damaged and is fetched again.'],
  [['a.gguf', 'b.gguf'], 'docker.io/ai/a:latest', '2 files were damaged and are fetched again.'],
  [['a.gguf'], undefined, 'a.gguf was damaged. Pull or load the model again.'],
])('closes a check with %j damaged in words', async (paths, pull, words) => {
  const damaged = paths.map((path) => ({ type: 'damaged', digest: digestOf(2), path, missing: false }));
  const progress = { type: 'progress', checked_bytes: 5, total_bytes: 10 };
  const done = { type: 'done', damaged: paths.length, ...(pull && { pull }) };
  const client = new ScriptedClient().on(repair, lines(progress, ...damaged, done));
  const { steps, end } = await run(repairWork(client, digestOf(1)));
  expect(steps).toEqual([{ doneBytes: 5, totalBytes: 10, text: 'Checking SHA-256' }]);
  expect(end).toBe(words);
});

it('fails a check with the code that the runner gives', async () => {
  const error = { message: 'No space.', type: 'server_error', param: null, code: 'storage_full' };
  const client = new ScriptedClient().on(repair, lines({ type: 'error', error }));
  await expect(run(repairWork(client, digestOf(1)))).rejects.toMatchObject({ code: 'storage_full' });
});

it('hands a tar over as the file it is', async () => {
  const file = new File(['tar'], 'model.tar');
  const client = new ScriptedClient().on(
    'POST /models/load',
    lines(
      { type: 'progress', message: '', total: 0, layer: { id: 'a', size: 3, current: 3 }, mode: 'pull' },
      { type: 'success', message: 'Model loaded successfully', total: 0, layer: { size: 0, current: 0 } },
    ),
  );
  const { steps, end } = await run(loadWork(client, file));
  expect(end).toBe('model.tar is loaded.');
  expect(steps.at(-1)).toMatchObject({ doneBytes: 3, totalBytes: file.size });
  expect(client.sent[0]?.body).toBe(file);
});

it('says what is wrong with a tar that holds no model', async () => {
  const error = {
    code: 'unsupported_model_format',
    message: 'This archive holds no whole model.',
    param: null,
  };
  const client = new ScriptedClient().on(
    'POST /models/load',
    lines({ type: 'error', message: '', total: 0, layer: { size: 0, current: 0 }, mode: 'pull', error }),
  );
  await expect(run(loadWork(client, new File(['x'], 'x.tar')))).rejects.toMatchObject({ code: error.code });
});

const weights = new File(['weights'], 'model.gguf', { lastModified: 1_790_000_000_000 });
const template = new File(['{{ messages }}'], 'chat.jinja');

function blobs(client: ScriptedClient): ScriptedClient {
  let last = 0;
  return client.on('POST /_sampan/blobs', ({ body }) =>
    lines(
      { type: 'progress', done_bytes: 3, total_bytes: (body as File).size },
      { type: 'stored', digest: digestOf(++last), size_bytes: (body as File).size },
    ),
  );
}

it('copies the files one by one and packages their digests', async () => {
  const client = blobs(new ScriptedClient()).on('POST /_sampan/package', json({}));
  const plan = {
    target: 'docker.io/local/mine:latest',
    format: 'docker',
    weights: [weights],
    chatTemplate: template,
    contextSize: 4096,
  } as const;
  const { steps, end } = await run(packageWork(client, plan));
  expect(steps.map(({ doneBytes, text }) => [doneBytes, text])).toEqual([
    [0, 'Copying model.gguf'],
    [3, 'Copying model.gguf'],
    [7, 'Copying chat.jinja'],
    [10, 'Copying chat.jinja'],
    [21, 'Writing the model'],
  ]);
  expect(client.sent.at(-1)?.body).toEqual({
    target: 'docker.io/local/mine:latest',
    format: 'docker',
    weights: [{ digest: digestOf(1), name: 'model.gguf' }],
    chat_template: { digest: digestOf(2), name: 'chat.jinja' },
    context_size: 4096,
    created_ms: 1_790_000_000_000,
  });
  expect(end).toBe('local/mine is packaged.');
});

it('copies the files of a folder and packages them by their paths in it', async () => {
  const client = blobs(new ScriptedClient()).on('POST /_sampan/package', json({}));
  const plan = {
    target: 'docker.io/local/mlc:latest',
    format: 'docker',
    files: [{ path: 'weights/model.gguf', file: weights }],
    libraryFrom: 'hf.co/mlc-ai/Tiny-q0f32-MLC',
  } as const;
  await run(packageWork(client, plan));
  expect(client.sent.at(-1)?.body).toEqual({
    target: 'docker.io/local/mlc:latest',
    format: 'docker',
    files: [{ path: 'weights/model.gguf', digest: digestOf(1) }],
    library_from: 'hf.co/mlc-ai/Tiny-q0f32-MLC',
    created_ms: 1_790_000_000_000,
  });
});

it('takes a part of a stored model away with null', async () => {
  const client = new ScriptedClient().on('POST /_sampan/package', json({}));
  const plan = { target: 'local/mine', format: 'cncf', from: 'ai/smollm2', projector: null } as const;
  await run(packageWork(client, plan));
  expect(client.sent.map(({ body }) => body)).toEqual([
    { target: 'local/mine', format: 'cncf', from: 'ai/smollm2', projector: null },
  ]);
});

it('does not copy a file again at a second attempt', async () => {
  const error = { message: 'Taken.', type: 'invalid_request_error', param: 'target', code: 'conflict' };
  const client = blobs(new ScriptedClient()).on('POST /_sampan/package', json({ error }, 409));
  const work = packageWork(client, { target: 'local/mine', format: 'docker', weights: [weights] });
  await expect(run(work)).rejects.toMatchObject({ code: 'conflict' });
  client.on('POST /_sampan/package', json({}));
  await run(work);
  expect(client.sent.filter(({ path }) => path === '/_sampan/blobs')).toHaveLength(1);
});

it.each([
  [
    'says',
    { type: 'error', error: { message: 'No space.', param: null, code: 'storage_full' } },
    'storage_full',
  ],
  ['stops', { type: 'progress', done_bytes: 3, total_bytes: 7 }, 'host_lost'],
])('fails when the copying %s before its end', async (_name, line, code) => {
  const client = new ScriptedClient().on('POST /_sampan/blobs', lines(line));
  const work = packageWork(client, { target: 'local/mine', format: 'docker', weights: [weights] });
  await expect(run(work)).rejects.toMatchObject({ code });
});
