import { expect, it } from 'vitest';
import { AllowList, parseOptIn } from './allow.ts';
import { nextHop } from './redirect.ts';
import type { UpstreamRequest } from './upstream.ts';

const allow = new AllowList([parseOptIn('localhost:5000'), parseOptIn('localhost:9000')]);

function requestTo(authority: string): UpstreamRequest {
  const { url, access } = allow.admitAuthority(authority);
  return {
    method: 'GET',
    target: { url: new URL('/v2/a/blobs/x', url), access },
    headers: { authorization: 'Bearer secret', range: 'bytes=5-' },
    body: { kind: 'none' },
    signal: new AbortController().signal,
  };
}

it('keeps credentials on their host, by absolute and by relative location', () => {
  for (const location of ['/elsewhere', 'https://ghcr.io/elsewhere', 'https://ghcr.io:443/elsewhere']) {
    const next = nextHop(requestTo('ghcr.io'), location, allow);
    expect(next.target.url.href).toBe('https://ghcr.io/elsewhere');
    expect(next.headers).toEqual({ authorization: 'Bearer secret', range: 'bytes=5-' });
  }
});

it('drops credentials and keeps the range when the host or the port changes', () => {
  expect(nextHop(requestTo('ghcr.io'), 'https://cdn.example.com/b?sig=1', allow).headers).toEqual({
    range: 'bytes=5-',
  });
  expect(nextHop(requestTo('localhost:5000'), 'http://localhost:9000/b', allow).headers).toEqual({
    range: 'bytes=5-',
  });
});

it('does not give credentials back on the way home', () => {
  const away = nextHop(requestTo('ghcr.io'), 'https://cdn.example.com/b', allow);
  expect(nextHop(away, 'https://ghcr.io/b', allow).headers).toEqual({ range: 'bytes=5-' });
});

it.each(['http://cdn.example.com/b', 'https://127.0.0.1/b', 'https://0x7f.1/b', 'http://localhost:5001/b'])(
  'refuses %s',
  (location) => {
    expect(() => nextHop(requestTo('ghcr.io'), location, allow)).toThrow(
      expect.objectContaining({ code: 'forbidden_origin' }),
    );
  },
);

it('does not let a public registry reach an opted-in private host', () => {
  expect(() => nextHop(requestTo('ghcr.io'), 'http://localhost:5000/v2/', allow)).toThrow(
    expect.objectContaining({ code: 'forbidden_origin' }),
  );
});

it.each([undefined, 'https://'])('refuses the location %j', (location) => {
  expect(() => nextHop(requestTo('ghcr.io'), location, allow)).toThrow(
    expect.objectContaining({ code: 'registry_unreachable' }),
  );
});
