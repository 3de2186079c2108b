import { describe, expect, it } from 'vitest';
import { isApiPath, parseRequestPath, wantsPage } from './paths.ts';

describe('request paths', () => {
  it('collapse double slashes in the path and leave the query alone', () => {
    expect(parseRequestPath('//engines///v1//models?next=//a')).toEqual({
      path: '/engines/v1/models',
      search: '?next=//a',
    });
  });

  it.each([undefined, '', '*', 'http://evil.example/models', 'models'])('refuse the target %j', (target) => {
    expect(() => parseRequestPath(target)).toThrow(expect.objectContaining({ code: 'invalid_request' }));
  });
});

describe('API paths', () => {
  it.each([
    '/engines',
    '/engines/v1/chat/completions',
    '/v1/models',
    '/models',
    '/models/ai/smollm2',
    '/api/tags',
    '/anthropic/v1/messages',
    '/responses',
    '/responses/abc',
    '/rerank',
    '/score',
    '/logs',
    '/requests',
    '/metrics',
    '/version',
    '/_sampan/events',
  ])('%s is one', (path) => expect(isApiPath(path)).toBe(true));

  it.each(['/', '/catalog', '/models.js', '/v1x', '/enginesroom', '/logs.txt', '/_app/version.json'])(
    '%s is none',
    (path) => expect(isApiPath(path)).toBe(false),
  );
});

describe('a navigation', () => {
  const request = (method: string, accept?: string) => ({
    method,
    headers: accept === undefined ? {} : { accept },
  });

  it('takes HTML by GET or HEAD', () => {
    expect(wantsPage(request('GET', 'text/html,application/xhtml+xml,*/*;q=0.8'))).toBe(true);
    expect(wantsPage(request('HEAD', 'application/json, TEXT/HTML;q=0.9'))).toBe(true);
  });

  it('is nothing else', () => {
    expect(wantsPage(request('GET'))).toBe(false);
    expect(wantsPage(request('GET', '*/*'))).toBe(false);
    expect(wantsPage(request('GET', 'text/html;q=0, application/json'))).toBe(false);
    expect(wantsPage(request('POST', 'text/html'))).toBe(false);
  });
});
