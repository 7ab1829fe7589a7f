import { describe, expect, test } from 'vitest';
import { parseAddress } from '../../../src/tasks/outbound/address.ts';
import { type AllowList, normalizeHost, parseAllowList } from '../../../src/tasks/outbound/allow-list.ts';

const listOf = (...entries: string[]): AllowList => {
  const result = parseAllowList(entries);
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return result.value;
};
const allows = (list: AllowList, address: string, port = 80) =>
  list.allowsAddress(parseAddress(address)!, port);

describe('the allow-list', () => {
  test('a host goes with every port, and with nothing below or beside it', () => {
    const list = listOf('API.Internal.');
    expect([list.nameMatch('api.internal', 80), list.nameMatch('api.internal', 9000)]).toEqual([
      'exact',
      'exact',
    ]);
    for (const other of ['x.api.internal', 'internal', 'api.internal.example', 'xapi.internal'])
      expect(list.nameMatch(other, 80), other).toBeNull();
  });

  test('a host with a port goes with that port only', () => {
    const list = listOf('api.internal:8080');
    expect([list.nameMatch('api.internal', 8080), list.nameMatch('api.internal', 80)]).toEqual([
      'exact',
      null,
    ]);
  });

  test('a suffix goes with everything below it, and not with itself', () => {
    const list = listOf('*.svc.example');
    expect([list.nameMatch('a.svc.example', 1), list.nameMatch('a.b.svc.example', 1)]).toEqual([
      'suffix',
      'suffix',
    ]);
    expect([list.nameMatch('svc.example', 1), list.nameMatch('xsvc.example', 1)]).toEqual([null, null]);
    expect(listOf('*.svc.example:81').nameMatch('a.svc.example', 80)).toBeNull();
  });

  test('a range goes with its addresses, also where they are mapped into IPv6', () => {
    const list = listOf('10.20.0.0/16', 'fd00:1::/32');
    expect(['10.20.255.1', '::ffff:10.20.0.1', 'fd00:1::5'].map((address) => allows(list, address))).toEqual([
      true,
      true,
      true,
    ]);
    expect(['10.21.0.0', 'fd00:2::1'].map((address) => allows(list, address))).toEqual([false, false]);
  });

  test.each(['127.0.0.1:8080', '[::1]:8080', '0x7f.1:8080'])('%s is an address on a port', (entry) => {
    const list = listOf(entry);
    const address = entry.startsWith('[') ? '::1' : '127.0.0.1';
    expect([allows(list, address, 8080), allows(list, address, 80)]).toEqual([true, false]);
    expect([list.nameMatch(address, 8080), list.nameMatch(address, 80)]).toEqual(['exact', null]);
  });

  test('hosts are compared as URLs write them', () => {
    expect(['BÜCHER.example', 'a.', '0x7f.1', '[::1]', '::0001', 'ⓐ.example'].map(normalizeHost)).toEqual([
      'xn--bcher-kva.example',
      'a',
      '127.0.0.1',
      '::1',
      '::1',
      'a.example',
    ]);
    expect(['', 'a b', 'a/b', 'u@h', 'h?x', '::1%eth0'].map(normalizeHost)).toEqual([
      null,
      null,
      null,
      null,
      null,
      null,
    ]);
  });

  test('empty entries are nothing', () => {
    expect(parseAllowList(['', '  '])).toMatchObject({ ok: true });
  });

  test.each<[string, RegExp]>([
    ['http://a.example', /has a scheme/],
    ['user@a.example', /has a user/],
    ['10.0.0.1/8', /not a range/],
    ['a.example/path', /not a range/],
    ['a.example:0', /port/],
    ['a.example:http', /port/],
    ['a.example:65536', /port/],
    ['*', /"\*"/],
    ['*.', /no host behind/],
    ['*.*.example', /no host behind/],
    ['*.10.0.0.1', /no host behind/],
    ['a.*.example', /"\*"/],
    ['a b', /not a host/],
  ])('%s is refused with its reason', (entry, reason) => {
    const result = parseAllowList(['ok.example', entry]);
    expect(result.ok ? [] : result.problems).toEqual([
      { pointer: 'DAGWRIGHT_ALLOWED_HOSTS', code: 'setting', message: expect.stringMatching(reason) },
    ]);
    expect(result.ok ? '' : result.problems[0]!.message).toContain(`"${entry}"`);
  });
});
