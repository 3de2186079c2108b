/** Registries that mean harm: each ends in a clear error, after a bounded number of requests and bytes. */
import type { ServerResponse } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '#lib/core/clock.ts';
import { mediaTypes } from '#lib/model/manifest.ts';
import { parseReference } from '#lib/model/reference.ts';
import type { Credentials } from '#lib/registry/port.ts';
import { startServer, type TestServer } from '#tests/support/registry/http-server.ts';
import { digestOf } from '#tests/support/registry/oci-push.ts';
import { OciRegistry } from './client.ts';
import type { Route } from './route.ts';

const mebibyte = 2 ** 20;
const code = (value: string) => expect.objectContaining({ code: value });
const alice: Credentials = { kind: 'password', username: 'alice', password: 'secret' };

const servers: TestServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

type Answer = (path: string, response: ServerResponse) => void;

async function serve(answer: Answer) {
  const server = await startServer((_, response, url) => answer(url.pathname, response));
  servers.push(server);
  const routes = new Map<string, Route>([[server.host, 'direct']]);
  const app = { ownHost: 'app.test', ownOrigin: 'http://app.test' };
  const registry = new OciRegistry({ fetch, clock: systemClock, routes, ...app });
  const resolve = (tag = 'latest', credentials?: Credentials) =>
    registry.resolve(parseReference(`${server.host}/ai/tiny:${tag}`), { credentials });
  return { server, resolve };
}

/** Answers with documents by the last part of the path; tags and digests alike. */
const documents =
  (all: ReadonlyMap<string, string>): Answer =>
  (path, response) => {
    const text = all.get(path.slice(path.lastIndexOf('/') + 1));
    response.writeHead(text === undefined ? 404 : 200, { 'content-type': mediaTypes.ociManifest }).end(text);
  };

const descriptor = (digest: string, size = 2) => ({ mediaType: mediaTypes.configV01, digest, size });
const config = '{}';
const configDigest = digestOf(Buffer.from(config));
const manifestOf = (parts: object = {}) =>
  JSON.stringify({
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: descriptor(configDigest),
    layers: [],
    ...parts,
  });
const indexOf = (...digests: readonly string[]) =>
  JSON.stringify({
    schemaVersion: 2,
    mediaType: mediaTypes.ociIndex,
    manifests: digests.map((digest) => ({ mediaType: mediaTypes.ociIndex, digest, size: 100 })),
  });

/** Sends until the other side leaves; resolves with how much that was. */
function pourEndlessly(response: ServerResponse): Promise<number> {
  const piece = Buffer.alloc(mebibyte / 4, ' ');
  let sentBytes = 0;
  return new Promise((resolve) => {
    const pour = () => {
      while (!response.destroyed && response.write(piece)) sentBytes += piece.byteLength;
    };
    response.on('drain', pour).on('close', () => resolve(sentBytes));
    pour();
  });
}

describe('a body without an end', () => {
  it.each<[string, RegExp, string]>([
    ['as a manifest', /manifests/, 'unsupported_model_format'],
    ['as a config', /blobs/, 'unsupported_model_format'],
  ])('%s is cut off', async (_, path, expected) => {
    const poured: Promise<number>[] = [];
    const { resolve } = await serve((asked, response) => {
      if (path.test(asked)) poured.push(pourEndlessly(response));
      else response.end(manifestOf());
    });
    await expect(resolve()).rejects.toThrow(code(expected));
    const [sentBytes = Infinity] = await Promise.all(poured);
    expect(sentBytes).toBeLessThan(64 * mebibyte);
  });

  it('as a token is cut off', async () => {
    const poured: Promise<number>[] = [];
    const tokens = await startServer((_, response) => void poured.push(pourEndlessly(response)));
    servers.push(tokens);
    const { resolve } = await serve((_, response) => {
      response.writeHead(401, { 'www-authenticate': `Bearer realm="${tokens.url}/token"` }).end();
    });
    await expect(resolve()).rejects.toThrow('sent far too much');
    const [sentBytes = Infinity] = await Promise.all(poured);
    expect(sentBytes).toBeLessThan(64 * mebibyte);
  });
});

describe('a length that is a lie', () => {
  it('above the truth is a broken connection', async () => {
    const { resolve } = await serve((_, response) => {
      response.writeHead(200, { 'content-length': '5000' });
      response.write(manifestOf(), () => response.destroy());
    });
    await expect(resolve()).rejects.toThrow(code('registry_unreachable'));
  });

  it('below the truth is a manifest cut short', async () => {
    const { resolve } = await serve((_, response) => {
      response.socket?.end(`HTTP/1.1 200 OK\r\ncontent-length: 20\r\n\r\n${manifestOf()}`);
    });
    await expect(resolve()).rejects.toThrow(code('unsupported_model_format'));
  });

  it('in a manifest is found out by the checksum', async () => {
    const wrongSize = manifestOf({ config: descriptor(configDigest, 5) });
    const { resolve } = await serve((path, response) => {
      response.end(path.includes('manifests') ? wrongSize : '{ }  ');
    });
    await expect(resolve()).rejects.toThrow(code('digest_mismatch'));
  });

  it('in a manifest beyond all configs asks for nothing', async () => {
    const { server, resolve } = await serve(
      documents(new Map([['latest', manifestOf({ config: descriptor(configDigest, 2 ** 40) })]])),
    );
    await expect(resolve()).rejects.toThrow(code('unsupported_model_format'));
    expect(server.requests).toHaveLength(1);
  });
});

describe('a redirect', () => {
  it('to itself ends', async () => {
    const { server, resolve } = await serve((path, response) => {
      response.writeHead(307, { location: path }).end();
    });
    await expect(resolve()).rejects.toThrow(code('registry_unreachable'));
    expect(server.requests.length).toBeLessThan(30);
  });

  it('to another host does not take the password along', async () => {
    const collector = await startServer((_, response) => void response.end(manifestOf()));
    servers.push(collector);
    const elsewhere = collector.url.replace('127.0.0.1', 'localhost');
    const { resolve } = await serve((path, response) => {
      const { authorization } = response.req.headers;
      if (authorization === undefined)
        response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end();
      else response.writeHead(307, { location: `${elsewhere}${path}` }).end();
    });
    await expect(resolve('latest', alice)).rejects.toThrow(code('digest_mismatch'));
    expect(collector.requests.length).toBeGreaterThan(0);
    expect(collector.requests.map(({ headers }) => headers.authorization)).toEqual(
      collector.requests.map(() => undefined),
    );
  });
});

describe('a manifest', () => {
  it('with 10 000 layers is refused', async () => {
    const layers = Array.from({ length: 10_000 }, () => descriptor(configDigest));
    const { server, resolve } = await serve(documents(new Map([['latest', manifestOf({ layers })]])));
    await expect(resolve()).rejects.toThrow(code('unsupported_model_format'));
    expect(server.requests).toHaveLength(1);
  });

  it('nested deeper than any parser is refused', async () => {
    const deep = `{"schemaVersion":2,"layers":${'['.repeat(100_000)}${']'.repeat(100_000)}}`;
    const { resolve } = await serve(documents(new Map([['latest', deep]])));
    await expect(resolve()).rejects.toThrow(code('unsupported_model_format'));
  });

  it.each([
    ['sha512', `sha512:${'0'.repeat(128)}`],
    ['md5', `md5:${'0'.repeat(32)}`],
    ['sha1', `sha1:${'0'.repeat(40)}`],
    ['a sha256 cut short', `sha256:${'0'.repeat(40)}`],
    ['upper case', configDigest.toUpperCase()],
    ['nothing', ''],
    ['a path', `sha256:../../${'0'.repeat(58)}`],
  ])('that names files by %s is refused', async (_, digest) => {
    const downgraded = [
      manifestOf({ config: descriptor(digest) }),
      manifestOf({ layers: [descriptor(digest)] }),
      indexOf(digest),
    ];
    for (const text of downgraded) {
      const { server, resolve } = await serve(documents(new Map([['latest', text]])));
      await expect(resolve()).rejects.toThrow(code('unsupported_model_format'));
      expect(server.requests).toHaveLength(1);
    }
  });
});

describe('an index', () => {
  it('that answers to its own entries is found out by the checksum', async () => {
    const digest = `sha256:${'0'.repeat(64)}`;
    const self = indexOf(digest);
    const { server, resolve } = await serve(
      documents(new Map([...['latest', digest].map((name) => [name, self] as const)])),
    );
    await expect(resolve()).rejects.toThrow(code('digest_mismatch'));
    expect(server.requests).toHaveLength(2);
  });

  it('over indexes 1000 deep is left at the second', async () => {
    const all = new Map<string, string>();
    let text = manifestOf();
    for (let depth = 0; depth < 1000; depth++) {
      const digest = digestOf(Buffer.from(text));
      all.set(digest, text);
      text = indexOf(digest);
    }
    all.set('latest', text);
    const { server, resolve } = await serve(documents(all));
    await expect(resolve()).rejects.toThrow(code('unsupported_model_format'));
    expect(server.requests).toHaveLength(2);
  });
});
