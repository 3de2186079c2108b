import { expect, it } from 'vitest';
import { ModelDetail } from './model-detail.svelte.ts';
import { json, ScriptedClient } from './testing/scripted-client.ts';
import { detailSample } from './testing/wire-samples.ts';

const path = '/_sampan/models/docker.io/ai/smollm2:latest';

function setUp() {
  const client = new ScriptedClient().on(`GET ${path}`, json(detailSample()));
  return { client, detail: new ModelDetail({ client, reference: 'docker.io/ai/smollm2:latest' }) };
}

it('loads the details', async () => {
  const { detail } = setUp();
  expect(detail.detail.status).toBe('loading');
  await detail.load();
  expect(detail.detail).toMatchObject({ status: 'ready', value: { packaging: 'Docker v0.1' } });
});

it('says why there are none', async () => {
  const { client, detail } = setUp();
  const error = { message: 'Gone.', type: 'invalid_request_error', param: null, code: 'model_not_found' };
  client.on(`GET ${path}`, json({ error }, 404));
  await detail.load();
  expect(detail.detail).toMatchObject({ status: 'failed', error: { code: 'model_not_found' } });
});

it('leaves an answer aside that a later one has overtaken', async () => {
  const { client, detail } = setUp();
  let arrive: (response: Response) => void = () => undefined;
  client.on(`GET ${path}`, () => new Promise((resolve) => (arrive = resolve)));
  const first = detail.load();
  client.on(`GET ${path}`, json(detailSample({ packaging: 'new' })));
  await detail.load();
  arrive(json(detailSample({ packaging: 'old' })));
  await first;
  expect(detail.detail).toMatchObject({ value: { packaging: 'new' } });
});

it('keeps what is typed while it reads again, and takes over what was saved', async () => {
  const { client, detail } = setUp();
  await detail.load();
  detail.draft.values.threads = '4';
  await detail.load();
  expect(detail.draft.values.threads).toBe('4');

  client
    .on(`PUT ${path}/settings`, json({}))
    .on(`GET ${path}`, json(detailSample({ settings: { threads: 2 } })));
  expect(await detail.draft.save((settings) => detail.save(settings))).toBe(true);
  expect(client.sent.find(({ method }) => method === 'PUT')?.body).toEqual({ threads: 4 });
  expect(detail.draft.values.threads).toBe('2');
});

it('reads the metadata when asked', async () => {
  const { client, detail } = setUp();
  const entries = [{ key: 'general.name', type: 'string', value: 'SmolLM2' }];
  client.on(`GET ${path}/metadata`, json({ entries }));
  expect(detail.metadata.status).toBe('loading');
  await detail.loadMetadata();
  expect(detail.metadata).toEqual({ status: 'ready', value: { entries } });
});
