/** Network addresses that a grant or a token is bound to: IPv4 and IPv6, single or as a subnet. */
import { BlockList, isIP, isIPv6 } from 'node:net';

/** An empty prefix would count as 0, and 0 as everybody. */
const ENTRY = /^([^/]+)(?:\/(\d{1,3}))?$/;

/**
 * @param refuse makes the error for the entry at `index` that is neither an address nor a subnet
 * @throws what `refuse` gives
 */
export function addressList(addresses: string[], refuse: (message: string, index: number) => Error): BlockList {
  const list = new BlockList();
  addresses.forEach((text, i) => {
    const [, address, prefix] = ENTRY.exec(text) ?? ['', ''];
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
    const most = family === 'ipv6' ? 128 : 32;
    const bits = prefix === undefined ? most : Number(prefix);
    if (isIP(address) === 0 || bits > most) {
      throw refuse('this is no IP address or subnet', i);
    }
    list.addSubnet(address, bits, family);
  });
  return list;
}

/**
 * Whether the caller is at one of the addresses. Bound to none: always. Bound, and the caller's address unknown: never.
 * An IPv4 address that arrived mapped into IPv6 (RFC 4291, section 2.5.5.2) counts as what it is.
 */
export function isAt(address: string | undefined, addresses: string[] | null | undefined): boolean {
  if (addresses == null) return true;
  if (address === undefined || isIP(address) === 0) return false;
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '');
  const list = addressList(addresses, (message) => new TypeError(message));
  return list.check(plain, isIPv6(plain) ? 'ipv6' : 'ipv4');
}
