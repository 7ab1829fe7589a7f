// What the service keeps for a time only.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { firstIdAt } from '../../src/core/id.ts';
import { DEFAULT_TENANT_ID } from '../../src/db/resources/default-tenant.ts';
import { createHousekeepingPass } from '../../src/triggers/housekeeping.ts';
import { type Engine, openEngine } from '../support/engine.ts';

let engine: Engine;
beforeAll(async () => {
  engine = await openEngine({ idle: true });
});
afterAll(() => engine.close());

const DAY_MS = 86_400_000;
const ago = (days: number) => new Date(Date.now() - days * DAY_MS).toISOString();
const count = async (table: string) =>
  (await engine.query<{ n: number }>(`select count(*)::int as n from dagwright.${table}`))[0]!.n;

async function seed(): Promise<void> {
  for (const [i, days] of [0, 40].entries()) {
    const id = firstIdAt(Date.now() - days * DAY_MS);
    await engine.query(
      `insert into dagwright.idempotent_requests (tenant_id, route, key_hash, request_hash, status, answer, created_at)
       values ($1, 'POST /v1/x', $2, '', 201, '', $3)`,
      [DEFAULT_TENANT_ID, Buffer.from([i]), ago(days)],
    );
    await engine.query(
      `insert into dagwright.events (id, tenant_id, type, payload, created_by, created_at, processed_at)
       values ($1, $2, 't', '{}', 'test', $3, $3)`,
      [id, DEFAULT_TENANT_ID, ago(days)],
    );
    await engine.query(
      `with s as (insert into dagwright.schedules (id, tenant_id, workflow_id, name, cron_expression, created_by)
         values ($1, $2, 'w', $3, '* * * * *', 'test') returning id)
       insert into dagwright.schedule_ticks (tenant_id, schedule_id, scheduled_at, status, decided_at)
       select $2, id, $4, 'fired', $4 from s`,
      [id, DEFAULT_TENANT_ID, `s${i}`, ago(days)],
    );
    await engine.query(
      `with w as (insert into dagwright.webhooks (id, tenant_id, workflow_id, path, auth_type, created_by)
         values ($1, $2, 'w', $3, 'none', 'test') returning id)
       insert into dagwright.webhook_events (id, tenant_id, webhook_id, status, method, headers, query, body, received_at)
       select $1, $2, id, 'processed', 'POST', '{}', '{}', '{}', $4 from w`,
      [id, DEFAULT_TENANT_ID, `p${i}`, ago(days)],
    );
  }
}

test('first answers go after a day; ticks and events only where the operator says after how long', async () => {
  await seed();
  expect(await createHousekeepingPass({ database: engine.database, retentionDays: 0 }).run()).toBe(1);
  expect(await count('idempotent_requests')).toBe(1);
  expect([await count('events'), await count('schedule_ticks'), await count('webhook_events')]).toEqual([
    2, 2, 2,
  ]);

  expect(await createHousekeepingPass({ database: engine.database, retentionDays: 30 }).run()).toBe(3);
  expect([await count('events'), await count('schedule_ticks'), await count('webhook_events')]).toEqual([
    1, 1, 1,
  ]);
});

test('signals go after 30 days, whatever the operator keeps', async () => {
  await engine.query(
    `with o as (insert into dagwright.workflow_executions (id, tenant_id, workflow_id, revision, version_id, status, trigger_type, input, created_at)
       values ($1, $2, 'w', 1, $1, 'paused', 'manual', '{}', $3) returning id)
     insert into dagwright.execution_signals (workflow_execution_id, position, tenant_id, name, sender, created_at, is_judged)
     select o.id, days, $2, 'go', 'test', now() - days * interval '1 day', true from o, unnest(array[29, 31]) days`,
    [firstIdAt(Date.now()), DEFAULT_TENANT_ID, ago(0)],
  );
  expect(await createHousekeepingPass({ database: engine.database, retentionDays: 0 }).run()).toBe(1);
  expect(await engine.query('select position::int as days from dagwright.execution_signals')).toEqual([
    { days: 29 },
  ]);
});

test('a pass that found little is not repeated at once', async () => {
  const pass = createHousekeepingPass({ database: engine.database, retentionDays: 30 });
  expect(await pass.run()).toBe(0);
  await engine.query(`update dagwright.idempotent_requests set created_at = $1`, [ago(2)]);
  expect(await pass.run()).toBe(0);
});
