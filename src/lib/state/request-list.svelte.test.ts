import { expect, it } from 'vitest';
import { ManualClock } from '#lib/core/clock.ts';
import { everyRequest } from './request-query.ts';
import { RequestList } from './request-list.svelte.ts';
import { json } from './testing/scripted-client.ts';
import { idOf, rowSample, ScriptedRecorder } from './testing/request-samples.ts';

const noHost = () =>
  json({ error: { message: 'No tab.', type: 'server_error', param: null, code: 'no_host' } }, 503);

function setUp(count = 0) {
  const client = new ScriptedRecorder();
  client.rows = Array.from({ length: count }, (_, index) => rowSample(count - index));
  const clock = new ManualClock(1_000_000);
  const frames = { next: (callback: () => void) => queueMicrotask(callback) };
  const list = new RequestList({ client, clock, frames });
  const prompts = () => list.rows.map(({ prompt }) => prompt);
  return { client, clock, list, prompts };
}

async function live(list: RequestList): Promise<void> {
  list.show(everyRequest);
  await expect.poll(() => list.state.kind).toBe('live');
}

it('follows first and lists then', async () => {
  const { client, list, prompts } = setUp(2);
  expect(list.state.kind).toBe('loading');
  await live(list);
  expect(client.paths('GET')).toEqual(['/_sampan/requests/events', '/_sampan/requests?limit=300']);
  expect(prompts()).toEqual(['Question 2', 'Question 1']);
  expect([list.total, list.kept?.count, list.hasMore]).toEqual([2, 2, false]);
  list.stop();
});

it('shows requests as they begin, change and go', async () => {
  const { client, list, prompts } = setUp(1);
  await live(list);
  client.stream?.event('request', rowSample(2, { state: 'decode', prompt: 'new' }));
  await expect.poll(prompts).toEqual(['new', 'Question 1']);
  expect(list.total).toBe(2);
  client.stream?.event('request', rowSample(2, { version: 2, prompt: 'newer' }));
  client.stream?.event('request', rowSample(2, { version: 1, prompt: 'late' }));
  client.stream?.event('kept', { count: 7, bytes: 9 });
  await expect.poll(() => list.kept).toEqual({ count: 7, bytes: 9 });
  await expect.poll(prompts).toEqual(['newer', 'Question 1']);
  client.stream?.event('gone', { ids: [idOf(1), idOf(99)] });
  await expect.poll(prompts).toEqual(['newer']);
  expect(list.total).toBe(1);
  list.stop();
});

it('loses nothing that happens while the list is on its way', async () => {
  const { client, list, prompts } = setUp();
  let answer: (response: Response) => void = () => undefined;
  const listed = new Promise<Response>((resolve) => (answer = resolve));
  client.instead = (_method, url) => (url.pathname === '/_sampan/requests' ? listed : undefined);
  list.show(everyRequest);
  await expect.poll(() => client.streams.length).toBe(1);
  client.stream?.event('request', rowSample(2, { version: 5, prompt: 'changed meanwhile' }));
  client.stream?.event('request', rowSample(3, { prompt: 'began meanwhile' }));
  client.stream?.event('gone', { ids: [idOf(1)] });
  client.stream?.event('kept', { count: 3, bytes: 0 });
  await expect.poll(() => list.kept?.count).toBe(3);
  expect(prompts()).toEqual([]);
  answer(json({ requests: [rowSample(2), rowSample(1)], total: 2, kept: { count: 2, bytes: 0 } }));
  await expect.poll(prompts).toEqual(['began meanwhile', 'changed meanwhile']);
  list.stop();
});

it('reads the following pages once each', async () => {
  const { client, list } = setUp(700);
  await live(list);
  expect([list.rows.length, list.total, list.hasMore]).toEqual([300, 700, true]);
  await Promise.all([list.loadMore(), list.loadMore()]);
  await expect.poll(() => list.rows.length).toBe(600);
  await list.loadMore();
  await expect.poll(() => list.rows.length).toBe(700);
  expect(list.hasMore).toBe(false);
  await list.loadMore();
  expect(client.paths('GET').filter((path) => path.includes('before='))).toHaveLength(2);
  list.stop();
});

it('asks for what matches, and shows the old rows until the new are there', async () => {
  const { client, list, prompts } = setUp(1);
  await live(list);
  client.rows = [rowSample(8, { prompt: 'failed one' })];
  list.show({ ...everyRequest, states: ['failed'], span: { kind: 'within', ms: 1000 } });
  expect(prompts()).toEqual(['Question 1']);
  await expect.poll(prompts).toEqual(['failed one']);
  expect(client.paths('GET').at(-1)).toBe('/_sampan/requests?state=failed&from_ms=999000&limit=300');
  list.stop();
});

it('keeps the rows while the host is away, then reads them anew', async () => {
  const { client, clock, list, prompts } = setUp(2);
  await live(list);
  client.rows = [rowSample(3), rowSample(2)];
  client.stream?.end();
  await expect.poll(() => list.state.kind).toBe('lost');
  expect(prompts()).toEqual(['Question 2', 'Question 1']);
  await clock.advance(250);
  await expect.poll(prompts).toEqual(['Question 3', 'Question 2']);
  expect(list.state.kind).toBe('live');
  list.stop();
});

it('tells why there is no list, and a retry does not wait', async () => {
  const { client, list } = setUp(1);
  client.instead = noHost;
  list.show(everyRequest);
  await expect.poll(() => list.state).toMatchObject({ kind: 'lost', error: { code: 'no_host' } });
  client.instead = () => undefined;
  list.retry();
  await expect.poll(() => list.state.kind).toBe('live');
  list.stop();
});

it('tells when the events come and the list does not', async () => {
  const { client, list } = setUp();
  client.instead = (_method, url) => (url.pathname === '/_sampan/requests' ? noHost() : undefined);
  list.show(everyRequest);
  await expect.poll(() => list.state).toMatchObject({ kind: 'lost', error: { code: 'no_host' } });
  list.stop();
});

it('stands still while it is paused', async () => {
  const { client, list, prompts } = setUp(1);
  await live(list);
  list.pause();
  client.rows = [rowSample(2), rowSample(1)];
  expect(list.state.kind).toBe('paused');
  expect(prompts()).toEqual(['Question 1']);
  list.resume();
  await expect.poll(prompts).toEqual(['Question 2', 'Question 1']);
  list.stop();
});
