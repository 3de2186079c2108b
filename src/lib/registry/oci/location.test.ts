import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { registryPath, withParameter } from './location.ts';

const host = 'registry.example.com';
const context = { host, base: `https://${host}/v2/a/b/blobs/uploads/` };
const upload = '/v2/a/b/blobs/uploads/1';

describe('registryPath', () => {
  it.each([
    ['a whole URL', `https://${host}${upload}?_state=x%2By&z=`, `${upload}?_state=x%2By&z=`],
    ['a path', upload, upload],
    ['a relative path', '1?x', `${upload}?x`],
    ['a path of the relay', `/_relay/${host}${upload}?s=1`, `${upload}?s=1`],
    ['http behind a proxy', `http://${host}${upload}`, upload],
    ['the scheme’s own port', `https://${host}:443${upload}`, upload],
    ['no scheme', `//${host}${upload}`, upload],
  ])('takes %s', (_, location, expected) => {
    expect(registryPath(location, context)).toBe(expected);
  });

  it('knows a registry by its port', () => {
    const local = { host: 'localhost:5000', base: 'http://localhost:5000/v2/a/blobs/uploads/' };
    expect(registryPath('http://localhost:5000/v2/x', local)).toBe('/v2/x');
    expect(() => registryPath('http://localhost:5001/v2/x', local)).toThrow('another host');
    expect(() => registryPath('http://localhost/v2/x', local)).toThrow('another host');
  });

  it.each([
    'https://evil.example/v2/',
    '//evil.example/v2/',
    `https://${host}.evil.example/v2/`,
    `https://${host}@evil.example/v2/`,
    `https://user:pass@${host}/v2/`,
    `https://${host}:8443/v2/`,
    'javascript:alert(1)',
    `ftp://${host}/v2/`,
    'https://',
    String.raw`\\evil.example\v2`,
  ])('refuses %s', (location) => {
    expect(() => registryPath(location, context)).toThrow(
      expect.objectContaining({ code: 'forbidden_origin' }),
    );
  });

  it('gives a path at the registry or throws, whatever comes', () => {
    const piece = fc.constantFrom(
      '/',
      '\\',
      '//',
      ':',
      '@',
      '?',
      '#',
      '..',
      host,
      'evil',
      'https:',
      '_relay',
      '%2f',
      ' ',
    );
    fc.assert(
      fc.property(fc.array(piece), fc.string(), (pieces, text) => {
        try {
          const path = registryPath(pieces.join('') + text, context);
          expect(new URL(`https://${host}${path}`).host).toBe(host);
        } catch (thrown) {
          expect(thrown).toMatchObject({ code: 'forbidden_origin' });
        }
      }),
      { numRuns: 1000 },
    );
  });
});

describe('withParameter', () => {
  it('leaves the rest as it stands', () => {
    expect(withParameter('/a', 'digest', 'sha256:0')).toBe('/a?digest=sha256%3A0');
    expect(withParameter('/a?_state=x%2By', 'digest', 'sha256:0')).toBe('/a?_state=x%2By&digest=sha256%3A0');
  });
});
