import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  isMetadataAddress,
  parseAddress,
  parseRange,
  refusalOf,
} from '../../../src/tasks/outbound/address.ts';
import { depth } from '../../support/depth.ts';

/** The ranges that a call must not reach, from the IANA registries and FAULTS S4: written anew, not taken from the code. */
const REFUSED_RANGES = [
  '0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.0.2.0/24 192.31.196.0/24',
  '192.52.193.0/24 192.88.99.0/24 192.168.0.0/16 192.175.48.0/24 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/4',
  '240.0.0.0/4 255.255.255.255/32',
  '::/128 ::1/128 ::/96 64:ff9b::/96 64:ff9b:1::/48 100::/64 100:0:0:1::/64 2001::/23 2001::/32 2001:2::/48 2001:10::/28',
  '2001:20::/28 2001:db8::/32 2002::/16 2620:4f:8000::/48 3fff::/20 5f00::/16 fc00::/7 fe80::/10 fec0::/10 ff00::/8',
  '4000::/3 6000::/3 8000::/3 a000::/3 c000::/3',
].flatMap((line) => line.split(' '));

const v4Text = (value: bigint): string => [24n, 16n, 8n, 0n].map((by) => (value >> by) & 0xffn).join('.');
const groupsOf = (value: bigint): string[] =>
  [112n, 96n, 80n, 64n, 48n, 32n, 16n, 0n].map((by) => ((value >> by) & 0xffffn).toString(16));
/** Some of the ways to write one IPv6 address. */
const v6Texts = (value: bigint): string[] => {
  const groups = groupsOf(value);
  const url = new URL(`http://[${groups.join(':')}]/`).hostname.slice(1, -1);
  const dotted = `${groups.slice(0, 6).join(':')}:${v4Text(value & 0xffff_ffffn)}`;
  return [
    groups.join(':'),
    groups.map((group) => group.padStart(4, '0').toUpperCase()).join(':'),
    url,
    dotted,
  ];
};

const inRange = (text: string) => {
  const [prefix = '', bits = ''] = text.split('/');
  const isV4 = !prefix.includes(':');
  const width = isV4 ? 32 : 128;
  const base = isV4
    ? prefix.split('.').reduce((value, part) => value * 256n + BigInt(part), 0n)
    : BigInt(`0x${expand(prefix)}`);
  const size = 1n << BigInt(width - Number(bits));
  return fc
    .bigInt({ min: base, max: base + size - 1n })
    .map((value) => (isV4 ? [v4Text(value)] : v6Texts(value)));
};
function expand(text: string): string {
  const [head = '', tail = ''] = text.split('::');
  const first = head.split(':').filter((group) => group !== '');
  const last = tail.split(':').filter((group) => group !== '');
  const zeros = Array.from({ length: 8 - first.length - last.length }, () => '0');
  return [...first, ...zeros, ...last].map((group) => group.padStart(4, '0')).join('');
}

describe('addresses', () => {
  test.each(REFUSED_RANGES)('every address of %s is refused, however it is written', (range) => {
    fc.assert(
      fc.property(inRange(range), (texts) => {
        for (const text of texts) expect(refusalOf(text), text).not.toBeNull();
      }),
      { numRuns: depth(200) },
    );
  });

  test.each(REFUSED_RANGES.filter((range) => !range.includes(':')))(
    'every address of %s is refused in its IPv4-mapped form',
    (range) => {
      fc.assert(
        fc.property(inRange(range), ([text]) => {
          expect(refusalOf(`::ffff:${text}`)).not.toBeNull();
          const [a, b, c, d] = text!.split('.').map(Number) as [number, number, number, number];
          expect(
            refusalOf(`::ffff:${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`),
          ).not.toBeNull();
        }),
        { numRuns: depth(100) },
      );
    },
  );

  test.each([
    ...[
      '1.1.1.1',
      '8.8.8.8',
      '9.255.255.255',
      '11.0.0.0',
      '100.63.255.255',
      '100.128.0.0',
      '126.255.255.255',
    ],
    ...['128.0.0.1', '169.253.255.255', '169.255.0.0', '172.15.255.255', '172.32.0.0', '191.255.255.255'],
    ...[
      '192.0.1.0',
      '192.0.3.0',
      '192.167.255.255',
      '192.169.0.0',
      '198.17.255.255',
      '198.20.0.0',
      '223.255.255.255',
    ],
    ...[
      '2606:4700:4700::1111',
      '2001:4860:4860::8888',
      '2001:200::1',
      '2003::1',
      '2a00:1450:4001::200e',
      '2620:0:2d0::1',
    ],
    ...['::ffff:8.8.8.8', '::ffff:808:808'],
  ])('%s is public', (address) => {
    expect(refusalOf(address)).toBeNull();
  });

  test.each([
    ...[
      '',
      'localhost',
      '127.1',
      '0x7f000001',
      '2130706433',
      '017700000001',
      '127.0.0.01',
      '256.1.1.1',
      '1.1.1.1.',
    ],
    ...[
      '1.1.1.1/32',
      ' 1.1.1.1',
      '1.1.1.1\n',
      '[2606:4700::1]',
      '2606:4700::1%eth0',
      'fe80::1%1',
      '::ffff:1.1.1',
      '2606::4700::1',
    ],
    ...['1.1.1.1:80', '１.1.1.1'],
  ])('%j is no plain address, and refused', (text) => {
    expect(refusalOf(text)).not.toBeNull();
  });

  test('a reason says what the range is', () => {
    expect(
      ['10.1.2.3', '127.0.0.1', '169.254.169.254', '::1', 'fe80::1', '64:ff9b::7f00:1'].map(refusalOf),
    ).toEqual([
      'a private network',
      'loopback',
      'link-local, where cloud metadata is',
      'loopback',
      'link-local',
      'translated to IPv4 (NAT64)',
    ]);
  });

  test.each([
    '169.254.169.254',
    '::ffff:169.254.169.254',
    'fd00:ec2::254',
    '100.100.100.200',
    '168.63.129.16',
  ])('%s is where a cloud hands out credentials', (text) => {
    expect(isMetadataAddress(parseAddress(text)!)).toBe(true);
  });

  test('no other address is', () => {
    expect(isMetadataAddress(parseAddress('169.254.169.253')!)).toBe(false);
  });
});

describe('ranges', () => {
  test.each(['10.0.0.0/8', '0.0.0.0/0', '192.168.1.7/32', 'fd00::/8', '::/0'])('%s is one', (text) => {
    expect(parseRange(text)).not.toBeNull();
  });

  test.each([
    '10.0.0.1/8',
    '10.0.0.0/33',
    '10.0.0.0',
    '10.0.0.0/',
    '10.0.0.0/8/8',
    'fd00::1/8',
    'fd00::/129',
    '::ffff:10.0.0.0/104',
    'x/8',
    '10.0.0.0/-1',
  ])('%s is none', (text) => {
    expect(parseRange(text)).toBeNull();
  });
});
