// A body that is wrong by itself waits for nobody: it is refused before its request takes a connection, a place in its tenant's
// share, or its Idempotency-Key.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Database, openDatabase } from '../../src/db/connection/connection.ts';
import { ADMIN_KEY, openService, type TestService } from '../support/service.ts';

let service: TestService;
let acme: { id: string; key: string };
let poor: { id: string; key: string };
/** What was asked of the database, but for who calls. */
const asked: string[] = [];

beforeAll(async () => {
  service = await openService({ withKeys: true, reach: (url) => recorded(openDatabase(url)) });
  acme = await service.tenant('acme');
  poor = await service.tenant('poor', { scopes: ['api-keys:write', 'executions:read'], roles: [] });
});
afterAll(() => service.close());

function recorded(database: Database): Database {
  return {
    ...database,
    withTenant: (...given) => {
      asked.push('withTenant');
      return database.withTenant(...given);
    },
    asEngine: (...given) => {
      asked.push('asEngine');
      return database.asEngine(...given);
    },
    inShare: (...given) => {
      asked.push('inShare');
      return database.inShare(...given);
    },
  };
}

const asOperator = () => ({ key: ADMIN_KEY });
const asTenant = () => ({ key: acme.key });
const asPoor = () => ({ key: poor.key });
/** Numbers that are short as they come, and 300 bytes each as they are stored. */
const writtenOut = (count: number) => Array.from({ length: count }, () => 1e300);

describe('before the database is asked', () => {
  test.for([
    ['POST', '/v1/callbacks/x', asTenant, {}, 422],
    ['POST', '/v1/callbacks/x', asTenant, { output: 1, heartbeat: true }, 422],
    ['POST', '/v1/callbacks/x', asTenant, { output: writtenOut(4_000) }, 413],
    ['POST', '/v1/api-keys', asTenant, { name: 'x' }, 422],
    ['POST', '/v1/api-keys', asTenant, { name: 'x', roles: ['viewer'], subject: 'system' }, 422],
    [
      'POST',
      '/v1/api-keys',
      asTenant,
      { name: 'x', roles: ['viewer'], expiresAt: '9999-12-31T23:59:59-14:00' },
      422,
    ],
    ['POST', '/v1/api-keys', asPoor, { name: 'x', roles: ['admin'] }, 403],
    ['PUT', '/v1/variables/x', asTenant, { value: writtenOut(1_000) }, 422],
    ['POST', '/v1/schedules/preview', asTenant, { cronExpression: '* * *' }, 422],
    ['PUT', '/v1/service-limits/x', asOperator, { rateLimit: 5 }, 422],
  ] as const)('%s %s refuses what is wrong by itself: case %#', async ([method, path, as, body, status]) => {
    asked.length = 0;
    const headers = { 'idempotency-key': 'of-a-body-that-is-wrong' };
    const refused = await service.call(method, path, { ...as(), body, headers });
    expect([refused.status, asked]).toEqual([status, []]);
  });
});

test('what is right asks it', async () => {
  asked.length = 0;
  await service.call('POST', '/v1/callbacks/x', { body: { output: 1 } });
  await service.call('POST', '/v1/api-keys', { ...asTenant(), body: { name: 'x', roles: ['viewer'] } });
  await service.call('PUT', '/v1/variables/x', { ...asTenant(), body: { value: 1 } });
  await service.call('PUT', '/v1/service-limits/x', { ...asOperator(), body: { maxConcurrency: 5 } });
  expect(asked).toEqual(['inShare', 'withTenant', 'withTenant', 'asEngine']);
});
