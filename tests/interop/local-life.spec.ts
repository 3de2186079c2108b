import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Page } from '@playwright/test';
import { fetchIn, pullIn } from '#tests/support/app.ts';
import { has, startDockerRegistry } from '#tests/support/docker-registry.ts';
import { expect, test } from '#tests/support/host-tab.ts';

const run = promisify(execFile);
const skopeo = (...args: string[]) => run('skopeo', args);

/** Sends a request whose last line says how it ended. */
async function lastLine(
  page: Page,
  path: string,
  body: unknown = {},
): Promise<{ type: string; message: string }> {
  const { text } = await page.evaluate(
    async ([path, body]) => {
      const response = await fetch(path as string, {
        method: 'POST',
        headers: { accept: 'application/json' },
        body: JSON.stringify(body),
      });
      return { text: await response.text() };
    },
    [path, body],
  );
  return JSON.parse(text.trim().split('\n').at(-1) ?? 'null') as { type: string; message: string };
}

async function idOf(page: Page, name: string): Promise<string> {
  return (JSON.parse((await fetchIn(page, `/models/${name}`)).text) as { id: string }).id;
}

async function withFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'sampan-skopeo-'));
  try {
    await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

test.describe('with Debian’s docker-registry and skopeo', () => {
  test.skip(
    !(has('docker-registry') && has('skopeo')) && process.env.CI !== 'true',
    'docker-registry and skopeo are not installed',
  );

  for (const route of ['direct', 'relay'] as const) {
    test(`what is pushed ${route === 'direct' ? 'directly' : 'through the relay'} is read by skopeo and pulled again byte for byte`, async ({
      host,
    }) => {
      const { page } = host;
      const access = route === 'direct' ? { allowOrigin: host.url } : { port: host.privatePort };
      const registry = await startDockerRegistry(access);
      const id = await idOf(page, host.model);

      const pushed = `${registry.host}/mine/tiny`;
      expect((await fetchIn(page, `/models/${host.model}/tag?repo=${pushed}&tag=v1`, {})).status).toBe(201);
      expect(await lastLine(page, `/models/${pushed}:v1/push`)).toMatchObject({ type: 'success' });

      await withFolder(async (folder) => {
        const { stdout } = await skopeo('inspect', '--raw', '--tls-verify=false', `docker://${pushed}:v1`);
        expect(JSON.parse(stdout)).toMatchObject({ config: { mediaType: /docker\.ai\.model\.config/ } });
        // To a folder, to an OCI layout, and from there to another name: what skopeo writes is pulled like any other.
        await skopeo('copy', '--src-tls-verify=false', `docker://${pushed}:v1`, `dir:${join(folder, 'dir')}`);
        expect((await readdir(join(folder, 'dir'))).length).toBeGreaterThan(2);
        const layout = `oci:${join(folder, 'layout')}:v1`;
        await skopeo('copy', '--src-tls-verify=false', `docker://${pushed}:v1`, layout);
        await skopeo('copy', '--dest-tls-verify=false', layout, `docker://${registry.host}/back/tiny:v1`);
      });
      await page.evaluate(() => fetch('/models/purge', { method: 'DELETE' }));
      expect(await pullIn(page, `${registry.host}/back/tiny:v1`)).toMatchObject({
        type: 'success',
        message: 'Model pulled successfully',
      });
      expect(await idOf(page, `${registry.host}/back/tiny:v1`)).toBe(id);
      await registry.close();
    });
  }

  test('an OCI archive that skopeo wrote is loaded, and a ModelPack of it comes back from a registry', async ({
    host,
  }) => {
    const { page } = host;
    const registry = await startDockerRegistry({ allowOrigin: host.url });
    await withFolder(async (folder) => {
      const file = join(folder, 'tiny.tar');
      await skopeo('copy', '--src-tls-verify=false', `docker://${host.model}`, `oci-archive:${file}`);
      await page.evaluate(
        async (bytes) => {
          const body = Uint8Array.from(atob(bytes), (character) => character.charCodeAt(0));
          const response = await fetch('/models/load?name=from/skopeo', { method: 'POST', body });
          if (!(await response.text()).includes('Model loaded successfully')) throw new Error('not loaded');
        },
        (await readFile(file)).toString('base64'),
      );
    });
    const pack = `${registry.host}/mine/pack`;
    const made = await fetchIn(page, '/_sampan/package', {
      target: pack,
      format: 'cncf',
      from: 'from/skopeo',
    });
    expect(made.status).toBe(201);
    expect(await lastLine(page, `/models/${pack}/push`)).toMatchObject({ type: 'success' });
    await page.evaluate(() => fetch('/models/purge', { method: 'DELETE' }));
    expect(await pullIn(page, pack)).toMatchObject({ type: 'success' });
    const answer = await fetchIn(page, '/v1/chat/completions', {
      model: pack,
      temperature: 0,
      messages: [{ role: 'user', content: 'Count to 5.' }],
    });
    expect(answer.text).toContain('1, 2, 3, 4, 5');
    await registry.close();
  });
});
