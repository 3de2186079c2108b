/**
 * Which addresses the relay may dial. The check sits in the `lookup` of the connection itself, so that the address that
 * was checked is the address that is dialled: a name that changes between two look-ups gains nothing.
 */
import type { LookupAddress } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';

/** Every address of a name, in the order to try. */
export type ResolveName = (hostname: string) => Promise<readonly LookupAddress[]>;

const reservedV4 = subnets('ipv4', [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
]);

/** Only 2000::/3 is global unicast: outside are loopback, link-local, unique local, multicast, v4-mapped and NAT64. */
const globalV6 = subnets('ipv6', [['2000::', 3]]);

/** IETF protocols with Teredo, documentation (two of them), and 6to4, which carries any IPv4 address inside. */
const reservedV6 = subnets('ipv6', [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
]);

/** False for anything that is not the plain text of a public unicast address. */
export function isPublicAddress(address: string): boolean {
  if (isIP(address) === 4) return !reservedV4.check(address, 'ipv4');
  if (isIP(address) !== 6 || address.includes('%')) return false;
  return globalV6.check(address, 'ipv6') && !reservedV6.check(address, 'ipv6');
}

/** A `lookup` for connections that answers with public addresses only, and with `refusal` when a name has none. */
export function publicLookup(resolveName: ResolveName, refusal: (hostname: string) => Error): LookupFunction {
  return (hostname, options, callback) => {
    resolveName(hostname).then(
      (addresses) => {
        const open = addresses.filter(({ address }) => isPublicAddress(address));
        const [first] = open;
        if (!first) callback(refusal(hostname), []);
        else if (options.all) callback(null, open);
        else callback(null, first.address, first.family);
      },
      (thrown: unknown) => callback(thrown instanceof Error ? thrown : new Error(String(thrown)), []),
    );
  };
}

function subnets(family: 'ipv4' | 'ipv6', ranges: readonly (readonly [string, number])[]): BlockList {
  const list = new BlockList();
  for (const [network, prefix] of ranges) list.addSubnet(network, prefix, family);
  return list;
}
