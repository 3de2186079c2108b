import { describe, expect, it } from 'vitest';
import { AllowList, parseOptIn } from './allow.ts';

const none = new AllowList([]);
const some = new AllowList(
  ['localhost:5000', '127.0.0.1:5001', '[::1]:5000', 'https://registry.lan:5443'].map(parseOptIn),
);

function refusalOf(run: () => unknown): { code: string; message: string } {
  try {
    run();
  } catch (thrown) {
    if (thrown instanceof Error && 'code' in thrown)
      return { code: String(thrown.code), message: thrown.message };
  }
  throw new Error('nothing was refused');
}

describe('public hosts', () => {
  it.each(['registry-1.docker.io', 'ghcr.io', 'GHCR.io', 'registry.example.com:443', '8.8.8.8'])(
    'are reached by https: %s',
    (authority) => {
      const { url, access } = none.admitAuthority(authority);
      expect(access).toBe('public');
      expect(url.protocol).toBe('https:');
      expect(url.port).toBe('');
    },
  );

  it.each(['registry.example.com:5000', 'ghcr.io:80', '8.8.8.8:8080'])(
    'are not reached on another port: %s',
    (authority) => {
      const { code, message } = refusalOf(() => none.admitAuthority(authority));
      expect(code).toBe('forbidden_origin');
      expect(message).toContain(`--relay-allow ${authority}`);
    },
  );
});

describe('private hosts', () => {
  it('are refused with the flag and the variable that allow them', () => {
    expect(refusalOf(() => none.admitAuthority('localhost:5000'))).toEqual({
      code: 'forbidden_origin',
      message:
        'The relay does not reach private addresses. Start Sampan with --relay-allow localhost:5000 (or SAMPAN_RELAY_ALLOW=localhost:5000) to allow this registry.',
    });
  });

  it.each([
    '127.0.0.1',
    '127.1',
    '127.0.1',
    '2130706433',
    '0x7f.1',
    '0x7f000001',
    '0177.0.0.1',
    '017700000001',
    '0',
    '10.0.0.1:443',
    '169.254.169.254',
    '192.168.1',
    '[::1]',
    '[::]',
    '[::ffff:127.0.0.1]',
    '[::ffff:7f00:1]',
    '[0:0:0:0:0:ffff:127.0.0.1]',
    '[64:ff9b::127.0.0.1]',
    '[fe80::1]:5000',
    'localhost',
    'LocalHost:443',
    'app.localhost',
    'printer.local',
    'metadata.google.internal',
    'registry',
  ])('are refused in every spelling: %s', (authority) => {
    const { code, message } = refusalOf(() => none.admitAuthority(authority));
    expect(code).toBe('forbidden_origin');
    expect(message).toMatch(/^The relay does not reach private addresses\./);
  });

  it('are reached by plain http after an opt-in of exactly that host and port', () => {
    expect(some.admitAuthority('localhost:5000')).toEqual({
      url: new URL('http://localhost:5000'),
      access: 'opted-in',
    });
    expect(some.admitAuthority('[0:0::1]:5000').access).toBe('opted-in');
    expect(some.admitAuthority('127.1:5001').access).toBe('opted-in');
    expect(some.admitAuthority('registry.lan:5443').url.protocol).toBe('https:');
    for (const authority of ['localhost:5001', 'localhost', '127.0.0.1:5000', '127.0.0.2:5001']) {
      expect(refusalOf(() => some.admitAuthority(authority)).code).toBe('forbidden_origin');
    }
  });
});

it.each([
  '',
  ':443',
  'user@ghcr.io',
  'user:secret@ghcr.io',
  'ghcr.io.',
  'ghcr.io.:443',
  'localhost.',
  '127.0.0.1.',
  'ghcr.io:99999',
  'ghcr.io:',
  'ghcr%2eio',
  'ghcr.io\\@localhost',
  'ghcr.io#',
  '１２７.0.0.1',
  '[::1',
  '[fe80::1%25lo]',
  '256.0.0.1',
])('takes %j for no host', (authority) => {
  expect(refusalOf(() => none.admitAuthority(authority)).code).toBe('invalid_request');
});

describe('a URL that a server names', () => {
  it.each([
    'http://ghcr.io/x',
    'https://ghcr.io:8443/x',
    'https://127.1/x',
    'https://[::ffff:10.0.0.1]/',
    'http://localhost:5001/x',
    'https://localhost:5000/x',
    'https://user@ghcr.io/',
    'https://ghcr.io./',
    'file:///etc/passwd',
    'ftp://ghcr.io/',
  ])('is refused: %s', (url) => {
    expect(refusalOf(() => some.admitUrl(new URL(url))).code).toBe('forbidden_origin');
  });

  it('is admitted when public or opted in', () => {
    expect(some.admitUrl(new URL('https://cdn.example.com/x?y')).access).toBe('public');
    expect(some.admitUrl(new URL('http://localhost:5000/x')).access).toBe('opted-in');
  });
});

describe('an opt-in', () => {
  it.each([
    ['localhost:5000', 'http:', 'localhost:5000'],
    [' registry.lan:443 ', 'https:', 'registry.lan:443'],
    ['http://registry.lan:80', 'http:', 'registry.lan:80'],
    ['https://Registry.lan:5443', 'https:', 'registry.lan:5443'],
    ['0x7f.1:5000', 'http:', '127.0.0.1:5000'],
  ])('%j is %s on %s', (text, protocol, authority) =>
    expect(parseOptIn(text)).toEqual({ protocol, authority }),
  );

  it.each([
    'localhost',
    'localhost:',
    'localhost:x',
    'localhost:5000/v2',
    'ftp://a:1',
    'a@b:1',
    '*:5000',
    'a:70000',
  ])('%j is none', (text) => expect(refusalOf(() => parseOptIn(text)).code).toBe('invalid_request'));
});
