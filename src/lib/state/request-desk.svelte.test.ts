import { expect, it } from 'vitest';
import { ManualClock } from '#lib/core/clock.ts';
import { everyRequest } from './request-query.ts';
import { RequestDesk } from './request-desk.svelte.ts';
import { RequestList } from './request-list.svelte.ts';
import { json, ScriptedStream } from './testing/scripted-client.ts';
import { idOf, recordSample, ScriptedRecorder } from './testing/request-samples.ts';
import { Toasts } from './toasts.svelte.ts';

function setUp() {
  const client = new ScriptedRecorder();
  const clock = new ManualClock();
  const toasts = new Toasts({ clock });
  const copied: string[] = [];
  const clipboard = { writeText: async (text: string) => void copied.push(text) };
  const list = new RequestList({ client, clock, frames: { next: queueMicrotask } });
  const desk = new RequestDesk({ client, toasts, list, clipboard, origin: 'http://localhost' });
  return { client, copied, desk, said: () => toasts.list.map(({ text }) => text) };
}

it('copies a request as a call', async () => {
  const { client, copied, desk, said } = setUp();
  for (const format of ['curl', 'python', 'javascript'] as const) desk.copyCall(recordSample(1), format);
  await expect.poll(() => copied.length).toBe(3);
  expect(copied).toEqual([
    expect.stringContaining('curl'),
    expect.stringContaining('OpenAI('),
    expect.stringContaining('fetch("http://localhost/v1/chat/completions"'),
  ]);
  client.records.set(idOf(1), recordSample(1));
  await desk.copyCurlOf(idOf(1));
  expect(copied[3]).toBe(copied[0]);
  expect(said()).toEqual(['Copied.', 'Copied.', 'Copied.', 'Copied.']);
});

it('replays, tells the new id when the answer begins, and reads the answer to its end', async () => {
  const { client, desk } = setUp();
  const stream = new ScriptedStream();
  const response = new Response(stream.response.body, { headers: { 'x-request-id': 'req_new' } });
  client.instead = () => response;
  expect(await desk.replay('req_old', { model: 'a' })).toBe('req_new');
  expect(client.sent).toMatchObject([{ method: 'POST', body: { model: 'a' } }]);
  expect(client.paths('POST')).toEqual(['/_sampan/requests/req_old/replay']);
  for (let n = 0; n < 100; n++) stream.data({ n });
  stream.done();
  await expect.poll(() => response.bodyUsed).toBe(true);
});

it('shows the record of a replay that failed, and says why when there is none', async () => {
  const { client, desk } = setUp();
  const error = {
    message: 'Not whole.',
    type: 'invalid_request_error',
    param: null,
    code: 'invalid_request',
  };
  client.instead = () => new Response('{}', { status: 404, headers: { 'x-request-id': 'req_failed' } });
  expect(await desk.replay('req_old')).toBe('req_failed');
  client.instead = () => json({ error }, 400);
  await expect(desk.replay('req_old')).rejects.toMatchObject({
    code: 'invalid_request',
    message: 'Not whole.',
  });
});

it('clears what matches and says how many went', async () => {
  const { client, desk, said } = setUp();
  client.instead = () => json({ removed: 1234 });
  await desk.clear({ ...everyRequest, model: 'ai/a' });
  expect(client.paths('DELETE')).toEqual(['/_sampan/requests?model=ai%2Fa']);
  expect(said()).toEqual(['1,234 requests are cleared.']);
});

it('imports a file and says what became of its lines', async () => {
  const { client, desk, said } = setUp();
  client.instead = () => json({ imported: 2, known: 1, refused: 1 });
  const file = new Blob(['{}']);
  desk.import(file);
  await expect.poll(said).toEqual(['2 requests imported, 1 was here already, 1 line could not be read.']);
  expect(client.sent[0]?.body).toBe(file);
});

it('reads and changes the settings', async () => {
  const { client, desk } = setUp();
  await desk.loadSettings();
  expect(desk.settings).toMatchObject({ status: 'ready', value: { recording: true } });
  await desk.saveSettings({ recording: false });
  expect(client.sent.at(-1)).toMatchObject({ method: 'PUT', body: { recording: false } });
  expect(desk.settings).toMatchObject({ status: 'ready', value: { recording: false } });
});

it('links to exports of what is shown', () => {
  const { desk } = setUp();
  expect(desk.exportHref({ ...everyRequest, text: 'x' }, 'har')).toBe(
    '/_sampan/requests/export?q=x&format=har',
  );
});
