import { describe, expect, test } from 'vitest';
import { parseAllowList } from '../../../src/tasks/outbound/allow-list.ts';
import { Guard } from '../../../src/tasks/outbound/guard.ts';

interface Given {
  readonly allowed?: string[];
  readonly denied?: string[];
  readonly answers?: Record<string, string[]>;
}
const guardOf = ({ allowed = [], denied = [], answers = {} }: Given = {}): Guard => {
  const list = parseAllowList(allowed);
  if (!list.ok) throw new Error(JSON.stringify(list.problems));
  return new Guard({
    allowed: list.value,
    deniedHosts: denied,
    resolve: async (host) =>
      (answers[host] ?? ['93.184.216.34']).map((address) => ({
        address,
        family: address.includes(':') ? 6 : 4,
      })),
  });
};
/** Checks a URL as the client does before, and the transport while it connects. */
const visit = async (text: string, given?: Given): Promise<string> => {
  const guard = guardOf(given);
  const url = new URL(text);
  try {
    guard.checkUrl(url);
    const port = url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port);
    const hostname = url.hostname.replace(/^\[(.*)\]$/, '$1');
    return (await guard.addressesOf(hostname, port)).map(({ address }) => address).join(' ');
  } catch (error) {
    return `${(error as { code?: string }).code}: ${(error as Error).message}`;
  }
};

describe('the guard', () => {
  test.each([
    'http://example.com/',
    'https://example.com/',
    'http://example.com:443/',
    'https://93.184.216.34/x?y',
  ])('%s may be called', async (url) => {
    expect(await visit(url)).toBe('93.184.216.34');
  });

  test.each<[string, RegExp]>([
    ['ftp://example.com/', /http:\/\/ or https/],
    ['file:///etc/passwd', /http:\/\/ or https/],
    ['data:text/plain,x', /http:\/\/ or https/],
    ['http://user@example.com/', /user name/],
    ['http://:password@example.com/', /user name/],
    ['http://example.com:8080/', /port 8080/],
    ['http://example.com:22/', /port 22/],
    ['http://127.0.0.1/', /loopback/],
    ['http://127.1/', /loopback/],
    ['http://0x7f.1/', /loopback/],
    ['http://0x7f000001/', /loopback/],
    ['http://2130706433/', /loopback/],
    ['http://017700000001/', /loopback/],
    ['http://0177.0.0.1/', /loopback/],
    ['http://127.0.0.1./', /loopback/],
    ['http://１２７.0.0.1/', /loopback/],
    ['http://0/', /this host/],
    ['http://0.0.0.0/', /this host/],
    ['http://[::]/', /this host/],
    ['http://[::1]/', /loopback/],
    ['http://[0:0:0:0:0:0:0:1]/', /loopback/],
    ['http://[::ffff:127.0.0.1]/', /loopback/],
    ['http://[::ffff:7f00:1]/', /loopback/],
    ['http://[::127.0.0.1]/', /IPv4-compatible/],
    ['http://[::ffff:0:127.0.0.1]/', /IPv4-translated/],
    ['http://[64:ff9b::169.254.169.254]/', /NAT64/],
    ['http://[64:ff9b:1::a9fe:a9fe]/', /NAT64/],
    ['http://[2002:a9fe:a9fe::]/', /6to4/],
    ['http://[2001:0:a9fe:a9fe::]/', /Teredo/],
    ['http://[fe80::1]/', /link-local/],
    ['http://[fd00:ec2::254]/', /private/],
    ['http://169.254.169.254/latest/meta-data/', /metadata/],
    ['http://2852039166/', /metadata/],
    ['http://0xA9FEA9FE/', /metadata/],
    ['http://169.254.170.2/v2/credentials', /metadata/],
    ['http://100.100.100.200/', /shared network/],
    ['http://168.63.129.16/', /cloud/],
    ['http://192.0.0.192/', /protocol/],
    ['http://10.0.0.1/', /private/],
    ['http://172.31.255.255/', /private/],
    ['http://192.168.0.1/', /private/],
    ['http://255.255.255.255/', /broadcast/],
    ['http://metadata.google.internal/', /metadata service/],
    ['http://METADATA.google.internal./', /metadata service/],
    ['http://metadata/', /metadata service/],
    ['http://instance-data/', /metadata service/],
  ])('%s may not', async (url, reason) => {
    const told = await visit(url);
    expect(told).toMatch(/^blocked_destination: /);
    expect(told).toMatch(reason);
  });

  test.each([
    [['127.0.0.1']],
    [['93.184.216.34', '127.0.0.1']],
    [['127.0.0.1', '93.184.216.34']],
    [['93.184.216.34', '::1']],
    [['2606:4700::1', 'fd00::1']],
    [['93.184.216.34', '::ffff:10.0.0.1']],
    [['fe80::1%eth0']],
    [['not an address']],
  ])('a name is refused where one of its addresses is: %j', async (answer) => {
    const told = await visit('http://rebind.example/', { answers: { 'rebind.example': answer } });
    expect(told).toMatch(/^blocked_destination: calls to rebind.example are refused/);
    for (const address of answer) expect(told).not.toContain(address);
  });

  test('a message holds nothing of the path and query', async () => {
    expect(await visit('http://10.0.0.1/key/s3cr3t?token=s3cr3t')).not.toContain('s3cr3t');
    expect(await visit('http://me:s3cr3t@example.com/')).not.toContain('s3cr3t');
  });

  test('a name without addresses is no refusal', async () => {
    expect(await visit('http://nowhere.example/', { answers: { 'nowhere.example': [] } })).toMatch(
      /^ENODATA/,
    );
  });
});

describe('what an operator allows', () => {
  const inside = {
    'api.internal': ['10.0.0.5'],
    'db.internal': ['10.0.0.9'],
    'meta.internal': ['169.254.169.254'],
  };
  test.each<[string, string[], string]>([
    ['http://api.internal:9000/', ['api.internal'], '10.0.0.5'],
    ['http://api.internal:9000/', ['api.internal:9000'], '10.0.0.5'],
    ['http://api.internal:9000/', ['*.internal'], '10.0.0.5'],
    ['http://api.internal:9000/', ['10.0.0.0/8'], '10.0.0.5'],
    ['http://API.internal.:9000/', ['Api.Internal'], '10.0.0.5'],
    ['http://10.0.0.5:9000/', ['10.0.0.5:9000'], '10.0.0.5'],
    ['http://[::1]:9000/', ['[::1]:9000'], '::1'],
    ['http://169.254.169.254/', ['169.254.169.254'], '169.254.169.254'],
  ])('%s with %j is called', async (url, allowed, address) => {
    const answers = { ...inside, 'api.internal.': ['10.0.0.5'] };
    expect(await visit(url, { allowed, answers })).toBe(address);
  });

  test.each<[string, string[]]>([
    ['http://api.internal:9001/', ['api.internal:9000']],
    ['http://10.0.0.6:9000/', ['10.0.0.5:9000']],
    ['http://api.internal/', ['internal']],
    ['http://meta.internal/', ['*.internal']],
    ['http://meta.internal/', ['meta.internal']],
    ['http://metadata.google.internal/', ['*.internal', '*.google.internal']],
    ['http://db.internal:5432/', ['*.internal']],
    ['http://db.internal:5432/', ['db.internal', 'db.internal:5432', '10.0.0.0/8']],
    ['http://db.internal/', ['*.internal', '10.0.0.0/8']],
  ])('%s with %j is not', async (url, allowed) => {
    const denied = ['DB.internal', 'db.internal:5432'];
    expect(await visit(url, { allowed, denied, answers: inside })).toMatch(/^blocked_destination/);
  });

  test('a denied host is called where the list has exactly this host, on other ports', async () => {
    const given = { denied: ['127.0.0.1', '127.0.0.1:5432'], allowed: ['127.0.0.1:8080', '127.0.0.1:5432'] };
    expect(await visit('http://127.0.0.1:8080/', given)).toBe('127.0.0.1');
    expect(await visit('http://127.0.0.1:5432/', given)).toMatch(/^blocked_destination/);
    expect(await visit('http://127.0.0.1:9090/', given)).toMatch(/^blocked_destination/);
  });
});
