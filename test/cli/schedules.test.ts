// dagwright schedules, as its users see it: stdout, stderr, exit codes.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Database, openDatabase } from '../../src/db/connection/connection.ts';
import { DEFAULT_TENANT_ID } from '../../src/db/resources/default-tenant.ts';
import { applyDefinition } from '../../src/db/resources/definitions.ts';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import { graph } from '../support/engine.ts';
import { runCli } from './support/run-cli.ts';

const folder = mkdtempSync(join(tmpdir(), 'dagwright-schedules-'));
let own: TestDatabase;
let database: Database;

beforeAll(async () => {
  own = await createDatabase();
  database = openDatabase(own.url);
  await applyDefinition(
    database,
    DEFAULT_TENANT_ID,
    graph('a', { more: { workflowId: 'daily-brief' } }),
    'test',
  );
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await database.close();
  await own.drop();
});

const schedules = (...args: string[]) =>
  runCli(['schedules', ...args], {
    cwd: folder,
    env: { HOME: folder, DATABASE_URL: own.url, LOG_LEVEL: 'warn' },
  });

const json = async (...args: string[]) => JSON.parse((await schedules(...args, '--json')).stdout);

test('an update that changes nothing is refused', async () => {
  const { errors } = await json('update', '00000000-0000-7000-8000-000000000000');
  expect(errors).toMatchObject([{ code: 'usage', message: 'nothing to change' }]);
});

test('a schedule is made, shown, changed, paused, resumed, run, backfilled, listed and deleted', async () => {
  const made = await json(
    ...['create', 'daily-brief', 'morning', '0 9 * * 1-5', '--timezone', 'Europe/Paris'],
    ...['--input', '{"q":1}', '--overlap', 'buffer_one', '--end-at', '2199-01-01T00:00:00Z'],
  );
  expect(made).toMatchObject({
    name: 'morning',
    timezone: 'Europe/Paris',
    input: { q: 1 },
    overlapPolicy: 'buffer_one',
    status: 'active',
    createdBy: 'cli',
  });
  const { id } = made;
  expect(await json('show', id)).toEqual(made);
  expect(await json('update', id, '--cron', '0 10 * * *', '--end-at', 'none')).toMatchObject({
    cronExpression: '0 10 * * *',
    endAt: null,
    timezone: 'Europe/Paris',
  });
  expect(await json('pause', id, '--reason', 'holidays')).toMatchObject({
    status: 'paused',
    pausedReason: 'holidays',
    nextRunAt: null,
  });
  expect(await json('resume', id)).toMatchObject({ status: 'active', pausedReason: null });
  expect(await json('run', id)).toEqual({ id: expect.any(String), status: 'pending' });
  expect(
    await json('backfill', id, '--from', '2020-07-01T00:00:00Z', '--to', '2020-07-03T00:00:00Z'),
  ).toMatchObject({
    started: 2,
    skipped: 0,
    executions: [
      { scheduledAt: '2020-07-01T08:00:00.000Z', executionId: expect.any(String), reason: null },
      { scheduledAt: '2020-07-02T08:00:00.000Z' },
    ],
  });
  expect((await json('ticks', id, '--status', 'backfilled', '--limit', '1')).items).toMatchObject([
    { scheduledAt: '2020-07-02T08:00:00.000Z', status: 'backfilled' },
  ]);
  expect((await schedules('ticks', id)).stdout).toMatch(/2020-07-01T08:00:00.000Z +backfilled/);
  expect((await schedules('list')).stdout).toMatch(
    /daily-brief +morning +0 10 \* \* \* +Europe\/Paris +active/,
  );
  expect((await schedules('delete', id)).code).toBe(0);
  const gone = await schedules('show', id, '--json');
  expect([gone.code, JSON.parse(gone.stdout).errors[0].code]).toEqual([1, 'not_found']);
});

test('preview takes a schedule or an expression', async () => {
  const { items } = await json('preview', '30 2 29 2 *', '--timezone', 'Asia/Kathmandu', '--count', '2');
  expect(items).toHaveLength(2);
  expect(items[0].localTime).toMatch(/-02-29T02:30:00\+05:45$/);
  const { id } = await json('create', 'daily-brief', 'previewed', '0 0 1 1 *');
  expect((await json('preview', id, '--count', '1')).items[0].localTime).toMatch(/-01-01T00:00:00\+00:00$/);
});

test('an expression that is wrong is told before a database is looked for', async () => {
  const env = { HOME: folder, DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none', LOG_LEVEL: 'warn' };
  const preview = (...args: string[]) =>
    runCli(['schedules', 'preview', ...args, '--json'], { cwd: folder, env });
  for (const [args, pointer] of [
    [['61 * * * *'], '/cronExpression'],
    [['0 9 * * *', '--timezone', 'Europe/Pari'], '/timezone'],
  ] as const) {
    const { code, stdout } = await preview(...args);
    expect([code, JSON.parse(stdout).errors]).toMatchObject([1, [{ pointer }]]);
  }
  const right = await preview('0 9 * * *');
  expect(JSON.parse(right.stdout).errors).toMatchObject([{ code: 'database' }]);
});

test('what is wrong is told with its place, and exits 1; wrong usage exits 2', async () => {
  const wrong = await schedules('create', 'nothing', 'x', '@daily', '--timezone', 'local', '--json');
  expect(wrong.code).toBe(1);
  expect(
    JSON.parse(wrong.stdout)
      .errors.map(({ pointer }: { pointer: string }) => pointer)
      .sort(),
  ).toEqual(['/cronExpression', '/timezone', '/workflowId']);
  expect((await schedules('create', 'daily-brief', 'x', '* * * * *', '--overlap', 'queue')).code).toBe(2);
  expect((await schedules('show', 'x')).code).toBe(2);
  expect((await schedules('--help')).stdout).toContain('backfill');
});
