// Four schedulers with wrong clocks, killed at random while they catch up, on a database that is restarted meanwhile: every nominal
// time has one tick and one execution.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { checkSettings } from '../../src/core/schedule/settings.ts';
import { type Database, isConnectionLoss, openDatabase } from '../../src/db/connection/connection.ts';
import { migrateDatabase } from '../../src/db/operations/migrate.ts';
import { DEFAULT_TENANT_ID } from '../../src/db/resources/default-tenant.ts';
import { applyDefinition } from '../../src/db/resources/definitions.ts';
import { addSchedule } from '../../src/resources/schedules/times.ts';
import { graph } from '../support/engine.ts';
import { type OwnPostgres, openOwnPostgres } from './support/own-postgres.ts';
import { until } from './support/supervisor.ts';

const PROGRAM = fileURLToPath(new URL('./support/scheduler-process.ts', import.meta.url));
const SCHEDULES = 50;
const MINUTES_BACK = 200;
const MINUTE = 60_000;
/** Of the four processes, in turn. */
const CLOCK_OFFSETS_MS = [-90_000, 90_000, -3_600_000, 3_600_000];
const KILLS = 16;

let server: OwnPostgres;
let database: Database;
const running = new Set<ChildProcess>();
const said: string[] = [];

beforeAll(async () => {
  server = await openOwnPostgres(inject('cluster'));
  await migrateDatabase(server.url);
  database = openDatabase(server.url, { max: 4, name: 'crash test' });
});
afterAll(async () => {
  await Promise.all([...running].map((child) => end(child, 'SIGKILL')));
  await database?.close();
  await server?.remove();
});

function start(clockOffsetMs: number): ChildProcess {
  const child = spawn(process.execPath, ['--no-warnings', PROGRAM], {
    env: {
      ...process.env,
      CRASH_SCHEDULER: JSON.stringify({ url: server.url, clockOffsetMs }),
      NODE_OPTIONS: '',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  for (const stream of [child.stdout!, child.stderr!])
    stream.on('data', (chunk) => void said.push(String(chunk)));
  running.add(child);
  child.once('exit', () => running.delete(child));
  return child;
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  const exited = once(child, 'exit');
  child.kill(signal);
  await exited;
}

async function query<T>(text: string, values: unknown[] = []): Promise<T[]> {
  for (;;) {
    try {
      return (await database.engine.query(text, values)).rows as T[];
    } catch (error) {
      if (!isConnectionLoss(error)) throw error;
      await delay(50);
    }
  }
}

test('every nominal time has exactly one tick and one execution', async () => {
  await applyDefinition(database, DEFAULT_TENANT_ID, graph('a', { more: { workflowId: 'w' } }), 'test');
  const [clock] = await query<{ now: string }>('select clock_timestamp() as now');
  const first = Math.floor(Date.parse(clock!.now) / MINUTE) * MINUTE - MINUTES_BACK * MINUTE;
  for (let i = 0; i < SCHEDULES; i++) {
    const settings = checkSettings({
      ...{ workflowId: 'w', name: `s${i}`, cronExpression: '* * * * *' },
      ...{ catchupPolicy: 'all', overlapPolicy: 'allow_all', jitterSeconds: i % 2 === 0 ? 0 : 40 },
    });
    if (!settings.ok) throw new Error('settings');
    const { value } = settings;
    await database.withTenant(DEFAULT_TENANT_ID, (client) =>
      addSchedule(client, DEFAULT_TENANT_ID, value, { createdBy: 'test' }),
    );
  }
  await query('update dagwright.schedules set next_run_at = $1, due_at = $1', [new Date(first)]);

  const processes = CLOCK_OFFSETS_MS.map((offset) => start(offset));
  const isBehind = async () =>
    (await query(`select from dagwright.schedules where due_at < now() - interval '3 seconds' limit 1`))
      .length > 0;
  let restarts = 0;
  let killedBehind = 0;
  for (let kill = 0; kill < KILLS; kill++) {
    // Where a process stands when it is killed is left to luck; what must hold is not.
    await delay(100 + Math.random() * 500);
    if (await isBehind()) killedBehind++;
    const victim = Math.floor(Math.random() * processes.length);
    await end(processes[victim]!, 'SIGKILL');
    processes[victim] = start(CLOCK_OFFSETS_MS[victim]!);
    if (kill === 5 || kill === 10) {
      await server.stop(kill === 5 ? 'immediate' : 'fast');
      await delay(300);
      await server.start();
      restarts++;
    }
  }
  await until('nothing is due any more', async () => !(await isBehind()), 90_000);
  await Promise.all(processes.map((child) => end(child, 'SIGTERM')));

  const schedules = await query<{ id: string; next: string }>(
    'select id, next_run_at as next from dagwright.schedules order by name',
  );
  let ticks = 0;
  for (const { id, next } of schedules) {
    const rows = await query<{ at: string; status: string; executions: number }>(
      `select t.scheduled_at as at, t.status, o.n as executions from dagwright.schedule_ticks t
       left join (select trigger->>'scheduledAt' as at, count(*)::int as n from dagwright.workflow_executions
         where trigger->>'scheduleId' = $1 group by 1) o on o.at::timestamptz = t.scheduled_at
       where t.schedule_id = $1::uuid order by t.scheduled_at`,
      [id],
    );
    const wanted: number[] = [];
    for (let at = first; at < Date.parse(next); at += MINUTE) wanted.push(at);
    expect(rows.map(({ at }) => Date.parse(at))).toEqual(wanted);
    expect(rows.filter(({ status, executions }) => status !== 'fired' || executions !== 1)).toEqual([]);
    ticks += rows.length;
  }
  const totals = await query(
    `select (select count(*)::int from dagwright.workflow_executions) as executions,
       (select count(*)::int from dagwright.schedule_ticks where scheduled_at > decided_at) as early,
       (select count(*)::int from dagwright.jobs_v1()) as jobs`,
  );
  console.log(
    `${ticks} ticks by four schedulers, ${KILLS} killed (${killedBehind} with work left), ${restarts} restarts of the database`,
  );
  expect(totals).toEqual([{ executions: ticks, early: 0, jobs: ticks }]);
  expect(ticks).toBeGreaterThanOrEqual(SCHEDULES * MINUTES_BACK);
  expect(said.filter((line) => line.includes('"level":"error"'))).toEqual([]);
});
