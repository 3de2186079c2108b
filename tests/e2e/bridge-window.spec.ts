import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import type { Page } from '@playwright/test';
import { appDir, expect, fetchIn, pullIn, ready, test, tinyOn } from '#tests/support/app.ts';

const example = new URL('../../static/examples/bridge.html', import.meta.url);

/** The example page on a server of its own, which is another site; with `headers` of its own. */
const elsewhere = test.extend<{ foreign: Page; foreignUrl: string }>({
  foreignUrl: async ({ companion }, use) => {
    const html = await readFile(example);
    const server = createServer((request, response) => {
      response.setHeader('content-type', 'text/html');
      if (request.url?.startsWith('/isolated')) {
        response.setHeader('cross-origin-opener-policy', 'same-origin');
        response.setHeader('cross-origin-embedder-policy', 'require-corp');
      }
      response.end(html);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    await use(`http://127.0.0.1:${port}/?sampan=${companion.url}`);
    server.closeAllConnections();
    server.close();
  },
  foreign: async ({ page, companion, foreignUrl }, use) => {
    await ready(page);
    expect(await pullIn(page, tinyOn(companion))).toMatchObject({ type: 'success' });
    const foreign = await page.context().newPage();
    await foreign.goto(foreignUrl);
    await expect(status(foreign)).toHaveText('Not connected.');
    await use(foreign);
  },
});

async function openBridge(foreign: Page): Promise<Page> {
  const opened = foreign.waitForEvent('popup');
  await foreign.getByRole('button', { name: 'Connect' }).click();
  return opened;
}

const status = (foreign: Page) => foreign.locator('#state');
const grants = async (page: Page) => JSON.parse((await fetchIn(page, '/_sampan/grants')).text) as unknown[];

async function inUse(page: Page): Promise<boolean> {
  const runners = JSON.parse((await fetchIn(page, '/engines/ps')).text) as { in_use?: boolean }[];
  return runners.some((runner) => runner.in_use === true);
}

/** Noise that goes on for long enough to be interrupted. */
async function askForALongStory(foreign: Page, model: string): Promise<void> {
  await foreign.evaluate(
    async ([sampanOrigin, model]) => {
      const state = window as unknown as { seen: string; ended: string | undefined; stop: AbortController };
      const { connect } = (await import(`${sampanOrigin}/sampan.js`)) as {
        connect: () => Promise<{ fetch: typeof fetch; baseURL: string }>;
      };
      const sampan = await connect();
      state.seen = '';
      state.ended = undefined;
      state.stop = new AbortController();
      const response = await sampan.fetch(`${sampan.baseURL}/chat/completions`, {
        method: 'POST',
        signal: state.stop.signal,
        body: JSON.stringify({
          model,
          stream: true,
          temperature: 1.5,
          seed: 1,
          max_tokens: 1900,
          messages: [{ role: 'user', content: 'Tell me a story.' }],
        }),
      });
      const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
      void (async () => {
        try {
          for (let next = await reader?.read(); next && !next.done; next = await reader?.read())
            state.seen += next.value;
          state.ended = 'clean';
        } catch (error) {
          state.ended = (error as Error).name;
        }
      })();
    },
    [new URL(foreign.url()).searchParams.get('sampan'), model],
  );
}

const seen = (foreign: Page) => foreign.evaluate(() => (window as unknown as { seen?: string }).seen ?? '');
const ended = (foreign: Page) => foreign.evaluate(() => (window as unknown as { ended?: string }).ended);

elsewhere(
  'a page that is allowed once asks, streams and stops until its window is closed',
  async ({ page, companion, foreign }) => {
    const origin = new URL(foreign.url()).origin;
    const bridge = await openBridge(foreign);
    await expect(bridge.getByText(origin)).toBeVisible();
    await bridge.getByRole('button', { name: 'Allow this time' }).click();
    await expect(status(foreign)).toHaveText('Connected (window).');
    await foreign.getByRole('button', { name: 'Ask' }).click();
    await expect(status(foreign)).toHaveText('Done.');
    await expect(foreign.locator('#answer')).not.toBeEmpty();
    await expect(bridge.getByText('2', { exact: true })).toBeVisible();
    expect(await grants(page)).toEqual([]);

    // The window takes no part in the election and is no place for the engine.
    expect(await bridge.evaluate(() => crossOriginIsolated)).toBe(false);
    await bridge.getByRole('button', { name: 'Stop' }).click();
    await expect(bridge.getByText('Stopped.')).toBeVisible();
    await foreign.getByRole('button', { name: 'Ask' }).click();
    await expect(status(foreign)).toHaveText(/window was stopped/);

    const opened = foreign.waitForEvent('popup');
    const streaming = askForALongStory(foreign, tinyOn(companion));
    const second = await opened;
    await second.getByRole('button', { name: 'Allow this time' }).click();
    await streaming;
    await expect.poll(() => seen(foreign)).toContain('"content":"');
    await foreign.evaluate(() => (window as unknown as { stop: AbortController }).stop.abort());
    await expect.poll(() => ended(foreign)).toBe('AbortError');
    await expect.poll(() => inUse(page)).toBe(false);
    await second.close();

    const third = foreign.waitForEvent('popup');
    const again = askForALongStory(foreign, tinyOn(companion));
    const last = await third;
    await last.getByRole('button', { name: 'Allow this time' }).click();
    await again;
    await expect.poll(() => seen(foreign)).toContain('"content":"');
    await last.close();
    await expect.poll(() => ended(foreign)).toBe('clean');
    expect(await seen(foreign)).toContain('"code":"host_lost"');
    await expect.poll(() => inUse(page)).toBe(false);
  },
);

elsewhere(
  'a page that is always allowed needs no window any more, until it is revoked and refused',
  async ({ page, companion, foreign, foreignUrl }) => {
    const { origin } = new URL(foreignUrl);
    const bridge = await openBridge(foreign);
    await bridge.getByRole('radio', { name: 'Only chosen ones' }).check();
    await expect(bridge.getByRole('button', { name: 'Always allow' })).toBeDisabled();
    await bridge.getByRole('checkbox').check();
    await bridge.getByRole('button', { name: 'Always allow' }).click();
    await expect(status(foreign)).toHaveText('Connected (window).');
    await expect
      .poll(() => grants(page))
      .toMatchObject([
        { origin, decision: 'always', models: [expect.stringContaining('sampan/tiny')], requests: 1 },
      ]);

    // The companion was told by the tab.
    await bridge.close();
    await foreign.getByRole('button', { name: 'Connect' }).click();
    await expect(status(foreign)).toHaveText('Connected (direct).');
    const refused = await foreign.evaluate(
      async (url) => (await fetch(`${url}/engines/ps`)).status,
      companion.url,
    );
    expect(refused).toBe(403);

    await page.evaluate(async (origin) => {
      await fetch(`/_sampan/grants?origin=${encodeURIComponent(origin)}`, { method: 'DELETE' });
    }, origin);
    const question = await openBridge(foreign);
    await question.getByRole('button', { name: 'Never allow' }).click();
    await expect(status(foreign)).toHaveText(/^forbidden_origin: /);
    expect(await grants(page)).toMatchObject([{ origin, decision: 'never' }]);
    await question.close();
    const told = await openBridge(foreign);
    await expect(told.getByText(`${origin} is refused.`)).toBeVisible();
    await expect(status(foreign)).toHaveText(/^forbidden_origin: /);
  },
);

elsewhere(
  'a page is told what is missing: a tab of Sampan, or that it is isolated',
  async ({ page, companion, foreign, foreignUrl }) => {
    await page.goto('about:blank');
    const bridge = await openBridge(foreign);
    await expect(bridge.getByRole('heading', { name: 'Sampan is not open' })).toBeVisible();
    await page.goto(`${companion.url}/models`);
    // It goes on by itself.
    await expect(bridge.getByRole('heading', { name: 'Let this page use models?' })).toBeVisible();

    await foreign.goto(foreignUrl.replace('/?', '/isolated?'));
    await foreign.getByRole('button', { name: 'Connect' }).click();
    await expect(status(foreign)).toHaveText(/^forbidden_origin: An isolated page/);
  },
);

test('sampan.js is small and open to every page', async ({ companion }) => {
  expect(gzipSync(await readFile(`${appDir}/sampan.js`)).byteLength).toBeLessThanOrEqual(3 * 1024);
  const { headers } = await fetch(`${companion.url}/sampan.js`);
  expect(headers.get('access-control-allow-origin')).toBe('*');
  expect(headers.get('cross-origin-resource-policy')).toBe('cross-origin');
});
