// A start costs the same however many there were before, also in a session that planned it while the tables were empty.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Database, openDatabase } from '../../src/db/connection/connection.ts';
import { startExecutions } from '../../src/db/executions/execution-starts.ts';
import { DEFAULT_TENANT_ID } from '../../src/db/resources/default-tenant.ts';
import { applyDefinition } from '../../src/db/resources/definitions.ts';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import { graph } from '../support/engine.ts';

let own: TestDatabase;
let database: Database;
beforeAll(async () => {
  own = await createDatabase();
  database = openDatabase(own.url, { max: 1 });
});
afterAll(async () => {
  await database.close();
  await own.drop();
});

it('a start reads the rows it needs, by their keys', async () => {
  const wanted = graph('a');
  await applyDefinition(database, DEFAULT_TENANT_ID, wanted, 'test');
  let made = 0;
  const requests = (count: number, isKeyed: boolean) =>
    Array.from({ length: count }, () => ({
      workflowId: wanted.workflowId,
      triggerType: 'api' as const,
      ...(isKeyed ? { idempotencyKey: `k${made++}`, scope: 'http', requestHash: '00' } : {}),
    }));
  // What the session has counted holds earlier transactions too, until it is handed on.
  const rowsRead = (isKeyed: boolean) =>
    database.asEngine({ actor: 'test' }, async (client) => {
      const counted = async () => {
        const { rows } = await client.query<{ n: number }>(
          `select coalesce(sum(coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0)), 0)::int as n
           from pg_stat_xact_user_tables where schemaname = 'dagwright' and relname in ('idempotency_keys', 'workflow_executions')`,
        );
        return rows[0]!.n;
      };
      const before = await counted();
      await startExecutions(client, DEFAULT_TENANT_ID, requests(10, isKeyed));
      return (await counted()) - before;
    });
  await rowsRead(true);
  for (let n = 0; n < 10; n++)
    await startExecutions(database.engine, DEFAULT_TENANT_ID, requests(200, n % 2 === 0));
  expect(await rowsRead(true)).toBeLessThan(150);
  expect(await rowsRead(false)).toBeLessThan(150);
});
