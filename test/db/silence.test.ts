// A network that forgets connections, silently: whatever their number, they cost those who use the pools one failure, or two.
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { isReadTimeout } from '../../src/db/connection/bounded-client.ts';
import { BoundedPool } from '../../src/db/connection/bounded-pool.ts';
import { type Database, isConnectionLoss, openDatabase } from '../../src/db/connection/connection.ts';
import { LIMITS, type Limits } from '../../src/db/connection/limits.ts';
import { inTransaction } from '../../src/db/connection/transaction.ts';
import { DEFAULT_TENANT_ID } from '../../src/db/resources/default-tenant.ts';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import { gate } from '../support/engine.ts';
import { type FaultyProxy, startProxy } from '../support/proxy.ts';

/** Nobody waits for it here: where it is met, the test ends by its own limit. */
const FOR_EVER: Limits = {
  ...LIMITS,
  engine: { ms: 3_600_000, laterMs: 0 },
  tenant: { ms: 3_600_000, laterMs: 0 },
};
const WATCHFUL: Limits = { ...FOR_EVER, silence: { doubtMs: 200, witnessMs: 100, connectMs: 500 } };

let own: TestDatabase;
let direct: pg.Client;
let proxy: FaultyProxy;
beforeAll(async () => {
  own = await createDatabase();
  direct = new pg.Client({ connectionString: own.url });
  await direct.connect();
  const { hostname, port } = new URL(own.url);
  proxy = await startProxy({ host: hostname, port: Number(port) });
});
beforeEach(() => () => {
  proxy.heal({ forgets: true });
  proxy.reset();
});
afterAll(async () => {
  await proxy.close();
  await direct.end();
  await own.drop();
});

const times = <T>(n: number, act: (i: number) => T): T[] => Array.from({ length: n }, (_, i) => act(i));

/** Opens `n` connections of a pool, which are idle afterwards. */
async function fill(pool: BoundedPool, n: number): Promise<void> {
  const clients = await Promise.all(times(n, () => pool.connect()));
  for (const client of clients) client.release();
  expect(pool.idleCount).toBe(n);
}

/** Asks until there is an answer; what failed before. */
async function failuresUntilAnswered(pool: BoundedPool): Promise<unknown[]> {
  for (const failures: unknown[] = []; ; ) {
    try {
      await pool.query('select 1');
      return failures;
    } catch (error) {
      expect(isConnectionLoss(error)).toBe(true);
      failures.push(error);
    }
  }
}

describe('a statement that is given up at its limit', () => {
  let pool: BoundedPool;
  let made = 0;
  beforeEach(() => {
    made = 0;
    pool = new BoundedPool({
      connectionString: proxy.urlOf(own.url),
      max: 20,
      query_timeout: 500,
      idleTimeoutMillis: 0,
    });
    pool.on('connect', () => void made++);
    return () => pool.end();
  });

  test.each([1, 8, 20])('costs one failure where %i idle connections are dead (G1)', async (n) => {
    await fill(pool, n);
    await Promise.all(times(n, () => pool.query('select 1')));
    expect(proxy.blackholeOpen()).toBe(n);
    expect(await failuresUntilAnswered(pool)).toHaveLength(1);
    expect([pool.totalCount, pool.idleCount]).toEqual([1, 1]);
  });

  test('costs one failure within a transaction too', async () => {
    await fill(pool, 8);
    const failing = inTransaction(pool, async (client) => {
      proxy.blackholeOpen();
      await client.query('select 1');
    });
    await expect(failing).rejects.toThrow('Query read timeout');
    expect(await failuresUntilAnswered(pool)).toEqual([]);
  });

  test('leaves a connection alone that was heard since (G1)', async () => {
    const held = await pool.connect();
    const other = await pool.connect();
    proxy.blackholeOpen();
    const failing = held.query('select 1').catch((error: unknown) => error);
    other.release(true);
    await fill(pool, 3);
    expect(isReadTimeout(await failing)).toBe(true);
    held.release();
    expect(pool.idleCount).toBe(3);
    expect(await failuresUntilAnswered(pool)).toEqual([]);
    expect(made).toBe(2 + 3);
  });

  test('costs two failures where the silence began after it was sent (G2)', async () => {
    const slow = await pool.connect();
    const answer = slow.query('select pg_sleep(60)').catch((error: unknown) => error);
    await fill(pool, 8);
    proxy.blackholeOpen();
    expect(isReadTimeout(await answer)).toBe(true);
    slow.release();
    expect(pool.idleCount).toBe(8);
    expect(await failuresUntilAnswered(pool)).toHaveLength(1);
  });

  test('leaves connections in use to their own limits (G3)', async () => {
    const held = await pool.connect();
    await held.query('select 1 as kept');
    const idle = await pool.connect();
    idle.release();
    expect(proxy.blackholeOpen((sent) => !sent.includes('kept'))).toBe(1);
    expect(await failuresUntilAnswered(pool)).toHaveLength(1);
    expect((await held.query('select 1 as n')).rows).toEqual([{ n: 1 }]);
    held.release();
  });
});

describe('the watch', () => {
  const isWitness = (sent: string) => sent.includes('witness');
  /** Witnesses that have answered: a silence that comes before that is older than the witness, which knows nothing of it. */
  const witnesses = async () => {
    const { rows } = await direct.query<{ pid: number }>(
      `select pid from pg_stat_activity where datname = current_database() and application_name like '% witness'
        and state = 'idle' and query = 'select'`,
    );
    return rows.length;
  };
  let opened: Database | null = null;
  const reach = async (limits = WATCHFUL, directUrl?: string) => {
    const database = openDatabase(proxy.urlOf(own.url), { max: 20, limits, directUrl });
    opened = database;
    const pool = database.engine as BoundedPool;
    await pool.query('select 1');
    await expect.poll(witnesses).toBe(1);
    return { database, pool };
  };
  beforeEach(() => async () => {
    await opened?.close();
    proxy.heal({ forgets: true });
    proxy.reset();
    await expect.poll(witnesses).toBe(0);
  });

  test.each([1, 8, 20])(
    'gives up %i statements that wait on dead connections, long before their limit (N2)',
    async (n) => {
      const { pool } = await reach();
      await fill(pool, n);
      proxy.blackholeOpen();
      const answers = await Promise.allSettled(times(n, () => pool.query('select 1')));
      expect(answers.filter(({ status }) => status === 'fulfilled')).toEqual([]);
      for (const answer of answers)
        expect(isConnectionLoss((answer as PromiseRejectedResult).reason)).toBe(true);
      expect(pool.totalCount).toBe(0);
      expect(await failuresUntilAnswered(pool)).toEqual([]);
    },
  );

  test.each([8, 20])('lets %i dead idle connections cost one failure (N2)', async (n) => {
    const { pool } = await reach();
    await fill(pool, n);
    proxy.blackholeOpen();
    expect(await failuresUntilAnswered(pool)).toHaveLength(1);
    expect([pool.totalCount, proxy.count(isWitness)]).toEqual([1, 1]);
  });

  test('gives up the pipelined statements of connections to a pooler (N2)', async () => {
    const { pool } = await reach(WATCHFUL, own.url);
    await fill(pool, 8);
    proxy.blackholeOpen();
    const answers = await Promise.allSettled(times(4, () => pool.query('select 1')));
    expect(answers.filter(({ status }) => status === 'fulfilled')).toEqual([]);
    expect(await failuresUntilAnswered(pool)).toEqual([]);
    expect(pool.totalCount).toBe(1);
  });

  test('gives up transactions, also between two statements, and connections of the other pool', async () => {
    const { database, pool } = await reach();
    const held = gate();
    const begun = Promise.withResolvers<void>();
    const transaction = database
      .withTenant(DEFAULT_TENANT_ID, async (client) => {
        begun.resolve();
        await held.opened;
        await client.query('select 1');
      })
      .catch((error: unknown) => error);
    await begun.promise;
    proxy.blackholeOpen();
    expect(await failuresUntilAnswered(pool)).toHaveLength(1);
    held.open();
    expect(isConnectionLoss(await transaction)).toBe(true);
  });

  test('tells the owner of a listening connection', async () => {
    const { pool } = await reach();
    await fill(pool, 2);
    const listener = await pool.connect();
    const lost = new Promise<Error>((resolve) => void listener.once('error', resolve));
    await listener.query('listen something');
    proxy.blackholeOpen();
    expect(await failuresUntilAnswered(pool)).toHaveLength(1);
    expect(isConnectionLoss(await lost)).toBe(true);
    listener.release();
  });

  test('works again after a silence in which no connection can be made', async () => {
    const { pool } = await reach();
    await fill(pool, 8);
    proxy.blackhole();
    const failing = Promise.allSettled(times(8, () => pool.query('select 1')));
    // The first attempt to make a new one is lost in the silence.
    await expect.poll(() => proxy.triedInSilence()).toBeGreaterThan(0);
    proxy.heal({ forgets: true });
    expect((await failing).filter(({ status }) => status === 'fulfilled')).toEqual([]);
    expect(await failuresUntilAnswered(pool)).toEqual([]);
  });

  test('leaves a slow statement alone while the witness answers (N1)', async () => {
    const { pool } = await reach();
    const before = proxy.count();
    expect((await pool.query('select pg_sleep(1.5), 1 as n')).rows[0].n).toBe(1);
    expect(proxy.count()).toBe(before);
  });

  test('leaves statements to their limits while no new connection answers (N3)', async () => {
    const { pool } = await reach({ ...WATCHFUL, engine: { ms: 1_500, laterMs: 0 } });
    proxy.blackhole();
    await expect(pool.query('select 1')).rejects.toThrow('Query read timeout');
  });

  test('leaves a slow server alone, which answers what was asked first (N3)', async () => {
    const { pool } = await reach({
      ...WATCHFUL,
      silence: { ...WATCHFUL.silence, connectMs: 10_000 },
    });
    const before = proxy.count();
    proxy.delay(400);
    try {
      expect((await pool.query('select 1 as n')).rows).toEqual([{ n: 1 }]);
    } finally {
      proxy.delay(0);
    }
    await expect.poll(() => proxy.count()).toBe(before);
  });

  test('leaves a connection alone that was made after the silence (N4)', async () => {
    const { pool } = await reach();
    const dead = await pool.connect();
    proxy.blackholeOpen();
    const alive = await pool.connect();
    const failing = dead.query('select 1').catch((error: unknown) => error);
    const streaming = (async () => {
      for (let i = 0; i < 40; i++) await alive.query('select pg_sleep(0.02)');
    })();
    expect(isConnectionLoss(await failing)).toBe(true);
    await streaming;
    alive.release();
    dead.release();
    expect(pool.idleCount).toBe(1);
  });

  test('ends with the pools, whatever it does', async () => {
    const { database, pool } = await reach();
    proxy.blackhole();
    const failing = pool.query('select 1').catch((error: unknown) => error);
    await expect.poll(() => proxy.triedInSilence()).toBeGreaterThan(0);
    proxy.heal({ forgets: true });
    expect(isConnectionLoss(await failing)).toBe(true);
    await database.close();
    opened = null;
    await expect.poll(() => proxy.count()).toBe(0);
  });

  test('replaces a witness that was ended', async () => {
    const { database } = await reach();
    proxy.reset();
    await database.engine.query('select 1').catch(() => {});
    await database.engine.query('select 1');
    await expect.poll(() => proxy.count(isWitness)).toBe(1);
  });
});
