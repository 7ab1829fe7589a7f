// emit_event, as other services call it: in their own transaction, with a login of their own.
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { EVENT_TYPE, MAX_EVENT_BYTES } from '../../src/core/trigger/event-type.ts';
import { type Database, openDatabase } from '../../src/db/connection/connection.ts';
import { DEFAULT_TENANT_ID } from '../../src/db/resources/default-tenant.ts';
import { findEvent, findEvents } from '../../src/db/triggers/events.ts';
import { BEGIN } from '../support/begin.ts';
import { createDatabase, type TestDatabase } from '../support/database.ts';

const OTHER = '00000000-0000-7000-8000-0000000000bb';
let own: TestDatabase;
let database: Database;
let client: pg.Client;
let second: pg.Client;
beforeAll(async () => {
  own = await createDatabase();
  database = openDatabase(own.url);
  await database.engine.query('insert into dagwright.tenants (id, name) values ($1, $2)', [OTHER, 'other']);
});
beforeEach(async () => {
  [client, second] = await Promise.all([connect(DEFAULT_TENANT_ID), connect(DEFAULT_TENANT_ID)]);
});
afterEach(async () => {
  await Promise.all([client.end(), second.end()]);
});
afterAll(async () => {
  await database.close();
  await own.drop();
});

async function connect(tenantId: string | null): Promise<pg.Client> {
  const made = new pg.Client({ connectionString: own.url });
  await made.connect();
  await made.query('set role dagwright_tenant');
  if (tenantId !== null)
    await made.query(`select set_config('app.current_tenant_id', $1, false)`, [tenantId]);
  return made;
}

const emit = async (text: string, values: unknown[] = [], by = client): Promise<string> =>
  (await by.query(`select dagwright.emit_event(${text}) as id`, values)).rows[0].id;
const count = async () =>
  (await database.engine.query('select count(*)::int as n from dagwright.events')).rows[0].n as number;

describe('emit_event', () => {
  test('judges a type and a payload as the API does', async () => {
    const { rows } = await database.engine.query(
      `select pg_get_functiondef('dagwright.emit_event(text, jsonb, text)'::regprocedure) as text`,
    );
    expect(rows[0].text).toContain(`'${EVENT_TYPE.pattern.source}'`);
    expect(rows[0].text).toContain(EVENT_TYPE.expected);
    expect(rows[0].text).toContain(`> ${MAX_EVENT_BYTES} `);
  });

  test('records an event with its payload, and who emitted it', async () => {
    const id = await emit(`'order.created', '{"total": 1.50}'`);
    const event = await database.withTenant(DEFAULT_TENANT_ID, (c) => findEvent(c, DEFAULT_TENANT_ID, id));
    expect(event).toMatchObject({
      type: 'order.created',
      payload: { total: 1.5 },
      createdBy: expect.stringMatching(/^sql:/),
      processedAt: null,
      executionsStarted: null,
      errors: [],
    });
  });

  test('takes an event without a payload for {}', async () => {
    const id = await emit(`'plain'`);
    expect(
      (await database.engine.query('select payload from dagwright.events where id = $1', [id])).rows,
    ).toEqual([{ payload: {} }]);
  });

  test('is rolled back with its caller', async () => {
    const before = await count();
    await client.query(BEGIN);
    await emit(`'order.created'`);
    await client.query('rollback');
    expect(await count()).toBe(before);
  });

  test('returns the first event of a key, which is of the type and the tenant', async () => {
    const first = await emit(`'keyed', '{"n": 1}', idempotency_key => 'k'`);
    expect(await emit(`'keyed', '{"n": 2}', idempotency_key => 'k'`)).toBe(first);
    expect(await emit(`'other.type', '{}', idempotency_key => 'k'`)).not.toBe(first);
    const foreign = await connect(OTHER);
    expect(await emit(`'keyed', '{}', idempotency_key => 'k'`, [], foreign)).not.toBe(first);
    await foreign.end();
  });

  test('makes a second with the same key wait for the first, and takes its place where that is rolled back', async () => {
    for (const end of ['commit', 'rollback']) {
      await client.query(BEGIN);
      const first = await emit(`'raced', '{}', $1`, [end]);
      let isAnswered = false;
      const waiting = emit(`'raced', '{}', $1`, [end], second).then((id) => {
        isAnswered = true;
        return id;
      });
      await waitsForALock();
      expect(isAnswered).toBe(false);
      await client.query(end);
      const id = await waiting;
      expect(id === first).toBe(end === 'commit');
      expect(
        (await database.engine.query(`select id from dagwright.events where idempotency_key = $1`, [end]))
          .rows,
      ).toEqual([{ id }]);
    }
  });

  test.each([
    ['a type with a blank', `'order created'`, /the type of an event is/],
    ['a type that is null', 'null', /the type of an event is/],
    ['a type of 201 characters', `repeat('a', 201)`, /the type of an event is/],
    ['a type with a line feed at its end', `E'order\\n'`, /the type of an event is/],
    ['a payload that is null', `'a', null`, /the payload of an event is JSON/],
    ['a payload over 1 MB', `'a', to_jsonb(repeat('x', 1000001))`, /at most 1000000 bytes/],
    ['an empty key', `'a', '{}', ''`, /idempotency_key/],
  ])('refuses %s', async (_title, text, message) => {
    const before = await count();
    await expect(emit(text)).rejects.toThrow(message);
    expect(await count()).toBe(before);
  });

  test('shows what to type where no tenant is set', async () => {
    const lost = await connect(null);
    await expect(emit(`'a'`, [], lost)).rejects.toMatchObject({
      message: 'no tenant is set',
      hint: expect.stringContaining('set_config'),
    });
    await lost.end();
  });
});

test("another tenant's events are not to be seen, listed or written", async () => {
  const foreign = await connect(OTHER);
  const id = await emit(`'theirs'`, [], foreign);
  await foreign.end();
  await database.withTenant(DEFAULT_TENANT_ID, async (c) => {
    expect(await findEvent(c, OTHER, id)).toBeNull();
    const { rows: events } = await findEvents(c, DEFAULT_TENANT_ID, { limit: 200, before: null });
    expect(events.map((event) => event.id)).not.toContain(id);
    expect((await findEvents(c, OTHER, { limit: 200, before: null })).rows).toEqual([]);
  });
  await expect(
    client.query(`update dagwright.events set processed_at = now() where id = $1`, [id]),
  ).rejects.toThrow(/permission denied/);
});

// Until the second connection's statement is seen to wait for the first's transaction.
async function waitsForALock(): Promise<void> {
  for (;;) {
    const { rows } = await database.engine.query(
      `select from pg_locks where not granted and locktype = 'transactionid'
         and pid in (select pid from pg_stat_activity where datname = current_database())`,
    );
    if (rows.length > 0) return;
  }
}
