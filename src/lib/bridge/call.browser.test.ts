import { describe, expect, it } from 'vitest';
import { ApiError } from '#lib/core/errors.ts';
import { FileResponse } from '#lib/core/file-response.ts';
import { callHost } from './call.ts';
import {
  bytes,
  errorCode,
  errorCodeAtEnd,
  expectNothingLeft,
  get,
  newScope,
  post,
  readToEnd,
  serve,
  streamOf,
  textReader,
  writable,
} from './testing/support.ts';
import { tokenStream } from './testing/token-stream.ts';

describe('a request that goes well', () => {
  it('arrives whole, and so does its answer', async () => {
    const scope = newScope();
    await serve(scope, async (request) => {
      const { pathname, search } = new URL(request.url);
      const body = await request.text();
      const answer = {
        method: request.method,
        pathname,
        search,
        body,
        header: request.headers.get('x-test'),
      };
      return Response.json(answer, { status: 201, headers: { 'x-answer': 'yes' } });
    });

    const response = await callHost(post('//v1//echo?a=1', { b: 2 }, { headers: { 'x-test': 'c' } }), {
      scope,
    });

    expect(response.status).toBe(201);
    expect(response.headers.get('x-answer')).toBe('yes');
    expect(await response.json()).toEqual({
      method: 'POST',
      pathname: '/v1/echo',
      search: '?a=1',
      body: '{"b":2}',
      header: 'c',
    });
    await expectNothingLeft(scope);
  });

  it('hands on each chunk before the next one exists', async () => {
    const scope = newScope();
    const stream = writable();
    await serve(scope, async () => stream.response);

    const reader = textReader(await callHost(get('/v1/x'), { scope }));
    for (const token of ['one', 'two', 'three']) {
      const written = stream.write(token);
      expect(await reader.next()).toBe(token);
      await written;
    }
    void stream.end();
    expect(await reader.next()).toBeUndefined();
    await expectNothingLeft(scope);
  });

  it('keeps one message per chunk', async () => {
    const scope = newScope();
    const chunks = Array.from({ length: 200 }, (_, index) => `${index};`);
    await serve(scope, async () => new Response(streamOf(...chunks.map(bytes))));

    const reader = textReader(await callHost(get('/v1/x'), { scope }));
    for (const chunk of chunks) expect(await reader.next()).toBe(chunk);
    expect(await reader.next()).toBeUndefined();
  });

  it('frees everything when its body is never read', async () => {
    const scope = newScope();
    await serve(scope, async () => new Response('short'));
    await callHost(get('/v1/x'), { scope });
    await expectNothingLeft(scope);
  });

  it('may have a status that forbids a body', async () => {
    const scope = newScope();
    await serve(scope, async () => new Response(null, { status: 204 }));
    expect((await callHost(get('/v1/x'), { scope })).status).toBe(204);
    await expectNothingLeft(scope);
  });

  it('sends only its view of a larger buffer', async () => {
    const scope = newScope();
    const large = new Uint8Array(1000).fill(1);
    await serve(scope, async () => new Response(streamOf(large.subarray(10, 13))));
    const body = new Uint8Array(await (await callHost(get('/v1/x'), { scope })).arrayBuffer());
    expect([...body]).toEqual([1, 1, 1]);
  });
});

describe('a consumer that leaves', () => {
  it.each(['abort', 'cancel'])('stops the handler by %s after the head', async (how) => {
    const scope = newScope();
    const stream = writable();
    let stopped = false;
    await serve(scope, async ({ signal }) => {
      signal.addEventListener('abort', () => (stopped = true));
      return stream.response;
    });
    const leaving = new AbortController();
    const reader = textReader(await callHost(get('/v1/x', { signal: leaving.signal }), { scope }));
    void stream.write('token').catch(() => undefined);
    await reader.next();

    if (how === 'cancel') await reader.cancel();
    else {
      leaving.abort();
      await expect(reader.next()).rejects.toThrow(expect.objectContaining({ name: 'AbortError' }));
    }

    await expect.poll(() => stopped).toBe(true);
    await expectNothingLeft(scope);
  });

  it('stops the handler by an abort before the head', async () => {
    const scope = newScope();
    let signal: AbortSignal | undefined;
    await serve(scope, (request) => {
      signal = request.signal;
      return new Promise(() => undefined);
    });
    const leaving = new AbortController();
    const answer = callHost(get('/v1/x'), { scope, signal: leaving.signal });
    await expect.poll(() => signal).toBeDefined();
    leaving.abort();
    await expect(answer).rejects.toThrow(expect.objectContaining({ name: 'AbortError' }));
    await expect.poll(() => signal?.aborted).toBe(true);
    await expectNothingLeft(scope);
  });

  it('is not even asked for when it has aborted already', async () => {
    const scope = newScope();
    await serve(scope, async () => new Response('never'));
    await expect(callHost(get('/v1/x'), { scope, signal: AbortSignal.abort() })).rejects.toThrow(
      expect.objectContaining({ name: 'AbortError' }),
    );
    await expectNothingLeft(scope);
  });

  it('stops waiting for a host', async () => {
    const scope = newScope();
    const leaving = new AbortController();
    const answer = callHost(get('/v1/x'), { scope, signal: leaving.signal });
    leaving.abort();
    await expect(answer).rejects.toThrow(expect.objectContaining({ name: 'AbortError' }));
  });

  it('frees the engine when its worker is killed', async () => {
    const scope = newScope();
    let signal: AbortSignal | undefined;
    await serve(scope, async (request) => {
      signal = request.signal;
      return tokenStream(request.signal);
    });
    const consumer = new Worker(new URL('./testing/consumer.worker.ts', import.meta.url), {
      type: 'module',
      name: scope,
    });
    await new Promise((resolve) => consumer.addEventListener('message', resolve, { once: true }));
    expect(signal?.aborted).toBe(false);
    consumer.terminate();
    await expect.poll(() => signal?.aborted).toBe(true);
    await expectNothingLeft(scope);
  });
});

describe('a handler that fails', () => {
  it('before the head gives the error its status', async () => {
    const scope = newScope();
    await serve(scope, () =>
      Promise.reject(new ApiError('model_not_found', 'No such model. Pull it first.')),
    );
    const response = await callHost(get('/v1/x'), { scope });
    expect(response.status).toBe(404);
    expect(await errorCode(response)).toBe('model_not_found');
    await expectNothingLeft(scope);
  });

  it('with anything else than an ApiError is an internal one', async () => {
    const scope = newScope();
    await serve(scope, () => Promise.reject(new TypeError('secret detail')));
    const response = await callHost(get('/v1/x'), { scope });
    expect(response.status).toBe(500);
    expect(await response.text()).not.toContain('secret');
  });

  it('inside an event stream ends it with the error', async () => {
    const scope = newScope();
    const stream = writable();
    await serve(scope, async () => stream.response);
    const response = await callHost(get('/v1/x'), { scope });
    const text = errorCodeAtEnd(response);
    await stream.write('data: token\n\n');
    void stream.fail(new ApiError('device_lost', 'The GPU went away. Try again.'));
    expect(await text).toBe('device_lost');
    await expectNothingLeft(scope);
  });

  it('inside any other body breaks it with the error', async () => {
    const scope = newScope();
    const stream = writable('application/json');
    await serve(scope, async () => stream.response);
    const rest = readToEnd(await callHost(get('/v1/x'), { scope }));
    void stream.fail(new ApiError('device_lost', 'The GPU went away. Try again.'));
    await expect(rest).rejects.toThrow(expect.objectContaining({ code: 'device_lost' }));
    await expectNothingLeft(scope);
  });
});

it('stops producing when the reader stops, and goes on with it', async () => {
  const scope = newScope();
  const chunkBytes = 16 * 1024;
  const totalBytes = 4 * 1024 * 1024;
  let producedBytes = 0;
  await serve(scope, async () => {
    const pull = (controller: ReadableStreamDefaultController<Uint8Array>) => {
      controller.enqueue(new Uint8Array(chunkBytes));
      producedBytes += chunkBytes;
      if (producedBytes === totalBytes) controller.close();
    };
    return new Response(new ReadableStream({ pull }));
  });

  const response = await callHost(get('/v1/x'), { scope });
  await expect.poll(() => producedBytes).toBeGreaterThanOrEqual(256 * 1024);
  // A second request and its answer: by now an unbounded producer would be far ahead.
  await callHost(get('/v1/y'), { scope }).then((other) => other.body?.cancel());
  const ahead = producedBytes;
  expect(ahead).toBeLessThan(1024 * 1024);

  expect((await response.arrayBuffer()).byteLength).toBeGreaterThan(ahead / 2);
  expect(producedBytes).toBe(totalBytes);
  await expectNothingLeft(scope);
});

describe('an answer that is a file', () => {
  const file = new Blob(['head', new Uint8Array(3_000_000), 'tail']);

  it('is read where it is, and given back when that is done', async () => {
    const scope = newScope();
    let ended = 0;
    await serve(scope, async () => new FileResponse(file, { headers: { 'x-answer': 'yes' } }, () => ended++));
    const response = await callHost(get('/v1/x'), { scope });
    expect(response.headers.get('x-answer')).toBe('yes');
    expect((await response.arrayBuffer()).byteLength).toBe(file.size);
    await expect.poll(() => ended).toBe(1);
    await expectNothingLeft(scope);
  });

  it('is given back by who does not read it to its end', async () => {
    const scope = newScope();
    let ended = 0;
    await serve(scope, async () => new FileResponse(file, {}, () => ended++));
    const response = await callHost(get('/v1/x'), { scope });
    const reader = response.body?.getReader();
    await reader?.read();
    await reader?.cancel();
    await expect.poll(() => ended).toBe(1);
    await expectNothingLeft(scope);
  });
});

it('takes a whole file where files are taken, without a limit', async () => {
  const scope = newScope();
  await serve(scope, async (request) => {
    const { size } = await request.blob();
    return Response.json({ size });
  });
  const file = new Blob([new Uint8Array(11 * 1024 * 1024), 'end']);
  for (const path of ['/_sampan/blobs', '/models//load?name=x']) {
    const request = new Request(new URL(path, location.origin), { method: 'POST', body: file });
    expect(await (await callHost(request, { scope })).json()).toEqual({ size: file.size });
  }
  await expectNothingLeft(scope);
});

it('refuses a body above 10 MiB', async () => {
  const request = post('/v1/x', 'x'.repeat(10 * 1024 * 1024));
  const response = await callHost(request, { scope: newScope() });
  expect(response.status).toBe(413);
  expect(await errorCode(response)).toBe('request_too_large');
});
