-- Written by `node test/support/functions-migration.ts --write`; do not edit. See src/db/functions.

-- src/db/functions/jobs.sql
-- A time-ordered id (RFC 9562, UUIDv7, milliseconds).
create or replace function dagwright.uuid_v7() returns uuid language sql volatile as $$
  select encode(set_bit(set_bit(overlay(uuid_send(gen_random_uuid())
    placing substring(int8send((extract(epoch from clock_timestamp()) * 1000)::bigint) from 3) from 1 for 6), 52, 1), 53, 1), 'hex')::uuid
$$;

-- Wakes workers: one graphile job per payload. With turns.sql the only way into graphile's tables; runs as the owner of both schemas.
-- Jobs that wait for a permit cannot be taken before a pass of turns.sql gives them one; add_jobs_v1 is of the release before.
create or replace function dagwright.add_jobs_v2(payloads json[], priority int, waits_for_permits boolean) returns void
language sql security definer set search_path = pg_catalog, pg_temp as $$
  select from graphile_worker.add_jobs(array(
    select ('dagwright', payload, null, case when waits_for_permits then now() + interval '100 years' end, 32767, null,
      (10 - priority + case when waits_for_permits then 100 else 0 end)::smallint, null)::graphile_worker.job_spec
    from unnest(payloads) as payload))
$$;

-- The same with a kind, which says whose they are (task-types.sql).
create or replace function dagwright.add_jobs_v3(payloads json[], priority int, waits_for_permits boolean, kind text) returns void
language sql security definer set search_path = pg_catalog, pg_temp as $$
  select from graphile_worker.add_jobs(array(
    select (kind, payload, null, case when waits_for_permits then now() + interval '100 years' end, 32767, null,
      (10 - priority + case when waits_for_permits then 100 else 0 end)::smallint, null)::graphile_worker.job_spec
    from unnest(payloads) as payload))
$$;

create or replace function dagwright.add_jobs_v1(payloads json[], priority int) returns void
language sql security definer set search_path = pg_catalog, pg_temp as $$
  select from graphile_worker.add_jobs(array(
    select ('dagwright', payload, null, null, 32767, null, (10 - priority)::smallint, null)::graphile_worker.job_spec
    from unnest(payloads) as payload))
$$;

-- Wakes a worker with this payload, but not before so many milliseconds.
create or replace function dagwright.add_later_job_v1(payload json, priority int, ms float8) returns void
language sql security definer set search_path = pg_catalog, pg_temp as $$
  select from graphile_worker.add_jobs(array[('dagwright', payload, null, clock_timestamp() + ms * interval '1 millisecond', 32767, null,
    (10 - priority)::smallint, null)::graphile_worker.job_spec])
$$;

-- The same with a kind.
create or replace function dagwright.add_later_job_v2(payload json, priority int, ms float8, kind text) returns void
language sql security definer set search_path = pg_catalog, pg_temp as $$
  select from graphile_worker.add_jobs(array[(kind, payload, null, clock_timestamp() + ms * interval '1 millisecond', 32767, null,
    (10 - priority)::smallint, null)::graphile_worker.job_spec])
$$;

-- Where only workers of the release before are left for a kind, as after going back to it, its jobs become theirs; those that open, where
-- there are no others at all.
create or replace function dagwright.free_kinds_v1() returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  if not exists (select from dagwright.workers where types is null) then return; end if;
  update graphile_worker._private_jobs j set task_id = k.id
    from graphile_worker._private_tasks k, graphile_worker._private_tasks own
    where k.identifier = 'dagwright' and own.id = j.task_id and own.identifier like 'dagwright:%' and j.is_available
      and not exists (select from dagwright.workers w where case when own.identifier = 'dagwright:open' then w.types is not null
        else w.types ? substr(own.identifier, length('dagwright:') + 1) end);
end $$;

-- Hands ready tasks of one execution to the queue as at most `slots` jobs of each kind, each with a list and the tenant (`o`: see
-- turns.sql), and of the kind that its tasks need (task-types.sql).
create or replace function dagwright.enqueue_v1(e uuid, ts text[], ms int[], slots int, priority int) returns void
language plpgsql as $$
declare
  n constant int := cardinality(ts);
  size constant int := greatest(1, ceil(n::numeric / greatest(slots, 1))::int);
  owner_ record;
  part record;
  -- In memory as it is: as it is stored it is compressed, and each look at a task would unpack it anew.
  unpacked jsonb;
begin
  if n = 0 then return; end if;
  select o.tenant_id as id, t.max_running_tasks is not null as waits_for_permits, v.needs into owner_
    from dagwright.workflow_executions o cross join lateral (select max_running_tasks from dagwright.tenants where id = o.tenant_id offset 0) t
    left join lateral (select needs from dagwright.workflow_versions where id = o.version_id offset 0) v on true
    where o.id = e;
  if owner_.needs is null then
    perform dagwright.add_jobs_v2(array(
      select json_build_object('e', e, 'o', owner_.id, 't', json_agg(json_build_array(u.t, u.m) order by u.k))
      from unnest(ts, ms) with ordinality u(t, m, k) group by (u.k - 1) / size order by (u.k - 1) / size), priority, owner_.waits_for_permits);
    return;
  end if;
  unpacked := owner_.needs || '{}';
  for part in select dagwright.job_kind_v1(g.needs) as kind, g.items,
        greatest(1, ceil(cardinality(g.items)::numeric / greatest(slots, 1))::int) as size
      from (select unpacked->u.t as needs, array_agg(json_build_array(u.t, u.m) order by u.k) as items
        from unnest(ts, ms) with ordinality u(t, m, k) group by 1) g loop
    perform dagwright.add_jobs_v3(array(
      select json_build_object('e', e, 'o', owner_.id, 't', json_agg(u.item order by u.k))
      from unnest(part.items) with ordinality u(item, k) group by (u.k - 1) / part.size order by (u.k - 1) / part.size),
      priority, owner_.waits_for_permits, part.kind);
  end loop;
end $$;

-- Jobs that open executions (K3 of task-types.sql).
create or replace function dagwright.add_openings_v1(payloads json[], priority int, waits_for_permits boolean) returns void
language plpgsql as $$
declare
  of_new json[];
begin
  if (select bool_or(types is null) and bool_or(types is not null) from dagwright.workers) then
    of_new := array(select p.value from unnest(payloads) p(value)
      cross join lateral (select version_id from dagwright.workflow_executions where id = (p.value->>'e')::uuid offset 0) o
      cross join lateral (select from dagwright.workflow_versions where id = o.version_id and needs is not null offset 0) v);
    if cardinality(of_new) > 0 then
      perform dagwright.add_jobs_v3(of_new, priority, waits_for_permits, 'dagwright:open');
      payloads := array(select p.value from unnest(payloads) p(value) where not p.value->>'e' = any(array(select n->>'e' from unnest(of_new) n)));
    end if;
  end if;
  if cardinality(payloads) > 0 then perform dagwright.add_jobs_v2(payloads, priority, waits_for_permits); end if;
end $$;

-- Hands an execution to the queue: it is opened, or concluded, by whoever takes the job.
create or replace function dagwright.enqueue_execution_v1(e uuid) returns void
language sql as $$
  select dagwright.add_openings_v1(array[json_build_object('e', o.id, 'o', o.tenant_id)], o.priority, t.max_running_tasks is not null)
  from dagwright.workflow_executions o join dagwright.tenants t on t.id = o.tenant_id where o.id = e
$$;

-- Adds a job again as it came, to be taken after so many milliseconds: its execution is locked, or its tasks are not for the worker that
-- took it.
create or replace function dagwright.put_off_v1(payload json, ms float8) returns void
language plpgsql as $$
declare
  execution record;
  part record;
  unpacked jsonb;
begin
  select o.priority, o.tenant_id, v.needs into execution from dagwright.workflow_executions o
    left join lateral (select needs from dagwright.workflow_versions where id = o.version_id offset 0) v on true
    where o.id = (payload->>'e')::uuid and o.status in ('pending', 'running', 'paused');
  if not found then return; end if;
  if execution.needs is null or payload->'t' is null then
    perform dagwright.add_later_job_v2(payload, execution.priority, ms, case when execution.needs is null then 'dagwright' else 'dagwright:open' end);
    return;
  end if;
  unpacked := execution.needs || '{}';
  for part in select unpacked->(l.value->>0) as needs, json_agg(l.value order by l.ordinality) as list
      from json_array_elements(payload->'t') with ordinality l group by 1 loop
    perform dagwright.add_later_job_v2(json_build_object('e', payload->'e', 'o', execution.tenant_id, 't', part.list), execution.priority, ms,
      dagwright.job_kind_v1(part.needs));
  end loop;
end $$;

-- src/db/functions/open.sql
-- Opens pending executions: inserts their task rows and claims what the lane goes on with. Set-based: what a statement
-- costs to begin is paid once per batch. The rows of a revision are sent once, however many of its executions are opened.
-- plans: [{ deadline (seconds or null), n (rows), ready (some are ready and not claimed), rows: [{ t, ty, p: pending edges, ea, st,
--   c: 1 claimed for this worker, 2 ready }] }].
-- x: [{ e, k: its place in plans, from 0, row: true where the caller has not read the execution }].
-- Returns e, when it started, and with `row` what it is, for each execution that this call opened; with `at` null those that
-- somebody has locked, which it passed by; others had been opened before.
--   O1  Executions are locked first, by id, then come task rows, then jobs.
--   O2  Dying before the commit leaves it pending, with its job; after it, running tasks of a dead worker.
create or replace function dagwright.open_v3(w uuid, slots int, x jsonb, plans jsonb)
returns table (e uuid, at float8, tenant_id uuid, workflow_id text, revision int, version_id uuid, trigger_type dagwright.trigger_type,
  trigger jsonb, input jsonb, created_at timestamptz, started_at timestamptz)
language plpgsql
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_column
declare
  now_ timestamptz;
  free uuid[];
  opened uuid[];
  group_ record;
begin
  free := array(select o.id from dagwright.workflow_executions o
    where o.id in (select q.e from jsonb_to_recordset(x) as q(e uuid)) order by o.id for no key update skip locked);
  now_ := clock_timestamp();
  with u as (
    update dagwright.workflow_executions o set status = 'running', started_at = now_, open_tasks = (plans -> q.k ->> 'n')::int,
      deadline_at = now_ + (plans -> q.k ->> 'deadline')::float8 * interval '1 second'
    from jsonb_to_recordset(x) as q(e uuid, k int)
    cross join lateral (select h.ctid as tid from dagwright.workflow_executions h where h.id = q.e and h.id = any(free) and h.status = 'pending' offset 0) l
    where o.ctid = l.tid returning o.id)
  select array_agg(u.id) into opened from u;
  if cardinality(free) < jsonb_array_length(x) then
    return query select o.id, null::float8, null::uuid, null::text, null::int, null::uuid, null::dagwright.trigger_type, null::jsonb,
        null::jsonb, null::timestamptz, null::timestamptz from dagwright.workflow_executions o
      where o.id in (select q.e from jsonb_to_recordset(x) as q(e uuid)) and not o.id = any(free) and o.status = 'pending';
  end if;
  if opened is null then return; end if;
  insert into dagwright.task_executions (workflow_execution_id, task_id, tenant_id, task_type, pending_edges, early,
    stays_after_failure, status, fence, attempt_number, worker_id, started_at, queued_ms, ready_at)
  select q.e, r.t, o.tenant_id, r.ty, r.p, coalesce(r.ea, 0), coalesce(r.st, false),
    case when r.c = 1 then 'running'::dagwright.task_status else 'pending' end, (r.c is not distinct from 1)::int,
    (r.c is not distinct from 1)::int, case when r.c = 1 then w end, case when r.c = 1 then now_ end,
    case when r.c = 1 then 0 end, case when r.c = 2 then now_ end
  from jsonb_to_recordset(x) as q(e uuid, k int)
  cross join lateral (select h.tenant_id from dagwright.workflow_executions h where h.id = q.e offset 0) o,
  jsonb_to_recordset(plans -> q.k -> 'rows') as r(t text, ty text, p int, ea smallint, st boolean, c int)
  where q.e = any(opened);
  if jsonb_path_exists(plans, '$[*].ready ? (@ == true)') then
    for group_ in
      select o.id, o.priority, array_agg(t.t) as ts
      from jsonb_to_recordset(x) as q(e uuid, k int)
      cross join lateral (select h.id, h.priority from dagwright.workflow_executions h where h.id = q.e offset 0) o,
      jsonb_to_recordset(plans -> q.k -> 'rows') as t(t text, c int)
      where (plans -> q.k ->> 'ready')::boolean and q.e = any(opened) and t.c = 2 group by o.id, o.priority
    loop
      perform dagwright.enqueue_v1(group_.id, group_.ts, array_fill(-1, array[cardinality(group_.ts)]), slots, group_.priority);
    end loop;
  end if;
  return query select q.e, (extract(epoch from now_) * 1000)::float8, o.tenant_id, o.workflow_id, o.revision, o.version_id, o.trigger_type,
      o.trigger, o.input, o.created_at, o.started_at
    from jsonb_to_recordset(x) as q(e uuid, "row" boolean)
    left join lateral (select * from dagwright.workflow_executions h where h.id = q.e offset 0) o on q."row"
    where q.e = any(opened);
end $$;

-- src/db/functions/orphans.sql
-- (execution, task, index) that a queued or running job would wake; task null: the job opens the execution.
create or replace function dagwright.jobs_v1() returns table (execution_id uuid, task_id text, map_index int)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select (j.payload->>'e')::uuid, l.value->>0, (l.value->>1)::int
  from graphile_worker._private_jobs j join graphile_worker._private_tasks k on k.id = j.task_id
  left join lateral json_array_elements(j.payload->'t') l on true
  where k.identifier ~ '^dagwright(:|$)' and j.attempts < j.max_attempts
$$;

-- What is not terminal and has nothing that will wake it. Must be empty.
create or replace view dagwright.v_orphans with (security_invoker = true) as
  with jobs as materialized (select * from dagwright.jobs_v1())
  select o.id as execution_id, null::text as task_id, null::int as map_index, o.status::text, 'pending execution without a job' as problem
    from dagwright.workflow_executions o
    where o.status = 'pending' and o.run_at is null and not exists (select from jobs j where j.execution_id = o.id and j.task_id is null)
  union all
  select o.id, null, null, o.status::text, 'all tasks ended, not concluded' from dagwright.workflow_executions o
    where o.status = 'running' and o.open_tasks = 0 and not exists (select from dagwright.workers w where w.id = o.concluded_by)
  union all
  select t.workflow_execution_id, t.task_id, t.map_index, t.status::text, case
      when t.ready_at is not null then 'ready without a job'
      when t.status = 'running' then 'running on a worker that is gone'
      when t.status = 'pending' and t.map_index >= 0 then 'item that is neither ready nor running'
      when t.status = 'pending' then 'pending without open edges'
      else 'waiting for nothing' end
    from dagwright.task_executions t join dagwright.workflow_executions o on o.id = t.workflow_execution_id
    where o.status in ('running', 'paused') and t.status in ('pending', 'running', 'waiting', 'retrying') and not (
      (t.ready_at is not null and exists (select from jobs j where j.execution_id = t.workflow_execution_id and j.task_id = t.task_id and j.map_index = t.map_index))
      or (t.status = 'running' and exists (select from dagwright.workers w where w.id = t.worker_id))
      or (t.status = 'pending' and t.ready_at is null and t.map_index < 0 and t.pending_edges > 0)
      or (t.status in ('waiting', 'retrying') and t.wake_at is not null)
      -- Resume wakes what is ready or has a time.
      or (o.status = 'paused' and (t.ready_at is not null or t.held_wake_at is not null))
      or (t.status = 'waiting' and dagwright.wait_ends_by_v1(t.waiting_on) = 'parts' and t.items_open > 0));
grant select on dagwright.v_orphans to dagwright_engine;

-- src/db/functions/reconcile.sql
-- Re-enqueues what has been an orphan for 30 seconds, and counts it: in a sound engine it finds nothing.
create or replace function dagwright.reconcile_v1(slots int) returns int
language plpgsql set enable_seqscan = off as $$
declare
  x record;
  n int := 0;
  stale constant timestamptz := clock_timestamp() - interval '30 seconds';
begin
  perform dagwright.free_kinds_v1();
  if not exists (select from dagwright.task_executions t join dagwright.workflow_executions o on o.id = t.workflow_execution_id
       where t.ready_at < stale and o.status = 'running')
     and not exists (select from dagwright.workflow_executions where status = 'pending' and run_at is null and created_at < stale)
     and not exists (select from dagwright.workflow_executions where status = 'running' and open_tasks = 0) then
    return 0;
  end if;
  for x in
    select o.id, o.priority, o.status, o.open_tasks, v.ts, v.ms from (
      select execution_id, array_agg(task_id) filter (where task_id is not null) as ts,
        array_agg(map_index) filter (where task_id is not null) as ms
      from dagwright.v_orphans group by execution_id) v
    join dagwright.workflow_executions o on o.id = v.execution_id
    where (o.status = 'pending' and o.created_at < stale) or (o.status = 'running' and o.open_tasks = 0 and o.started_at < stale)
      or exists (select from dagwright.task_executions t where t.workflow_execution_id = o.id and t.ready_at < stale)
    for no key update of o skip locked
  loop
    if x.status = 'pending' or x.open_tasks = 0 then
      perform dagwright.enqueue_execution_v1(x.id);
      n := n + 1;
    else
      perform dagwright.enqueue_v1(x.id, x.ts, x.ms, slots, x.priority);
      n := n + cardinality(x.ts);
    end if;
  end loop;
  if n > 0 then
    insert into dagwright.engine_counters (name, value) values ('reconciler_repairs', n)
      on conflict (name) do update set value = engine_counters.value + excluded.value;
  end if;
  return n;
end $$;

-- src/db/functions/start-and-open.sql
-- Starts executions of one tenant, and opens some of them for a worker in the same commit: those of p that say by which of `plans`
-- (as open_v3 reads them; `plan`: its place, `tasks` and `deadline`: those of that plan). They are recorded as running, by the insert
-- of the start itself, and their task rows follow. Where its tasks need permits, none is opened, and all get jobs.
--   A1  What start_executions_v1 and open_v3 keep holds here too; between them nobody sees a row, so nobody can have locked one.
--   A2  Sent again, it opens nothing twice: what has task rows was opened before.
--   A3  Dying before the commit leaves nothing; after it, running tasks of a dead worker, which are taken over as all are.
-- Rows: first the answers of start_executions_v1; then, with i null, each execution that was opened: when, and what of it was
-- stored in another form than it was sent in.
create or replace function dagwright.start_and_open_v3(tenant uuid, p jsonb, worker uuid, slots int, plans jsonb)
returns table (i int, id uuid, existing boolean, problem text, opened_at float8, created_at timestamptz, started_at timestamptz,
  input jsonb, trigger jsonb)
language plpgsql
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_column
declare
  waits_for_permits constant boolean := exists (select from dagwright.tenants t where t.id = tenant and t.max_running_tasks is not null);
  opened uuid[];
  group_ record;
begin
  if waits_for_permits then p := (select jsonb_agg(o - '{plan,tasks,deadline}'::text[]) from jsonb_array_elements(p) o); end if;
  return query select s.i, s.id, s.existing, s.problem, null::float8, null::timestamptz, null::timestamptz, null::jsonb, null::jsonb
    from dagwright.start_executions_v1(tenant, p) s;
  if waits_for_permits then return; end if;
  opened := array(select o.id from jsonb_to_recordset(p) as r(id uuid, plan int)
    cross join lateral (select h.id from dagwright.workflow_executions h where h.id = r.id and h.status = 'running' offset 0) o
    where r.plan is not null and not exists (select from dagwright.task_executions t where t.workflow_execution_id = r.id offset 0));
  if cardinality(opened) = 0 then return; end if;
  insert into dagwright.task_executions (workflow_execution_id, task_id, tenant_id, task_type, pending_edges, early,
    stays_after_failure, status, fence, attempt_number, worker_id, started_at, queued_ms, ready_at)
  select s.id, r.t, tenant, r.ty, r.p, coalesce(r.ea, 0), coalesce(r.st, false),
    case when r.c = 1 then 'running'::dagwright.task_status else 'pending' end, (r.c is not distinct from 1)::int,
    (r.c is not distinct from 1)::int, case when r.c = 1 then worker end, case when r.c = 1 then o.started_at end,
    case when r.c = 1 then 0 end, case when r.c = 2 then o.started_at end
  from jsonb_to_recordset(p) as s(id uuid, plan int)
  cross join lateral (select h.started_at from dagwright.workflow_executions h where h.id = s.id offset 0) o,
  jsonb_to_recordset(plans -> s.plan -> 'rows') as r(t text, ty text, p int, ea smallint, st boolean, c int)
  where s.id = any(opened);
  if jsonb_path_exists(plans, '$[*].ready ? (@ == true)') then
    for group_ in
      select s.id, coalesce(s.priority, 5) as priority, array_agg(t.t) as ts
      from jsonb_to_recordset(p) as s(id uuid, plan int, priority int), jsonb_to_recordset(plans -> s.plan -> 'rows') as t(t text, c int)
      where (plans -> s.plan ->> 'ready')::boolean and s.id = any(opened) and t.c = 2 group by s.id, s.priority
    loop
      perform dagwright.enqueue_v1(group_.id, group_.ts, array_fill(-1, array[cardinality(group_.ts)]), slots, group_.priority);
    end loop;
  end if;
  return query select null::int, o.id, null::boolean, null::text, (extract(epoch from o.started_at) * 1000)::float8, o.created_at, o.started_at,
      o.input, o.trigger
    from unnest(opened) as s(id) cross join lateral (select * from dagwright.workflow_executions h where h.id = s.id offset 0) o;
end $$;

-- For workers of the release before: opened in a second step.
create or replace function dagwright.start_and_open_v2(tenant uuid, p jsonb, worker uuid, slots int, openings jsonb)
returns table (i int, id uuid, existing boolean, problem text, opened_at float8, created_at timestamptz, started_at timestamptz,
  input jsonb, trigger jsonb)
language plpgsql as $$
declare
  waits_for_permits constant boolean := exists (select from dagwright.tenants t where t.id = tenant and t.max_running_tasks is not null);
begin
  if waits_for_permits then p := (select jsonb_agg(o - 'open') from jsonb_array_elements(p) o); end if;
  return query select s.i, s.id, s.existing, s.problem, null::float8, null::timestamptz, null::timestamptz, null::jsonb, null::jsonb
    from dagwright.start_executions_v1(tenant, p) s;
  if waits_for_permits then return; end if;
  return query select null::int, o.e, null::boolean, null::text, o.at, x.created_at, x.started_at, x.input, x.trigger
    from dagwright.open_v2(worker, slots, openings) o
    cross join lateral (select * from dagwright.workflow_executions h where h.id = o.e offset 0) x;
end $$;

-- src/db/functions/start-due.sql
-- Hands executions whose runAt has come to the queue, at most `most`, and as many of those that were held; locked ones wait for the
-- next pass.
--   D1  What comes due while its tenant is suspended is held: it leaves the index of what is due, so that no later pass reads it again,
--       and what came due after it for other tenants is not behind it.
--   D2  Held ones are found by tenant, one look at the index for each tenant that has some, and start when that tenant is active
--       again. Every pass asks, so nobody has to tell, and a status that changes beside a pass is seen by the next.
-- `coalesce(status = 'pending', false)` leads the planner to no index of what is open: those of times are the ones.
create or replace function dagwright.start_due_v1(most int) returns int
language plpgsql set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set plan_cache_mode = force_generic_plan as $$
declare
  now_ constant timestamptz := clock_timestamp();
  x record;
  n int := 0;
  held int;
begin
  -- D1. A pass goes on past what it held, but not without end.
  for round in 1..16 loop
    held := 0;
    for x in
      with due as materialized (
        select o.id, t.status = 'active' as may_start from (
            select id, tenant_id from dagwright.workflow_executions
            where run_at <= now_ and run_at is not null and not is_held and coalesce(status = 'pending', false)
            order by run_at limit most - n for no key update skip locked) o
          cross join lateral (select status from dagwright.tenants where id = o.tenant_id offset 0) t),
      held as (
        update dagwright.workflow_executions o set is_held = true from due where o.id = due.id and not due.may_start returning o.id),
      woken as (
        update dagwright.workflow_executions o set run_at = null from due where o.id = due.id and due.may_start
          returning o.id, o.priority, o.tenant_id, o.version_id)
      select w.priority, t.max_running_tasks is not null as waits_for_permits,
        array_agg(json_build_object('e', w.id, 'o', w.tenant_id, 'v', w.version_id)) as payloads, count(*) as k
      from woken w cross join lateral (select max_running_tasks from dagwright.tenants where id = w.tenant_id offset 0) t group by 1, 2
      union all select null, null, null, count(*) from held
    loop
      if x.payloads is null then
        held := x.k;
      else
        perform dagwright.add_openings_v1(x.payloads, x.priority, x.waits_for_permits);
        n := n + x.k;
      end if;
    end loop;
    exit when held = 0 or n >= most;
  end loop;
  -- D2.
  for x in
    with recursive holding as (
      (select tenant_id from dagwright.workflow_executions where is_held and run_at is not null order by tenant_id, run_at limit 1)
      union all
      select (select o.tenant_id from dagwright.workflow_executions o where o.is_held and o.run_at is not null and o.tenant_id > h.tenant_id
        order by o.tenant_id, o.run_at limit 1) from holding h where h.tenant_id is not null),
    free as materialized (
      select o.id from holding h
      cross join lateral (select status from dagwright.tenants where id = h.tenant_id offset 0) t
      cross join lateral (select e.id from dagwright.workflow_executions e
        where e.tenant_id = h.tenant_id and e.is_held and e.run_at is not null and coalesce(e.status = 'pending', false)
        order by e.run_at limit most for no key update skip locked) o
      where t.status = 'active' limit most),
    woken as (
      update dagwright.workflow_executions o set run_at = null, is_held = false from free where o.id = free.id
      returning o.id, o.priority, o.tenant_id, o.version_id)
    select w.priority, t.max_running_tasks is not null as waits_for_permits,
      array_agg(json_build_object('e', w.id, 'o', w.tenant_id, 'v', w.version_id)) as payloads, count(*) as k
    from woken w cross join lateral (select max_running_tasks from dagwright.tenants where id = w.tenant_id offset 0) t group by 1, 2
  loop
    perform dagwright.add_openings_v1(x.payloads, x.priority, x.waits_for_permits);
    n := n + x.k;
  end loop;
  return n;
end $$;

-- src/db/functions/start.sql
-- Records starts for one tenant: an execution row, a job and, with an idempotency key, its row. Nothing else, on every
-- path. p: [{ i, id, workflowId, input, key?, scope?, requestHash? (hex), priority?, triggerType?, trigger?, metadata?, createdBy?,
-- revision?, latest? (id of its version: only if this is the one that a start takes now; else the problem is `stale`, and nothing is recorded), runAt? (opened only then), open? (start_and_open_v2 opens it: no job),
-- tasks? (start_and_open_v3 opens it: it is recorded as running, with so many open tasks, and no job), deadline? (of such a one: seconds until it
-- times out) }]. Runs as the owner under the tenant's policy; a repeated key returns the first
-- execution, and an id that was started already is not started again. Problems: not_found, not_active, tenant_suspended,
-- tier_too_low, stale, key_reused (the key came with another requestHash). Every row is found by its whole key, behind `offset 0`:
-- what was planned as a join or a hashed subquery while the tables were new would read all of the tenant's rows, ever after.
-- Where the operator has limited the tenant, no more start than there is room for (start_room_v1); the others are too_many_starts or
-- too_many_waiting.
create or replace function dagwright.start_executions_v1(tenant uuid, p jsonb)
returns table (i int, id uuid, existing boolean, problem text)
language plpgsql security definer set search_path = pg_catalog, pg_temp
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_column
declare
  now_ timestamptz;
  before text := current_setting('app.current_tenant_id', true);
  has_keys constant boolean := jsonb_path_exists(p, '$[*].key');
  opening constant uuid[] := case when jsonb_path_exists(p, '$[*].open') then array(select (o.value->>'id')::uuid
    from jsonb_array_elements(p) o where o.value->'open' = 'true') end;
  bad text;
  count_ int := 0;
  jobs record;
  owner_ record;
  room int;
  no_room text;
begin
  select r.priority::text into bad from jsonb_to_recordset(p) as r(priority int) where r.priority not between 1 and 10 limit 1;
  if found then raise exception 'priority must be 1 to 10, got %', bad using errcode = '22023'; end if;
  perform set_config('app.current_tenant_id', tenant::text, true);
  select t.status = 'active' as is_active, t.tier, t.max_running_tasks is not null as waits_for_permits,
    coalesce(t.max_starts_per_minute, t.max_waiting_executions) is not null as is_limited into owner_ from dagwright.tenants t where t.id = tenant;
  if owner_.is_limited then select * into room, no_room from dagwright.start_room_v1(tenant); end if;
  now_ := clock_timestamp();
  if has_keys then
    -- In the order of the keys, so that two batches cannot wait for each other.
    insert into dagwright.idempotency_keys (tenant_id, scope, key, workflow_execution_id, request_hash, created_at)
    select tenant, coalesce(r.scope, 'start:' || r."workflowId"), r.key, r.id, decode(r."requestHash", 'hex'), now_
    from jsonb_to_recordset(p) as r(i int, id uuid, "workflowId" text, revision int, latest uuid, key text, scope text, "requestHash" text)
    cross join lateral (select from dagwright.workflow_definitions d join dagwright.workflow_versions v
      on v.tenant_id = d.tenant_id and v.workflow_id = d.workflow_id and v.revision = coalesce(r.revision, d.pinned_revision, d.latest_revision)
      where d.tenant_id = tenant and d.workflow_id = r."workflowId" and d.status = 'active' and owner_.is_active and v.min_tier <= owner_.tier
        and (r.latest is null or v.id = r.latest and v.revision = coalesce(d.pinned_revision, d.latest_revision)) offset 0) v
    where r.key is not null order by 2, 3, r.i
    on conflict do nothing;
  end if;
  for jobs in
    with started as (
      insert into dagwright.workflow_executions (id, tenant_id, workflow_id, revision, version_id, priority, trigger_type, trigger,
        input, metadata, created_by, created_at, run_at, status, started_at, open_tasks, deadline_at)
      select r.id, tenant, r."workflowId", v.revision, v.id, coalesce(r.priority, 5), coalesce(r."triggerType", 'sql')::dagwright.trigger_type,
        r.trigger, coalesce(r.input, 'null'), r.metadata, r."createdBy", now_, case when r."runAt" > now_ then r."runAt" end,
        case when r.tasks is null then 'pending'::dagwright.execution_status else 'running' end, case when r.tasks is not null then now_ end,
        coalesce(r.tasks, 0), case when r.tasks is not null then now_ + r.deadline * interval '1 second' end
      from jsonb_to_recordset(p) as r(i int, id uuid, "workflowId" text, revision int, latest uuid, input jsonb, key text, scope text, priority int,
        "triggerType" text, trigger jsonb, metadata jsonb, "createdBy" text, "runAt" timestamptz, tasks int, deadline float8)
      cross join lateral (select v.id, v.revision from dagwright.workflow_definitions d join dagwright.workflow_versions v
        on v.tenant_id = d.tenant_id and v.workflow_id = d.workflow_id and v.revision = coalesce(r.revision, d.pinned_revision, d.latest_revision)
        where d.tenant_id = tenant and d.workflow_id = r."workflowId" and d.status = 'active' and owner_.is_active and v.min_tier <= owner_.tier
          and (r.latest is null or v.id = r.latest and v.revision = coalesce(d.pinned_revision, d.latest_revision)) offset 0) v
      where r.key is null or exists (select from dagwright.idempotency_keys k where k.tenant_id = tenant
        and k.scope = coalesce(r.scope, 'start:' || r."workflowId") and k.key = r.key and k.workflow_execution_id = r.id offset 0)
      limit room
      on conflict do nothing
      returning id, priority, run_at, status, version_id)
    select priority, count(*)::int as n, array_agg(json_build_object('e', id, 'o', tenant, 'v', version_id))
      filter (where run_at is null and status = 'pending' and (opening is null or not id = any(opening))) as payloads from started group by priority
  loop
    count_ := count_ + jobs.n;
    if jobs.payloads is not null then perform dagwright.add_openings_v1(jobs.payloads, jobs.priority, owner_.waits_for_permits); end if;
  end loop;
  -- A key without its execution (the workflow changed its status meanwhile) must not answer for one later.
  if has_keys then
    delete from dagwright.idempotency_keys k
      using jsonb_to_recordset(p) as r(id uuid, "workflowId" text, key text, scope text)
      cross join lateral (select h.ctid as tid from dagwright.idempotency_keys h where h.tenant_id = tenant
        and h.scope = coalesce(r.scope, 'start:' || r."workflowId") and h.key = r.key and h.workflow_execution_id = r.id offset 0) h
      where k.ctid = h.tid and not exists (select from dagwright.workflow_executions o where o.id = r.id offset 0);
  end if;
  if count_ = jsonb_array_length(p) and not has_keys then
    return query select r.i, r.id, false, null::text from jsonb_to_recordset(p) as r(i int, id uuid);
  else return query
    select r.i, coalesce(k.workflow_execution_id, r.id), coalesce(k.workflow_execution_id <> r.id, false),
      case when k.workflow_execution_id <> r.id and k.request_hash <> decode(r."requestHash", 'hex') then 'key_reused'
        when k.workflow_execution_id <> r.id or exists (select from dagwright.workflow_executions o where o.id = r.id offset 0) then null
        when owner_.is_active is not true then 'tenant_suspended' when d.status is null then 'not_found'
        when d.status <> 'active' then 'not_active'
        when r.latest is not null and (v.id is distinct from r.latest or r.revision <> coalesce(d.pinned_revision, d.latest_revision)) then 'stale'
        when v.min_tier > owner_.tier then 'tier_too_low' when v.min_tier is null or no_room is null then 'not_found' else no_room end
    from jsonb_to_recordset(p) as r(i int, id uuid, "workflowId" text, revision int, latest uuid, key text, scope text, "requestHash" text)
    left join lateral (select k.workflow_execution_id, k.request_hash from dagwright.idempotency_keys k where has_keys and k.tenant_id = tenant
      and k.scope = coalesce(r.scope, 'start:' || r."workflowId") and k.key = r.key offset 0) k on true
    left join lateral (select d.status, d.pinned_revision, d.latest_revision from dagwright.workflow_definitions d
      where d.tenant_id = tenant and d.workflow_id = r."workflowId" offset 0) d on true
    left join lateral (select v.id, v.min_tier from dagwright.workflow_versions v where v.tenant_id = tenant and v.workflow_id = r."workflowId"
      and v.revision = coalesce(r.revision, d.pinned_revision, d.latest_revision) offset 0) v on true;
  end if;
  perform set_config('app.current_tenant_id', coalesce(before, ''), true);
end $$;

-- How many executions may start now within the operator's limits of a tenant, and what refuses the others. What is not committed yet
-- is not counted: starts beside each other may pass the limit by as many as there are at once.
create or replace function dagwright.start_room_v1(tenant uuid, out starts int, out problem text)
language plpgsql stable set enable_seqscan = off set enable_bitmapscan = off set plan_cache_mode = force_generic_plan as $$
declare
  limits record;
  left_ int;
begin
  select max_starts_per_minute as per_minute, max_waiting_executions as waiting into limits from dagwright.tenants where id = tenant;
  if limits.per_minute is not null then
    select limits.per_minute - count(*) into starts from (select from dagwright.workflow_executions o
      where o.tenant_id = tenant and o.id > dagwright.first_id_v1(clock_timestamp() - interval '1 minute') limit limits.per_minute) o;
    problem := 'too_many_starts';
  end if;
  if limits.waiting is not null and coalesce(starts, 1) > 0 then
    -- The index of what is open; the status is looked at row by row (see start-due.sql).
    select limits.waiting - count(*) into left_ from (select from dagwright.workflow_executions o where o.tenant_id = tenant
      and o.status in ('pending', 'running', 'paused') and coalesce(o.status = 'pending', false) limit limits.waiting) o;
    if starts is null or left_ < starts then
      starts := left_;
      problem := 'too_many_waiting';
    end if;
  end if;
end $$;

-- The tenant of this session, or an error that shows what to type.
create or replace function dagwright.current_tenant() returns uuid language plpgsql stable as $$
declare
  tenant uuid := nullif(current_setting('app.current_tenant_id', true), '')::uuid;
begin
  if tenant is null then
    raise exception 'no tenant is set' using errcode = '22023',
      hint = 'select set_config(''app.current_tenant_id'', ''00000000-0000-7000-8000-000000000001'', true);  -- tenant "default"; true: for this transaction';
  end if;
  return tenant;
end $$;

-- Starts a workflow in the caller's own transaction and returns the execution's id; rolled back with the caller.
-- priority 1 to 10, higher first. The same idempotency_key returns the first execution of that workflow. input: at most 1,000,000
-- bytes, metadata 16,000, idempotency_key 500.
create or replace function dagwright.start_workflow(workflow_id text, input jsonb default '{}', idempotency_key text default null,
  priority int default 5, metadata jsonb default null) returns uuid
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  started record;
begin
  if priority is null or priority not between 1 and 10 then
    raise exception 'priority must be 1 to 10, got %', coalesce(priority::text, 'null') using errcode = '22023';
  end if;
  if octet_length(input::text) > 1000000 then perform dagwright.refuse_size_v1('the input', 1000000); end if;
  if octet_length(metadata::text) > 16000 then perform dagwright.refuse_size_v1('the metadata', 16000); end if;
  if octet_length(idempotency_key) > 500 then
    raise exception 'an idempotency_key has at most 500 bytes' using errcode = '22023', hint = 'a hash of what names the start: md5(…)';
  end if;
  select * into started from dagwright.start_executions_v1(dagwright.current_tenant(), jsonb_build_array(jsonb_strip_nulls(
    jsonb_build_object('i', 0, 'id', dagwright.uuid_v7(), 'workflowId', workflow_id, 'key', idempotency_key, 'priority', priority, 'triggerType', 'sql',
      'createdBy', dagwright.current_actor()))
    || jsonb_build_object('input', coalesce(input, '{}'), 'metadata', metadata)));
  if started.problem = 'not_found' then
    raise exception 'workflow "%" does not exist in this tenant', left(workflow_id, 200) using errcode = 'P0002',
      hint = 'apply its definition first: dagwright apply FILE';
  elsif started.problem = 'tenant_suspended' then
    raise exception 'the tenant does not exist, or is suspended' using errcode = '55000', hint = 'dagwright tenants list; dagwright tenants update NAME --status active';
  elsif started.problem = 'tier_too_low' then
    raise exception 'workflow "%" needs a tenant of a higher tier', workflow_id using errcode = '55000', hint = 'see minTier of its definition';
  elsif started.problem in ('too_many_starts', 'too_many_waiting') then
    raise exception 'the tenant has %', case started.problem when 'too_many_starts' then 'started as many executions within a minute as it may'
      else 'as many executions waiting as it may' end using errcode = '53400', hint = 'start it again later; the operator''s limits: dagwright tenants show NAME';
  elsif started.problem is not null then
    raise exception 'workflow "%" is not active', workflow_id using errcode = '55000', hint = 'set its status to active';
  end if;
  return started.id;
end $$;

-- Cancels an execution of the current tenant. Returns its status afterwards: 'cancelled', or the terminal status it
-- already had; null where there is none. Once committed, nothing of it starts again. reason: at most 1,000 characters.
create or replace function dagwright.cancel_execution(execution_id uuid, reason text default null) returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  now_status text;
begin
  if length(reason) > 1000 then
    raise exception 'the reason of a cancel has at most 1000 characters' using errcode = '22023';
  end if;
  select status into now_status from dagwright.workflow_executions
    where id = execution_id and tenant_id = dagwright.current_tenant() for no key update;
  if now_status in ('pending', 'running', 'paused') then
    perform dagwright.end_execution_v1(execution_id, 'cancelled', null,
      jsonb_build_object('code', 'cancelled', 'message', coalesce(reason, 'cancelled on request')), null, clock_timestamp());
    perform dagwright.audit_v1(dagwright.current_tenant(), 'executions.cancel', 'executions', execution_id::text, jsonb_build_object('status', now_status),
      jsonb_strip_nulls(jsonb_build_object('status', 'cancelled', 'reason', reason)));
    now_status := 'cancelled';
  end if;
  return now_status;
end $$;

-- src/db/functions/task-needs.sql
-- { task: [types beside COMMON_TYPES (db/protocol/job-kinds.ts), in order] } of the nodes that need some; null: of none.
create or replace function dagwright.task_needs_v1(definition json) returns jsonb
language sql immutable parallel safe set search_path = pg_catalog, pg_temp as $$
  select jsonb_object_agg(n.task_id, n.needs) from (
    select node->>'taskId' as task_id, jsonb_agg(distinct t.type) as needs
    from jsonb_path_query(definition::jsonb, 'lax $.nodes[*]') node
    cross join lateral (
      select node union all select jsonb_path_query(node, 'lax $ ? (@.taskType == "parallel").config.task')
      union all select jsonb_path_query(node, 'lax $ ? (@.taskType == "parallel").config.branches.*')) p(part)
    cross join lateral (
      select part->>'taskType'
      union all select jsonb_path_query(part, 'lax $ ? (@.taskType == "model_inference").config.tools[*].task.taskType') #>> '{}') t(type)
    where node->>'taskId' is not null and t.type <> all(array['aggregation', 'condition', 'external_api', 'fail', 'model_inference', 'parallel',
      'terminate', 'transformation', 'wait'])
    group by 1) n
$$;

-- src/db/functions/task-types.sql
-- Which worker can do which task. A worker registers the task types that it has; a job of tasks that need more than built-in types
-- has a kind (graphile-worker's task identifier) that only workers with that type fetch. What nobody has waits in the queue, unlooked at.
--   K1  What a node needs is made of its definition when that is saved (task-needs.sql, workflow_versions.needs): its own type, those of its parts and
--       of its tools. Absent: built-in types of the first release suffice, and every worker takes it.
--   K2  A node that needs several types has the kind of the one that the fewest workers have. Whoever takes it and lacks another
--       leaves it for later (put_off_v1); nobody fails it.
--   K3  A worker of the release before registers nothing: what it has is not known. Where no worker has registered a type, such a one may
--       have it, and the job goes to everybody, as before; where one has, it gets the work. So that release, which fails what it cannot
--       open, is not asked to open what needs more than built-in types as long as a worker of this one lives.

-- The row of a worker, with what it can do. types: { type: hash of its config schema, or null }; schemas: { type: config schema } of those
-- that are not built in, which the API and `apply` check definitions by. Returns its lock key.
create or replace function dagwright.register_worker_v2(worker uuid, host text, pid int, concurrency int, lease_seconds int, types jsonb, schemas json)
returns int language plpgsql as $$
declare
  now_ constant timestamptz := clock_timestamp();
  key int;
begin
  -- In the order of their names, so that two workers cannot wait for each other.
  insert into dagwright.task_types as t (type, schema_hash, config_schema, registered_at)
    select s.key, types->>s.key, s.value, now_ from json_each(schemas) s order by s.key
    on conflict (type, schema_hash) do update set registered_at = now_;
  insert into dagwright.workers (id, host, pid, concurrency, lease_seconds, types, started_at, heartbeat_at, beating_since)
    values (worker, host, pid, concurrency, lease_seconds, types, now_, clock_timestamp(), clock_timestamp()) returning lock_key into key;
  return key;
end $$;

-- The kind of a job of tasks with these needs (K2, K3).
create or replace function dagwright.job_kind_v1(needs jsonb) returns text
language sql stable set search_path = pg_catalog, pg_temp as $$
  select case when needs is null then 'dagwright'
    when exists (select from dagwright.workers w where w.types is null) and not exists (select from dagwright.workers w
      where not exists (select from jsonb_array_elements_text(needs) n where (w.types ? n) is not true)) then 'dagwright'
    else 'dagwright:' || (select n from jsonb_array_elements_text(needs) n
      order by (select count(*) from dagwright.workers w where w.types ? n), n limit 1) end
$$;

-- Of these types, which no live worker has; all, where each has one and yet none has all; none, where a worker is of the release before.
create or replace function dagwright.missing_types_v1(needs jsonb) returns text[]
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  with live as materialized (select w.types from dagwright.workers w
    where w.heartbeat_at > clock_timestamp() - w.lease_seconds * interval '1 second'),
  needed as materialized (select n as type, exists (select from live where live.types ? n) as is_there from jsonb_array_elements_text(needs) n)
  select case when exists (select from live where live.types is null)
      or exists (select from live where not exists (select from needed where not live.types ? needed.type)) then '{}'
    else (select array_agg(type order by type) from needed where not is_there or not exists (select from needed where not is_there)) end
$$;

-- src/db/functions/turns.sql
-- Turns of tenants in the queue. graphile-worker takes the jobs with the lowest (priority, run_at). A job is added under the priority of
-- its execution and the moment it came: the right order within a tenant, but not between tenants. Where several wait, a pass gives the
-- next jobs of each a turn: they go to the front (priority -1), with a virtual time as run_at, as in start-time fair queueing.
--   T1  A tenant's next turn is one step after its last, and never before the earliest turn that is still to come: whoever comes late
--       catches up with nobody, and nobody who waits is overtaken by more than its window. A step is 1/weight.
--   T2  Within a tenant a higher priority goes first; each step of priority is worth a minute of waiting, so that nothing starves.
--   T3  At most a window of jobs of a tenant has turns: what comes later under a higher priority waits for so many of its own at most.
--   T4  All that it knows stands in the queue. A start takes no lock and keeps no count, so that a transaction that a caller holds open
--       stops nobody. A pass that dies before its commit has changed nothing; after it, the jobs wait in an order that is fair too.
--   T5  One pass at a time; jobs that are being taken are left alone. Without passes every job is still taken, by priority and age.
--   T6  Jobs of a tenant with max_running_tasks cannot be taken before they have a permit (add_jobs_v2 puts them 100 years and 100
--       priorities off). A permit is a key `tenant#number` of the job, which the queue holds until its lane has ended: the unique key
--       is the limit, also where a pass counts wrongly, and a worker that dies keeps its permits until it is taken over.
--   T7  A pass gives turns, permits and the reserve only to jobs of the kinds that its worker takes (task-types.sql; null: any), so that
--       what it cannot do, or nobody, is not in the way of the rest of its tenant. Their own workers give those turns.
-- Locks: rows of the queue only, and none is waited for.
-- Jobs of a line are asked for by comparing rows: by `priority = p` the planner may take graphile's index, and read all tenants' jobs.
create index if not exists jobs_by_tenant on graphile_worker._private_jobs ((coalesce(payload->>'o', '')), priority, run_at)
  where is_available;

-- Each tenant and priority of which jobs wait, and since when; -1: those that have turns. One look at the index for each.
create or replace function dagwright.waiting_lines_v1() returns table (tenant text, priority int, since timestamptz)
language sql stable security definer set search_path = pg_catalog, pg_temp
set enable_seqscan = off set enable_bitmapscan = off set enable_sort = off as $$
  with recursive heads as (
    (select coalesce(payload->>'o', '') as tenant, j.priority, j.run_at from graphile_worker._private_jobs j
      where is_available order by coalesce(payload->>'o', ''), j.priority, j.run_at limit 1)
    union all
    select n.tenant, n.priority, n.run_at from heads h cross join lateral (
      select coalesce(payload->>'o', '') as tenant, j.priority, j.run_at from graphile_worker._private_jobs j
      where is_available and (coalesce(payload->>'o', ''), j.priority) > (h.tenant, h.priority)
      order by coalesce(payload->>'o', ''), j.priority, j.run_at limit 1) n)
  select h.tenant, h.priority::int, case when h.priority >= 90 then h.run_at - interval '100 years' else h.run_at end from heads h
$$;

-- Gives turns to the next jobs of each line: [{ tenant, priorities, most (turns of it that wait at once), step (microseconds), permits
-- (null: it needs none) }]. Returns how many got one.
create or replace function dagwright.move_to_front_v2(lines jsonb, kinds text[]) returns int
language plpgsql security definer set search_path = pg_catalog, pg_temp set plan_cache_mode = force_generic_plan
set enable_seqscan = off set enable_bitmapscan = off as $$
declare
  now_ constant timestamptz := clock_timestamp();
  tasks constant int[] := case when kinds is not null then array(select id from graphile_worker._private_tasks where identifier = any(kinds)) end;
  line record;
  earliest timestamptz;
  given int;
  last_ timestamptz;
  keys text[];
  moved int;
  total int := 0;
begin
  -- Virtual time runs slower than the clock, so that a new beginning is never before what was.
  earliest := coalesce((select j.run_at from graphile_worker._private_jobs j where is_available and j.priority = -1
      and (tasks is null or j.task_id = any(tasks)) order by j.run_at limit 1),
    now_ - interval '1 minute');
  for line in select * from jsonb_to_recordset(lines) as l(tenant text, priorities int[], most int, step float8, permits int) loop
    select count(*), max(j.run_at) into given, last_ from graphile_worker._private_jobs j
      where is_available and (coalesce(payload->>'o', ''), j.priority) >= (line.tenant, -1::smallint)
        and (coalesce(payload->>'o', ''), j.priority) <= (line.tenant, -1::smallint) and (tasks is null or j.task_id = any(tasks));
    keys := case when line.permits is not null then array(select line.tenant || '#' || n from generate_series(1, line.permits) n
      where not exists (select from graphile_worker._private_jobs j where j.key = line.tenant || '#' || n) order by n) end;
    -- T7. Permits of what waits for other workers, where something for this one waits for a permit: they come back with a pass of theirs.
    if cardinality(keys) = 0 and tasks is not null and exists (select from unnest(line.priorities) p cross join lateral (
        select from graphile_worker._private_jobs j where is_available and (coalesce(payload->>'o', ''), j.priority) >= (line.tenant, p::smallint)
          and (coalesce(payload->>'o', ''), j.priority) <= (line.tenant, p::smallint) and j.task_id = any(tasks) limit 1) j) then
      update graphile_worker._private_jobs j set key = null, priority = 105, run_at = j.run_at + interval '100 years'
        where j.id in (select i.id from graphile_worker._private_jobs i
          where is_available and (coalesce(payload->>'o', ''), i.priority) >= (line.tenant, -1::smallint)
            and (coalesce(payload->>'o', ''), i.priority) <= (line.tenant, -1::smallint) and i.key is not null and i.task_id <> all(tasks)
          for update skip locked);
      keys := array(select line.tenant || '#' || n from generate_series(1, line.permits) n
        where not exists (select from graphile_worker._private_jobs j where j.key = line.tenant || '#' || n) order by n);
    end if;
    given := least(line.most - given, cardinality(keys));
    continue when given <= 0;
    with next as (
      select w.id, row_number() over (order by w.due, w.id) as place from (
        select j.id, j.due from unnest(line.priorities) p cross join lateral (
          select j.id, j.run_at + p * interval '1 minute' - case when p >= 90 then interval '100 years 100 minutes' else interval '0' end as due
          from graphile_worker._private_jobs j
          where is_available and (coalesce(payload->>'o', ''), j.priority) >= (line.tenant, p::smallint)
            and (coalesce(payload->>'o', ''), j.priority) <= (line.tenant, p::smallint) and (case when p >= 90 then j.run_at - interval '100 years' else j.run_at end) <= now_
            and (tasks is null or j.task_id = any(tasks))
          order by coalesce(payload->>'o', ''), j.priority, j.run_at limit given for update skip locked) j
        order by 2, 1 limit given) w)
    update graphile_worker._private_jobs j set priority = -1, key = keys[next.place],
      run_at = least(now_, greatest(earliest, last_) + next.place * line.step * interval '1 microsecond')
    from next where j.id = next.id;
    get diagnostics moved = row_count;
    total := total + moved;
  end loop;
  -- Workers with free slots look for jobs only when they are told.
  if total > 0 then perform pg_notify('jobs:insert', '{"r":' || random()::text || ',"count":' || total::text || '}'); end if;
  return total;
end $$;

-- What waits of these tenants without needing a permit, needs one from now on: they have been limited meanwhile. At most `most` jobs.
create or replace function dagwright.hold_for_permits_v1(limited text[], most int) returns void
language sql security definer set search_path = pg_catalog, pg_temp set enable_seqscan = off set enable_bitmapscan = off as $$
  update graphile_worker._private_jobs j set priority = j.priority + 100, run_at = j.run_at + interval '100 years'
  from unnest(limited) t cross join lateral (
    select i.id from graphile_worker._private_jobs i where is_available and (coalesce(payload->>'o', ''), i.priority) >= (t, 0::smallint)
      and (coalesce(payload->>'o', ''), i.priority) <= (t, 10::smallint)
    limit most for update skip locked) h
  where j.id = h.id
$$;

-- One pass, where it is needed: several tenants wait, some for permits, or a job of lower priority has waited longer than that is worth.
-- Returns which tenants wait (100, the longest first), whether more of what waits for permits may get one at once, and whether any may have to; nothing where another
-- pass is under way.
create or replace function dagwright.give_turns_v2(slots int, kinds text[]) returns table (tenants text[], is_held boolean, is_limited boolean)
language plpgsql set plan_cache_mode = force_generic_plan as $$
declare
  window_ constant int := greatest(32, slots);
  is_aged boolean;
  limited text[];
  lines jsonb;
  count_ int;
  moved int := 0;
begin
  if not pg_try_advisory_xact_lock(1148, 2) then return; end if;
  -- Mostly one tenant waits, under one priority, and nothing is to be done: that is found out at little cost.
  select coalesce(array_agg(w.tenant), '{}'), count(*), coalesce(max(w.priority) >= 90, false),
      exists (select from dagwright.tenants t where t.max_running_tasks is not null)
    into tenants, count_, is_held, is_limited from dagwright.waiting_lines_v1() w;
  if count_ <= 1 and not is_held and not is_limited then
    return next;
    return;
  end if;
  with line as materialized (
      select w.tenant, array_agg(w.priority) filter (where w.priority >= 0) as priorities, coalesce(min(t.weight), 1) as weight,
        min(t.max_running_tasks) as permits, min(w.since) as since,
        coalesce(bool_or(w.priority between 0 and 89) and min(t.max_running_tasks) is not null, false) as is_new,
        (array_agg(w.priority order by w.since + w.priority % 100 * interval '1 minute') filter (where w.priority >= 0))[1]
          > min(w.priority) filter (where w.priority >= 0) as is_aged
      from dagwright.waiting_lines_v1() w left join lateral (select h.weight, h.max_running_tasks from dagwright.tenants h
        where h.id = nullif(w.tenant, '')::uuid offset 0) t on true group by w.tenant)
  select coalesce((array_agg(l.tenant order by l.since))[1:100], '{}'), bool_or(90 <= any(l.priorities)), bool_or(l.is_aged), array_agg(l.tenant) filter (where l.is_new),
      jsonb_agg(jsonb_build_object('tenant', l.tenant, 'priorities', l.priorities, 'most', least(1024, window_ * l.weight),
        'step', 100.0 / l.weight, 'permits', l.permits)) filter (where l.priorities is not null)
    into tenants, is_held, is_aged, limited, lines from line l;
  if limited is not null then perform dagwright.hold_for_permits_v1(limited, 1000); end if;
  if lines is not null and (cardinality(tenants) > 1 or is_held or is_aged) then moved := dagwright.move_to_front_v2(lines, kinds); end if;
  -- Where none could be given, the end of a job, a look at the queue or the pass of five seconds later tries again.
  is_held := coalesce(is_held, false) and moved > 0 or limited is not null;
  return next;
end $$;

-- How many tenants' jobs wait, and how many jobs wait for a permit; looks at no more than `most` of these.
create or replace function dagwright.queue_tenants_v1(most int) returns table (tenants int, held int)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select (select count(distinct tenant)::int from dagwright.waiting_lines_v1()),
    (select count(*)::int from (select from graphile_worker._private_jobs where is_available and priority >= 90 limit most) j)
$$;

-- Takes, for a worker whose slots are all taken, the next job of each tenant that is not `busy` there, at most `most`: for its reserve
-- (engine/worker/reserve.ts). They are locked as graphile-worker locks them, so that they come again where their worker dies.
create or replace function dagwright.take_reserved_v2(pool text, busy text[], most int, kinds text[]) returns table (id bigint, payload json, added_at timestamptz)
language plpgsql security definer set search_path = pg_catalog, pg_temp set plan_cache_mode = force_generic_plan
set enable_seqscan = off set enable_bitmapscan = off as $$
#variable_conflict use_column
declare
  now_ constant timestamptz := clock_timestamp();
  tasks constant int[] := case when kinds is not null then array(select t.id from graphile_worker._private_tasks t where t.identifier = any(kinds)) end;
  line record;
  taken int := 0;
  n int;
begin
  for line in select w.tenant, array_agg(w.priority::smallint) as priorities from dagwright.waiting_lines_v1() w
    where w.priority < 90 and w.tenant <> '' and w.tenant <> all(busy) group by w.tenant order by min(w.since)
  loop
    exit when taken >= most;
    return query update graphile_worker._private_jobs j set locked_at = now_, locked_by = pool, attempts = j.attempts + 1
      where j.id = (select i.id from unnest(line.priorities) p cross join lateral (
          select i.id, i.priority, i.run_at from graphile_worker._private_jobs i where is_available
            and (coalesce(i.payload->>'o', ''), i.priority) >= (line.tenant, p)
            and (coalesce(i.payload->>'o', ''), i.priority) <= (line.tenant, p) and i.run_at <= now_ and (tasks is null or i.task_id = any(tasks))
          order by coalesce(i.payload->>'o', ''), i.priority, i.run_at limit 1 for update skip locked) i
        order by i.priority, i.run_at limit 1)
      returning j.id, j.payload, j.created_at;
    get diagnostics n = row_count;
    taken := taken + n;
  end loop;
end $$;

-- Such jobs have been done.
create or replace function dagwright.end_reserved_v1(pool text, ids bigint[]) returns void
language sql security definer set search_path = pg_catalog, pg_temp as $$
  delete from graphile_worker._private_jobs where id = any(ids) and locked_by = pool
$$;

-- As the release before calls them, whose workers know one kind.
create or replace function dagwright.give_turns_v1(slots int) returns table (tenants text[], is_held boolean, is_limited boolean)
language sql as $$ select * from dagwright.give_turns_v2(slots, array['dagwright']) $$;

create or replace function dagwright.take_reserved_v1(pool text, busy text[], most int) returns table (id bigint, payload json, added_at timestamptz)
language sql as $$ select * from dagwright.take_reserved_v2(pool, busy, most, array['dagwright']) $$;

-- src/db/functions/waiting-calls.sql
-- The batches as the release before calls them: it does not know the answer `locked`, so all executions of a batch are locked before it,
-- and it waits for those that somebody has locked. To go with the release after the next.
create or replace function dagwright.settle_v1(p jsonb)
returns table (e uuid, kind text, i int, t text, m int, fence bigint, attempt int, recoveries int, phase text, at float8)
language plpgsql set enable_seqscan = off as $$
begin
  perform from dagwright.workflow_executions o where o.id = any(array(select (x.value->>'e')::uuid from jsonb_array_elements(p->'x') x))
    order by o.id for no key update;
  return query select s.* from dagwright.settle_v2(p) s;
end $$;

create or replace function dagwright.settle_completed_v1(w uuid, slots int, ids uuid[], s jsonb, d jsonb, lanes int[], extra int)
returns table (kind text, i int, t text, m int, fence bigint, attempt int, recoveries int, phase text, at float8)
language plpgsql set enable_seqscan = off as $$
begin
  perform from dagwright.workflow_executions o where o.id = any(ids) order by o.id for no key update;
  return query select c.* from dagwright.settle_completed_v2(w, slots, ids, s, d, lanes, extra) c;
end $$;

create or replace function dagwright.claim_v1(p jsonb)
returns table (i int, k int, t text, m int, fence bigint, attempt int, recoveries int, phase text)
language plpgsql set enable_seqscan = off as $$
begin
  perform from dagwright.workflow_executions o where o.id = any(array(select (c.value->>'e')::uuid from jsonb_array_elements(p->'c') c))
    and o.status = 'running' order by o.id for no key update;
  return query select c.* from dagwright.claim_v2(p) c;
end $$;

create or replace function dagwright.open_v1(w uuid, slots int, x jsonb) returns table (e uuid, at float8)
language plpgsql set enable_seqscan = off as $$
begin
  perform from dagwright.workflow_executions o where o.id = any(array(select (r.value->>'e')::uuid from jsonb_array_elements(x) r))
    order by o.id for no key update;
  return query select o.* from dagwright.open_v2(w, slots, x) o;
end $$;

create or replace function dagwright.finish_v1(p jsonb) returns table (e uuid)
language plpgsql set enable_seqscan = off as $$
begin
  perform from dagwright.workflow_executions o where o.id = any(array(select (r.value->>'e')::uuid from jsonb_array_elements(p) r))
    order by o.id for no key update;
  return query select f.e from dagwright.finish_v2(p) f;
end $$;

-- The rows of each execution with itself.
create or replace function dagwright.open_v2(w uuid, slots int, x jsonb) returns table (e uuid, at float8)
language sql as $$
  select o.e, o.at from dagwright.open_v3(w, slots,
    (select jsonb_agg(jsonb_build_object('e', q.value->'e', 'k', q.ordinality - 1)) from jsonb_array_elements(x) with ordinality q), x) o
$$;

-- src/db/functions/who-may-call.sql
-- Who may call which function: nobody but those who are named here. PostgreSQL lets everybody call what is new, and most of these
-- run as the owner, for whatever tenant the session names.
--   W1  A function without a line here is the engine's alone, also one that a later release makes.
--   W2  The caller's are those that are documented for other services; it has no table, so that they are all it can do.
alter default privileges for role dagwright_owner revoke execute on functions from public;
alter default privileges for role dagwright_owner in schema dagwright grant execute on functions to dagwright_engine;
revoke execute on all functions in schema dagwright from public;
grant execute on all functions in schema dagwright to dagwright_engine;

-- For other services, in their own transactions.
grant usage on schema dagwright to dagwright_caller;
grant execute on function dagwright.start_workflow(text, jsonb, text, int, jsonb), dagwright.cancel_execution(uuid, text),
  dagwright.pause_execution(uuid), dagwright.resume_execution(uuid), dagwright.complete_callback(text, jsonb, jsonb),
  dagwright.heartbeat_callback(text), dagwright.emit_event(text, jsonb, text) to dagwright_caller, dagwright_tenant;

-- For the service itself, in a tenant's name: the API's actions, and what lists and views are made with.
grant execute on function dagwright.miss_ticks_v1(uuid, timestamptz[], text, boolean), dagwright.backfill_schedule_v1(uuid, int, jsonb),
  dagwright.run_schedule_v1(uuid, uuid, int), dagwright.first_id_v1(timestamptz), dagwright.count_of_v1(jsonb, text),
  dagwright.usd_of_v1(jsonb, text), dagwright.task_needs_v1(json), dagwright.missing_types_v1(jsonb) to dagwright_tenant;
