// The tests' own record of what happens to task rows, written by a trigger, and the invariants of the engine as queries
// over it and over the ledger: each returns what breaks it.
import pg from 'pg';
import type { LedgerLine } from './ledger-tasks.ts';

const TRACE = `
create table public.task_events (seq bigserial primary key, x uuid, t text, m int, at timestamptz, from_status text,
  to_status text, woken boolean, fence bigint, attempt int, recoveries int, worker_id uuid);
create function public.record_task_event() returns trigger language plpgsql security definer as $$
begin
  if tg_op = 'INSERT' then
    insert into public.task_events (x, t, m, at, from_status, to_status, woken, fence, attempt, recoveries, worker_id)
    values (new.workflow_execution_id, new.task_id, new.map_index, clock_timestamp(), null, new.status,
      new.ready_at is not null or new.status = 'running', new.fence, new.attempt_number, new.recoveries, new.worker_id);
  elsif (old.status, old.fence, old.ready_at) is distinct from (new.status, new.fence, new.ready_at) then
    insert into public.task_events (x, t, m, at, from_status, to_status, woken, fence, attempt, recoveries, worker_id)
    values (new.workflow_execution_id, new.task_id, new.map_index, clock_timestamp(), old.status, new.status,
      old.status = 'pending' and old.ready_at is null and (new.ready_at is not null or new.status = 'running'),
      new.fence, new.attempt_number, new.recoveries, new.worker_id);
  end if;
  return null;
end $$;
create trigger record_task_event after insert or update on dagwright.task_executions
  for each row execute function public.record_task_event();`;

/** Begins to record. `admin` runs as the server's superuser. */
export async function installTrace(admin: { query(sql: string): Promise<unknown> }): Promise<void> {
  await admin.query(TRACE);
}

const TERMINAL = `('completed', 'failed', 'skipped', 'cancelled')`;

const INVARIANTS: Readonly<Record<string, string>> = {
  'I1 an execution is not terminal': `select id, status, open_tasks from dagwright.workflow_executions where status::text not in ('completed', 'failed', 'cancelled')`,
  'I1 a task of an ended execution is not terminal': `select workflow_execution_id, task_id, map_index, status from dagwright.task_executions where status::text not in ${TERMINAL}`,
  'I2 a task has two terminal records': `select x, t, m, count(*) from public.task_events where to_status in ${TERMINAL} group by x, t, m having count(*) > 1`,
  'I2 a terminal record changed': `select * from public.task_events where from_status in ${TERMINAL}`,
  'I3 orphans': `select * from dagwright.v_orphans`,
  'I3 the reconciler repaired something': `select * from dagwright.engine_counters where name = 'reconciler_repairs' and value > 0`,
  'I4 a task started before a parent had ended': `
    with edges as (
      select o.id as x, n.value->>'taskId' as child, coalesce(d.value->>'taskId', d.value #>> '{}') as parent
      from dagwright.workflow_executions o join dagwright.workflow_versions v on v.id = o.version_id,
        json_array_elements(v.definition->'nodes') n, json_array_elements(n.value->'dependsOn') d),
    started as (select x, t, min(seq) as seq from public.task_events where m = -1 and to_status = 'running' group by x, t),
    ended as (select x, t, min(seq) as seq from public.task_events where m = -1 and to_status in ${TERMINAL} group by x, t)
    select e.*, started.seq as started, ended.seq as ended from edges e
    join started on started.x = e.x and started.t = e.child left join ended on ended.x = e.x and ended.t = e.parent
    where ended.seq is null or ended.seq > started.seq`,
  'I5 a task was woken by its edges more than once, or ran without': `
    select x, t, m, count(*) filter (where woken) as woken from public.task_events group by x, t, m
    having count(*) filter (where woken) > 1 or (count(*) filter (where woken) = 0 and bool_or(to_status = 'running'))`,
  'I6 a fence went back': `
    select * from (select x, t, m, seq, fence, lag(fence) over (partition by x, t, m order by seq) as before from public.task_events) s where before > fence`,
  'I6 two claims under one fence': `
    select x, t, m, fence from public.task_events where to_status = 'running' and from_status is distinct from 'running'
    group by x, t, m, fence having count(*) > 1`,
  'I7 more than three recoveries were tried': `
    select x, t, m from public.task_events where to_status = 'running' group by x, t, m having max(recoveries) > 4`,
};

/** What is broken, by rule; empty when all is well. Call when nothing runs any more. */
export async function brokenRules(
  url: string,
  ledger: readonly LedgerLine[],
): Promise<Record<string, unknown[]>> {
  const admin = new pg.Client({ connectionString: url, options: '-c enable_nestloop=off' });
  await admin.connect();
  try {
    await admin.query('analyze');
    const broken: Record<string, unknown[]> = {};
    for (const [rule, sql] of Object.entries(INVARIANTS)) {
      const { rows } = await admin.query(sql);
      if (rows.length > 0) broken[rule] = rows.slice(0, 5);
    }
    const { rows } = await admin.query<{ key: string; claims: number }>(CLAIMS);
    const claims = new Map(rows.map((row) => [row.key, row.claims]));
    for (const [key, starts] of startsByKey(ledger)) {
      const claimed = claims.get(key) ?? 0;
      if (starts > claimed) broken[`I8 ${key} was started ${starts} times`] = [`claimed ${claimed} times`];
    }
    return broken;
  } finally {
    await admin.end();
  }
}

// I8: a body starts at most once per claim.
const CLAIMS = `
  select x || ':' || t || case when m < 0 then '' else ':' || m end as key,
    count(*) filter (where to_status = 'running' and from_status is distinct from 'running')::int as claims
  from public.task_events group by x, t, m`;

/** How often each task's body was started. */
export function startsByKey(ledger: readonly LedgerLine[]): Map<string, number> {
  const starts = new Map<string, number>();
  for (const { event, key } of ledger) if (event === 'start') starts.set(key, (starts.get(key) ?? 0) + 1);
  return starts;
}
