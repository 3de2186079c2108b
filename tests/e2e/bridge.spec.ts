import type { Page } from '@playwright/test';
import { fetchIn, ready, textOf } from '#tests/support/app.ts';
import { expect, test } from '#tests/support/host-tab.ts';

const path = '/engines/v1/chat/completions';

/** More tokens than any test waits for. */
const long = (model: string) => ({
  model,
  stream: true,
  ignore_eos: true,
  max_tokens: 100_000,
  messages: [{ role: 'user', content: 'Tell me a story.' }],
});

const short = (model: string) => ({
  model,
  temperature: 0,
  messages: [{ role: 'user', content: 'Hello!' }],
});

/** Starts a stream in the page and leaves what arrives in `window.seen`, and how it ended in `window.ended`. */
async function startStream(page: Page, body: object): Promise<void> {
  await page.evaluate(
    async ([path, body]) => {
      const state = window as unknown as { seen: string; ended: string | undefined; abort: AbortController };
      state.seen = '';
      state.ended = undefined;
      state.abort = new AbortController();
      const response = await fetch(path as string, {
        method: 'POST',
        body: JSON.stringify(body),
        signal: state.abort.signal,
      });
      const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
      void (async () => {
        try {
          for (let next = await reader?.read(); next && !next.done; next = await reader?.read())
            state.seen += next.value;
          state.ended = 'clean';
        } catch (error) {
          state.ended = String(error);
        }
      })();
    },
    [path, body],
  );
  await page.waitForFunction(() => (window as unknown as { seen: string }).seen.includes('"content":"'));
}

const seen = (page: Page) => page.evaluate(() => (window as unknown as { seen: string }).seen);
const ended = (page: Page) => page.evaluate(() => (window as unknown as { ended: string | undefined }).ended);

async function inUse(page: Page): Promise<boolean> {
  const runners = JSON.parse((await fetchIn(page, '/engines/ps')).text) as { in_use?: boolean }[];
  return runners.some((runner) => runner.in_use === true);
}

test('a page that a hard reload left uncontrolled is claimed and fetches again', async ({ host }) => {
  const session = await host.context.newCDPSession(host.page);
  const loaded = host.page.waitForEvent('load');
  await session.send('Page.reload', { ignoreCache: true });
  await loaded;
  await session.detach();
  await ready(host.page);
  const answer = await fetchIn(host.page, path, short(host.model));
  expect(JSON.parse(answer.text).choices[0].message.content).toBe('Hello! How can I help you?');
});

test('an aborted fetch frees the engine within milliseconds', async ({ host, open }) => {
  const second = await open('/models');
  await startStream(second, long(host.model));
  expect(await inUse(host.page)).toBe(true);
  await second.evaluate(() => (window as unknown as { abort: AbortController }).abort.abort());
  await expect.poll(() => inUse(host.page), { intervals: [5], timeout: 1000 }).toBe(false);
});

test('a tab that is closed in the middle of its stream frees the engine', async ({ host, open }) => {
  const second = await open('/models');
  await startStream(second, long(host.model));
  await second.close();
  await expect.poll(() => inUse(host.page), { intervals: [5], timeout: 1000 }).toBe(false);
});

test('closing the host tab gives the other tab an error event and a new host', async ({ host, open }) => {
  const second = await open('/models');
  await startStream(second, long(host.model));
  await host.page.close();
  await expect.poll(() => ended(second)).toBe('clean');
  const text = await seen(second);
  expect(text).toContain('"code":"host_lost"');
  expect(text).not.toContain('[DONE]');
  const answer = await fetchIn(second, path, short(host.model));
  expect(JSON.parse(answer.text).choices[0].message.content).toBe('Hello! How can I help you?');
  await expect(second.getByText('Engine in this tab')).toBeVisible();
});

test('a service worker that is stopped in the middle of a stream frees the engine and is started by the next fetch', async ({
  host,
  open,
}) => {
  const second = await open('/models');
  await startStream(second, long(host.model));
  const worker = await host.context.newCDPSession(second);
  await worker.send('ServiceWorker.enable');
  await worker.send('ServiceWorker.stopAllWorkers');
  await expect.poll(() => ended(second)).toMatch(/network error|TypeError/);
  await expect.poll(() => inUse(host.page), { timeout: 2000 }).toBe(false);
  expect((await fetchIn(second, path, short(host.model))).status).toBe(200);
});

test('requests while the engine is busy queue, and none is mixed with another', async ({ host, open }) => {
  const second = await open('/models');
  const ask = (content: string) => ({
    model: host.model,
    temperature: 0,
    stream: true,
    messages: [{ role: 'user', content }],
  });
  const answers = await Promise.all([
    fetchIn(host.page, path, ask('Count to 10.')),
    fetchIn(second, path, ask('What is the capital of Japan?')),
    fetchIn(host.page, path, ask('Who are you?')),
    fetchIn(second, path, ask('Count to 5.')),
  ]);
  expect(answers.map((answer) => textOf(answer.text))).toEqual([
    '1, 2, 3, 4, 5, 6, 7, 8, 9, 10',
    'Tokyo.',
    'I am a tiny test model.',
    '1, 2, 3, 4, 5',
  ]);
});

test('bad requests get their true status through the service worker', async ({ host: { model, page } }) => {
  const messages = [{ role: 'user', content: 'x' }];
  // Loaded first: what fails after two seconds of loading has to come in the body.
  await fetchIn(page, path, { model, messages, max_tokens: 1 });
  const cases: [object, number, string][] = [
    [{ model, messages: [] }, 400, 'invalid_request'],
    [{ model: 'ai/unknown', messages }, 404, 'model_not_found'],
    [{ model, messages: [{ role: 'user', content: 'word '.repeat(5000) }] }, 400, 'context_length_exceeded'],
    [{ model, messages, stream: true, audio: { voice: 'a' } }, 400, 'unsupported_parameter'],
  ];
  for (const [body, status, code] of cases) {
    const answer = await fetchIn(page, path, body);
    expect([answer.status, JSON.parse(answer.text).error.code]).toEqual([status, code]);
  }
  const broken = await page.evaluate(
    async (path) => (await fetch(path, { method: 'POST', body: '{nope' })).status,
    path,
  );
  expect(broken).toBe(400);
  expect((await fetchIn(page, '/engines/nope')).status).toBe(404);
});
