// Q1 and Q4: a pool that ends unasked, or cannot fetch, is replaced, and jobs whose fetch lost its answer are not stranded:
// no worker idles silently after trouble with the database.

import pg from 'pg';
import { afterEach, beforeEach, expect, inject, test } from 'vitest';
import type { TaskLog } from '../../src/core/log-lines.ts';
import { Queue } from '../../src/engine/worker/queue.ts';
import { createDatabase } from '../support/database.ts';
import { gate, until } from '../support/engine.ts';
import { patience } from '../support/patience.ts';

const handled: string[] = [];
const began: string[] = [];
const ended: string[] = [];
const unlocked: string[] = [];
let held: ReturnType<typeof gate>;
let own: Awaited<ReturnType<typeof createDatabase>>;
let queue: Queue;

beforeEach(async () => {
  own = await createDatabase();
  held = gate();
  for (const list of [handled, began, ended, unlocked]) list.length = 0;
  const log: TaskLog = {
    debug() {},
    info() {},
    warn: (_, fields) => void (fields?.poolId !== undefined && ended.push(String(fields.poolId))),
    error() {},
  };
  const admin = (poolId: string) =>
    inDatabase('select dagwright.unlock_pools_v1(array[$1])', [poolId]).then(
      () => void unlocked.push(poolId),
    );
  queue = new Queue({
    url: own.url,
    concurrency: 2,
    kinds: ['dagwright'],
    log,
    handle: async ({ e }) => {
      handled.push(e);
      await held.opened;
    },
    onFull: () => {},
    onJobs: () => {},
    onPool: async (poolId) => void began.push(poolId),
    onPoolEnded: admin,
    onFetchLost: admin,
  });
});
afterEach(async () => {
  held.open();
  await queue.stop();
  await own.drop();
});

async function inDatabase(text: string, values: readonly unknown[] = []): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: own.url });
  await client.connect();
  try {
    return (await client.query(text, [...values])).rows;
  } finally {
    await client.end();
  }
}

const add = (e: string) =>
  inDatabase('select dagwright.add_jobs_v1(array[$1::json], 5)', [JSON.stringify({ e })]);

/** Loses the connection of one statement that matches: after it was done, or before. Returns what undoes it. */
function loseOnce(pattern: RegExp, when: 'before' | 'after'): { readonly lost: Promise<void>; undo(): void } {
  const original = pg.Client.prototype.query as (...args: unknown[]) => unknown;
  const { promise: lost, resolve } = Promise.withResolvers<void>();
  const undo = () => {
    pg.Client.prototype.query = original as typeof pg.Client.prototype.query;
  };
  async function loseIt(client: pg.Client, args: unknown[]): Promise<never> {
    if (when === 'after') await original.apply(client, args);
    (client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy();
    resolve();
    throw new Error('Connection terminated unexpectedly');
  }
  pg.Client.prototype.query = function (this: pg.Client, ...args: unknown[]) {
    const [config] = args as [{ name?: string; text?: string } | string];
    const text = typeof config === 'string' ? config : `${config?.name ?? ''} ${config?.text ?? ''}`;
    if (!pattern.test(text)) return original.apply(this, args);
    undo();
    return loseIt(this, args);
  } as typeof pg.Client.prototype.query;
  return { lost, undo };
}

test('a pool that could not complete a job while the database was away is replaced, and fetches again', async () => {
  const name = new URL(own.url).pathname.slice(1);
  const admin = new pg.Client({ connectionString: inject('adminUrl') });
  await admin.connect();
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
    expect(ended[0]).toBe(began[0]);
    expect(began.length).toBeGreaterThan(1);
  } finally {
    await admin.query(`alter database ${name} allow_connections true`);
    await admin.end();
  }
});

test('jobs that a fetch has locked are worked although its answer was lost', async () => {
  held.open();
  await queue.start();
  await add('first');
  await until(async () => handled.includes('first'));
  const { lost, undo } = loseOnce(/update .*_private_jobs.*locked_by|get_job/is, 'after');
  try {
    await add('second');
    await lost;
    const lostAtMs = performance.now();
    await until(async () => handled.includes('second'));
    // A second, and a poll.
    expect(performance.now() - lostAtMs).toBeLessThan(patience(5_000));
  } finally {
    undo();
  }
});

test('a pool whose first look at its task types failed is replaced', async () => {
  held.open();
  const { lost, undo } = loseOnce(/select id, identifier from .*_private_tasks/is, 'before');
  try {
    await queue.start();
    await add('job');
    await lost;
    await until(async () => handled.includes('job'));
  } finally {
    undo();
  }
});

test('an idle queue goes on looking, and one that is full does not count as standing still', async () => {
  await queue.start();
  let last = queue.sinceMs;
  await until(async () => {
    const isNew = queue.sinceMs < last;
    last = queue.sinceMs;
    return isNew;
  });
  for (const e of ['a', 'b']) await add(e);
  await until(async () => handled.length === 2);
  expect(queue.sinceMs).toBe(0);
});
