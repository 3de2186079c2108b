import { afterEach, describe, expect, it } from 'vitest';
import { ManualClock, systemClock } from '#lib/core/clock.ts';
import { sha256 } from '#lib/core/digest.ts';
import type { MlcListEntry } from '#lib/model/mlc-list.ts';
import { browserFetch } from '#tests/support/registry/browser-fetch.ts';
import { startServer, type TestServer } from '#tests/support/registry/http-server.ts';
import { MlcLibraries } from './mlc-libraries.ts';

const mebibyte = 2 ** 20;
const wasm = new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);
const code = (value: string) => expect.objectContaining({ code: value });

const servers: TestServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

interface Answer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
}

async function startHost({ status = 200, headers = {}, body = wasm }: Answer = {}) {
  const cors = { 'access-control-allow-origin': '*' };
  const server = await startServer((_, response) => {
    response.writeHead(status, { ...cors, ...headers }).end(body);
  });
  servers.push(server);
  return server;
}

function librariesAt(url: string) {
  const listed: MlcListEntry = {
    modelId: 'Tiny-MLC',
    repository: 'Org/Tiny-MLC',
    variant: undefined,
    reference: 'hf.co/Org/Tiny-MLC',
    libraryUrl: `${url}/libs/v0_2_86/base/Tiny-webgpu.wasm?x=1`,
    kind: 'llm',
    contextSize: 4096,
    vramBytes: 1,
    requiredFeatures: [],
    lowResource: false,
    bufferSizeBytes: undefined,
  };
  const libraries = new MlcLibraries({
    fetch: browserFetch('https://sampan.example'),
    clock: systemClock,
    list: () => Promise.resolve([listed, { ...listed, repository: 'Org/Other-MLC' }]),
  });
  return { libraries, listed, download: (signal?: AbortSignal) => libraries.download(listed, signal) };
}

describe('the libraries of WebLLM’s list', () => {
  it('are found by the repository, in any case', async () => {
    const { libraries, listed } = librariesAt('http://localhost');
    expect(await libraries.listed('org/tiny-mlc')).toEqual([listed]);
    expect(await libraries.listed('org/tiny')).toEqual([]);
  });

  it('are fetched from where the list says, named as there', async () => {
    const host = await startHost();
    expect(await librariesAt(host.url).download()).toEqual({
      path: 'Tiny-webgpu.wasm',
      digest: await sha256(wasm),
      bytes: wasm,
    });
    expect(host.requests.map(({ method, path }) => [method, path])).toEqual([
      ['GET', '/libs/v0_2_86/base/Tiny-webgpu.wasm?x=1'],
    ]);
  });

  it('may be as large as the bound and no larger', async () => {
    const libraryOf = (sizeBytes: number) => {
      const body = new Uint8Array(sizeBytes);
      body.set(wasm);
      return { body };
    };
    const fits = await startHost(libraryOf(16 * mebibyte));
    expect((await librariesAt(fits.url).download()).bytes.byteLength).toBe(16 * mebibyte);
    const large = await startHost(libraryOf(16 * mebibyte + 1));
    const refusal = librariesAt(large.url).download();
    await expect(refusal).rejects.toThrow(code('unsupported_model_format'));
    await expect(refusal).rejects.toThrow('larger than 16 MiB');
  });

  it.each<[string, Answer, string, string]>([
    ['is gone', { status: 404 }, 'model_not_found', 'is no longer on HOST'],
    ['is refused for now', { status: 429 }, 'rate_limited', 'HOST sends no more files for now'],
    [
      'is behind a broken server',
      { status: 503 },
      'registry_unreachable',
      'HOST answered with an error (HTTP 503)',
    ],
    [
      'is a page of the network’s',
      { body: new TextEncoder().encode('<html>') },
      'registry_unreachable',
      'HOST sent something else',
    ],
    ['is empty', { body: new Uint8Array() }, 'registry_unreachable', 'HOST sent something else'],
    [
      'is closed to browsers',
      { headers: { 'access-control-allow-origin': 'https://other' } },
      'registry_unreachable',
      'The connection to HOST',
    ],
  ])('say which server is at fault when one %s', async (_, answer, expected, words) => {
    const host = await startHost(answer);
    const refusal = librariesAt(host.url).download();
    await expect(refusal).rejects.toThrow(code(expected));
    await expect(refusal).rejects.toThrow(words.replace('HOST', host.host));
  });

  it('say which server is at fault when it is down', async () => {
    const host = await startHost();
    await host.close();
    const refusal = librariesAt(host.url).download();
    await expect(refusal).rejects.toThrow(code('registry_unreachable'));
    await expect(refusal).rejects.toThrow(`The connection to ${host.host}`);
  });

  it('are given up when the server never answers', async () => {
    const clock = new ManualClock();
    const pending: typeof fetch = (_, init) =>
      new Promise((_resolve, reject) =>
        init?.signal?.addEventListener('abort', () => reject(new Error('gone'))),
      );
    const libraries = new MlcLibraries({ fetch: pending, clock, list: () => Promise.resolve([]) });
    const { listed } = librariesAt('https://libraries.example');
    const refusal = expect(libraries.download(listed, undefined)).rejects.toThrow(
      'libraries.example (where the library of this model is) does not answer',
    );
    await clock.advance(60_000);
    await refusal;
  });

  it('stop with the pull', async () => {
    const host = await startHost();
    const reason = new Error('cancelled');
    await expect(librariesAt(host.url).download(AbortSignal.abort(reason))).rejects.toBe(reason);
  });
});
