import type { LookupAddress } from 'node:dns';
import { expect, it } from 'vitest';
import { isPublicAddress, publicLookup } from './address.ts';

it.each([
  '93.184.216.34',
  '8.8.8.8',
  '1.1.1.1',
  '172.32.0.1',
  '100.128.0.1',
  '2606:4700::1111',
  '2a00:1450::1',
  '2001:4860::8888',
])('%s is public', (address) => expect(isPublicAddress(address)).toBe(true));

it.each([
  '0.0.0.0',
  '10.1.2.3',
  '100.64.0.1',
  '127.0.0.1',
  '127.255.255.254',
  '169.254.169.254',
  '172.16.0.1',
  '172.31.255.255',
  '192.0.0.1',
  '192.0.2.1',
  '192.88.99.1',
  '192.168.1.1',
  '198.18.0.1',
  '198.51.100.1',
  '203.0.113.1',
  '224.0.0.1',
  '240.0.0.1',
  '255.255.255.255',
  '::',
  '::1',
  '::ffff:127.0.0.1',
  '::ffff:8.8.8.8',
  '::127.0.0.1',
  '64:ff9b::7f00:1',
  '64:ff9b:1::1',
  '100::1',
  '2001::1',
  '2001:db8::1',
  '2002:7f00:1::',
  '3fff::1',
  'fc00::1',
  'fd12::1',
  'fe80::1',
  'fe80::1%lo',
  'fec0::1',
  'ff02::1',
  'localhost',
  '127.1',
  '',
])('%s is not', (address) => expect(isPublicAddress(address)).toBe(false));

const loopback: LookupAddress = { address: '127.0.0.1', family: 4 };
const open: LookupAddress = { address: '93.184.216.34', family: 4 };

function look(addresses: readonly LookupAddress[], all: boolean) {
  const lookup = publicLookup(
    () => Promise.resolve(addresses),
    (hostname) => new Error(`refused ${hostname}`),
  );
  return new Promise((resolve, reject) => {
    lookup('registry.example', { all }, (error, address, family) =>
      error ? reject(error) : resolve([address, family]),
    );
  });
}

it('refuses a name whose addresses are all private', async () => {
  await expect(look([loopback], true)).rejects.toThrow('refused registry.example');
  await expect(look([loopback], false)).rejects.toThrow('refused registry.example');
  await expect(look([], true)).rejects.toThrow('refused registry.example');
});

it('leaves only the public addresses of a mixed name to dial', async () => {
  expect(await look([loopback, open], true)).toEqual([[open], undefined]);
  expect(await look([loopback, open], false)).toEqual(['93.184.216.34', 4]);
});

it('passes on that a name is unknown', async () => {
  const unknown = Object.assign(new Error('not found'), { code: 'ENOTFOUND' });
  const lookup = publicLookup(
    () => Promise.reject(unknown),
    () => new Error('refused'),
  );
  expect(await new Promise((resolve) => lookup('registry.example', {}, resolve))).toBe(unknown);
});
