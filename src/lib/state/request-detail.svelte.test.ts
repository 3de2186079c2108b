import { expect, it } from 'vitest';
import { RequestDetail } from './request-detail.svelte.ts';
import { json } from './testing/scripted-client.ts';
import { idOf, recordSample, ScriptedRecorder } from './testing/request-samples.ts';

function setUp() {
  const client = new ScriptedRecorder();
  client.records.set(idOf(1), recordSample(1));
  return { client, detail: new RequestDetail({ client, id: idOf(1) }) };
}

const noHost = () =>
  json({ error: { message: 'No tab.', type: 'server_error', param: null, code: 'no_host' } }, 503);

it('reads the record, and again when there is a newer one', async () => {
  const { client, detail } = setUp();
  expect(detail.state.status).toBe('loading');
  await detail.refresh(1);
  expect(detail.state).toMatchObject({ status: 'ready', value: { version: 1 } });
  client.records.set(idOf(1), recordSample(1, { version: 4 }));
  await detail.refresh(4);
  expect(detail.state).toMatchObject({ value: { version: 4 } });
  expect(client.sent).toHaveLength(2);
});

it('makes one more reading of many that are wanted meanwhile', async () => {
  const { client, detail } = setUp();
  const reading = detail.refresh(1);
  client.records.set(idOf(1), recordSample(1, { version: 9 }));
  await Promise.all([reading, ...[2, 3, 9].map((version) => detail.refresh(version))]);
  await expect.poll(() => detail.state).toMatchObject({ value: { version: 9 } });
  expect(client.sent.length).toBeLessThanOrEqual(2);
});

it('does not ask forever for what the row told and the record does not have', async () => {
  const { client, detail } = setUp();
  await detail.refresh(50);
  expect(detail.state).toMatchObject({ status: 'ready', value: { version: 1 } });
  expect(client.sent).toHaveLength(1);
});

it('keeps what it read while the host is away, and says when the record is no more', async () => {
  const { client, detail } = setUp();
  await detail.refresh(1);
  client.instead = noHost;
  await detail.refresh(2);
  expect(detail.state.status).toBe('ready');
  client.instead = () => undefined;
  client.records.clear();
  await detail.refresh(3);
  expect(detail.state).toMatchObject({ status: 'failed', error: { code: 'route_not_found' } });
});

it('says why it could not be read', async () => {
  const { client, detail } = setUp();
  client.instead = noHost;
  await detail.refresh(0);
  expect(detail.state).toMatchObject({ status: 'failed', error: { code: 'no_host' } });
});
