// Nothing that is not allowed is reached, asserted at a target that stands for cloud metadata and everything inside.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TerminalError } from '../../../src/core/errors.ts';
import type { ResolvedAddress } from '../../../src/tasks/outbound/guard.ts';
import { clientFor, failureOf, requestTo } from './support/http-client.ts';
import { openStub, type Stub } from './support/stub-server.ts';

let target: Stub;
let redirecting: Stub;
let location = '';
let status = 302;
beforeAll(async () => {
  target = await openStub((_, response) => response.end('credentials'));
  redirecting = await openStub((_, response) => {
    response.writeHead(status, { location });
    response.end();
  });
});
afterAll(async () => {
  expect(target.connections).toBe(0);
  await Promise.all([target.close(), redirecting.close()]);
});

const toLoopback = async () => [{ address: '127.0.0.1', family: 4 }];
/** Every way to write an address of ours with this port. */
const LOOPBACKS = [
  ...[
    '127.0.0.1',
    '127.1',
    '127.0.1',
    '0x7f.1',
    '0x7f000001',
    '2130706433',
    '017700000001',
    '0177.0.0.1',
    '127.0.0.1.',
  ],
  ...[
    '0',
    '0.0.0.0',
    '127.127.127.127',
    '[::]',
    '[::1]',
    '[::ffff:127.0.0.1]',
    '[::ffff:7f00:1]',
    '[::127.0.0.1]',
  ],
  ...[
    '[::ffff:0:127.0.0.1]',
    '[64:ff9b::127.0.0.1]',
    '[64:ff9b:1::127.0.0.1]',
    '[2002:7f00:1::]',
    '[0:0:0:0:0:0:0:1]',
  ],
  ...['localhost', 'localhost.', 'LOCALHOST', '①②⑦.0.0.1', '127。0。0。1'],
];

// All that a Location header can hold.
const isAscii = (text: string): boolean => /^[\x20-\x7e]*$/.test(text);

describe('the target is not reached', () => {
  test.each(LOOPBACKS)('at %s', async (host) => {
    const http = clientFor([], { resolve: toLoopback });
    const url = `http://${host}:${target.port}/latest/meta-data/`;
    for (const failure of [
      await failureOf(http.request(requestTo(url))),
      await failureOf(http.fetch(url)),
      await failureOf(http.fetch(new URL(url), { method: 'POST', body: '{}' })),
      await failureOf(http.fetch(new Request(url))),
    ]) {
      expect(failure).toBeInstanceOf(TerminalError);
      expect(failure.code).toBe('blocked_destination');
    }
    await http.close();
  });

  test.each([
    'http://169.254.169.254/latest/meta-data/iam/security-credentials/',
    'http://169.254.170.2/v2/credentials/',
    'http://[fd00:ec2::254]/latest/meta-data/',
    'http://metadata.google.internal/computeMetadata/v1/',
    'http://100.100.100.200/latest/meta-data/',
    'http://168.63.129.16/metadata',
    'http://192.0.0.192/opc/v2/instance/',
    'http://10.0.0.1/',
    'http://192.168.1.1/',
    'http://172.16.0.1/',
    'file:///etc/passwd',
    'gopher://127.0.0.1:6379/_INFO',
    'ftp://127.0.0.1/',
    'http://169.254.169.254:80@127.0.0.1/',
    'http://example.com@169.254.169.254/',
  ])('at %s', async (url) => {
    const resolve = async () => [{ address: '169.254.169.254', family: 4 }];
    const http = clientFor([], { resolve });
    expect((await failureOf(http.request(requestTo(url)))).code).toBe('blocked_destination');
    expect((await failureOf(http.fetch(url))).code).toBe('blocked_destination');
    await http.close();
  });

  test.each([301, 302, 303, 307, 308])('by a redirect with %i, however it is written', async (code) => {
    const http = clientFor([`127.0.0.1:${redirecting.port}`], { resolve: toLoopback });
    status = code;
    for (const host of [...LOOPBACKS.filter(isAscii), 'user@127.0.0.1']) {
      for (location of [
        `http://${host}:${target.port}/`,
        `//${host}:${target.port}/`,
        `\\\\${host}:${target.port}\\`,
      ]) {
        const failure = await failureOf(http.request(requestTo(redirecting.origin)));
        expect(failure.code, location).toBe('blocked_destination');
        expect((await failureOf(http.fetch(redirecting.origin))).code, location).toBe('blocked_destination');
      }
    }
    for (location of [
      'file:///etc/passwd',
      'javascript:1',
      'http://169.254.169.254/',
      'http://metadata.google.internal/',
    ])
      expect((await failureOf(http.request(requestTo(redirecting.origin)))).code, location).toBe(
        'blocked_destination',
      );
    await http.close();
  });
});

describe('names', () => {
  test('a name that turns to loopback after its check is connected to what was checked', async () => {
    const answers: ResolvedAddress[][] = [
      [{ address: '127.0.0.2', family: 4 }],
      [{ address: '127.0.0.1', family: 4 }],
    ];
    const asked: string[] = [];
    const resolve = async (host: string) => {
      asked.push(host);
      return answers[asked.length - 1] ?? answers[1]!;
    };
    const http = clientFor(['127.0.0.2'], { resolve });
    const failure = await failureOf(http.request(requestTo(`http://rebind.example:${target.port}/`)));
    expect(failure.message).toContain('could not connect (ECONNREFUSED)');
    expect(asked).toEqual(['rebind.example']);
    expect((await failureOf(http.request(requestTo(`http://rebind.example:${target.port}/`)))).code).toBe(
      'blocked_destination',
    );
    await http.close();
  });

  test('a call asks for its name once, whatever it needs it for', async () => {
    const stub = await openStub((_, response) => response.end('x'));
    const asked: string[] = [];
    const resolve = async (host: string) => {
      asked.push(host);
      return [{ address: asked.length === 1 ? '127.0.0.1' : '127.0.0.2', family: 4 }];
    };
    const http = clientFor([`127.0.0.1:${stub.port}`], { resolve });
    expect((await http.request(requestTo(`http://once.example:${stub.port}/`))).status).toBe(200);
    expect(asked).toEqual(['once.example']);
    expect(stub.received[0]!.headers.host).toBe(`once.example:${stub.port}`);
    await http.close();
    await stub.close();
  });

  test.each([[['93.184.216.34', '127.0.0.1']], [['127.0.0.1', '93.184.216.34']], [['2606:4700::1', '::1']]])(
    'one bad address among %j spoils them all',
    async (addresses) => {
      const resolve = async () =>
        addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
      const http = clientFor([], { resolve });
      expect((await failureOf(http.request(requestTo('http://mixed.example/')))).code).toBe(
        'blocked_destination',
      );
      expect((await failureOf(http.fetch('https://mixed.example/'))).code).toBe('blocked_destination');
      await http.close();
    },
  );
});
