import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

/** What an address is when it is no ordinary public one, in words for a person. */
const WORDS: Readonly<Record<string, string>> = {
  unspecified: 'an unspecified address',
  broadcast: 'a broadcast address',
  multicast: 'a multicast address',
  linkLocal: 'a link-local address (cloud metadata lives there)',
  loopback: 'a loopback address',
  private: 'a private address',
  uniqueLocal: 'a private address',
  carrierGradeNat: 'a carrier-grade NAT address',
  reserved: 'a reserved address',
  ipv4Mapped: 'an IPv4 address written as IPv6',
  rfc6145: 'a translated IPv4 address',
  rfc6052: 'a NAT64 address',
  '6to4': 'a 6to4 address',
  teredo: 'a Teredo address',
};

/** Ranges that development may open; never link-local, metadata, multicast or IPv4 in disguise. */
const OPENED_FOR_DEVELOPMENT = new Set(['loopback', 'private', 'uniqueLocal']);

/** Global unicast IPv6; whatever lies outside is assigned to nobody, or to something special. */
const GLOBAL_UNICAST: [ipaddr.IPv6, number] = [ipaddr.IPv6.parse('2000::'), 3];

/** Inside global unicast or public IPv4, and still nobody's server: special names of registries and clouds. */
const SPECIAL = {
  'a cloud metadata address': [
    [ipaddr.IPv4.parse('100.100.100.200'), 32],
    [ipaddr.IPv4.parse('168.63.129.16'), 32],
    [ipaddr.IPv6.parse('fd00:ec2::254'), 128],
    [ipaddr.IPv6.parse('fd20:ce::254'), 128],
  ],
  'an address for protocols, not hosts': [
    [ipaddr.IPv4.parse('192.0.0.0'), 24],
    [ipaddr.IPv4.parse('192.88.99.0'), 24],
    [ipaddr.IPv6.parse('2001::'), 23],
  ],
  'an address for documentation': [
    [ipaddr.IPv6.parse('2001:db8::'), 32],
    [ipaddr.IPv6.parse('3fff::'), 20],
  ],
} satisfies Record<string, [ipaddr.IPv4 | ipaddr.IPv6, number][]>;

/**
 * Why nothing may be sent to `address` (an IP literal, as a resolver gives it), or undefined if it may be. It is a list of what
 * is allowed: an address this code does not know is refused.
 */
export function judgeAddress(address: string, allowPrivate: boolean): string | undefined {
  // A zone (`fe80::1%eth0`) only exists on local links.
  if (address.includes('%')) return `${address} is a link-local address`;
  // Stricter than the library, which also reads `1.2.3` and octal numbers.
  if (isIP(address) === 0) return `${address} is not an address`;
  const parsed = ipaddr.parse(address);
  const special = Object.entries(SPECIAL).find(([, ranges]) => ranges.some((range) => isIn(parsed, range)));
  if (special) return `${address} is ${special[0]}`;
  const range: string = parsed.range();
  if (allowPrivate && OPENED_FOR_DEVELOPMENT.has(range)) return undefined;
  if (range !== 'unicast') return `${address} is ${WORDS[range] ?? `in the special range ${range}`}`;
  return parsed.kind() === 'ipv4' || isIn(parsed, GLOBAL_UNICAST)
    ? undefined
    : `${address} is not a public address`;
}

function isIn(
  address: ipaddr.IPv4 | ipaddr.IPv6,
  [base, bits]: [ipaddr.IPv4 | ipaddr.IPv6, number],
): boolean {
  return address.kind() === base.kind() && address.match(base, bits);
}
