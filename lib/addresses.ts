/** Which network addresses a source may have; a definition must not lead a worker to what listens beside it. */
import { BlockList, isIP } from 'node:net';

/** Cloud metadata services are at link-local addresses. */
const linkLocal = new BlockList();
linkLocal.addSubnet('169.254.0.0', 16, 'ipv4');
linkLocal.addSubnet('fe80::', 10, 'ipv6');
linkLocal.addAddress('fd00:ec2::254', 'ipv6');
/** Alibaba Cloud's metadata service. */
linkLocal.addAddress('100.100.100.200', 'ipv4');

/** The unspecified address reaches the own machine too. */
const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addSubnet('0.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');
loopback.addAddress('::', 'ipv6');

/** Why a source may not be at this address, in words; undefined where it may. `address` is an IPv4 or IPv6 literal. */
export function addressBlocked(address: string, loopbackAllowed: boolean): string | undefined {
  const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
  if (linkLocal.check(address, family)) return 'a link-local address, or a cloud’s metadata service';
  if (!loopbackAllowed && loopback.check(address, family)) return 'the worker’s own machine';
  return undefined;
}
