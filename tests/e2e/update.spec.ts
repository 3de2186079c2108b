import { appendFile, cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  appDir,
  expect,
  fetchIn,
  openBrowser,
  pullIn,
  ready,
  serveApp,
  test,
  tinyOn,
  withProfile,
} from '#tests/support/app.ts';

test('a new version waits for the running answer, then takes over and reloads', async () => {
  test.slow();
  const folder = await mkdtemp(join(tmpdir(), 'sampan-app-'));
  await cp(appDir, folder, { recursive: true });
  const companion = await serveApp({ appDir: folder });
  await withProfile(async (profile) => {
    const context = await openBrowser(profile);
    const page = await context.newPage();
    await page.goto(`${companion.url}/models`);
    await ready(page);
    await pullIn(page, tinyOn(companion));

    // Another tab is in the middle of an answer.
    const second = await context.newPage();
    await second.goto(`${companion.url}/models`);
    await ready(second);
    await second.evaluate(async (model) => {
      const state = window as unknown as { seen: string; ended: boolean };
      state.seen = '';
      state.ended = false;
      const body = {
        model,
        stream: true,
        temperature: 1.5,
        seed: 1,
        messages: [{ role: 'user', content: 'Tell me a story.' }],
      };
      const response = await fetch('/v1/chat/completions', { method: 'POST', body: JSON.stringify(body) });
      const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
      void (async () => {
        for (let next = await reader?.read(); next && !next.done; next = await reader?.read())
          state.seen += next.value;
        state.ended = true;
      })();
    }, tinyOn(companion));

    await appendFile(join(folder, 'service-worker.js'), '\n// the next version\n');
    await rm(join(folder, 'service-worker.js.br'), { force: true });
    await page.evaluate(async () => {
      await (await navigator.serviceWorker.ready).update();
    });
    await expect(page.getByText('New version ready')).toBeVisible();
    const reloaded = page.waitForEvent('load');
    await page.getByRole('button', { name: 'Restart' }).click();
    await reloaded;

    // Only after the answer was whole.
    const { ended, seen } = await second.evaluate(() => {
      const state = window as unknown as { seen: string; ended: boolean };
      return { seen: state.seen, ended: state.ended };
    });
    expect(ended).toBe(true);
    expect(seen).toContain('data: [DONE]');
    await ready(page);
    expect((await fetchIn(page, '/version')).status).toBe(200);
    await context.close();
  });
  await companion.close();
  await rm(folder, { recursive: true });
});
