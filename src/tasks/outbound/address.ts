// Says of an IP address whether a task may be led to it: pure, and without any address book but the one below.
//   A1  Only what is understood is allowed: a text that is no plain address is refused.
//   A2  IPv6 is refused outside 2000::/3, so that a range that is reserved tomorrow is refused today.
import { isIPv4, isIPv6 } from 'node:net';

/** An address as a number. IPv4-mapped IPv6 (`::ffff:a.b.c.d`) is the IPv4 address that it reaches. */
export interface Address {
  readonly family: 4 | 6;
  readonly value: bigint;
}

/** All addresses that share the first `bits` bits. */
export interface AddressRange extends Address {
  readonly bits: number;
}

// IANA's IPv4 and IPv6 Special-Purpose Address Registries (RFC 6890), multicast, and what clouds answer on besides.
// Ranges inside a range are listed first where their reason says more.
const REFUSED: readonly (readonly [string, string])[] = [
  ['0.0.0.0/8', 'this host'],
  ['10.0.0.0/8', 'a private network'],
  ['100.64.0.0/10', "a carrier's shared network"],
  ['127.0.0.0/8', 'loopback'],
  ['168.63.129.16/32', "a cloud platform's own address"],
  ['169.254.0.0/16', 'link-local, where cloud metadata is'],
  ['172.16.0.0/12', 'a private network'],
  ['192.0.0.0/24', 'protocol assignments'],
  ['192.0.2.0/24', 'documentation'],
  ['192.31.196.0/24', 'the AS112 service'],
  ['192.52.193.0/24', 'multicast tunnels'],
  ['192.88.99.0/24', '6to4 relays'],
  ['192.168.0.0/16', 'a private network'],
  ['192.175.48.0/24', 'the AS112 service'],
  ['198.18.0.0/15', 'benchmarks'],
  ['198.51.100.0/24', 'documentation'],
  ['203.0.113.0/24', 'documentation'],
  ['224.0.0.0/4', 'multicast'],
  ['255.255.255.255/32', 'broadcast'],
  ['240.0.0.0/4', 'reserved'],
  ['::/128', 'this host'],
  ['::1/128', 'loopback'],
  ['::/96', 'IPv4-compatible'],
  ['::ffff:0:0:0/96', 'IPv4-translated'],
  ['64:ff9b::/96', 'translated to IPv4 (NAT64)'],
  ['64:ff9b:1::/48', 'translated to IPv4 (NAT64)'],
  ['100::/64', 'discarded'],
  ['100:0:0:1::/64', 'a dummy prefix'],
  ['2001::/32', 'a Teredo tunnel'],
  ['2001::/23', 'protocol assignments'],
  ['2001:db8::/32', 'documentation'],
  ['2002::/16', 'a 6to4 tunnel'],
  ['2620:4f:8000::/48', 'the AS112 service'],
  ['3fff::/20', 'documentation'],
  ['5f00::/16', 'segment routing'],
  ['fc00::/7', 'a private network'],
  ['fe80::/10', 'link-local'],
  ['fec0::/10', 'a private network'],
  ['ff00::/8', 'multicast'],
];
const RANGES = REFUSED.map(([range, reason]) => [known(range), reason] as const);
const GLOBAL_UNICAST = known('2000::/3');

// Where clouds hand out their machines' credentials: AWS (with its container endpoints), Azure, Google, Alibaba, Oracle.
const METADATA = [
  '169.254.169.254/32',
  '169.254.170.2/32',
  '169.254.170.23/32',
  '168.63.129.16/32',
  '100.100.100.200/32',
  '192.0.0.192/32',
  'fd00:ec2::254/128',
  'fd00:ec2::23/128',
  'fd20:ce::254/128',
].map(known);

/** Why no task may be led to this address, or null where one may. */
export function refusalOf(text: string): string | null {
  const address = parseAddress(text);
  if (address === null) return 'not an IP address';
  for (const [range, reason] of RANGES) if (isWithin(address, range)) return reason;
  return address.family === 6 && !isWithin(address, GLOBAL_UNICAST) ? 'reserved' : null;
}

/** True for the addresses under which clouds hand out credentials. */
export function isMetadataAddress(address: Address): boolean {
  return METADATA.some((range) => isWithin(address, range));
}

/** Null for anything but one plain address: no zone (`%eth0`), no brackets, no leading zeros. */
export function parseAddress(text: string): Address | null {
  if (isIPv4(text)) return { family: 4, value: valueOfV4(text) };
  if (!isIPv6(text) || text.includes('%')) return null;
  const value = valueOfV6(text);
  return value >> 32n === 0xffffn ? { family: 4, value: value & 0xffff_ffffn } : { family: 6, value };
}

/** `10.0.0.0/8`. Null where it is no range, or has bits set behind its prefix. */
export function parseRange(text: string): AddressRange | null {
  const [prefix = '', length = '', ...more] = text.split('/');
  if (more.length > 0 || !/^\d{1,3}$/.test(length)) return null;
  const address = isIPv6(prefix) && !prefix.includes('%') ? plainV6(prefix) : parseAddress(prefix);
  const bits = Number(length);
  if (address === null || bits > widthOf(address)) return null;
  // Mapped addresses are IPv4 here: a range of them would hold nothing.
  if (address.family === 6 && bits >= 96 && address.value >> 32n === 0xffffn) return null;
  const rest = BigInt(widthOf(address) - bits);
  return (address.value >> rest) << rest === address.value ? { ...address, bits } : null;
}

export function isWithin(address: Address, range: AddressRange): boolean {
  const rest = BigInt(widthOf(range) - range.bits);
  return address.family === range.family && address.value >> rest === range.value >> rest;
}

function widthOf({ family }: Address): number {
  return family === 4 ? 32 : 128;
}

function known(text: string): AddressRange {
  const range = parseRange(text);
  if (range === null) throw new Error(`not a range: ${text}`);
  return range;
}

function plainV6(text: string): Address {
  return { family: 6, value: valueOfV6(text) };
}

function valueOfV4(text: string): bigint {
  return text.split('.').reduce((value, part) => (value << 8n) | BigInt(part), 0n);
}

// Of a text that isIPv6 has approved.
function valueOfV6(text: string): bigint {
  const at = text.lastIndexOf(':') + 1;
  const tail = text.slice(at);
  const v4 = tail.includes('.') ? valueOfV4(tail) : null;
  const hex =
    v4 === null ? text : `${text.slice(0, at)}${(v4 >> 16n).toString(16)}:${(v4 & 0xffffn).toString(16)}`;
  const [head = '', rest] = hex.split('::');
  const groupsOf = (part: string): string[] => (part === '' ? [] : part.split(':'));
  const first = groupsOf(head);
  const last = rest === undefined ? [] : groupsOf(rest);
  const zeros = Array.from({ length: 8 - first.length - last.length }, () => '0');
  return [...first, ...zeros, ...last].reduce((value, group) => (value << 16n) | BigInt(`0x${group}`), 0n);
}
