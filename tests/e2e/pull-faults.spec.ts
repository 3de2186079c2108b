import { execFileSync } from 'node:child_process';
import type { Page } from '@playwright/test';
import {
  fetchIn,
  openBrowser,
  pullIn,
  ready,
  serveApp,
  test as alone,
  withProfile,
} from '#tests/support/app.ts';
import { expect, test } from '#tests/support/host-tab.ts';
import { buildArtifact } from '#tests/support/registry/artifact.ts';
import { ggufBytes } from '#tests/support/registry/gguf-bytes.ts';
import { startOciRegistry, type OciTestRegistry } from '#tests/support/registry/oci.ts';

const segmentBytes = 8 * 1024 * 1024;

/** A model of several segments: a true header and bytes that no engine is asked to read. */
async function pushLarge(registry: OciTestRegistry, segments: number) {
  const header = ggufBytes();
  const weights = new Uint8Array(segments * segmentBytes);
  weights.set(header);
  for (let index = header.byteLength; index < weights.byteLength; index += 997) weights[index] = index % 251;
  const artifact = await buildArtifact([weights]);
  registry.push('ai/large', 'latest', artifact);
  return artifact;
}

interface PullJson {
  readonly id: string;
  readonly status: string;
  readonly received_bytes: number;
  readonly total_bytes: number;
}

async function pullOf(page: Page, from: string): Promise<PullJson | undefined> {
  const pulls = JSON.parse((await fetchIn(page, '/_sampan/pulls')).text) as PullJson[];
  return pulls.find(({ id }) => id.startsWith(from));
}

/** Every process of the browser with this profile, at once, as a crash or a power button would. */
function killBrowser(profile: string): void {
  const pids = execFileSync('pgrep', ['-f', `user-data-dir=${profile}`], { encoding: 'utf8' });
  for (const pid of pids.trim().split('\n')) process.kill(Number(pid), 'SIGKILL');
}

/** How many segments the store has marked as finished. */
function finishedSegments(page: Page): Promise<number> {
  return page.evaluate(async () => {
    const database = await new Promise<IDBDatabase>((resolve) => {
      const opening = indexedDB.open('sampan-progress');
      opening.onsuccess = () => resolve(opening.result);
    });
    const records = await new Promise<{ bitmap: Uint8Array }[]>((resolve) => {
      const getting = database.transaction('progress').objectStore('progress').getAll();
      getting.onsuccess = () => resolve(getting.result as { bitmap: Uint8Array }[]);
    });
    return [...(records[0]?.bitmap ?? [])].reduce(
      (sum, byte) => sum + byte.toString(2).replaceAll('0', '').length,
      0,
    );
  });
}

alone('a browser that is killed in the middle of a pull goes on from what is on disk', async () => {
  const registry = await startOciRegistry({ blobPauseMs: 20 });
  const companion = await serveApp();
  const { layers } = await pushLarge(registry, 8);
  const digest = layers[0]?.digest ?? '';
  await withProfile(async (profile) => {
    const first = await openBrowser(profile);
    const page = await first.newPage();
    await page.goto(`${companion.url}/catalog`);
    await ready(page);
    const from = `localhost:${registry.port}/ai/large`;
    await fetchIn(page, '/_sampan/pulls', { from });
    await expect.poll(() => finishedSegments(page)).toBeGreaterThanOrEqual(2);
    registry.behave({ silent: /blobs/ });
    const kept = await finishedSegments(page);
    killBrowser(profile);
    await first.close().catch(() => undefined);

    const before = registry.requests.length;
    registry.behave({ blobPauseMs: 0, silent: undefined });
    const second = await openBrowser(profile);
    const again = await second.newPage();
    await again.goto(`${companion.url}/catalog`);
    await ready(again);
    await expect.poll(async () => (await pullOf(again, from))?.status).toBe('done');
    const askedAgainBytes = registry.requests
      .slice(before)
      .filter(({ path }) => path.includes(`/blobs/${digest}`))
      .map(({ headers }) => /bytes=(\d+)-(\d+)/.exec(headers.range ?? '') ?? [])
      .reduce((sum, [, from = '0', to = '-1']) => sum + Number(to) - Number(from) + 1, 0);
    // What was finished is never asked for again. One that was being marked during the count may be finished too.
    expect(askedAgainBytes).toBeLessThanOrEqual((8 - kept) * segmentBytes);
    await second.close();
  });
  await companion.close();
  await registry.close();
});

test('a reload goes on with the pull, and the tray shows it', async ({ host: { page } }) => {
  const registry = await startOciRegistry({ blobPauseMs: 25 });
  await pushLarge(registry, 6);
  const from = `localhost:${registry.port}/ai/large`;
  await fetchIn(page, '/_sampan/pulls', { from });
  await expect
    .poll(async () => (await pullOf(page, from))?.received_bytes ?? 0, { intervals: [50] })
    .toBeGreaterThan(segmentBytes);
  await page.reload();
  await ready(page);
  registry.behave({ blobPauseMs: 0 });
  await expect.poll(async () => (await pullOf(page, from))?.status).toBe('done');
  await page
    .getByRole('button', { name: /\d+ pulls?/ })
    .first()
    .click();
  await expect(page.getByText('Verified and ready').first()).toBeVisible();
  await page.keyboard.press('Escape');
  await registry.close();
});

test('a wrong digest keeps nothing and says so', async ({ host: { page } }) => {
  const registry = await startOciRegistry();
  const artifact = await pushLarge(registry, 1);
  const [layer] = artifact.layers;
  if (!layer) throw new Error('no layer');
  const wrong = new Uint8Array(layer.size).fill(7);
  registry.push('ai/large', 'latest', {
    ...artifact,
    blobs: new Map([...artifact.blobs, [layer.digest, wrong]]),
  });
  const before = (await fetchIn(page, '/models')).text;
  const last = await pullIn(page, `localhost:${registry.port}/ai/large`);
  expect(last).toMatchObject({
    type: 'error',
    message: expect.stringContaining('do not match their checksum'),
  });
  expect((await fetchIn(page, '/models')).text).toBe(before);
  await registry.close();
});

alone('a full disk is said as such, and the pull can be resumed', async ({ page, context, companion }) => {
  const registry = await startOciRegistry();
  await pushLarge(registry, 4);
  await ready(page);
  const session = await context.newCDPSession(page);
  await session.send('Storage.overrideQuotaForOrigin', { origin: companion.url, quotaSize: 10_000_000 });
  const from = `localhost:${registry.port}/ai/large`;
  const refused = await pullIn(page, from);
  expect(JSON.stringify(refused)).toContain('no space left');
  await session.send('Storage.overrideQuotaForOrigin', { origin: companion.url });
  expect(await pullIn(page, from)).toMatchObject({ type: 'success' });
  await registry.close();
});

test('bytes that are no model are refused by the engine with a reason, and the next model works', async ({
  host: { page, model },
}) => {
  const registry = await startOciRegistry();
  await pushLarge(registry, 1);
  const from = `localhost:${registry.port}/ai/large`;
  expect(await pullIn(page, from)).toMatchObject({ type: 'success' });
  const ask = (model: string) => ({ model, messages: [{ role: 'user', content: 'Hello!' }], temperature: 0 });
  const answer = await fetchIn(page, '/v1/chat/completions', ask(from));
  expect(JSON.parse(answer.text).error.code).toBe('unsupported_model_format');
  expect((await fetchIn(page, '/v1/chat/completions', ask(model))).text).toContain('How can I help you?');
  await registry.close();
});

test('the relay refuses a private registry and says how to allow it', async ({ host: { page } }) => {
  const registry = await startOciRegistry({ cors: 'closed' });
  await pushLarge(registry, 1);
  const from = `localhost:${registry.port}/ai/large`;
  expect(JSON.stringify(await pullIn(page, from))).toContain(`--relay-allow localhost:${registry.port}`);
  await registry.close();
});

for (const [what, name] of [
  ['a malformed reference', '!!bad ref!!'],
  ['a model that does not exist', 'ai/none'],
] as const) {
  test(`${what} is a 4xx with a sentence`, async ({ host: { page } }) => {
    const registry = await startOciRegistry();
    const from = name.startsWith('!') ? name : `localhost:${registry.port}/${name}`;
    const answer = await fetchIn(page, '/models/create', { from });
    expect([400, 404]).toContain(answer.status);
    expect(JSON.parse(answer.text).error.message).toMatch(/\.$/);
    await registry.close();
  });
}
