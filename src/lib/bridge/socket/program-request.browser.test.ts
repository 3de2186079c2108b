import { expect, it } from 'vitest';
import { ProgramRequest } from './program-request.ts';

it('keeps the headers that a page may not send, and everything else of a request', async () => {
  const headers = new Headers({
    origin: 'http://a.example',
    referer: 'http://a.example/chat',
    'user-agent': 'curl/8',
    'content-type': 'application/json',
  });
  const leaving = new AbortController();
  const request = new ProgramRequest('http://localhost/v1/models?a=b', {
    method: 'POST',
    headers,
    body: '{"a":1}',
    signal: leaving.signal,
  });
  expect(Object.fromEntries(request.headers)).toEqual(Object.fromEntries(headers));
  expect(request).toMatchObject({ method: 'POST', url: 'http://localhost/v1/models?a=b' });
  expect(await request.json()).toEqual({ a: 1 });
  leaving.abort();
  expect(request.signal.aborted).toBe(true);
});
