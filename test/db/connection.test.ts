// The connection itself: what a statement without an answer does to it, and a worker whose network fails.
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { probeListener, within } from '../../src/db/connection/bounded-client.ts';
import { BoundedPool } from '../../src/db/connection/bounded-pool.ts';
import {
  type Database,
  isConnectionLoss,
  isRetryable,
  openDatabase,
} from '../../src/db/connection/connection.ts';
import { inTransaction } from '../../src/db/connection/transaction.ts';
import { DEFAULT_TENANT_ID } from '../../src/db/resources/default-tenant.ts';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import { patience } from '../support/patience.ts';
import { type FaultyProxy, startProxy } from '../support/proxy.ts';

let own: TestDatabase;
let proxy: FaultyProxy;
let database: Database;
beforeAll(async () => {
  own = await createDatabase();
  const { hostname, port } = new URL(own.url);
  proxy = await startProxy({ host: hostname, port: Number(port) });
});
beforeEach(async () => {
  database = openDatabase(proxy.urlOf(own.url), { max: 2 });
  return async () => {
    proxy.heal({ forgets: true });
    proxy.reset();
    await database.close();
    vi.restoreAllMocks();
  };
});
afterAll(async () => {
  await proxy.close();
  await own.drop();
});

const lossOf = async (work: Promise<unknown>) =>
  isConnectionLoss(await work.catch((error: unknown) => error));
const withinShort = (text: string) => ({ text, ...within(300) });

test("errors of the server's own files are nobody's fault: what met them may be tried again", () => {
  const told = (code: string, file: string) => isRetryable(Object.assign(new Error(), { code, file }));
  // A disk with errors; one that is read-only by now; a quota.
  expect([told('58030', 'md.c'), told('42501', 'md.c'), told('XX000', 'fd.c')]).toEqual([true, true, true]);
  // A right that is missing, a value that is too large.
  expect([told('42501', 'aclchk.c'), told('XX000', 'mcxt.c'), told('22021', 'md.c')]).toEqual([
    false,
    false,
    false,
  ]);
});

describe('a statement without an answer', () => {
  test('ends as a lost connection, which is not used again', async () => {
    await database.engine.query('select 1');
    expect(proxy.blackholeOpen()).toBe(1);
    expect(await lossOf(database.engine.query(withinShort('select 2')))).toBe(true);
    for (let i = 0; i < 100; i++)
      expect((await database.engine.query(withinShort(`select ${i} as n`))).rows).toEqual([{ n: i }]);
    expect(database.engine.totalCount).toBe(1);
  });

  test('ends a transaction and its connection, though it was released as if it were sound', async () => {
    const client = await database.engine.connect();
    await client.query('begin');
    proxy.blackholeOpen();
    expect(await lossOf(client.query(withinShort('select 1')))).toBe(true);
    // Not after another limit: the connection has ended.
    const startedAt = performance.now();
    expect(await lossOf(client.query('rollback'))).toBe(true);
    expect(performance.now() - startedAt).toBeLessThan(patience(5_000));
    client.release();
    expect((await database.engine.query('select 1 as n')).rows).toEqual([{ n: 1 }]);
    expect(database.engine.totalCount).toBe(1);
  });

  test('lets a transaction fail with the loss, not with what its rollback met', async () => {
    await database.engine.query('select 1');
    const failing = inTransaction(database.engine, async (client) => {
      proxy.blackholeOpen();
      await client.query(withinShort('select 1'));
    });
    await expect(failing).rejects.toThrow('Query read timeout');
    expect(database.engine.idleCount).toBe(0);
  });

  test('is given up by the client a little after the server would have', () => {
    const { query_timeout, options } = database.engine.options;
    const limit = Number(/statement_timeout=(\d+)/.exec(options ?? '')![1]);
    expect(query_timeout).toBeGreaterThan(limit);
    expect(query_timeout).toBeLessThan(limit + 5_000);
  });

  test('of the server alone is cancelled there, and the connection stays', async () => {
    const limited = `set local statement_timeout = 100`;
    const cancelled = inTransaction(database.engine, async (client) => {
      await client.query(limited);
      await client.query('select pg_sleep(5)');
    });
    await expect(cancelled).rejects.toMatchObject({ code: '57014' });
    expect(database.engine.idleCount).toBe(1);
  });
});

describe("a transaction in a tenant's name", () => {
  const original = pg.Client.prototype.query as unknown as (...args: unknown[]) => unknown;
  /** The texts that are sent meanwhile, and how many had not been answered when each was sent. */
  const watchQueries = (send: (text: string) => string = (text) => text) => {
    const sent: { readonly text: string; readonly before: number }[] = [];
    let open = 0;
    vi.spyOn(pg.Client.prototype, 'query').mockImplementation(function (this: pg.Client, ...args: unknown[]) {
      const [text, ...rest] = args as [string, ...unknown[]];
      sent.push({ text: text.replace(/;.*/s, '; …'), before: open++ });
      const answer = original.apply(this, [send(text), ...rest]) as Promise<unknown>;
      void answer.then(
        () => open--,
        () => open--,
      );
      return answer as never;
    });
    return sent;
  };
  const tenants = (client: pg.ClientBase) => client.query('select id from dagwright.tenants');

  test('is two round trips for one statement: its settings go with the begin, and nobody waits for that', async () => {
    const found = await database.withTenant(DEFAULT_TENANT_ID, tenants);
    expect(found.rows).toEqual([{ id: DEFAULT_TENANT_ID }]);
    const sent = watchQueries();
    await database.withTenant(DEFAULT_TENANT_ID, tenants);
    expect(sent).toEqual([
      { text: 'begin; …', before: 0 },
      { text: 'select id from dagwright.tenants', before: 1 },
      { text: 'commit', before: 0 },
    ]);
  });

  test('whose begin failed sees and writes nothing, and fails with that', async () => {
    watchQueries((text) => (text.startsWith('begin') ? 'select 1/0' : text));
    const seen: unknown[] = [];
    const failing = database.withTenant(DEFAULT_TENANT_ID, async (client) => {
      seen.push((await tenants(client)).rows, (await client.query('select current_user as name')).rows);
      await client.query(`insert into dagwright.workflow_variables (tenant_id, name, value, created_by)
        values ('${DEFAULT_TENANT_ID}', 'a', '1', 'test')`);
    });
    await expect(failing).rejects.toMatchObject({ code: '22012' });
    expect(seen).toEqual([[], [{ name: 'dagwright_tenant' }]]);
    vi.restoreAllMocks();
    expect((await database.engine.query('select from dagwright.workflow_variables')).rowCount).toBe(0);
  });
});

test('connections that cannot be made are given up', async () => {
  proxy.blackhole();
  expect(await lossOf(database.engine.query('select 1'))).toBe(true);
});

test('connections that are reset are replaced, and nobody is told but those who use them', async () => {
  await Promise.all([database.engine.query('select 1'), database.engine.query('select 1')]);
  proxy.reset();
  await expect.poll(() => database.engine.totalCount).toBe(0);
  expect((await database.engine.query('select 1 as n')).rows).toEqual([{ n: 1 }]);
});

test('a slow network delays answers and breaks nothing', async () => {
  proxy.delay(50);
  try {
    const startedAt = performance.now();
    expect((await database.engine.query('select 1 as n')).rows).toEqual([{ n: 1 }]);
    expect(performance.now() - startedAt).toBeGreaterThan(100);
  } finally {
    proxy.delay(0);
  }
});

describe('a listener', () => {
  const errors: Error[] = [];
  const listen = async () => {
    const pool = new BoundedPool({ connectionString: proxy.urlOf(own.url), max: 1 });
    const client = await pool.connect();
    errors.length = 0;
    client.on('error', (error) => void errors.push(error));
    await client.query('listen something');
    return { pool, client };
  };

  test('that answers and listens is left alone', async () => {
    const { pool, client } = await listen();
    await probeListener(client, 1_000);
    expect(errors).toEqual([]);
    client.release();
    await pool.end();
  });

  test('that is silent is ended, and its owner told', async () => {
    const { pool, client } = await listen();
    proxy.blackholeOpen();
    await expect(probeListener(client, 200)).rejects.toThrow('Query read timeout');
    expect(errors).toHaveLength(1);
    client.release();
    expect(pool.totalCount).toBe(0);
  });

  test('that listens to nothing any more is ended', async () => {
    const { pool, client } = await listen();
    await client.query('unlisten *');
    await probeListener(client, 1_000);
    expect(errors.map(({ message }) => message)).toEqual(['LISTEN was lost']);
    client.release();
    expect(pool.totalCount).toBe(0);
  });
});
