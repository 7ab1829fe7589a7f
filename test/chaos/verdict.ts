// After the faults: waits until everything has ended, then looks for what must not be. The invariants I1 to I8 are the crash
// tests' (test/crash/support/trace.ts); here are those that need the feed's journal, checkpoints, cancels and the queue.
import pg from 'pg';
import { brokenRules } from '../crash/support/trace.ts';
import { type Arena, within } from './arena.ts';
import type { ProviderLine } from './provider.ts';
import { expectedTotal, WORKFLOWS } from './workload.ts';

/** FAULTS.md section 3: the time from healing to convergence. */
const CONVERGE_MS = 90_000;
/** What is open longer than this is shown, though it is no failure. */
const SLOW_MS = 12_000;
const JOBS_GONE_MS = 20_000;
const MAX_SHOWN = 5;

const TRACE = `
create table public.checkpoint_events (seq bigserial primary key, x uuid, t text, m int, fence bigint, next int);
create function public.record_checkpoint() returns trigger language plpgsql security definer as $$
begin
  insert into public.checkpoint_events (x, t, m, fence, next)
  values (new.workflow_execution_id, new.task_id, new.map_index, new.fence, (new.checkpoint->>'next')::int);
  return null;
end $$;
create trigger record_checkpoint after update on dagwright.task_executions for each row
  when (new.checkpoint is distinct from old.checkpoint) execute function public.record_checkpoint();
create table public.worker_events (seq bigserial primary key, id uuid, pid int, at timestamptz, kind text, gap_ms float8);
create function public.record_worker() returns trigger language plpgsql security definer as $$
begin
  if tg_op = 'DELETE' then
    insert into public.worker_events (id, pid, at, kind) values (old.id, old.pid, clock_timestamp(), 'removed');
  elsif tg_op = 'UPDATE' then
    insert into public.worker_events (id, pid, at, kind, gap_ms) values (new.id, new.pid, clock_timestamp(), 'beat',
      extract(epoch from new.heartbeat_at - old.heartbeat_at) * 1000);
  else
    insert into public.worker_events (id, pid, at, kind) values (new.id, new.pid, clock_timestamp(), 'registered');
  end if;
  return null;
end $$;
create trigger record_worker after insert or delete on dagwright.workers for each row execute function public.record_worker();
create trigger record_worker_beat after update of heartbeat_at on dagwright.workers for each row execute function public.record_worker();
grant select on public.task_events, public.checkpoint_events, public.worker_events to dagwright_engine;`;

/** Records checkpoints, heartbeats and the ends of workers, beside the crash tests' trace. */
export async function installMoreTrace(admin: { query(sql: string): Promise<unknown> }): Promise<void> {
  await admin.query(TRACE);
}

const JOBS = `select id, payload, attempts, locked_by from graphile_worker._private_jobs limit ${MAX_SHOWN}`;

const INVARIANTS: Readonly<Record<string, string>> = {
  'I10 a task of a cancelled execution started': `
    with ends as (select x, min(seq) as seq from public.task_events where to_status = 'cancelled' group by x),
      cancelled as (select e.* from ends e join dagwright.workflow_executions o on o.id = e.x and o.status = 'cancelled')
    select e.* from public.task_events e join cancelled c on c.x = e.x and e.seq > c.seq where e.to_status = 'running'`,
  'I12 a checkpoint went back': `
    select * from (select x, t, m, seq, next, lag(next) over (partition by x, t, m order by seq) as before
      from public.checkpoint_events) s where before >= next`,
  'I13 a job is left': JOBS,
};

export interface Verdict {
  /** From the end of the faults until everything had ended; null: not within 90 s. */
  readonly convergedMs: number | null;
  /** What was open still after 12 s. */
  readonly slow: readonly unknown[];
  /** What is broken, by rule; empty when all is well. */
  readonly broken: Readonly<Record<string, readonly unknown[]>>;
  readonly counts: {
    readonly acknowledged: number;
    readonly cancelled: number;
    readonly tasks: number;
    readonly recoveries: number;
    /** Bodies that began again although no failure asked for it. */
    readonly extraStarts: number;
    readonly deadlocks: number;
  };
}

/** Stops the feed, waits for convergence, and judges. */
export async function judge(arena: Arena): Promise<Verdict> {
  const healedAt = performance.now();
  await arena.feed.stop();
  const open = async () => {
    const [row] = await arena.query<{ n: number }>(
      `select count(*)::int as n from dagwright.workflow_executions where status in ('pending', 'running', 'paused')`,
    );
    return row!.n;
  };
  const hasEnded = async () => (await open().catch(() => 1)) === 0;
  const slow = (await within(SLOW_MS, hasEnded)) ? [] : await stuck(arena);
  const isConverged = await within(CONVERGE_MS - SLOW_MS, hasEnded);
  const convergedMs = isConverged ? performance.now() - healedAt : null;
  // Wake-ups of what has ended may still be in the queue: workers take them and find nothing to do.
  if (isConverged) await within(JOBS_GONE_MS, async () => (await asAdmin(arena, JOBS)).length === 0);
  const broken: Record<string, readonly unknown[]> = {
    ...(await brokenRules(arena.options.url, entriesOf(arena.provider.lines))),
  };
  if (!isConverged) broken['converged within 90 s'] = await stuck(arena);
  for (const [rule, sql] of Object.entries(INVARIANTS)) {
    const rows = await asAdmin(arena, sql);
    if (rows.length > 0) broken[rule] = rows.slice(0, MAX_SHOWN);
  }
  for (const [rule, found] of [
    ['I1 what was acknowledged did not end as it must', await wrongEnds(arena)],
    ['I6 a result is not that of the last attempt, or of no call', await strangeResults(arena)],
    ['I12 an attempt did not go on from the newest checkpoint', repeatedSteps(arena.provider.lines)],
  ] as const)
    if (found.length > 0) broken[rule] = found.slice(0, MAX_SHOWN);
  return { convergedMs, slow, broken, counts: await countsOf(arena) };
}

/** Runs one statement as the server's superuser. */
export async function asAdmin<T>(arena: Arena, sql: string): Promise<T[]> {
  const client = new pg.Client({ connectionString: arena.options.url });
  await client.connect();
  try {
    return (await client.query(sql)).rows as T[];
  } finally {
    await client.end();
  }
}

// One line per entry of a body: a body that calls four times entered once.
function entriesOf(lines: readonly ProviderLine[]) {
  const runs = new Set<string>();
  return lines.flatMap((line) => {
    if (line.event !== 'start' || runs.has(line.run)) return [];
    runs.add(line.run);
    return [{ ...line, event: 'start' as const }];
  });
}

// Every acknowledged start of the feed is there, once, and completed with the right output, or cancelled by us.
async function wrongEnds(arena: Arena): Promise<unknown[]> {
  const rows = await arena.query<{
    id: string;
    status: string;
    output: { total: number } | null;
    error: unknown;
  }>('select id, status, output, error from dagwright.workflow_executions where workflow_id = any($1)', [
    // A cell may feed workflows of its own; what other cells start is theirs to judge.
    [...new Set([...WORKFLOWS, ...arena.feed.journal.map(({ workflow }) => workflow)].map(({ id }) => id))],
  ]);
  const found = new Map(rows.map((row) => [row.id, row]));
  const wrong: unknown[] = [];
  for (const { workflow, id, n, cancel } of arena.feed.journal) {
    if (id === null) continue;
    const row = found.get(id);
    found.delete(id);
    const isCancelled = row?.status === 'cancelled' && cancel === 'cancelled';
    const isRight =
      row?.status === 'completed' &&
      row.output?.total === expectedTotal(workflow, id, n) &&
      cancel !== 'cancelled';
    if (!isCancelled && !isRight)
      wrong.push({
        id,
        workflow: workflow.id,
        cancel,
        expected: expectedTotal(workflow, id, n),
        found: row ?? 'no row',
      });
  }
  for (const row of found.values()) wrong.push({ ...row, problem: 'was never asked for' });
  return wrong;
}

// A stored output names the call that gave it, and that call's attempt, which must be the row's.
async function strangeResults(arena: Arena): Promise<unknown[]> {
  const rows = await arena.query<{ key: string; type: string; attempt: number; token: string; of: number }>(
    `select workflow_execution_id || ':' || task_id || case when map_index < 0 then '' else ':' || map_index end as key, task_type as type,
       attempt_number as attempt, output->>'token' as token, (output->>'attempt')::int as of
     from dagwright.task_executions where task_type in ('call', 'steps') and output->>'token' is not null`,
  );
  const answered = new Map(
    arena.provider.lines.flatMap((line) => (line.event === 'end' ? [[line.token, line.key]] : [])),
  );
  // The last step's answer may be known from a checkpoint of an earlier attempt.
  return rows.filter(
    ({ key, type, attempt, token, of }) => answered.get(token) !== key || (type === 'call' && attempt !== of),
  );
}

// A run goes on after the newest checkpoint: every call that was begun before it began was of no later step than its first.
function repeatedSteps(lines: readonly ProviderLine[]): unknown[] {
  const newest = new Map<string, { run: string; step: number }[]>();
  const wrong: unknown[] = [];
  for (const line of lines) {
    if (line.event !== 'start' || line.step === undefined) continue;
    const runs = newest.get(line.key) ?? [];
    newest.set(line.key, runs);
    const own = runs.find(({ run }) => run === line.run);
    if (own !== undefined) own.step = line.step;
    else {
      if (runs.some(({ step }) => step > line.step!)) wrong.push(line);
      runs.push({ run: line.run, step: line.step });
    }
  }
  return wrong;
}

async function stuck(arena: Arena): Promise<unknown[]> {
  return await asAdmin(
    arena,
    `select o.id, o.workflow_id, o.status as execution, o.open_tasks, t.task_id, t.map_index, t.status, t.fence, t.ready_at, t.wake_at,
       t.worker_id, w.pid, t.pending_edges, (select json_agg(json_build_object('id', j.id, 'attempts', j.attempts, 'locked_by', j.locked_by,
         'locked_at', j.locked_at)) from graphile_worker._private_jobs j where j.payload->>'e' = o.id::text) as jobs
     from dagwright.workflow_executions o left join dagwright.task_executions t on t.workflow_execution_id = o.id
       and t.status in ('pending', 'running', 'waiting', 'retrying') left join dagwright.workers w on w.id = t.worker_id
     where o.status in ('pending', 'running', 'paused') order by o.id limit ${MAX_SHOWN}`,
  );
}

async function countsOf(arena: Arena): Promise<Verdict['counts']> {
  const [row] = await arena.query<{ tasks: number; recoveries: number; deadlocks: number }>(
    `select count(*)::int as tasks, coalesce(sum(recoveries), 0)::int as recoveries,
       (select deadlocks::int from pg_stat_database where datname = current_database()) as deadlocks from dagwright.task_executions`,
  );
  const entries = entriesOf(arena.provider.lines);
  const refused = arena.provider.lines.filter(
    ({ event, task, attempt }) => event === 'start' && task === 'flaky' && attempt === 1,
  );
  const keys = new Set(entries.map(({ key }) => key));
  return {
    ...row!,
    acknowledged: arena.feed.journal.filter(({ id }) => id !== null).length,
    cancelled: arena.feed.journal.filter(({ cancel }) => cancel === 'cancelled').length,
    extraStarts: Math.max(0, entries.length - keys.size - new Set(refused.map(({ key }) => key)).size),
  };
}
