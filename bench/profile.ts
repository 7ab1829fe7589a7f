// Where this engine's time goes, workload by workload: statements as its process sees them (round trip and commit
// included), functions as PostgreSQL sees them (track_functions; needs a superuser), and what reached the log.
import { setTimeout as delay } from 'node:timers/promises';
import type pg from 'pg';
import type { MeasureAnswer } from './child.ts';
import type { ContenderProcess } from './contender-process.ts';
import { alignColumns } from './report.ts';
import { formatValue, timesOf } from './rounds.ts';
import { withClient } from './server.ts';
import type { Workload } from './workloads.ts';

interface FunctionTime {
  readonly name: string;
  readonly calls: number;
  readonly totalMs: number;
  readonly selfMs: number;
}

interface Snapshot {
  readonly functions: ReadonlyMap<string, FunctionTime>;
  readonly transactions: number;
  readonly walRecords: number;
  readonly walFullPages: number;
  readonly walBytes: number;
  /** Null before PostgreSQL 18. */
  readonly walSyncs: number | null;
}

export interface ProfileOptions {
  readonly url: string;
  readonly contender: ContenderProcess;
  readonly workloads: readonly Workload[];
  readonly isQuick: boolean;
}

/** One profile per workload, as text. Slower than the rounds: the counting costs time. */
export async function profileAll(options: ProfileOptions): Promise<string> {
  await withClient(options.url, async (client) => {
    await client.query(
      `do $$ begin execute format('alter database %I set track_functions = ''all''', current_database()); end $$`,
    );
  });
  const parts: string[] = [];
  for (const workload of options.workloads) parts.push(await profileOne(options, workload));
  return parts.join('\n\n');
}

async function profileOne(options: ProfileOptions, workload: Workload): Promise<string> {
  return await withClient(options.url, async (client) => {
    const before = await readSnapshot(client);
    const answer = await options.contender.measure({
      workload: workload.name,
      isQuick: options.isQuick,
      isProfiling: true,
      ...timesOf(options.isQuick),
    });
    await untilAlone(client);
    const after = await readSnapshot(client);
    return profileText(workload, answer, before, after);
  });
}

// A session's counts arrive when its connection ends, which is a moment after the client has closed it.
async function untilAlone(client: pg.Client): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    const { rowCount } = await client.query(
      `select from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()
         and backend_type = 'client backend'`,
    );
    if (rowCount === 0) return;
    await delay(50);
  }
}

async function readSnapshot(client: pg.Client): Promise<Snapshot> {
  const functions = await client.query<FunctionTime>(
    `select schemaname || '.' || funcname as name, sum(calls)::float8 as calls, sum(total_time) as "totalMs",
       sum(self_time) as "selfMs" from pg_stat_user_functions group by 1`,
  );
  const { rows } = await client.query<Omit<Snapshot, 'functions' | 'walSyncs'>>(
    `select (select xact_commit::float8 from pg_stat_database where datname = current_database()) as transactions,
       wal_records::float8 as "walRecords", wal_fpi::float8 as "walFullPages", wal_bytes::float8 as "walBytes" from pg_stat_wal`,
  );
  const syncs = await client
    .query<{ n: number }>(`select sum(fsyncs)::float8 as n from pg_stat_io where object = 'wal'`)
    .then(({ rows: [row] }) => row!.n)
    .catch(() => null);
  return {
    functions: new Map(functions.rows.map((row) => [row.name, row])),
    ...rows[0]!,
    walSyncs: syncs,
  };
}

function profileText(
  workload: Workload,
  { measured, sessionSteps, statements }: MeasureAnswer & { kind: 'measured' },
  before: Snapshot,
  after: Snapshot,
): string {
  const { steps, ms, cpuMs, serverCpuMs, busy } = measured;
  const perStep = (value: number, n = steps) => formatValue(value / n);
  const change = (key: 'transactions' | 'walRecords' | 'walFullPages' | 'walBytes') =>
    perStep(after[key] - before[key], sessionSteps);
  const syncs =
    after.walSyncs === null || before.walSyncs === null
      ? 'unknown'
      : perStep(after.walSyncs - before.walSyncs, sessionSteps);
  const sent = statements.reduce((sum, { calls }) => sum + calls, 0);
  return [
    `${workload.name}: ${steps} steps in ${ms.toFixed(0)} ms, ${perStep(ms * 1000)} µs per step`,
    `  process: ${perStep(cpuMs * 1000)} µs of processor per step, main thread busy ${(busy * 100).toFixed(0)} %; PostgreSQL: ${serverCpuMs === null ? 'not available' : `${perStep(serverCpuMs * 1000)} µs`}`,
    `  per step: ${perStep(sent)} statements, ${change('transactions')} transactions, ${syncs} log flushes, ${change('walRecords')} log records, ${change('walBytes')} log bytes, ${change('walFullPages')} full pages`,
    indent(statementsText(statements, steps)),
    indent(functionsText(before, after, sessionSteps)),
  ].join('\n');
}

function statementsText(
  statements: (MeasureAnswer & { kind: 'measured' })['statements'],
  steps: number,
): string {
  const rows = [...statements]
    .sort((a, b) => b.ms - a.ms)
    .slice(0, 12)
    .map(({ statement, calls, ms }) => [
      statement,
      String(calls),
      formatValue(calls / steps),
      formatValue(ms / calls),
      formatValue((ms * 1000) / steps),
    ]);
  return alignColumns([['statement', 'calls', 'per step', 'ms each', 'µs per step'], ...rows]);
}

// Times of a function contain those of what it calls; `self` does not. The commit is in neither.
function functionsText(before: Snapshot, after: Snapshot, steps: number): string {
  const rows = [...after.functions.values()]
    .map((now) => {
      const then = before.functions.get(now.name);
      return {
        name: now.name,
        calls: now.calls - (then?.calls ?? 0),
        totalMs: now.totalMs - (then?.totalMs ?? 0),
        selfMs: now.selfMs - (then?.selfMs ?? 0),
      };
    })
    .filter(({ calls }) => calls > 0)
    .sort((a, b) => b.selfMs - a.selfMs)
    .slice(0, 12)
    .map(({ name, calls, totalMs, selfMs }) => [
      name,
      String(calls),
      formatValue(totalMs / calls),
      formatValue((totalMs * 1000) / steps),
      formatValue((selfMs * 1000) / steps),
    ]);
  return alignColumns([['function', 'calls', 'ms each', 'µs per step', 'self'], ...rows]);
}

const indent = (text: string) => text.replaceAll(/^/gm, '  ');
