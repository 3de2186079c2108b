import { readFile } from 'node:fs/promises';
import { describe, expect, it, test } from 'vitest';
import { sha256, type Digest } from '#lib/core/digest.ts';
import { ApiError } from '#lib/core/errors.ts';
import type { LocalModelJson, ModelDetailJson, RepairJson, UploadJson } from '#lib/model/wire.ts';
import { tarEnd, tarHeader, tarPadding } from '#lib/model/tar/tar-writer.ts';
import { ManualClock } from '#lib/core/clock.ts';
import { MemoryBlobStore } from '#lib/store/memory/blob-store.ts';
import { MemoryDisk } from '#lib/store/memory/disk.ts';
import {
  bytesOf,
  makeBench as makeSmallBench,
  type Bench,
  type BenchOptions,
} from '#tests/support/runner-bench.ts';

type Bytes = Uint8Array<ArrayBuffer>;

const name = 'localhost:5000/ai/tiny:latest';
const tiny = new Uint8Array(await readFile('tests/fixtures/tiny-q8_0.gguf'));

/** Segments as large as those of the real store: a model of 400 KB is one. */
function makeBench(options: BenchOptions = {}): Bench {
  return makeSmallBench({ store: new MemoryBlobStore({ clock: new ManualClock() }), ...options });
}

async function benchWithModel(options?: BenchOptions): Promise<Bench> {
  const bench = makeBench(options);
  await bench.registry.publish(name, [tiny]);
  await (await bench.call('/models/create', { from: name })).text();
  return bench;
}

const get = async <T>(bench: Bench, path: string) => (await (await bench.call(path)).json()) as T;
const post = (bench: Bench, path: string, body: unknown = '') => bench.call(path, body);
const remove = (bench: Bench, path: string) => bench.call(path, undefined, { method: 'DELETE' });
const put = (bench: Bench, path: string, body: unknown) =>
  bench.call(path, undefined, { method: 'PUT', body: JSON.stringify(body) });
const local = (bench: Bench) => get<LocalModelJson[]>(bench, '/_sampan/models');
const blobs = async (bench: Bench) => (await bench.store.digests()).length;

async function lines<T>(response: Response): Promise<T[]> {
  return (await response.text())
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as T);
}

async function upload(bench: Bench, bytes: Bytes): Promise<Digest> {
  const response = await bench.call('/_sampan/blobs', undefined, { method: 'POST', body: bytes });
  expect(response.status).toBe(201);
  return ((await response.json()) as { digest: Digest }).digest;
}

describe('tags', () => {
  it('are added and moved, with Docker Model Runner’s answer', async () => {
    const bench = await benchWithModel();
    const response = await post(bench, `/models/${name}/tag?repo=localhost:5000/x/smol&tag=v1`);
    expect(response.status).toBe(201);
    expect(await response.json()).toEqual({
      message: 'Model tagged successfully with "localhost:5000/x/smol:v1"',
      target: 'localhost:5000/x/smol:v1',
    });
    await post(bench, '/models/tiny/tag?repo=two&tag=latest');
    const [model] = await local(bench);
    expect(model?.tags).toEqual([name, 'localhost:5000/x/smol:v1', 'docker.io/ai/two:latest']);
  });

  it.each(['tag=v1', 'repo=x', 'repo=&tag=', 'repo=x&tag=a b', `repo=x@sha256:${'0'.repeat(64)}&tag=v1`])(
    'are refused for %s',
    async (query) => {
      const bench = await benchWithModel();
      expect((await post(bench, `/models/${name}/tag?${query}`)).status).toBe(400);
    },
  );

  it('of an unknown model are a 404', async () => {
    expect((await post(makeBench(), '/models/ai/none/tag?repo=x&tag=y')).status).toBe(404);
  });
});

describe('a deleted model', () => {
  it('comes back with its names, bytes and all, while there is time to undo', async () => {
    const bench = await benchWithModel();
    const before = await local(bench);
    const { id } = (await (await remove(bench, `/_sampan/models/${name}`)).json()) as { id: string };
    expect(await local(bench)).toEqual([]);
    expect(await blobs(bench)).toBe(1);
    expect((await post(bench, `/_sampan/models/${id}/restore`)).status).toBe(200);
    expect(await local(bench)).toEqual(before);
    await bench.clock.advance(60_000);
    expect(await blobs(bench)).toBe(1);
  });

  it('is gone for good after that', async () => {
    const bench = await benchWithModel();
    const { id } = (await (await remove(bench, `/_sampan/models/${name}`)).json()) as { id: string };
    await bench.clock.advance(15_000);
    await expect.poll(() => blobs(bench)).toBe(0);
    expect((await post(bench, `/_sampan/models/${id}/restore`)).status).toBe(404);
  });

  it('leaves a name that another model took meanwhile where it is', async () => {
    const bench = await benchWithModel();
    const { id } = (await (await remove(bench, `/_sampan/models/${name}`)).json()) as { id: string };
    await bench.registry.publish(name, [bytesOf('another')]);
    await (await post(bench, '/models/create', { from: name })).text();
    await post(bench, `/_sampan/models/${id}/restore`);
    const models = await local(bench);
    expect(models.find((model) => model.id === id)?.tags).toEqual([]);
    expect(models).toHaveLength(2);
  });

  it('says what it shares and what deleting it frees', async () => {
    const bench = await benchWithModel();
    await bench.registry.publish('localhost:5000/ai/two:latest', [tiny, bytesOf('GGUF 2')]);
    await (await post(bench, '/models/create', { from: 'localhost:5000/ai/two' })).text();
    const own = (await local(bench)).map(({ tags, own_bytes: bytes }) => [tags[0], bytes]);
    expect(Object.fromEntries(own)).toEqual({ [name]: 0, 'localhost:5000/ai/two:latest': 6 });
    const detail = await get<ModelDetailJson>(bench, '/_sampan/models/localhost:5000/ai/two');
    expect(detail.files.map((file) => file.shared_with)).toEqual([['localhost:5000/ai/tiny'], []]);
  });
});

test('purge deletes all models and what was left of others', async () => {
  const bench = await benchWithModel();
  await upload(bench, bytesOf('left over'));
  expect((await remove(bench, '/models/purge')).status).toBe(200);
  expect(await local(bench)).toEqual([]);
});

test('prune removes what nothing needs and keeps uploads of this session', async () => {
  const bench = await benchWithModel();
  await upload(bench, bytesOf('for later'));
  const orphan = bytesOf('orphan');
  const writer = await bench.store.writer(await sha256(orphan), orphan.byteLength);
  await writer.write(0, orphan.slice());
  for (const segment of writer.missing()) await writer.finish(segment);
  await writer.commit();
  expect(await (await post(bench, '/_sampan/prune')).json()).toEqual({ removed_blobs: 1, freed_bytes: 6 });
  expect(await blobs(bench)).toBe(2);
});

describe('an export', () => {
  it('is the tar that Docker Model Runner writes, and loads into an empty store byte for byte', async () => {
    const bench = await benchWithModel();
    const response = await bench.call(`/models/${name}/export`);
    const tar = await response.arrayBuffer();
    expect(response.headers.get('content-disposition')).toBe(
      'attachment; filename="localhost-5000-ai-tiny-latest.tar"',
    );
    expect(response.headers.get('content-length')).toBe(String(tar.byteLength));

    const other = makeBench();
    const loaded = await other.call('/models/load?name=my/own:1', undefined, { method: 'POST', body: tar });
    expect((await loaded.text()).trimEnd().split('\n').at(-1)).toContain('Model loaded successfully');
    const [model] = await local(other);
    expect(model?.id).toBe((await local(bench))[0]?.id);
    expect(model?.tags).toEqual(['docker.io/my/own:1']);
    expect(await blobs(other), 'the config’s blob is not kept twice').toBe(1);
    expect(await (await other.call(`/models/my/own:1/export`)).arrayBuffer()).toEqual(tar);
  });

  it('is an error before its first byte when a file is missing', async () => {
    const bench = await benchWithModel();
    for (const digest of await bench.store.digests()) await bench.store.delete(digest);
    expect((await bench.call(`/models/${name}/export`)).status).toBe(502);
  });
});

describe('a load', () => {
  const archive = (entries: readonly (readonly [string, Bytes])[]) =>
    new Blob([
      ...entries.flatMap(([path, bytes]) => [
        tarHeader({ path, type: 'file', sizeBytes: bytes.byteLength }),
        bytes,
        tarPadding(bytes.byteLength),
      ]),
      tarEnd(),
    ]);
  const load = (bench: Bench, body: Blob | string) =>
    bench.call('/models/load', undefined, { method: 'POST', body, headers: { accept: 'application/json' } });
  const zeros = '0'.repeat(64);

  it.each([
    [
      'no archive',
      'no archive at all, but a text that is longer than one block of five hundred and twelve bytes '.repeat(
        9,
      ),
    ],
    ['no manifest', archive([['readme.txt', bytesOf('x')]])],
    ['a manifest without its blobs', archive([['manifest.json', bytesOf('{"schemaVersion":2}')]])],
    ['a path that leads out', archive([['blobs/../../x', bytesOf('x')]])],
  ])('of %s says so and leaves nothing', async (_, body) => {
    const bench = makeBench();
    const response = await load(bench, body);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { code: 'unsupported_model_format' } });
    expect(await blobs(bench)).toBe(0);
  });

  it('of bytes that are not what their name says ends in an error line and leaves nothing', async () => {
    const bench = makeBench();
    const response = await load(bench, archive([[`blobs/sha256/${zeros}`, bytesOf('not zeros')]]));
    expect((await lines<{ type: string }>(response)).at(-1)?.type).toBe('error');
    expect(await blobs(bench)).toBe(0);
    expect(await bench.store.partials()).toEqual([]);
  });

  it('of half an archive leaves nothing', async () => {
    const bench = await benchWithModel();
    const whole = await (await bench.call(`/models/${name}/export`)).blob();
    const other = makeBench();
    expect((await load(other, whole.slice(0, whole.size / 2))).status).toBe(400);
    expect(await blobs(other)).toBe(0);
    expect(await other.store.partials()).toEqual([]);
  });

  describe('of what a program is still sending', () => {
    /** As the companion passes it on. */
    const send = (bench: Bench, bytes: Uint8Array, sizeBytes: number | undefined, failure?: Error) => {
      let at = 0;
      const stream = new ReadableStream({
        pull(controller) {
          if (at < bytes.byteLength) controller.enqueue(bytes.slice(at, (at += 777)));
          else if (failure) controller.error(failure);
          else controller.close();
        },
      });
      const headers = { accept: 'application/json' };
      const request = new Request('http://localhost/models/load?name=my/own:1', { method: 'POST', headers });
      return bench.runner.handle(Object.assign(request, { upload: { stream, sizeBytes } }));
    };
    const exported = async () => {
      const bench = await benchWithModel();
      return new Uint8Array(await (await bench.call(`/models/${name}/export`)).arrayBuffer());
    };

    it.each([
      ['with', (tar: Uint8Array) => tar.byteLength],
      ['without', () => undefined],
    ])('takes it in as it comes, %s its size', async (_, sizeOf) => {
      const tar = await exported();
      const bench = makeBench();
      const told = await lines<{ type: string }>(await send(bench, tar, sizeOf(tar)));
      expect(told.at(-1)?.type).toBe('success');
      expect((await local(bench))[0]?.tags).toEqual(['docker.io/my/own:1']);
      expect(await blobs(bench)).toBe(1);
      expect(new Uint8Array(await (await bench.call('/models/my/own:1/export')).arrayBuffer())).toEqual(tar);
    });

    it('takes it when the files are there already', async () => {
      const tar = await exported();
      const bench = await benchWithModel();
      expect((await lines<{ type: string }>(await send(bench, tar, undefined))).at(-1)?.type).toBe('success');
      expect(await local(bench)).toHaveLength(1);
    });

    it.each([
      ['ends in the middle', undefined],
      ['breaks off', new Error('gone')],
    ])('leaves nothing of what %s', async (_, failure) => {
      const tar = await exported();
      const bench = makeBench();
      const half = tar.slice(0, tar.byteLength / 2);
      const told = await lines<{ type: string }>(await send(bench, half, undefined, failure));
      expect(told.at(-1)?.type).toBe('error');
      expect(await blobs(bench)).toBe(0);
      expect(await bench.store.partials()).toEqual([]);
    });

    it('says at once that an archive is shorter than its first file', async () => {
      const bench = makeBench();
      expect((await send(bench, (await exported()).slice(0, 2000), 2000)).status).toBe(400);
    });

    it('of nothing says what the body must be', async () => {
      const bench = makeBench();
      expect((await send(bench, new Uint8Array(0), 0)).status).toBe(400);
      expect((await send(bench, new Uint8Array(0), undefined)).status).toBe(400);
      expect(await blobs(bench)).toBe(0);
    });
  });

  it('takes an OCI layout as skopeo writes it', async () => {
    const bench = await benchWithModel();
    const [stored] = await bench.index.list();
    if (!stored) throw new Error('no model');
    const manifestHex = stored.id.slice('sha256:'.length);
    const config = await sha256(stored.config);
    const index = {
      schemaVersion: 2,
      manifests: [
        {
          mediaType: 'application/vnd.oci.image.manifest.v1+json',
          digest: stored.id,
          size: stored.manifest.byteLength,
        },
      ],
    };
    const layout = archive([
      ['oci-layout', bytesOf('{"imageLayoutVersion":"1.0.0"}')],
      ['index.json', bytesOf(JSON.stringify(index))],
      [`blobs/sha256/${manifestHex}`, stored.manifest],
      [`blobs/${config.replace(':', '/')}`, stored.config],
      [`blobs/${(await sha256(tiny)).replace(':', '/')}`, tiny],
    ]);
    const other = makeBench();
    await (await load(other, layout)).text();
    expect((await local(other))[0]?.id).toBe(stored.id);
  });
});

describe('a package', () => {
  it('from a file runs, and the same file makes the same model', async () => {
    const bench = makeBench();
    const weights = [{ digest: await upload(bench, tiny), name: 'tiny.gguf' }];
    const licenses = [{ digest: await upload(bench, bytesOf('Apache')), name: 'LICENSE' }];
    const made = await post(bench, '/_sampan/package', {
      target: 'my/tiny',
      format: 'docker',
      weights,
      licenses,
      context_size: 64,
    });
    expect(made.status).toBe(201);
    const model = (await made.json()) as LocalModelJson;
    expect(model).toMatchObject({
      tags: ['docker.io/my/tiny:latest'],
      engine: 'llama.cpp',
      config: { format: 'gguf', context_size: 64 },
    });
    const again = await post(bench, '/_sampan/package', {
      target: 'my/same',
      format: 'docker',
      weights,
      licenses,
      context_size: 64,
    });
    expect(((await again.json()) as LocalModelJson).id).toBe(model.id);
    await post(bench, '/_sampan/prune');
    expect(await blobs(bench)).toBe(2);
  });

  it('converts a stored model to ModelPack over the same weights', async () => {
    const bench = await benchWithModel();
    const made = await post(bench, '/_sampan/package', { target: 'my/pack', format: 'cncf', from: name });
    expect(made.status).toBe(201);
    expect(await blobs(bench)).toBe(1);
    const detail = await get<ModelDetailJson>(bench, '/_sampan/models/my/pack');
    expect(detail).toMatchObject({
      packaging: 'CNCF ModelPack',
      model: { engine: 'llama.cpp', own_bytes: 0 },
    });
  });

  it('with another template says which is in force', async () => {
    const bench = await benchWithModel();
    const before = await get<ModelDetailJson>(bench, `/_sampan/models/${name}`);
    expect(before.chat_template?.from).toBe('gguf');
    const template = { digest: await upload(bench, bytesOf('{{ messages }}')), name: 'template.jinja' };
    await post(bench, '/_sampan/package', {
      target: 'my/new',
      format: 'docker',
      from: name,
      chat_template: template,
    });
    const after = await get<ModelDetailJson>(bench, '/_sampan/models/my/new');
    expect(after.chat_template).toEqual({ text: '{{ messages }}', from: 'artifact' });
    await post(bench, '/_sampan/package', {
      target: 'my/bare',
      format: 'docker',
      from: 'my/new',
      chat_template: null,
    });
    expect((await get<ModelDetailJson>(bench, '/_sampan/models/my/bare')).chat_template?.from).toBe('gguf');
  });

  it.each([
    ['nothing', {}],
    ['files that were never sent', { weights: [{ digest: `sha256:${'0'.repeat(64)}`, name: 'x.gguf' }] }],
    ['both a model and files', { from: name, weights: [] }],
    ['a digest for a name', { target: `my/x@sha256:${'0'.repeat(64)}`, from: name }],
    ['a context size in ModelPack', { from: name, format: 'cncf', context_size: 64 }],
    ['a field that does not exist', { from: name, quantize: 'Q4_0' }],
  ])('of %s is refused', async (_, fields) => {
    const bench = await benchWithModel();
    const response = await post(bench, '/_sampan/package', { target: 'my/x', format: 'docker', ...fields });
    expect(response.status).toBe(400);
    expect(await local(bench)).toHaveLength(1);
  });

  it('of a file that is no GGUF is refused', async () => {
    const bench = makeBench();
    const weights = [{ digest: await upload(bench, bytesOf('hello')), name: 'x.gguf' }];
    const response = await post(bench, '/_sampan/package', { target: 'my/x', format: 'docker', weights });
    expect(await response.json()).toMatchObject({ error: { code: 'unsupported_model_format' } });
  });

  it('is what repackage makes, with Docker Model Runner’s answer and the settings of its source', async () => {
    const bench = await benchWithModel();
    await put(bench, `/_sampan/models/${name}/settings`, { temperature: 0.5 });
    const response = await post(bench, `/models/${name}/repackage`, { target: 'my/small', context_size: 32 });
    expect(response.status).toBe(201);
    expect(await response.json()).toEqual({
      message: 'Model repackaged successfully as "my/small"',
      source: name,
      target: 'my/small',
    });
    const detail = await get<ModelDetailJson>(bench, '/_sampan/models/my/small');
    expect(detail).toMatchObject({ model: { config: { context_size: 32 } }, settings: { temperature: 0.5 } });
    expect((await post(bench, `/models/${name}/repackage`, {})).status).toBe(400);
    expect((await post(bench, '/models/ai/none/repackage', { target: 'x' })).status).toBe(404);
  });
});

test('an upload tells how far it is, and its end', async () => {
  const bench = makeBench();
  const response = await bench.call('/_sampan/blobs', undefined, {
    method: 'POST',
    body: tiny,
    headers: { accept: 'application/x-ndjson' },
  });
  const told = await lines<UploadJson>(response);
  expect(told[0]).toMatchObject({ type: 'progress', total_bytes: 2 * tiny.byteLength });
  expect(told.at(-1)).toEqual({ type: 'stored', digest: await sha256(tiny), size_bytes: tiny.byteLength });
  expect((await bench.call('/_sampan/blobs', undefined, { method: 'POST' })).status).toBe(400);
});

describe('a repair', () => {
  it('finds an intact model intact', async () => {
    const bench = await benchWithModel();
    const told = await lines<RepairJson>(await post(bench, `/_sampan/models/${name}/repair`));
    expect(told.at(-1)).toEqual({ type: 'done', damaged: 0 });
    expect(await get(bench, '/_sampan/pulls')).toMatchObject([{ status: 'done' }]);
  });

  it('names what is damaged, removes it, and fetches just that again', async () => {
    const disk = new MemoryDisk();
    const bench = makeBench({ store: new MemoryBlobStore({ disk, clock: new ManualClock() }) });
    const [good, bad] = [bytesOf('good'), bytesOf('bad!')];
    await bench.registry.publish(name, [good, bad]);
    await (await post(bench, '/models/create', { from: name })).text();
    disk.blobs.set(await sha256(bad), new Blob([bytesOf('BAD!')]));
    const asked = bench.registry.asked.length;
    const told = await lines<RepairJson>(await post(bench, `/_sampan/models/${name}/repair`));
    expect(told.filter(({ type }) => type === 'damaged')).toMatchObject([
      { digest: await sha256(bad), missing: false },
    ]);
    expect(told.at(-1)).toEqual({ type: 'done', damaged: 1, pull: name });
    await expect.poll(async () => (await local(bench))[0]?.missing_files).toBeUndefined();
    expect(bench.registry.asked.length).toBe(asked + 1);
    expect(await bench.store.verify(await sha256(bad))).toBe('intact');
  });

  it('does not take another version for it when the name has moved on', async () => {
    const bench = await benchWithModel();
    await bench.registry.publish(name, [bytesOf('new version')]);
    for (const digest of await bench.store.digests()) await bench.store.delete(digest);
    expect((await local(bench))[0]?.missing_files).toBe(1);
    await (await post(bench, `/_sampan/models/${name}/repair`)).text();
    await expect
      .poll(async () => (await get<{ status: string }[]>(bench, '/_sampan/pulls'))[0]?.status)
      .toBe('failed');
    expect((await local(bench))[0]?.tags).toEqual([name]);
  });
});

describe('a push', () => {
  it('sends manifest and layers as they are, with progress lines', async () => {
    const bench = await benchWithModel();
    await post(bench, `/models/${name}/tag?repo=localhost:5000/x/smol&tag=v1`);
    const response = await bench.call(
      '/models/localhost:5000/x/smol:v1/push',
      {},
      { headers: { accept: 'application/json' } },
    );
    expect(
      (await lines<{ type: string; mode: string }>(response)).map(({ type, mode }) => [type, mode]),
    ).toEqual([
      ['progress', 'push'],
      ['success', 'push'],
    ]);
    const [stored] = await bench.index.list();
    expect(bench.registry.pushed.get('localhost:5000/x/smol:v1')?.manifestBytes).toEqual(stored?.manifest);
  });

  it('hands credentials on, and names where layers may lie already', async () => {
    const bench = await benchWithModel();
    let seen: unknown;
    bench.registry.beforePush = (options) => {
      seen = [options.credentials, options.mountFrom];
      return Promise.resolve();
    };
    await post(bench, `/models/${name}/tag?repo=localhost:5000/x/smol&tag=v1`);
    await (
      await post(bench, '/models/localhost:5000/x/smol:v1/push', { username: 'ann', password: 'secret' })
    ).text();
    expect(seen).toEqual([{ kind: 'password', username: 'ann', password: 'secret' }, ['ai/tiny']]);
    await (await post(bench, '/models/localhost:5000/x/smol:v1/push', { 'bearer-token': 'abc' })).text();
    expect(seen).toEqual([{ kind: 'token', token: 'abc' }, ['ai/tiny']]);
    expect(JSON.stringify([...(await bench.settings.list()), bench.records.records])).not.toContain('secret');
  });

  it('answers 401 before its first line when the registry asks for a sign-in', async () => {
    const bench = await benchWithModel();
    bench.registry.beforePush = () => Promise.reject(new ApiError('unauthorized', 'Sign in.'));
    expect((await post(bench, `/models/${name}/push`)).status).toBe(401);
    const [{ id } = { id: '' }] = await local(bench);
    expect((await post(bench, `/models/${id}/push`)).status).toBe(400);
    expect((await post(bench, '/models/ai/none/push')).status).toBe(404);
  });

  it('is stopped by who asked for it', async () => {
    const bench = await benchWithModel();
    let stopped = false;
    bench.registry.beforePush = ({ signal }) =>
      new Promise((_, reject) => {
        signal?.addEventListener('abort', () => {
          stopped = true;
          reject(signal.reason as Error);
        });
      });
    const leaving = new AbortController();
    const pushing = bench.call(`/models/${name}/push`, '', { signal: leaving.signal });
    await expect.poll(() => local(bench)).toHaveLength(1);
    leaving.abort();
    expect((await pushing).status).toBe(499);
    expect(stopped).toBe(true);
  });
});

describe('inspecting', () => {
  it('describes a model in its registry before a byte of it is fetched', async () => {
    const bench = makeBench();
    await bench.registry.publish(name, [tiny]);
    const detail = await get<ModelDetailJson>(bench, `/_sampan/models/${name}?remote=true`);
    expect(detail).toMatchObject({ packaging: 'Docker v0.1', files: [{ role: 'weights', stored: false }] });
    const model = await get<object>(bench, `/models/${name}?remote`);
    expect(model).not.toHaveProperty('tags');
    expect(bench.registry.asked).toEqual([]);
    expect((await bench.call('/models/ai/none?remote=true')).status).toBe(404);
  });

  it('shows every key of a GGUF header', async () => {
    const bench = await benchWithModel();
    const { entries } = await get<{ entries: { key: string }[] }>(bench, `/_sampan/models/${name}/metadata`);
    expect(entries.map(({ key }) => key)).toContain('tokenizer.ggml.tokens');
  });
});
