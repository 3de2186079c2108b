import { expect, it } from 'vitest';
import { parseOciPath } from './oci-path.ts';

const digest = `sha256:${'a'.repeat(64)}`;

it.each([
  ['/v2/', { kind: 'base' }],
  ['/v2/_catalog', { kind: 'catalog' }],
  ['/v2/ai/smollm2/tags/list', { kind: 'tags', name: 'ai/smollm2' }],
  ['/v2/a/manifests/latest', { kind: 'manifest', name: 'a', reference: 'latest' }],
  [`/v2/a/b__c/d.e/manifests/${digest}`, { kind: 'manifest', name: 'a/b__c/d.e', reference: digest }],
  [`/v2/a/blobs/${digest}`, { kind: 'blob', name: 'a', digest }],
  ['/v2/a/blobs/uploads/', { kind: 'uploads', name: 'a' }],
  ['/v2/a/blobs/uploads/0b-1_c.d=', { kind: 'upload', name: 'a', id: '0b-1_c.d=' }],
  ['/v2/a/blobs/upload/0b', { kind: 'upload', name: 'a', id: '0b' }],
  [`/v2/a/referrers/${digest}`, { kind: 'referrers', name: 'a', digest }],
  ['/v2/manifests/manifests/manifests', { kind: 'manifest', name: 'manifests', reference: 'manifests' }],
])('reads %s', (path, expected) => expect(parseOciPath(path)).toEqual(expected));

it.each([
  '/v1/a',
  '/v2/A/manifests/latest',
  '/v2/a/../b/manifests/latest',
  '/v2/a/%2e%2e/manifests/latest',
  '/v2/a/manifests/..',
  '/v2/a/manifests/.hidden',
  '/v2/a/manifests/',
  '/v2/manifests/latest',
  '/v2/a/manifests/a%2fb',
  '/v2/a/blobs/latest',
  '/v2/a/blobs/sha256:short',
  '/v2/a/blobs/uploads/..',
  '/v2/a/blobs/uploads/a/b',
  '/v2/a/tags/other',
  `/v2/${'a'.repeat(256)}/tags/list`,
  '/v2/a_-b/tags/list',
])('refuses %s', (path) => expect(parseOciPath(path)).toBeUndefined());
