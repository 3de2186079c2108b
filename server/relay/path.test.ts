import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ApiError } from '#lib/core/errors.ts';
import { parseRelayPath } from './path.ts';

const digest = `sha256:${'a'.repeat(64)}`;

describe('a relay path', () => {
  it('splits into host, path and query', () => {
    expect(parseRelayPath('GET', '/_relay/localhost:5000/v2/a/b/manifests/latest', '?x=1')).toEqual({
      authority: 'localhost:5000',
      path: '/v2/a/b/manifests/latest',
      search: '?x=1',
      resource: { kind: 'manifest', name: 'a/b', reference: 'latest' },
    });
  });

  it.each([
    ['/_relay/auth.docker.io/token', '?service=registry.docker.io&scope=repository:ai/smollm2:pull'],
    ['/_relay/quay.io/v2/auth', '?service=quay.io'],
    ['/_relay/gitlab.com/jwt/auth', '?scope=a'],
    ['/_relay/public.ecr.aws/token/', '?scope=aws&service=public.ecr.aws'],
  ])('may be a token request: %s%s', (path, search) => {
    expect(parseRelayPath('GET', path, search).resource).toEqual({ kind: 'token' });
  });

  it.each([
    ['/_relay/ghcr.io', ''],
    ['/_relay/ghcr.io/', ''],
    ['/_relay/ghcr.io/index.html', ''],
    ['/_relay/ghcr.io/token', '?other=1'],
    ['/_relay/ghcr.io/a/../token', '?scope=a'],
    ['/_relay/ghcr.io/%2e%2e/token', '?scope=a'],
    ['/_relay/ghcr.io/.well-known/x', '?scope=a'],
    ['/_relay/ghcr.io/', '?scope=a'],
    ['/_relay/ghcr.io/v2/a/blobs/x', ''],
    ['/_relayed/ghcr.io/v2/', ''],
  ])('is refused: %s%s', (path, search) => {
    expect(() => parseRelayPath('GET', path, search)).toThrow(
      expect.objectContaining({ code: 'invalid_request' }),
    );
  });

  it.each([
    ['POST', '/v2/'],
    ['PUT', '/v2/a/tags/list'],
    ['POST', '/v2/a/manifests/latest'],
    ['PUT', `/v2/a/blobs/${digest}`],
    ['GET', '/v2/a/blobs/uploads/'],
    ['HEAD', '/v2/a/blobs/uploads/x'],
    ['OPTIONS', '/v2/'],
    ['TRACE', '/v2/'],
    ['get', '/v2/'],
  ])('is refused for %s %s', (method, path) => {
    expect(() => parseRelayPath(method, `/_relay/ghcr.io${path}`, '')).toThrow(
      expect.objectContaining({ code: 'method_not_allowed' }),
    );
  });

  it('carries a token request by GET only', () => {
    for (const method of ['POST', 'HEAD', 'PUT', 'DELETE']) {
      expect(() => parseRelayPath(method, '/_relay/auth.docker.io/token', '?scope=a')).toThrow(
        expect.objectContaining({ code: 'method_not_allowed' }),
      );
    }
  });
});

const part = fc.stringMatching(/^[a-z0-9]{1,8}(?:(?:\.|__?|-{1,2})[a-z0-9]{1,8}){0,2}$/);
const name = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'));
const tag = fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,40}$/);
const method = fc.constantFrom('GET', 'HEAD', 'POST', 'PATCH', 'PUT', 'DELETE', 'OPTIONS');

describe('any relay path', () => {
  it('of the specification comes through unchanged', () => {
    fc.assert(
      fc.property(name, tag, (repository, reference) => {
        const path = `/v2/${repository}/manifests/${reference}`;
        const parsed = parseRelayPath('GET', `/_relay/ghcr.io${path}`, '');
        expect(parsed).toMatchObject({ path, resource: { kind: 'manifest', name: repository, reference } });
      }),
    );
  });

  it('is refused with an ApiError, or stays what it is when a URL parser reads it', () => {
    const noise = fc.string({
      unit: fc.constantFrom('/', '.', '%', '2', 'e', 'f', '\\', ':', '@', '?', '#', 'v', 'a', '_'),
    });
    const rest = fc.oneof(
      fc.string(),
      noise,
      fc.tuple(name, noise).map(([a, b]) => `/v2/${a}/blobs/uploads/${b}`),
    );
    fc.assert(
      fc.property(method, rest, fc.constantFrom('', '?scope=a'), (verb, text, search) => {
        const parsed = attempt(() => parseRelayPath(verb, `/_relay/ghcr.io/${text}`, search));
        if (parsed instanceof ApiError) return;
        const url = new URL(parsed.path + parsed.search, 'https://ghcr.io');
        expect(url.host).toBe('ghcr.io');
        expect(url.pathname).toBe(parsed.path);
        expect(parsed.path).not.toMatch(/\/\.\.?(?:\/|$)|%|\\|\/\//);
      }),
      { numRuns: 500 },
    );
  });
});

function attempt<T>(run: () => T): T | ApiError {
  try {
    return run();
  } catch (thrown) {
    if (thrown instanceof ApiError) return thrown;
    throw thrown;
  }
}
