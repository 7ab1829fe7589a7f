// An address that a sender names: asked through the guard, and no further than it.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createFetchOutside } from '../../src/cli/fetch-outside.ts';
import { openStub, type Stub } from '../tasks/outbound/support/stub-server.ts';

let stub: Stub;
beforeAll(async () => {
  stub = await openStub(({ target }, response) => {
    const status = Number(target.slice(1));
    response.writeHead(status, status === 302 ? { location: '/200' } : {});
    response.end('a body that nobody wants');
  });
});
afterAll(() => stub.close());

test('its status is what it answers; a redirect leads nowhere', async () => {
  const fetchOutside = createFetchOutside({ allowedHosts: [`127.0.0.1:${stub.port}`] });
  for (const status of [200, 302, 404, 500])
    expect((await fetchOutside(new URL(`${stub.origin}/${status}`))).status).toBe(status);
  expect(stub.received.map(({ method, target }) => `${method} ${target}`)).toEqual([
    'GET /200',
    'GET /302',
    'GET /404',
    'GET /500',
  ]);
});

test('the guard keeps it from addresses that are not public', async () => {
  const fetchOutside = createFetchOutside({});
  for (const url of [`${stub.origin}/201`, 'http://169.254.169.254/latest', 'http://[::1]/'])
    await expect(fetchOutside(new URL(url))).rejects.toMatchObject({ code: 'blocked_destination' });
  expect(stub.received.map(({ target }) => target)).not.toContain('/201');
});
