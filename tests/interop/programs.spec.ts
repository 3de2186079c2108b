/** Programs outside the browser use the tab as they would use Docker Model Runner: through the companion's port. */
import { readFile } from 'node:fs/promises';
import OpenAI from 'openai';
import type { ChatCompletionCreateParamsNonStreaming } from 'openai/resources/chat/completions';
import { ready, serveApp, textOf } from '#tests/support/app.ts';
import { allowedOrigin, ask, expect, isBusy, test, type HostTab } from '#tests/support/host-tab.ts';

const user = (content: string) => [{ role: 'user' as const, content }];
const city = {
  type: 'object',
  properties: { city: { type: 'string', enum: ['Paris'] } },
  required: ['city'],
  additionalProperties: false,
};
/** More tokens than any test waits for. */
const endless = { messages: user('Tell me a story.'), ignore_eos: true, max_tokens: 100_000 };

function connect({ url }: Pick<HostTab, 'url'>, maxRetries = 0): OpenAI {
  return new OpenAI({ baseURL: `${url}/engines/v1`, apiKey: 'none', maxRetries });
}

test.describe('the OpenAI client', () => {
  test('lists and retrieves models', async ({ host }) => {
    const client = connect(host);
    const models = await gathered(client.models.list());
    expect(models).toMatchObject([{ id: `${host.model}:latest`, object: 'model', owned_by: 'docker' }]);
    expect(await client.models.retrieve(host.model)).toMatchObject({ id: `${host.model}:latest` });
  });

  test('chats, at once and streamed with usage', async ({ host }) => {
    const client = connect(host);
    const asked = { model: host.model, messages: user('Count to 5.'), temperature: 0 };
    const { choices, usage, model } = await client.chat.completions.create(asked);
    expect(choices).toMatchObject([{ message: { content: '1, 2, 3, 4, 5' }, finish_reason: 'stop' }]);
    expect(model).toBe(host.model);
    const options = { stream: true, stream_options: { include_usage: true } } as const;
    const stream = await client.chat.completions.create({ ...asked, ...options });
    const chunks = await gathered(stream);
    expect(chunks.map((chunk) => chunk.choices[0]?.delta.content ?? '').join('')).toBe('1, 2, 3, 4, 5');
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { total_tokens: usage?.total_tokens } });
  });

  test('leaves in mid-stream, and the tab’s engine stops', async ({ host }) => {
    const stream = await connect(host).chat.completions.create({
      ...endless,
      model: host.model,
      stream: true,
    });
    for await (const _ of stream) break;
    await expect.poll(() => isBusy(host), { timeout: 2000, intervals: [50] }).toBe(false);
  });

  test('leaves while it waits for a whole answer, and the tab’s engine stops', async ({ host }) => {
    const leaving = new AbortController();
    const answer = connect(host).chat.completions.create(
      { ...endless, model: host.model },
      { signal: leaving.signal },
    );
    const failure = answer.catch((thrown: unknown) => thrown);
    await expect.poll(() => isBusy(host), { intervals: [50] }).toBe(true);
    leaving.abort();
    expect(await failure).toBeInstanceOf(OpenAI.APIUserAbortError);
    await expect.poll(() => isBusy(host), { timeout: 2000, intervals: [50] }).toBe(false);
  });

  test('forces a call of a tool', async ({ host }) => {
    const { choices } = await connect(host).chat.completions.create({
      model: host.model,
      messages: user('What is the weather in Paris?'),
      temperature: 0,
      tools: [{ type: 'function', function: { name: 'get_weather', parameters: city } }],
      tool_choice: 'required',
    });
    const called = { name: 'get_weather', arguments: expect.stringContaining('Paris') };
    expect(choices).toMatchObject([
      { finish_reason: 'tool_calls', message: { tool_calls: [{ type: 'function', function: called }] } },
    ]);
  });

  test('gets JSON of its schema', async ({ host }) => {
    const { choices } = await connect(host).chat.completions.parse({
      model: host.model,
      messages: user('Hello!'),
      temperature: 0,
      response_format: { type: 'json_schema', json_schema: { name: 'city', strict: true, schema: city } },
    });
    expect(choices[0]?.message.parsed).toEqual({ city: 'Paris' });
  });

  test('gets the same vectors packed and plain', async ({ host }) => {
    const { embeddings } = connect(host);
    const asked = { model: host.model, input: ['a boat', 'a river'] };
    const packed = await embeddings.create(asked);
    const plain = await embeddings.create({ ...asked, encoding_format: 'float' });
    expect(packed.data[1]?.embedding.length).toBeGreaterThan(8);
    expect(packed.data.map(rounded)).toEqual(plain.data.map(rounded));
    expect(packed.data[0]?.embedding).not.toEqual(packed.data[1]?.embedding);
  });

  test('completes a text', async ({ host }) => {
    const { choices, usage } = await connect(host).completions.create({
      model: host.model,
      prompt: 'Once upon a time',
      max_tokens: 5,
    });
    expect(choices[0]?.text).not.toBe('');
    expect(usage?.completion_tokens).toBe(5);
  });

  test('throws the class and the code of each failure', async ({ host }) => {
    const asked = { model: host.model, messages: user('Count to 5.') };
    const refusal = (fields: Partial<ChatCompletionCreateParamsNonStreaming>, client = connect(host)) =>
      client.chat.completions.create({ ...asked, ...fields }).then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
    const missing = await refusal({ model: 'ai/missing' });
    expect(missing).toBeInstanceOf(OpenAI.NotFoundError);
    expect(missing).toMatchObject({ status: 404, code: 'model_not_found', type: 'invalid_request_error' });
    const bad = await refusal({ top_p: 7 });
    expect(bad).toBeInstanceOf(OpenAI.BadRequestError);
    expect(bad).toMatchObject({ status: 400, code: 'invalid_request', param: 'top_p' });
    const long = await refusal({ messages: user('word '.repeat(3000)) });
    expect(long).toBeInstanceOf(OpenAI.BadRequestError);
    expect(long).toMatchObject({ status: 400, code: 'context_length_exceeded' });
    const lonely = await serveApp();
    const unserved = await refusal({}, connect(lonely));
    await lonely.close();
    expect(unserved).toBeInstanceOf(OpenAI.InternalServerError);
    expect(unserved).toMatchObject({ status: 503, code: 'no_host', type: 'server_error' });
  });
});

test('Docker’s command line goes through its day', async ({ host }) => {
  const { model } = host;
  const json = async (path: string, body?: unknown): Promise<unknown> => (await ask(host, path, body)).json();
  expect(await (await ask(host, '/version')).json()).toEqual({ version: expect.any(String) });

  // `docker model pull` of what is there: one line of text, whose JSON is escaped as HTML.
  const cached = await ask(host, '/models/create', { from: model });
  expect(cached.headers.get('content-type')).toMatch(/^text\/plain/);
  const [line = ''] = (await cached.text()).split('\n');
  expect(JSON.parse(line.replaceAll('&#34;', '"'))).toEqual({
    type: 'success',
    message: expect.stringMatching(/^Using cached model: [\d.]+MiB$/),
    total: 0,
    layer: { size: 0, current: 0 },
    mode: 'pull',
  });

  // `docker model ls` and `inspect`
  const id = expect.stringMatching(/^sha256:[0-9a-f]{64}$/);
  const listed = {
    id,
    tags: [`${model}:latest`],
    created: expect.any(Number),
    config: { format: 'gguf', architecture: 'llama', gguf: { 'general.architecture': 'llama' } },
  };
  expect(await json('/models')).toMatchObject([listed]);
  expect(await json(`/models/${model}`)).toMatchObject(listed);

  // `docker model configure` and what it says afterwards
  const configured = await ask(host, '/engines/_configure', {
    model,
    'context-size': 1024,
    keep_alive: '10m',
  });
  expect([configured.status, await configured.text()]).toEqual([202, '']);
  expect(await json('/engines/_configure')).toEqual([
    {
      Backend: 'llama.cpp',
      Model: `${model}:latest`,
      ModelID: id,
      Mode: 'completion',
      Config: { 'context-size': 1024, keep_alive: '10m' },
    },
  ]);

  // `docker model run`
  const run = { model, messages: user('Who are you?'), temperature: 0, stream: true };
  const streamed = await ask(host, '/engines/v1/chat/completions', run);
  expect(streamed.headers.get('content-type')).toMatch(/^text\/event-stream/);
  const events = await streamed.text();
  expect(events).toMatch(/^data: \{.*"delta":\{"role":"assistant","content":null\}/);
  expect(textOf(events)).toBe('I am a tiny test model.');
  expect(events).toMatch(/data: \[DONE\]\n\n$/);

  // `docker model ps`, `df`, `status`, `unload`
  const runner = { backend_name: 'llama.cpp', model_name: model, mode: 'completion', keep_alive: '10m0s' };
  expect(await json('/engines/ps')).toContainEqual(expect.objectContaining(runner));
  expect(await json('/engines/df')).toEqual({
    models_disk_usage: expect.any(Number),
    default_backend_disk_usage: expect.any(Number),
  });
  expect(await json('/engines/status')).toMatchObject({
    'llama.cpp': expect.stringMatching(/^Running: /),
  });
  const loaded = (await json('/engines/ps')) as unknown[];
  expect(await json('/engines/unload', { models: [model] })).toEqual({ unloaded_runners: loaded.length });
  expect(await json('/engines/ps')).toEqual([]);
  expect(await json('/engines/unload', { all: true })).toEqual({ unloaded_runners: 0 });
});

test('none of two hundred requests at once is lost or gets another’s answer', async ({ host }) => {
  const { model } = host;
  const answers = { 'Count to 5.': '1, 2, 3, 4, 5', 'Who are you?': 'I am a tiny test model.' };
  const chats = Object.entries({ ...answers, 'What is the capital of Japan?': 'Tokyo.' });
  const kinds = [
    async (index: number) => {
      const [prompt = '', reply = ''] = chats[index % chats.length] ?? [];
      const body = { model, messages: user(prompt), temperature: 0, max_tokens: 5, stream: index % 2 === 0 };
      const text = await (await ask(host, '/v1/chat/completions', body)).text();
      const said = body.stream
        ? textOf(text)
        : (JSON.parse(text) as OpenAI.ChatCompletion).choices[0]?.message.content;
      expect(reply.startsWith(said ?? '-') && said !== '').toBe(true);
    },
    async () => expect(await (await ask(host, '/v1/models')).json()).toMatchObject({ object: 'list' }),
    async (index: number) => {
      const input = Array.from({ length: 1 + (index % 3) }, (_, item) => `${index} ${item}`);
      const { data } = await connect(host).embeddings.create({ model, input });
      expect(data).toHaveLength(input.length);
    },
    async (index: number) => {
      const missing = await ask(host, '/v1/chat/completions', {
        model: `ai/missing-${index}`,
        messages: user('x'),
      });
      expect(missing.status).toBe(404);
      expect(await missing.text()).toContain(`ai/missing-${index}`);
    },
  ];
  const asked = Array.from({ length: 50 }, (_, round) =>
    kinds.map((request, kind) => request(4 * round + kind)),
  );
  await Promise.all(asked.flat());
  await expect.poll(() => isBusy(host)).toBe(false);
});

test('what was recorded is exported and comes in again', async ({ host }) => {
  await ask(host, '/v1/chat/completions', { model: host.model, messages: user('Hello!'), temperature: 0 });
  const body = await (await ask(host, '/_sampan/requests/export')).text();
  expect(body).toContain('Hello!');
  const imported = await ask(host, '/_sampan/requests/import', undefined, { method: 'POST', body });
  expect(imported.status, await imported.clone().text()).toBe(200);
});

test('a model with a head for it ranks documents, and does nothing else', async ({ host }) => {
  const body = await readFile('tests/fixtures/ranker.gguf');
  const uploaded = await ask(host, '/_sampan/blobs', undefined, { method: 'POST', body });
  const { digest } = (await uploaded.json()) as { digest: string };
  const weights = [{ digest, name: 'ranker.gguf' }];
  await ask(host, '/_sampan/package', { target: 'local/ranker', format: 'docker', weights });
  const documents = ['the harbour of a ship', 'bake butter', 'a star and the moon'];
  const asked = { model: 'local/ranker', query: 'bread and cheese', documents, top_n: 2 };
  const ranked = (await (await ask(host, '/rerank', asked)).json()) as { results: { index: number }[] };
  expect(ranked.results).toHaveLength(2);
  expect(ranked.results[0]).toMatchObject({ index: 1 });
  const chat = await ask(host, '/v1/chat/completions', { model: 'local/ranker', messages: user('bread') });
  expect(chat.status).toBe(400);
  expect(await chat.text()).toContain('ranks documents');
  const removed = await ask(host, '/models/local/ranker', undefined, { method: 'DELETE' });
  expect(removed.status).toBe(200);
});

test('what was exported is loaded again as the same model', async ({ host }) => {
  const idNow = async () => ((await (await ask(host, `/models/${host.model}`)).json()) as { id: string }).id;
  const id = await idNow();
  const exported = await ask(host, `/models/${host.model}/export`);
  expect(exported.headers.get('content-type')).toBe('application/x-tar');
  const archive = await exported.arrayBuffer();
  expect(archive.byteLength).toBe(Number(exported.headers.get('content-length')));
  expect((await ask(host, `/models/${host.model}`, undefined, { method: 'DELETE' })).status).toBe(200);
  expect((await ask(host, `/models/${host.model}`)).status).toBe(404);
  const loaded = await ask(host, `/models/load?name=${host.model}`, undefined, {
    method: 'POST',
    body: archive,
    headers: { accept: 'application/json' },
  });
  expect((await loaded.text()).trim().split('\n').at(-1)).toContain('"Model loaded successfully"');
  expect(await idNow()).toBe(id);
});

test('a tab that is reloaded in mid-stream ends the stream with an error, and answers the next request', async ({
  host,
}) => {
  const body = { ...endless, model: host.model, stream: true };
  const streaming = await ask(host, '/v1/chat/completions', body);
  const reloaded = host.page.reload();
  const events = await streaming.text();
  const last = events.trim().split('\n\n').at(-1) ?? '';
  expect(JSON.parse(last.replace(/^data: /, ''))).toMatchObject({
    error: { code: 'host_lost', type: 'server_error' },
  });
  expect(events).not.toContain('[DONE]');
  const next = { model: host.model, messages: user('Count to 5.'), temperature: 0 };
  // The companion waits for the tab to come back, and the client asks again where a slow machine takes longer.
  const answer = await connect(host, 5).chat.completions.create(next);
  expect(answer.choices[0]?.message.content).toBe('1, 2, 3, 4, 5');
  await reloaded;
  await ready(host.page);
});

test('pages of other sites are refused before any work, the allowed one may read', async ({ host }) => {
  const from = (origin: string, { headers, ...init }: Sent = {}, path = '/v1/models') =>
    ask(host, path, undefined, { ...init, headers: { ...headers, origin } });
  for (const path of ['/version', '/models', '/v1/models', '/engines/ps', '/logs', '/metrics']) {
    const refused = await from('https://evil.example', {}, path);
    expect([path, refused.status]).toEqual([path, 403]);
    expect(refused.headers.get('access-control-allow-origin')).toBeNull();
  }
  // A form needs no preflight and can say JSON in text/plain.
  const form = { method: 'POST', headers: { 'content-type': 'text/plain' }, body: '{"all":true}' };
  const loaded = (await (await ask(host, '/engines/ps')).json()) as unknown[];
  const posted = await from('https://evil.example', form, '/engines/unload');
  expect([posted.status, await posted.json()]).toMatchObject([403, { error: { code: 'forbidden_origin' } }]);
  expect(await (await ask(host, '/engines/ps')).json()).toHaveLength(loaded.length);

  const allowed = await from(allowedOrigin);
  expect(allowed.status).toBe(200);
  expect(allowed.headers.get('access-control-allow-origin')).toBe(allowedOrigin);
  expect(allowed.headers.get('vary')).toMatch(/\bOrigin\b/);
  const preflight = await from(
    allowedOrigin,
    {
      method: 'OPTIONS',
      headers: {
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization, content-type, x-stainless-lang',
      },
    },
    '/v1/chat/completions',
  );
  expect(preflight.status).toBe(204);
  expect(preflight.headers.get('access-control-allow-origin')).toBe(allowedOrigin);
  expect(preflight.headers.get('access-control-allow-methods')).toContain('POST');
  expect(preflight.headers.get('access-control-allow-headers')).toContain('x-stainless-lang');
});

interface Sent extends RequestInit {
  readonly headers?: Readonly<Record<string, string>>;
}

/** Packed vectors are of single precision; JSON's figures are of more or fewer digits. */
function rounded({ embedding }: OpenAI.Embedding): number[] {
  return embedding.map((value) => Math.round(value * 1e5));
}

async function gathered<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = [];
  for await (const item of items) all.push(item);
  return all;
}
