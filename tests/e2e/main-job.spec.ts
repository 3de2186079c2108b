import { expect, fetchIn, pullIn, ready, say, test, textOf, tinyOn } from '#tests/support/app.ts';

test('a new user pulls the first card, chats, and a second tab’s fetch streams', async ({
  page,
  context,
  companion,
}) => {
  await expect(page.getByRole('heading', { name: 'Sampan self-test' })).toBeVisible();
  await page.getByRole('button', { name: /^Pull/ }).first().click();
  await page
    .getByRole('link', { name: /^Chat/ })
    .or(page.getByRole('button', { name: /^Chat/ }))
    .first()
    .click();
  await expect(page).toHaveURL(/\/chat/);

  await say(page, 'What is the capital of France?');
  await expect(page.getByText('Paris.')).toBeVisible();
  await expect(page.getByText(/tok\/s/).first()).toBeVisible();

  const second = await context.newPage();
  await second.goto(`${companion.url}/models`);
  await ready(second);
  const arrivals = await second.evaluate(async (model) => {
    const response = await fetch('/engines/v1/chat/completions', {
      method: 'POST',
      body: JSON.stringify({
        model,
        stream: true,
        temperature: 0,
        messages: [{ role: 'user', content: 'Count to 20.' }],
      }),
    });
    const pieces: string[] = [];
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    for (let next = await reader?.read(); next && !next.done; next = await reader?.read())
      pieces.push(next.value);
    return pieces;
  }, tinyOn(companion));
  expect(textOf(arrivals.join(''))).toBe(Array.from({ length: 20 }, (_, index) => index + 1).join(', '));
  expect(arrivals.join('')).toContain('data: [DONE]');
  // As they come, not all at the end.
  expect(arrivals.length).toBeGreaterThan(5);

  await page.reload();
  await expect(page.getByText('Paris.')).toBeVisible();
});

test('offline the app opens and chats with a local model', async ({ page, context, companion }) => {
  await ready(page);
  expect(await pullIn(page, tinyOn(companion))).toMatchObject({ type: 'success' });
  // Once online, so that the engine's files are here.
  await fetchIn(page, '/engines/v1/chat/completions', {
    model: tinyOn(companion),
    messages: [{ role: 'user', content: 'Hello!' }],
  });
  await companion.close();
  await context.setOffline(true);
  await page.goto(`${companion.url}/chat`);
  await say(page, 'Who are you?');
  await expect(page.getByText('I am a tiny test model.')).toBeVisible();
});

test('a model is listed, described and deleted by the API of Docker Model Runner', async ({
  page,
  companion,
}) => {
  await ready(page);
  await pullIn(page, tinyOn(companion));
  const models = JSON.parse((await fetchIn(page, '/models')).text);
  expect(models).toMatchObject([
    { tags: [`${tinyOn(companion)}:latest`], config: { format: 'gguf', architecture: 'llama' } },
  ]);
  const status = JSON.parse((await fetchIn(page, '/engines/status')).text);
  expect(status['llama.cpp']).toMatch(/^Running: llama\.cpp b\d+/);
  const deleted = await page.evaluate(
    async (path) => (await fetch(path, { method: 'DELETE' })).json(),
    `/models/${tinyOn(companion)}`,
  );
  expect(deleted).toEqual([{ Untagged: `${tinyOn(companion)}:latest` }, { Deleted: models[0].id }]);
  const left = await page.evaluate(async () => {
    const blobs = await (await navigator.storage.getDirectory()).getDirectoryHandle('blobs');
    const names: string[] = [];
    for await (const name of (await blobs.getDirectoryHandle('sha256')).keys()) names.push(name);
    return names;
  });
  expect(left).toEqual([]);
});

test('a page is a page to a person and JSON to a program', async ({ page, companion }) => {
  await ready(page);
  expect(JSON.parse((await fetchIn(page, '/models')).text)).toEqual([]);
  await page.goto(`${companion.url}/models`);
  await expect(page.getByRole('heading', { name: 'Models', level: 1 })).toBeVisible();
});

test('the pages keep to the content policy and log no error', async ({ page, companion }) => {
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  await ready(page);
  await pullIn(page, tinyOn(companion));
  await page.goto(`${companion.url}/chat`);
  await say(page, 'Show me some code.');
  await expect(page.getByText(/tok\/s/).first()).toBeVisible();
  for (const path of ['/catalog', '/models']) {
    await page.goto(`${companion.url}${path}`);
    await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
  }
  expect(complaints).toEqual([]);
});

test('nothing is asked of any other host unless the user pulls from it', async ({
  page,
  context,
  companion,
}) => {
  const foreign: string[] = [];
  context.on('request', (request) => {
    const { protocol, origin } = new URL(request.url());
    if (protocol.startsWith('http') && origin !== companion.url) foreign.push(request.url());
  });
  await ready(page);
  await pullIn(page, tinyOn(companion));
  for (const path of ['/', '/catalog', '/models', '/chat']) await page.goto(`${companion.url}${path}`);
  await say(page, 'Hello!');
  await expect(page.getByText('How can I help you?')).toBeVisible();
  expect(foreign).toEqual([]);
});
