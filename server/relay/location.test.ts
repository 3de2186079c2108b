import { expect, it } from 'vitest';
import { locationHeader, relayLocation } from './location.ts';

const from = new URL('https://registry.example.com/v2/a/blobs/uploads/');
const rewrite = (location: string) => relayLocation(location, from, 'registry.example.com');

it.each([
  ['/v2/a/blobs/uploads/id?_state=x%2By', '/_relay/registry.example.com/v2/a/blobs/uploads/id?_state=x%2By'],
  ['id', '/_relay/registry.example.com/v2/a/blobs/uploads/id'],
  ['https://registry.example.com/v2/a/blobs/upload/id', '/_relay/registry.example.com/v2/a/blobs/upload/id'],
  ['http://registry.example.com/v2/a/blobs/uploads/id', '/_relay/registry.example.com/v2/a/blobs/uploads/id'],
])('turns %s into a relay path', (location, expected) => expect(rewrite(location)).toBe(expected));

it.each([
  'https://other.example.com/v2/a/blobs/uploads/id',
  'https://registry.example.com:8443/v2/a/blobs/uploads/id',
  '//other.example.com/v2/a/blobs/uploads/id',
  'https://user@registry.example.com/v2/a/blobs/uploads/id',
  '/artifacts-uploads/id',
  '/v2/a/blobs/uploads/../../../x',
  'https://',
])('turns %s into none', (location) => expect(rewrite(location)).toBeUndefined());

it('refuses an upload that would go on elsewhere, and only drops the location of a finished one', () => {
  const foreign = 'https://cdn.example.com/v2/a/blobs/uploads/id';
  expect(() => locationHeader(202, foreign, from, 'registry.example.com')).toThrow(
    expect.objectContaining({ code: 'registry_unreachable' }),
  );
  expect(locationHeader(201, foreign, from, 'registry.example.com')).toEqual({});
  expect(locationHeader(202, undefined, from, 'registry.example.com')).toEqual({});
});
