import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '#lib/core/clock.ts';
import { startServer, type TestServer } from '#tests/support/registry/http-server.ts';
import { mlcListSource } from './mlc-list-source.ts';

const servers: TestServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

async function sourceOf(status: number, body: string) {
  const server = await startServer((_, response) => void response.writeHead(status).end(body));
  servers.push(server);
  return mlcListSource({ fetch, clock: systemClock, url: new URL('/mlc-models.json', server.url) });
}

describe('mlcListSource', () => {
  it('gives the list that is served', async () => {
    const list = await sourceOf(200, '{"models":[]}');
    expect(await list()).toEqual([]);
  });

  it.each([
    ['is not there', 404, '{"models":[]}', 'registry_unreachable'],
    ['is far too long', 200, ' '.repeat(2 ** 20 + 1), 'registry_unreachable'],
    ['is a page', 200, '<html>', 'internal'],
  ])('says so when the list %s', async (_, status, body, code) => {
    const list = await sourceOf(status, body);
    await expect(list()).rejects.toThrow(expect.objectContaining({ code }));
  });

  it('tries again the next time', async () => {
    let status = 503;
    const server = await startServer((_, response) => void response.writeHead(status).end('{"models":[]}'));
    servers.push(server);
    const list = mlcListSource({ fetch, clock: systemClock, url: new URL('/list', server.url) });
    await expect(list()).rejects.toThrow('Reload the page');
    status = 200;
    expect(await list()).toEqual([]);
  });
});
