import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createSchedulePass } from '../../../src/triggers/schedule-pass.ts';
import { type Bench, clock, makeSchedule, moveTo, openBench } from './support.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
});
afterAll(() => bench.close());

test('an execution that somebody holds in an open transaction holds up no other schedule', { timeout: 60_000 }, async () => {
  const held = await makeSchedule(bench.engine, { overlapPolicy: 'cancel_other' });
  const other = await makeSchedule(bench.engine);
  await bench.dueNow(held.id);
  const [first] = await bench.executions(held.id);
  const client = new pg.Client({ connectionString: bench.engine.database.url });
  await client.connect();
  try {
    await client.query('begin');
    await client.query('select from dagwright.workflow_executions where id = $1 for no key update', [first!.id]);
    const now = await clock(bench.engine);
    for (const { id } of [held, other]) await moveTo(bench.engine, id, now);
    const pass = createSchedulePass({ database: bench.engine.database, log: { debug() {}, info() {}, warn: console.log, error: console.log } });
    const at = performance.now();
    console.log(await pass.run().catch(String), Math.round(performance.now() - at), 'ms');
    console.log(await bench.summary(held.id), '|', await bench.summary(other.id));
    expect(await bench.summary(other.id)).toBe('fired 1');
    await client.query('rollback');
    await bench.work();
    expect(await bench.summary(held.id)).toBe('fired 2');
    expect((await bench.executions(held.id)).map(({ status }) => status)).toEqual(['cancelled', 'pending']);
  } finally {
    await client.end();
  }
});
