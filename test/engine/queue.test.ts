// Q1: a pool that ends unasked is replaced, so that no worker idles silently after an outage.
import pg from 'pg';
import { expect, inject, test } from 'vitest';
import { Queue } from '../../src/engine/queue.ts';
import type { TaskLog } from '../../src/tasks/task-type.ts';
import { createDatabase } from '../support/database.ts';
import { gate, until } from '../support/engine.ts';

test('a pool that could not complete a job while the database was away is replaced, and fetches again', async () => {
  const own = await createDatabase();
  const name = new URL(own.url).pathname.slice(1);
  const admin = new pg.Client({ connectionString: inject('adminUrl') });
  await admin.connect();
  const handled: string[] = [];
  const began: string[] = [];
  const ended: string[] = [];
  const held = gate();
  const log: TaskLog = {
    debug() {},
    info() {},
    warn: (_, fields) => void (fields?.poolId !== undefined && ended.push(String(fields.poolId))),
    error() {},
  };
  const queue = new Queue({
    url: own.url,
    concurrency: 2,
    log,
    handle: async ({ e }) => {
      handled.push(e);
      await held.opened;
    },
    onPool: async (poolId) => void began.push(poolId),
    onPoolEnded: async () => {},
  });
  const add = async (e: string) => {
    const client = new pg.Client({ connectionString: own.url });
    await client.connect();
    await client.query('select dagwright.add_jobs_v1(array[$1::json], 5)', [JSON.stringify({ e })]);
    await client.end();
  };
  try {
    await queue.start();
    await add('before');
    await until(async () => handled.length);
    await admin.query(`alter database ${name} allow_connections false`);
    await admin.query('select pg_terminate_backend(pid) from pg_stat_activity where datname = $1', [name]);
    held.open();
    await until(async () => ended.length);
    await admin.query(`alter database ${name} allow_connections true`);
    await add('after');
    await until(async () => handled.includes('after'));
    expect(ended).toEqual([began[0]]);
    expect(began.length).toBeGreaterThan(1);
  } finally {
    await admin.query(`alter database ${name} allow_connections true`);
    held.open();
    await queue.stop();
    await admin.end();
    await own.drop();
  }
});
