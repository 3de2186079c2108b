/** The day of a new user, from the first visit to the plane without a network: one browser, one tab after the other. */
import type { BrowserContext, Page } from '@playwright/test';
import type { Companion } from '#server/companion.ts';
import { expect, ready, say, test, textOf, tinyOn } from '#tests/support/app.ts';

/** What no visit may leave behind: errors of the console (the content policy reports there) and requests to others. */
interface Complaints {
  readonly errors: string[];
  readonly foreign: string[];
}

test('a new user pulls the first card, chats, streams to a second tab, and goes on without a network', async ({
  context,
  companion,
}) => {
  test.slow();
  const complaints = listen(context, companion.url);
  const page = await context.newPage();
  await test.step('the first visit: pull and chat', () => pullAndChat(page, companion));
  await test.step('a second tab’s fetch streams', () => streamInSecondTab(context, companion));
  await test.step('the conversation outlives the tab', async () => {
    await page.reload();
    await expect(page.getByText('Paris.')).toBeVisible();
  });
  await test.step('no page logs an error or asks another host', async () => {
    for (const path of ['/', '/models', '/requests', '/logs']) {
      await page.goto(`${companion.url}${path}`);
      await expect(page.getByRole('heading', { level: 1 }).first()).toBeVisible();
    }
    expect(complaints).toEqual({ errors: [], foreign: [] });
  });
  await test.step('offline the app opens and answers', async () => {
    await companion.close();
    await context.setOffline(true);
    await page.goto(`${companion.url}/chat`);
    await say(page, 'Who are you?');
    await expect(page.getByText('I am a tiny test model.')).toBeVisible();
  });
});

function listen(context: BrowserContext, ownUrl: string): Complaints {
  const complaints: Complaints = { errors: [], foreign: [] };
  context.on('request', (request) => {
    const { protocol, origin } = new URL(request.url());
    if (protocol.startsWith('http') && origin !== ownUrl) complaints.foreign.push(request.url());
  });
  context.on('console', (message) => {
    if (message.type() === 'error') complaints.errors.push(message.text());
  });
  context.on('weberror', (error) => complaints.errors.push(error.error().message));
  return complaints;
}

async function pullAndChat(page: Page, companion: Companion): Promise<void> {
  await page.goto(`${companion.url}/catalog`);
  await expect(page.getByRole('heading', { name: 'Sampan self-test' })).toBeVisible();
  // At once: a host that is still starting is waited for.
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
}

/** The answer's body in the pieces in which the page reads it. */
function piecesIn(page: Page, body: unknown): Promise<string[]> {
  return page.evaluate(async (body) => {
    const response = await fetch('/engines/v1/chat/completions', {
      method: 'POST',
      body: JSON.stringify(body),
    });
    const pieces: string[] = [];
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    for (let next = await reader?.read(); next && !next.done; next = await reader?.read())
      pieces.push(next.value);
    return pieces;
  }, body);
}

async function streamInSecondTab(context: BrowserContext, companion: Companion): Promise<void> {
  const second = await context.newPage();
  await second.goto(`${companion.url}/models`);
  await ready(second);
  const body = {
    model: tinyOn(companion),
    stream: true,
    temperature: 0,
    messages: [{ role: 'user', content: 'Count to 20.' }],
  };
  const arrivals = await piecesIn(second, body);
  expect(textOf(arrivals.join(''))).toBe(Array.from({ length: 20 }, (_, index) => index + 1).join(', '));
  expect(arrivals.join('')).toContain('data: [DONE]');
  // As they come, not all at the end; what comes within a frame comes together, so the answer has to take some frames.
  const long = await piecesIn(second, { ...body, ignore_eos: true, max_tokens: 400 });
  expect(long.length).toBeGreaterThan(5);
  await second.close();
}
