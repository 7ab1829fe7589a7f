-- What drizzle cannot declare: row-level security, the functions of the engine's protocol, views.
--
-- Every transition is one function, one round trip, one commit. Lock order, everywhere: execution rows by id
-- (`for no key update`), then their task rows, then job inserts. Nothing below an execution is written without its lock.
-- A function's result rows say what the caller's lanes go on with. Rows are found by full primary key, whatever
-- the statistics: `coalesce(isfinite(ready_at), false)` says 'is not null' without leading the planner to the index of
-- ready rows, and sets of rows are found by a lateral key look-up behind `offset 0`, then updated by ctid.

-- Row-level security ------------------------------------------------------------------------------------------------

do $$
declare
  name text;
  own text;
begin
  foreach name in array array['workflow_definitions', 'workflow_versions', 'workflow_executions', 'task_executions',
    'task_attempts', 'idempotency_keys', 'tenants']
  loop
    own := format('%I = nullif(current_setting(''app.current_tenant_id'', true), '''')::uuid',
      case name when 'tenants' then 'id' else 'tenant_id' end);
    execute format('alter table dagwright.%I enable row level security', name);
    execute format('alter table dagwright.%I force row level security', name);
    execute format('create policy tenant_isolation on dagwright.%I to dagwright_owner, dagwright_tenant using (%s) with check (%s)', name, own, own);
    execute format('create policy engine_sees_all on dagwright.%I to dagwright_engine using (true) with check (true)', name);
  end loop;
end $$;

grant usage on schema dagwright to dagwright_engine, dagwright_tenant;
grant select, insert, update, delete on all tables in schema dagwright to dagwright_engine;
grant select on dagwright.tenants, dagwright.workflow_definitions, dagwright.workflow_versions,
  dagwright.workflow_executions, dagwright.task_executions, dagwright.task_attempts to dagwright_tenant;
grant insert, update on dagwright.workflow_definitions, dagwright.workflow_versions to dagwright_tenant;

alter table dagwright.workflow_executions set (fillfactor = 70, toast_tuple_target = 256,
  autovacuum_vacuum_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.05);
alter table dagwright.task_executions set (fillfactor = 70, toast_tuple_target = 512,
  autovacuum_vacuum_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.05);

select set_config('app.current_tenant_id', '00000000-0000-7000-8000-000000000001', true);
insert into dagwright.tenants (id, name, display_name)
values ('00000000-0000-7000-8000-000000000001', 'default', 'Default');
select set_config('app.current_tenant_id', '', true);

-- Small parts -------------------------------------------------------------------------------------------------------

-- A time-ordered id (RFC 9562, UUIDv7, milliseconds).
create function dagwright.uuid_v7() returns uuid language sql volatile as $$
  select encode(set_bit(set_bit(overlay(uuid_send(gen_random_uuid())
    placing substring(int8send((extract(epoch from clock_timestamp()) * 1000)::bigint) from 3) from 1 for 6), 52, 1), 53, 1), 'hex')::uuid
$$;

-- Wakes workers: one graphile job per payload. The only way into graphile's tables; runs as the owner of both schemas.
create function dagwright.add_jobs_v1(payloads json[], priority int) returns void
language sql security definer set search_path = pg_catalog, pg_temp as $$
  select from graphile_worker.add_jobs(array(
    select ('dagwright', payload, null, null, 32767, null, (10 - priority)::smallint, null)::graphile_worker.job_spec
    from unnest(payloads) as payload))
$$;
revoke execute on function dagwright.add_jobs_v1(json[], int) from public;
grant execute on function dagwright.add_jobs_v1(json[], int) to dagwright_engine;

-- Hands ready tasks of one execution to the queue as at most `slots` jobs, each with a list.
create function dagwright.enqueue_v1(e uuid, ts text[], ms int[], slots int, priority int) returns void
language plpgsql as $$
declare
  n constant int := cardinality(ts);
  size constant int := greatest(1, ceil(n::numeric / greatest(slots, 1))::int);
begin
  if n = 0 then return; end if;
  perform dagwright.add_jobs_v1(array(
    select json_build_object('e', e, 't', json_agg(json_build_array(ts[k], ms[k]) order by k))
    from generate_series(1, n) as k group by (k - 1) / size order by (k - 1) / size), priority);
end $$;

-- Ends an execution and all in it at once: cancel, timeout, terminate. The caller holds the execution's lock.
create function dagwright.end_execution_v1(x uuid, to_status dagwright.execution_status, out_ jsonb, err jsonb,
  skip_reason dagwright.skip_reason, at timestamptz)
returns void language plpgsql set plan_cache_mode = force_generic_plan as $$
declare
  seq bigint;
  n bigint;
begin
  select next_seq into seq from dagwright.workflow_executions where id = x;
  -- What has not started is skipped for the reason given (or cancelled); what has, is cancelled under a new fence.
  update dagwright.task_executions t set
    status = case when skip_reason is not null and t.status = 'pending' and t.attempt_number = 0 then 'skipped'::dagwright.task_status else 'cancelled' end,
    reason = case when skip_reason is not null and t.status = 'pending' and t.attempt_number = 0 then skip_reason else t.reason end,
    fence = t.fence + 1, ready_at = null, wake_at = null, waiting_on = null, completed_at = at, completed_seq = seq + o.k
  from (select task_id, map_index, row_number() over () as k from dagwright.task_executions
        where workflow_execution_id = x and status in ('pending', 'running', 'waiting', 'retrying')) o
  where t.workflow_execution_id = x and t.task_id = o.task_id and t.map_index = o.map_index;
  get diagnostics n = row_count;
  update dagwright.workflow_executions set status = to_status, output = out_, error = err, open_tasks = 0,
    next_seq = seq + n + 1, completed_at = at, deadline_at = null,
    duration_ms = (extract(epoch from at - coalesce(started_at, created_at)) * 1000)::bigint
  where id = x and status in ('pending', 'running', 'paused');
end $$;

-- Start ---------------------------------------------------------------------------------------------------------------

-- Records starts for one tenant: an execution row, a job and, with an idempotency key, its row. Nothing else, on every
-- path. p: [{ i, id, workflowId, input, key?, scope?, priority?, triggerType?, trigger?, metadata?, createdBy?, revision? }].
-- Runs as the owner under the tenant's policy; a repeated key returns the first execution.
create function dagwright.start_executions_v1(tenant uuid, p jsonb)
returns table (i int, id uuid, existing boolean, problem text)
language plpgsql security definer set search_path = pg_catalog, pg_temp
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_column
declare
  now_ timestamptz;
  before text := current_setting('app.current_tenant_id', true);
  has_keys constant boolean := jsonb_path_exists(p, '$[*].key');
  bad text;
  jobs record;
begin
  select r.priority::text into bad from jsonb_to_recordset(p) as r(priority int) where r.priority not between 1 and 10 limit 1;
  if found then raise exception 'priority must be 1 to 10, got %', bad using errcode = '22023'; end if;
  perform set_config('app.current_tenant_id', tenant::text, true);
  now_ := clock_timestamp();
  if has_keys then
    -- In the order of the keys, so that two batches cannot wait for each other.
    insert into dagwright.idempotency_keys (tenant_id, scope, key, workflow_execution_id, created_at)
    select tenant, coalesce(r.scope, 'start'), r.key, r.id, now_
    from jsonb_to_recordset(p) as r(i int, id uuid, "workflowId" text, revision int, key text, scope text)
    cross join lateral (select from dagwright.workflow_definitions d join dagwright.workflow_versions v
      on v.tenant_id = d.tenant_id and v.workflow_id = d.workflow_id and v.revision = coalesce(r.revision, d.latest_revision)
      where d.tenant_id = tenant and d.workflow_id = r."workflowId" and d.status = 'active' offset 0) v
    where r.key is not null order by coalesce(r.scope, 'start'), r.key, r.i
    on conflict do nothing;
  end if;
  for jobs in
    with started as (
      insert into dagwright.workflow_executions (id, tenant_id, workflow_id, revision, version_id, priority, trigger_type, trigger,
        input, metadata, created_by, created_at)
      select r.id, tenant, r."workflowId", v.revision, v.id, coalesce(r.priority, 5), coalesce(r."triggerType", 'sql')::dagwright.trigger_type,
        r.trigger, coalesce(r.input, 'null'), r.metadata, r."createdBy", now_
      from jsonb_to_recordset(p) as r(i int, id uuid, "workflowId" text, revision int, input jsonb, key text, scope text, priority int,
        "triggerType" text, trigger jsonb, metadata jsonb, "createdBy" text)
      cross join lateral (select v.id, v.revision from dagwright.workflow_definitions d join dagwright.workflow_versions v
        on v.tenant_id = d.tenant_id and v.workflow_id = d.workflow_id and v.revision = coalesce(r.revision, d.latest_revision)
        where d.tenant_id = tenant and d.workflow_id = r."workflowId" and d.status = 'active' offset 0) v
      where r.key is null or exists (select from dagwright.idempotency_keys k where k.tenant_id = tenant
        and k.scope = coalesce(r.scope, 'start') and k.key = r.key and k.workflow_execution_id = r.id)
      returning id, priority)
    select priority, array_agg(json_build_object('e', id)) as payloads from started group by priority
  loop
    perform dagwright.add_jobs_v1(jobs.payloads, jobs.priority);
  end loop;
  -- A key without its execution (the workflow changed its status meanwhile) must not answer for one later.
  if has_keys then
    delete from dagwright.idempotency_keys k using jsonb_to_recordset(p) as r(id uuid, key text, scope text)
      where k.tenant_id = tenant and k.scope = coalesce(r.scope, 'start') and k.key = r.key and k.workflow_execution_id = r.id
        and not exists (select from dagwright.workflow_executions o where o.id = r.id);
  end if;
  return query
    select r.i, coalesce(k.workflow_execution_id, r.id), coalesce(k.workflow_execution_id <> r.id, false),
      case when k.workflow_execution_id <> r.id or exists (select from dagwright.workflow_executions o where o.id = r.id) then null
        when d.status is null then 'not_found' when d.status <> 'active' then 'not_active' else 'not_found' end
    from jsonb_to_recordset(p) as r(i int, id uuid, "workflowId" text, revision int, key text, scope text)
    left join dagwright.idempotency_keys k on has_keys and k.tenant_id = tenant and k.scope = coalesce(r.scope, 'start') and k.key = r.key
    left join dagwright.workflow_definitions d on d.tenant_id = tenant and d.workflow_id = r."workflowId"
    left join dagwright.workflow_versions v on v.tenant_id = tenant and v.workflow_id = r."workflowId"
      and v.revision = coalesce(r.revision, d.latest_revision);
  perform set_config('app.current_tenant_id', coalesce(before, ''), true);
end $$;
revoke execute on function dagwright.start_executions_v1(uuid, jsonb) from public;
grant execute on function dagwright.start_executions_v1(uuid, jsonb) to dagwright_engine;

-- The tenant of this session, or an error that shows what to type.
create function dagwright.current_tenant() returns uuid language plpgsql stable as $$
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
-- priority 1 to 10, higher first. The same idempotency_key returns the first execution.
create function dagwright.start_workflow(workflow_id text, input jsonb default '{}', idempotency_key text default null,
  priority int default 5, metadata jsonb default null) returns uuid
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  started record;
begin
  if priority is null or priority not between 1 and 10 then
    raise exception 'priority must be 1 to 10, got %', coalesce(priority::text, 'null') using errcode = '22023';
  end if;
  select * into started from dagwright.start_executions_v1(dagwright.current_tenant(), jsonb_build_array(jsonb_strip_nulls(
    jsonb_build_object('i', 0, 'id', dagwright.uuid_v7(), 'workflowId', workflow_id, 'key', idempotency_key, 'priority', priority, 'triggerType', 'sql'))
    || jsonb_build_object('input', coalesce(input, '{}'), 'metadata', metadata)));
  if started.problem = 'not_found' then
    raise exception 'workflow "%" does not exist in this tenant', workflow_id using errcode = 'P0002',
      hint = 'apply its definition first: dagwright apply FILE';
  elsif started.problem is not null then
    raise exception 'workflow "%" is not active', workflow_id using errcode = '55000', hint = 'set its status to active';
  end if;
  return started.id;
end $$;

-- Cancels an execution of the current tenant. Returns its status afterwards: 'cancelled', or the terminal status it
-- already had; null where there is none. Once committed, nothing of it starts again.
create function dagwright.cancel_execution(execution_id uuid, reason text default null) returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  now_status text;
begin
  select status into now_status from dagwright.workflow_executions
    where id = execution_id and tenant_id = dagwright.current_tenant() for no key update;
  if now_status in ('pending', 'running', 'paused') then
    perform dagwright.end_execution_v1(execution_id, 'cancelled', null,
      jsonb_build_object('code', 'cancelled', 'message', coalesce(reason, 'cancelled on request')), null, clock_timestamp());
    now_status := 'cancelled';
  end if;
  return now_status;
end $$;

-- Open ----------------------------------------------------------------------------------------------------------------

-- Opens pending executions: inserts their task rows and claims what the lane goes on with. Set-based: what a statement
-- costs to begin is paid once per batch.
-- x: [{ e, deadline (seconds or null), n (rows), rows: [{ t, ty, p: pending edges, ea, st, c: 1 claimed for this worker,
--   2 ready }] }]. Returns e, and when it started, for each execution that this call opened; others had been opened before.
create function dagwright.open_v1(w uuid, slots int, x jsonb) returns table (e uuid, at float8)
language plpgsql
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set plan_cache_mode = force_generic_plan as $$
declare
  now_ timestamptz;
  opened uuid[];
  group_ record;
begin
  perform from dagwright.workflow_executions o
    where o.id in (select q.e from jsonb_to_recordset(x) as q(e uuid)) order by o.id for no key update;
  now_ := clock_timestamp();
  with u as (
    update dagwright.workflow_executions o set status = 'running', started_at = now_, open_tasks = q.n,
      deadline_at = now_ + q.deadline * interval '1 second'
    from jsonb_to_recordset(x) as q(e uuid, deadline float8, n int)
    cross join lateral (select h.ctid as tid from dagwright.workflow_executions h where h.id = q.e and h.status = 'pending' offset 0) l
    where o.ctid = l.tid returning o.id)
  select array_agg(id) into opened from u;
  if opened is null then return; end if;
  insert into dagwright.task_executions (workflow_execution_id, task_id, tenant_id, task_type, pending_edges, early,
    stays_after_failure, status, fence, attempt_number, worker_id, started_at, queued_ms, ready_at)
  select o.id, r.t, o.tenant_id, r.ty, r.p, coalesce(r.ea, 0), coalesce(r.st, false),
    case when r.c = 1 then 'running'::dagwright.task_status else 'pending' end, (r.c is not distinct from 1)::int,
    (r.c is not distinct from 1)::int, case when r.c = 1 then w end, case when r.c = 1 then now_ end,
    case when r.c = 1 then 0 end, case when r.c = 2 then now_ end
  from jsonb_to_recordset(x) as q(e uuid, rows jsonb)
  join dagwright.workflow_executions o on o.id = q.e,
  jsonb_to_recordset(q.rows) as r(t text, ty text, p int, ea smallint, st boolean, c int)
  where q.e = any(opened);
  for group_ in
    select o.id, o.priority, array_agg(t.t) as ts
    from jsonb_to_recordset(x) as q(e uuid, ready boolean, rows jsonb)
    join dagwright.workflow_executions o on o.id = q.e, jsonb_to_recordset(q.rows) as t(t text, c int)
    where q.ready and q.e = any(opened) and t.c = 2 group by o.id, o.priority
  loop
    perform dagwright.enqueue_v1(group_.id, group_.ts, array_fill(-1, array[cardinality(group_.ts)]), slots, group_.priority);
  end loop;
  return query select unnest(opened), (extract(epoch from now_) * 1000)::float8;
end $$;

-- Claim ---------------------------------------------------------------------------------------------------------------

-- Claims for each entry the first task of its list that is ready. p: { w, c: [{ i, e, l: [[task, index], …] }] }.
-- Returns per claimed entry its place in the list. Nothing comes back for an entry of which nothing was ready.
-- A suspect (from the second recovery on) starts only when enter_v1 says so; more than three, and it is not tried again.
create function dagwright.claim_v1(p jsonb)
returns table (i int, k int, t text, m int, fence bigint, attempt int, recoveries int, phase text)
language plpgsql
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set plan_cache_mode = force_generic_plan as $$
declare
  w constant uuid := p->>'w';
  c record;
  l record;
  now_ timestamptz;
begin
  for c in select (o.value->>'i')::int as i, (o.value->>'e')::uuid as e, o.value->'l' as l
           from jsonb_array_elements(p->'c') o order by 2, 1 loop
    perform from dagwright.workflow_executions where id = c.e and status = 'running' for no key update;
    if not found then continue; end if;
    now_ := clock_timestamp();
    for l in select o.ordinality::int - 1 as k, o.value->>0 as t, (o.value->>1)::int as m
             from jsonb_array_elements(c.l) with ordinality o loop
      update dagwright.task_executions u set status = 'running', fence = u.fence + 1, worker_id = w, ready_at = null,
        attempt_number = u.attempt_number + (u.status <> 'waiting' and u.recoveries <= 3)::int,
        started_at = case when u.recoveries < 2 then now_ end,
        queued_ms = coalesce(u.queued_ms, 0) + (extract(epoch from now_ - u.ready_at) * 1000)::bigint
      where u.workflow_execution_id = c.e and u.task_id = l.t and u.map_index = l.m
        and coalesce(isfinite(u.ready_at), false) and u.status in ('pending', 'retrying', 'waiting')
      returning u.fence, u.attempt_number, u.recoveries, u.waiting_on into fence, attempt, recoveries, phase;
      if found then
        i := c.i; k := l.k; t := l.t; m := l.m;
        return next;
        exit;
      end if;
    end loop;
  end loop;
end $$;

-- Settle --------------------------------------------------------------------------------------------------------------

-- Settles attempts and goes on. One element of p.x per execution:
--   e       the execution
--   s       settles: { i, t, m, f (fence), to, r, st, b, wn, inp, out, err, cost, unk, dur, use, wake (ms), wo, att (keep
--           the attempt in task_attempts), pure, next: [[t, m] …] (head of the lane's list), fo: { total, conc, tol, need,
--           types: [..], items: { values, types } } (a fan-out to open), ty (types of named branches), errs (failed
--           parts), opt (an optional part: its failure is none), end: { status, out, err } (terminate) }
--   d       edges out of ended tasks to open ones: { i (ordinal of the settle), t, k: 1 success 2 failed 3 skipped, pure }
--   z       further ends that are already determined (computed under the lock): { t, to, r, run (cancel running items) }
--   lanes   ordinals of settles that want to go on, extra  pure tasks that may be claimed beyond them
--   fin     { out } : what the execution ends with if these settles end it and nothing failed
--   failing the failure policy acts from here on
-- Result rows, `kind`: settled | lost (fence: what the row has now, phase: its status) | failing (a retry or a wait that the
-- failure policy refuses: settle again as failed or cancelled) | claim (i: the lane, or -1 for an extra) | drained (all tasks
-- ended; conclude it) | finished.
--   S1  A settle that names an old fence changes nothing and is reported as lost.
--   S2  Edges, money and items follow only from a settle that was found.
--   S3  A child is woken by exactly one settle: the one that takes pending_edges to 0 (or first meets its early rule).
--   S4  A woken child leaves as running for exactly one lane, or as ready with a job, in the same commit.
create function dagwright.settle_v1(p jsonb)
returns table (e uuid, kind text, i int, t text, m int, fence bigint, attempt int, recoveries int, phase text, at float8)
language plpgsql
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set plan_cache_mode = force_generic_plan as $$
declare
  w constant uuid := p->>'w';
  slots constant int := p->>'slots';
  x record;
  ex record;
  s record;
  d record;
  par record;
  now_ timestamptz;
  seq bigint;
  closed int;
  failures int;
  cost numeric;
  unknown boolean;
  found_ int[];
  lanes int[];
  extra int;
  lane int;
  ready_t text[];
  ready_m int[];
  finished boolean;
  has_list boolean;
  has_end boolean;
  n int;
begin
  for x in
    select r.* from jsonb_to_recordset(p->'x') as r(e uuid, s jsonb, d jsonb, z jsonb, lanes int[], extra int, fin jsonb, failing boolean)
    order by r.e
  loop
    e := x.e;
    select o.status, o.priority, o.failing, o.tenant_id, o.next_seq, o.open_tasks, o.failed_tasks into ex
      from dagwright.workflow_executions o where o.id = x.e for no key update;
    now_ := clock_timestamp();
    at := extract(epoch from now_) * 1000;
    seq := ex.next_seq; closed := 0; failures := 0; cost := 0; unknown := false; found_ := '{}';
    lanes := coalesce(x.lanes, '{}'); extra := coalesce(x.extra, 0); ready_t := '{}'; ready_m := '{}'; has_list := false; has_end := false;

    for s in select r.* from jsonb_to_recordset(x.s) as r(i int, t text, m int, f bigint, "to" text, r dagwright.skip_reason, st boolean,
        b text, wn text, inp jsonb, out jsonb, err jsonb, cost numeric, unk boolean, dur bigint, use jsonb, wake bigint,
        wo text, att boolean, pure boolean, ty jsonb, next jsonb, fo jsonb, errs jsonb, opt boolean, "end" jsonb)
    loop
      i := s.i; t := s.t; m := s.m;
      has_list := has_list or s.next is not null;
      has_end := has_end or s."end" is not null;
      if s."to" in ('completed', 'failed', 'skipped', 'cancelled') then
        update dagwright.task_executions u set status = s."to"::dagwright.task_status, reason = s.r, branch = s.b, winner = s.wn,
          input = coalesce(s.inp, u.input), output = s.out, error = s.err, part_errors = s.errs, resource_usage = coalesce(s.use, u.resource_usage),
          cost_usd = u.cost_usd + case when s.unk then null else coalesce(s.cost, 0) end,
          duration_ms = coalesce(u.duration_ms, 0) + s.dur,
          completed_at = now_, completed_seq = seq, waiting_on = null
        where u.workflow_execution_id = x.e and u.task_id = s.t and u.map_index = s.m
          and u.status = 'running' and u.fence = s.f
        returning u.attempt_number, u.started_at into par;
      elsif s."to" in ('retrying', 'waiting') and ex.failing and not coalesce(s.st, false) then
        kind := 'failing'; return next;
        lanes := array_remove(lanes, s.i);
        continue;
      else
        -- released: no attempt spent; waiting and retrying: by timer, or until the items of a fan-out ended.
        update dagwright.task_executions u set status = case when s."to" <> 'released' then s."to"::dagwright.task_status when s.wo is null then 'pending'::dagwright.task_status else 'waiting' end,
          input = coalesce(s.inp, u.input), error = coalesce(s.err, u.error), resource_usage = coalesce(s.use, u.resource_usage),
          cost_usd = u.cost_usd + case when s.unk then null else coalesce(s.cost, 0) end,
          duration_ms = coalesce(u.duration_ms, 0) + s.dur, waiting_on = s.wo,
          wake_at = now_ + s.wake * interval '1 millisecond',
          ready_at = case when s."to" = 'released' then now_ end,
          attempt_number = u.attempt_number - (s."to" = 'released' and s.wo is null and u.recoveries <= 3)::int,
          items = coalesce(s.fo->'items', u.items), items_total = coalesce((s.fo->>'total')::int, u.items_total),
          items_open = coalesce((s.fo->>'total')::int, u.items_open), items_ok = case when s.fo is null then u.items_ok else 0 end,
          items_failed = case when s.fo is null then u.items_failed else 0 end,
          items_tolerated = coalesce((s.fo->>'tol')::int, u.items_tolerated), items_needed = coalesce((s.fo->>'need')::int, u.items_needed),
          items_issued = coalesce(least((s.fo->>'conc')::int, (s.fo->>'total')::int), u.items_issued)
        where u.workflow_execution_id = x.e and u.task_id = s.t and u.map_index = s.m
          and u.status = 'running' and u.fence = s.f
        returning u.attempt_number, u.started_at, u.items_issued into par;
      end if;
      if not found then
        select u.fence, u.status into fence, phase from dagwright.task_executions u
          where u.workflow_execution_id = x.e and u.task_id = s.t and u.map_index = s.m;
        kind := 'lost'; return next;
        lanes := array_remove(lanes, s.i);
        continue;
      end if;
      found_ := found_ || s.i;
      cost := cost + coalesce(s.cost, 0);
      unknown := unknown or coalesce(s.unk, false);
      if s.att then
        insert into dagwright.task_attempts (workflow_execution_id, task_id, map_index, attempt_number, fence, tenant_id,
          worker_id, error, cost_usd, resource_usage, started_at, completed_at, duration_ms)
        values (x.e, s.t, s.m, par.attempt_number, s.f, ex.tenant_id, w, s.err,
          case when s.unk then null else coalesce(s.cost, 0) end, s.use, par.started_at, now_, s.dur);
      end if;
      kind := 'settled'; return next;

      if s."to" = 'released' then
        ready_t := ready_t || s.t; ready_m := ready_m || s.m;
      elsif s.fo is not null then
        -- A fan-out opens: the first items of its window, one for this lane, the rest as ready with jobs.
        lane := case when s.i = any(lanes) then 1 else 0 end + case when s.pure then extra else 0 end;
        insert into dagwright.task_executions (workflow_execution_id, task_id, map_index, tenant_id, task_type,
          stays_after_failure, status, fence, attempt_number, worker_id, started_at, queued_ms, ready_at)
        select x.e, s.t, g, ex.tenant_id, coalesce(s.fo->'types'->>g, s.fo->'types'->>0), coalesce(s.st, false),
          case when g < lane then 'running'::dagwright.task_status else 'pending' end, (g < lane)::int, (g < lane)::int,
          case when g < lane then w end, case when g < lane then now_ end, case when g < lane then 0 end,
          case when g >= lane then now_ end
        from generate_series(0, par.items_issued - 1) g;
        for n in 0 .. least(lane, par.items_issued) - 1 loop
          kind := 'claim'; m := n; fence := 1; attempt := 1; recoveries := 0; phase := null;
          i := case when n = 0 and s.i = any(lanes) then s.i else -1 end;
          return next;
          if i = s.i then lanes := array_remove(lanes, s.i); else extra := extra - 1; end if;
        end loop;
        ready_t := ready_t || array_fill(s.t, array[greatest(par.items_issued - lane, 0)]);
        ready_m := ready_m || array(select g from generate_series(lane, par.items_issued - 1) g);
      elsif s."to" in ('completed', 'failed', 'skipped', 'cancelled') then
        seq := seq + 1;
        if s.m < 0 then
          closed := closed + 1;
          failures := failures + (s."to" = 'failed')::int;
        else
          -- An item ended: its window moves on, or the fan-out can be collected.
          update dagwright.task_executions u set items_open = u.items_open - 1,
            items_ok = u.items_ok + (s."to" = 'completed')::int,
            items_failed = u.items_failed + (s."to" <> 'completed' and not coalesce(s.opt, false))::int
          where u.workflow_execution_id = x.e and u.task_id = s.t and u.map_index = -1 and u.status = 'waiting' and u.waiting_on = 'items'
          returning u.items_open, u.items_ok, u.items_failed, u.items_total, u.items_issued, u.items_tolerated, u.items_needed,
            u.stays_after_failure into par;
          if not found then
            -- The fan-out was ended by the failure policy while this item ran: it was counted as open on its own.
            closed := closed + 1;
          elsif par.items_open = 0 or par.items_failed > par.items_tolerated or par.items_ok >= par.items_needed then
            update dagwright.task_executions u set status = 'cancelled', fence = u.fence + 1, ready_at = null, wake_at = null,
              waiting_on = null, completed_at = now_, completed_seq = seq
            where u.workflow_execution_id = x.e and u.task_id = s.t and u.map_index >= 0
              and u.status in ('pending', 'running', 'waiting', 'retrying');
            insert into dagwright.task_executions (workflow_execution_id, task_id, map_index, tenant_id, task_type, status, completed_at, completed_seq)
            select x.e, s.t, g, ex.tenant_id, coalesce(u.items->'types'->>g, u.items->'types'->>0, u.task_type), 'cancelled', now_, seq
            from dagwright.task_executions u, generate_series(par.items_issued, par.items_total - 1) g
            where u.workflow_execution_id = x.e and u.task_id = s.t and u.map_index = -1 and par.items_issued < par.items_total;
            seq := seq + 1;
            lane := lanes[1];
            update dagwright.task_executions u set
              status = case when lane is null then 'waiting'::dagwright.task_status else 'running' end, fence = u.fence + (lane is not null)::int,
              items_issued = u.items_total,
              worker_id = case when lane is null then u.worker_id else w end,
              started_at = case when lane is null then u.started_at when u.recoveries < 2 then now_ end,
              ready_at = case when lane is null then now_ end
            where u.workflow_execution_id = x.e and u.task_id = s.t and u.map_index = -1
            returning u.fence, u.attempt_number, u.recoveries, u.waiting_on into fence, attempt, recoveries, phase;
            if lane is null then
              ready_t := ready_t || s.t; ready_m := ready_m || -1;
            else
              kind := 'claim'; i := lane; m := -1; return next;
              lanes := lanes[2:];
            end if;
          elsif par.items_issued < par.items_total then
            lane := lanes[1];
            if lane is null and s.pure and s.ty is null and extra > 0 then lane := -1; extra := extra - 1; end if;
            insert into dagwright.task_executions (workflow_execution_id, task_id, map_index, tenant_id, task_type,
              stays_after_failure, status, fence, attempt_number, worker_id, started_at, queued_ms, ready_at)
            select x.e, s.t, par.items_issued, ex.tenant_id, coalesce(s.ty->>par.items_issued, u.task_type), par.stays_after_failure,
              case when lane is null then 'pending'::dagwright.task_status else 'running' end, (lane is not null)::int, (lane is not null)::int,
              case when lane is not null then w end, case when lane is not null then now_ end,
              case when lane is not null then 0 end, case when lane is null then now_ end
            from dagwright.task_executions u
            where u.workflow_execution_id = x.e and u.task_id = s.t and u.map_index = s.m;
            update dagwright.task_executions u set items_issued = u.items_issued + 1
              where u.workflow_execution_id = x.e and u.task_id = s.t and u.map_index = -1;
            if lane is null then
              ready_t := ready_t || s.t; ready_m := ready_m || par.items_issued;
            else
              kind := 'claim'; i := lane; m := par.items_issued; fence := 1; attempt := 1; recoveries := 0; phase := null;
              return next;
              lanes := lanes[2:];
            end if;
          end if;
        end if;
      end if;
    end loop;

    -- Ends that were already determined, as one set.
    if x.z is not null and cardinality(found_) > 0 then
      update dagwright.task_executions u set status = z."to", reason = coalesce(z.r, u.reason), fence = u.fence + 1,
        ready_at = null, wake_at = null, waiting_on = null, completed_at = now_, completed_seq = seq + z.k
      from (select o.ordinality as k, o.value->>'t' as t, (o.value->>'to')::dagwright.task_status as "to", (o.value->>'r')::dagwright.skip_reason as r
            from jsonb_array_elements(x.z) with ordinality o) z
      where u.workflow_execution_id = x.e and u.task_id = z.t and u.map_index = -1
        and u.status in ('pending', 'running', 'waiting', 'retrying');
      get diagnostics n = row_count;
      closed := closed + n; seq := seq + n + 1;
      failures := failures + (select count(*) from jsonb_array_elements(x.z) o where o.value->>'to' = 'failed');
      -- Open fan-outs among them: no more items; what runs ends on its own and keeps the execution open, or is cancelled.
      for d in select o.value->>'t' as t, coalesce((o.value->>'run')::boolean, false) as run
               from jsonb_array_elements(x.z) o where o.value->>'items' is not null loop
        update dagwright.task_executions u set
          status = case when u.status = 'pending' then 'skipped'::dagwright.task_status else 'cancelled' end,
          reason = case when u.status = 'pending' then 'execution_failed' else u.reason end,
          fence = u.fence + 1, ready_at = null, wake_at = null, waiting_on = null, completed_at = now_, completed_seq = seq
        where u.workflow_execution_id = x.e and u.task_id = d.t and u.map_index >= 0
          and (u.status in ('pending', 'waiting', 'retrying') or (d.run and u.status = 'running'));
        closed := closed - (select count(*)::int from dagwright.task_executions u
          where u.workflow_execution_id = x.e and u.task_id = d.t and u.map_index >= 0 and u.status = 'running');
        insert into dagwright.task_executions (workflow_execution_id, task_id, map_index, tenant_id, task_type, status, reason, completed_at, completed_seq)
        select x.e, d.t, g, ex.tenant_id, coalesce(u.items->'types'->>g, u.items->'types'->>0, u.task_type), 'skipped', 'execution_failed', now_, seq
        from dagwright.task_executions u, generate_series(u.items_issued, u.items_total - 1) g
        where u.workflow_execution_id = x.e and u.task_id = d.t and u.map_index = -1;
      end loop;
    end if;

    -- Children: wake those whose last edge this was.
    if x.d is not null and cardinality(found_) > 0 then
      for d in
        select r.t, count(*)::int as n, (sum((r.k = 1)::int) > 0) as ok, (sum((r.k = 2)::int) > 0) as bad, bool_or(r.pure) as pure
        from jsonb_to_recordset(x.d) as r(i int, t text, k int, pure boolean) where r.i = any(found_) group by r.t
      loop
        lane := lanes[1];
        if lane is null and d.pure and extra > 0 then lane := -1; end if;
        if lane is not null then
          update dagwright.task_executions c set pending_edges = c.pending_edges - d.n, status = 'running',
            fence = c.fence + 1, attempt_number = c.attempt_number + 1, worker_id = w, started_at = now_, queued_ms = 0
          where c.workflow_execution_id = x.e and c.task_id = d.t and c.map_index = -1 and c.status = 'pending' and c.ready_at is null
            and (c.pending_edges <= d.n or (d.ok and c.early & 1 > 0) or (d.bad and c.early & 2 > 0))
          returning c.fence, c.attempt_number, c.recoveries into fence, attempt, recoveries;
          if found then
            kind := 'claim'; i := lane; t := d.t; m := -1; phase := null; return next;
            if lane = -1 then extra := extra - 1; else lanes := lanes[2:]; end if;
            continue;
          end if;
        end if;
        update dagwright.task_executions c set pending_edges = c.pending_edges - d.n,
          ready_at = case when c.status = 'pending' and c.ready_at is null and (c.pending_edges <= d.n
            or (d.ok and c.early & 1 > 0) or (d.bad and c.early & 2 > 0)) then now_ else c.ready_at end
        where c.workflow_execution_id = x.e and c.task_id = d.t and c.map_index = -1
          and c.status in ('pending', 'running', 'waiting', 'retrying')
        returning (c.ready_at = now_) as woken into s;
        if found and s.woken then
          ready_t := ready_t || d.t; ready_m := ready_m || -1;
        end if;
      end loop;
    end if;

    -- Lanes that got no child go on with their lists.
    if has_list and cardinality(lanes) > 0 and ex.status = 'running' then
      for s in select r.i, r.next from jsonb_to_recordset(x.s) as r(i int, next jsonb) where r.i = any(lanes) and r.next is not null loop
        for d in select o.value->>0 as t, (o.value->>1)::int as m from jsonb_array_elements(s.next) o loop
          update dagwright.task_executions u set status = 'running', fence = u.fence + 1, worker_id = w, ready_at = null,
            attempt_number = u.attempt_number + (u.status <> 'waiting' and u.recoveries <= 3)::int,
            started_at = case when u.recoveries < 2 then now_ end,
            queued_ms = coalesce(u.queued_ms, 0) + (extract(epoch from now_ - u.ready_at) * 1000)::bigint
          where u.workflow_execution_id = x.e and u.task_id = d.t and u.map_index = d.m
            and coalesce(isfinite(u.ready_at), false) and u.status in ('pending', 'retrying', 'waiting')
          returning u.fence, u.attempt_number, u.recoveries, u.waiting_on into fence, attempt, recoveries, phase;
          if found then
            kind := 'claim'; i := s.i; t := d.t; m := d.m; return next;
            exit;
          end if;
        end loop;
      end loop;
    end if;

    if cardinality(ready_t) > 0 then
      perform dagwright.enqueue_v1(x.e, ready_t, ready_m, slots, ex.priority);
    end if;

    if cardinality(found_) > 0 then
      finished := ex.open_tasks = closed and closed > 0 and ex.status = 'running';
      if finished and x.fin is not null and ex.failed_tasks + failures = 0 then
        update dagwright.workflow_executions o set open_tasks = 0, next_seq = seq, status = 'completed',
          output = x.fin->'out', completed_at = now_, deadline_at = null,
          duration_ms = (extract(epoch from now_ - o.started_at) * 1000)::bigint,
          actual_cost_usd = o.actual_cost_usd + cost, cost_unknown = o.cost_unknown or unknown
        where o.id = x.e;
        kind := 'finished'; i := null; return next;
      else
        update dagwright.workflow_executions o set open_tasks = o.open_tasks - closed, next_seq = seq,
          failed_tasks = o.failed_tasks + failures, failing = o.failing or coalesce(x.failing, false),
          concluded_by = case when finished then w end,
          actual_cost_usd = o.actual_cost_usd + cost, cost_unknown = o.cost_unknown or unknown
        where o.id = x.e;
        if finished then kind := 'drained'; i := null; return next; end if;
      end if;
      -- terminate: the rest ends with it.
      if has_end then for s in select r.i, r."end" from jsonb_to_recordset(x.s) as r(i int, "end" jsonb) where r."end" is not null and r.i = any(found_) loop
        perform dagwright.end_execution_v1(x.e, (s."end"->>'status')::dagwright.execution_status, s."end"->'out', s."end"->'err', 'terminated', now_);
        kind := 'finished'; i := null; return next;
      end loop; end if;
    end if;
  end loop;
end $$;

-- Settles completions whose edges all succeed, the common case, set-based over all executions of the batch. Keeps S1 to S4.
-- ids: the executions; s: [{ i, x (place in ids, from 1), t, f, b, wn, inp, out, errs, cost, unk, dur, use, nt, nm (head of the
-- lane's list), fin: { out } }]; d: edges [{ i, x, t, pure }]; lanes: ordinals that want to go on; extra: pure tasks that may
-- be claimed beyond them. Result rows: at (the database's time) | lost | claim | drained | finished (i: place in ids).
create function dagwright.settle_completed_v1(w uuid, slots int, ids uuid[], s jsonb, d jsonb, lanes int[], extra int)
returns table (kind text, i int, t text, m int, fence bigint, attempt int, recoveries int, phase text, at float8)
language plpgsql
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set plan_cache_mode = force_generic_plan as $$
declare
  now_ timestamptz;
  found_ int[];
  used int[] := '{}';
  ready_x int[] := '{}';
  ready_t text[] := '{}';
  seqs bigint[] := array_fill(0::bigint, array[cardinality(ids)]);
  priorities int[] := array_fill(5, array[cardinality(ids)]);
  running bool[] := array_fill(false, array[cardinality(ids)]);
  opens int[] := array_fill(0, array[cardinality(ids)]);
  failed int[] := array_fill(0, array[cardinality(ids)]);
  r record;
begin
  for r in select array_position(ids, o.id) as x, o.next_seq, o.priority, o.status, o.open_tasks, o.failed_tasks from dagwright.workflow_executions o
           where o.id = any(ids) order by o.id for no key update loop
    seqs[r.x] := r.next_seq; priorities[r.x] := r.priority; running[r.x] := r.status = 'running';
    opens[r.x] := r.open_tasks; failed[r.x] := r.failed_tasks;
  end loop;
  now_ := clock_timestamp();
  kind := 'at'; at := extract(epoch from now_) * 1000; return next;

  with u as (
    update dagwright.task_executions u set status = 'completed', branch = q.b, winner = q.wn, input = coalesce(q.inp, u.input),
      output = q.out, error = null, part_errors = q.errs, resource_usage = coalesce(q.use, u.resource_usage),
      cost_usd = u.cost_usd + case when q.unk then null else coalesce(q.cost, 0) end,
      duration_ms = coalesce(u.duration_ms, 0) + q.dur, waiting_on = null,
      completed_at = now_, completed_seq = seqs[q.x] + q.k
    from (select q.*, row_number() over (partition by q.x order by q.i) - 1 as k
          from jsonb_to_recordset(s) as q(i int, x int, t text, f bigint, b text, wn text, inp jsonb, out jsonb, errs jsonb,
            cost numeric, unk boolean, dur bigint, use jsonb)) q
    cross join lateral (select h.ctid as tid from dagwright.task_executions h where h.workflow_execution_id = ids[q.x]
      and h.task_id = q.t and h.map_index = -1 and h.status = 'running' and h.fence = q.f offset 0) l
    where u.ctid = l.tid
    returning q.i)
  select array_agg(u.i) into found_ from u;
  if cardinality(found_) is distinct from jsonb_array_length(s) then
    return query select 'lost', q.i, q.t, -1, u.fence, null::int, null::int, u.status::text, null::float8
      from jsonb_to_recordset(s) as q(i int, x int, t text)
      left join dagwright.task_executions u on u.workflow_execution_id = ids[q.x] and u.task_id = q.t and u.map_index = -1
      where not coalesce(q.i = any(found_), false);
    if found_ is null then return; end if;
  end if;

  -- Children: counters go down; of those that wake, a lane takes the first it released, pure ones may be taken beyond.
  for r in
    with c as (
      select e.x, e.t, count(*)::int as n, max(e.i) as lane, bool_or(e.pure) as pure
      from jsonb_to_recordset(d) as e(i int, x int, t text, pure boolean) where e.i = any(found_) group by e.x, e.t),
    k as (
      select c.*, l.tid, l.wakes from c cross join lateral (
        select h.ctid as tid, h.status = 'pending' and h.ready_at is null and (h.pending_edges <= c.n or h.early & 1 > 0) as wakes
        from dagwright.task_executions h where h.workflow_execution_id = ids[c.x] and h.task_id = c.t and h.map_index = -1
          and h.status in ('pending', 'running', 'waiting', 'retrying') offset 0) l),
    a as (
      select k.*, k.wakes and k.lane = any(lanes) and row_number() over (partition by k.lane, k.wakes order by k.t) = 1 as own from k),
    g as (
      select a.*, a.wakes and (a.own or (a.pure and row_number() over (partition by a.wakes and a.pure and not a.own order by a.lane) <= extra)) as claims from a)
    update dagwright.task_executions u set pending_edges = u.pending_edges - g.n,
      status = case when g.claims then 'running' else u.status end, fence = u.fence + g.claims::int,
      attempt_number = u.attempt_number + g.claims::int, worker_id = case when g.claims then w else u.worker_id end,
      started_at = case when g.claims then now_ else u.started_at end, queued_ms = case when g.claims then 0 else u.queued_ms end,
      ready_at = case when g.wakes and not g.claims then now_ else u.ready_at end
    from g where u.ctid = g.tid
    returning g.x, g.lane, g.own, g.wakes, g.claims, u.task_id, u.fence, u.attempt_number, u.recoveries
  loop
    if r.claims then
      kind := 'claim'; i := case when r.own then r.lane else -r.x end; t := r.task_id; m := -1;
      fence := r.fence; attempt := r.attempt_number; recoveries := r.recoveries; phase := null; at := null;
      return next;
      if r.own then used := used || r.lane; end if;
    elsif r.wakes then
      ready_x := ready_x || r.x; ready_t := ready_t || r.task_id;
    end if;
  end loop;

  -- Lanes that got no child go on with the head of their list.
  for r in
    update dagwright.task_executions u set status = 'running', fence = u.fence + 1, worker_id = w, ready_at = null,
      attempt_number = u.attempt_number + (u.status <> 'waiting' and u.recoveries <= 3)::int,
      started_at = case when u.recoveries < 2 then now_ end,
      queued_ms = coalesce(u.queued_ms, 0) + (extract(epoch from now_ - u.ready_at) * 1000)::bigint
    from jsonb_to_recordset(s) as q(i int, x int, nt text, nm int)
    cross join lateral (select h.ctid as tid from dagwright.task_executions h where h.workflow_execution_id = ids[q.x]
      and h.task_id = q.nt and h.map_index = q.nm and coalesce(isfinite(h.ready_at), false) and h.status in ('pending', 'retrying', 'waiting') offset 0) l
    where running[q.x] and q.nt is not null and q.i = any(found_) and q.i = any(lanes) and not q.i = any(used) and u.ctid = l.tid
    returning q.i, u.task_id, u.map_index, u.fence, u.attempt_number, u.recoveries, u.waiting_on
  loop
    kind := 'claim'; i := r.i; t := r.task_id; m := r.map_index; fence := r.fence; attempt := r.attempt_number;
    recoveries := r.recoveries; phase := r.waiting_on; at := null;
    return next;
  end loop;

  if cardinality(ready_t) > 0 then
    for r in select y.x, array_agg(y.t) as ts from unnest(ready_x, ready_t) as y(x, t) group by y.x loop
      perform dagwright.enqueue_v1(ids[r.x], r.ts, array_fill(-1, array[cardinality(r.ts)]), slots, priorities[r.x]);
    end loop;
  end if;

  for r in
    with g as (
      select q.x, max(q.sent)::int as sent, count(*)::int as n, sum(q.cost) as cost, bool_or(q.unk) as unk,
        (array_agg(q.fin) filter (where q.fin is not null))[1] as fin
      from (select q.*, count(*) over (partition by q.x) as sent
            from jsonb_to_recordset(s) as q(i int, x int, cost numeric, unk boolean, fin jsonb)) q where q.i = any(found_) group by q.x),
    k as (
      select g.*, opens[g.x] = g.n and running[g.x] as drained,
        opens[g.x] = g.n and running[g.x] and g.fin is not null and failed[g.x] = 0 as ends from g)
    update dagwright.workflow_executions o set open_tasks = o.open_tasks - k.n, next_seq = o.next_seq + k.sent,
      actual_cost_usd = o.actual_cost_usd + coalesce(k.cost, 0), cost_unknown = o.cost_unknown or coalesce(k.unk, false),
      concluded_by = case when k.drained and not k.ends then w end, status = case when k.ends then 'completed' else o.status end,
      output = case when k.ends then k.fin->'out' end, completed_at = case when k.ends then now_ end,
      deadline_at = case when k.ends then null else o.deadline_at end,
      duration_ms = case when k.ends then (extract(epoch from now_ - o.started_at) * 1000)::bigint end
    from k where o.id = ids[k.x] returning k.x, k.drained, k.ends
  loop
    if r.drained then
      kind := case when r.ends then 'finished' else 'drained' end; i := r.x; at := null;
      return next;
    end if;
  end loop;
end $$;

-- One completion with at most one child, alone in its batch: the step of a sequential run, with as few statements as it takes.
-- Keeps S1 to S4. The execution's counters are written first (its lock), and taken back where the settle is lost.
create function dagwright.settle_one_v1(w uuid, e uuid, task text, f bigint, dur bigint, result jsonb, inp jsonb, cost numeric, use jsonb,
  child text, wants boolean, fin jsonb, out outcome text, out fence bigint, out attempt int, out recoveries int, out phase text,
  out claimed boolean, out ended text, out at float8)
language plpgsql set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
declare
  now_ timestamptz;
  x record;
  c record;
begin
  update dagwright.workflow_executions o set open_tasks = o.open_tasks - 1, next_seq = o.next_seq + 1,
    actual_cost_usd = o.actual_cost_usd + coalesce(cost, 0) where o.id = e
  returning o.open_tasks, o.failed_tasks, o.next_seq, o.status, o.priority, o.started_at into x;
  now_ := clock_timestamp();
  at := extract(epoch from now_) * 1000;
  update dagwright.task_executions u set status = 'completed', output = result, input = coalesce(inp, u.input), error = null,
    resource_usage = coalesce(use, u.resource_usage), cost_usd = u.cost_usd + coalesce(cost, 0), duration_ms = coalesce(u.duration_ms, 0) + dur,
    waiting_on = null, completed_at = now_, completed_seq = x.next_seq - 1
  where u.workflow_execution_id = e and u.task_id = task and u.map_index = -1 and u.status = 'running' and u.fence = f;
  if not found then
    update dagwright.workflow_executions o set open_tasks = o.open_tasks + 1, next_seq = o.next_seq - 1,
      actual_cost_usd = o.actual_cost_usd - coalesce(cost, 0) where o.id = e;
    outcome := 'lost';
    select u.fence, u.status into fence, phase from dagwright.task_executions u
      where u.workflow_execution_id = e and u.task_id = task and u.map_index = -1;
    return;
  end if;
  outcome := 'settled';
  if child is not null then
    update dagwright.task_executions u set pending_edges = u.pending_edges - 1, status = 'running', fence = u.fence + 1,
      attempt_number = u.attempt_number + 1, worker_id = w, started_at = now_, queued_ms = 0
    where wants and u.workflow_execution_id = e and u.task_id = child and u.map_index = -1 and u.status = 'pending'
      and not coalesce(isfinite(u.ready_at), false) and (u.pending_edges <= 1 or u.early & 1 > 0)
    returning u.fence, u.attempt_number, u.recoveries into fence, attempt, recoveries;
    claimed := found;
    if not claimed then
      update dagwright.task_executions u set pending_edges = u.pending_edges - 1,
        ready_at = case when u.status = 'pending' and u.ready_at is null and (u.pending_edges <= 1 or u.early & 1 > 0) then now_ else u.ready_at end
      where u.workflow_execution_id = e and u.task_id = child and u.map_index = -1
        and u.status in ('pending', 'running', 'waiting', 'retrying')
      returning u.ready_at = now_ as woken into c;
      if c.woken then perform dagwright.enqueue_v1(e, array[child], array[-1], 1, x.priority); end if;
    end if;
  end if;
  if x.open_tasks = 0 and x.status = 'running' then
    if fin is not null and x.failed_tasks = 0 then
      ended := 'finished';
      update dagwright.workflow_executions o set status = 'completed', output = fin->'out', completed_at = now_, deadline_at = null,
        duration_ms = (extract(epoch from now_ - x.started_at) * 1000)::bigint where o.id = e;
    else
      ended := 'drained';
      update dagwright.workflow_executions o set concluded_by = w where o.id = e;
    end if;
  end if;
end $$;

-- Ends an execution whose tasks have all ended (or that could not be opened: from 'pending').
-- p: [{ e, from, status, out, err, cwe }]. Returns those that this call ended.
create function dagwright.finish_v1(p jsonb) returns table (e uuid)
language plpgsql set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
declare
  x record;
  now_ timestamptz;
begin
  for x in select r.* from jsonb_to_recordset(p) as r(e uuid, "from" dagwright.execution_status, status dagwright.execution_status, out jsonb, err jsonb, cwe boolean) order by r.e loop
    perform from dagwright.workflow_executions o where o.id = x.e for no key update;
    now_ := clock_timestamp();
    update dagwright.workflow_executions o set status = x.status, output = x.out, error = x.err, completed_at = now_, deadline_at = null,
      completed_with_errors = coalesce(x.cwe, false),
      duration_ms = (extract(epoch from now_ - coalesce(o.started_at, o.created_at)) * 1000)::bigint
    where o.id = x.e and o.status = x."from" and o.open_tasks = 0;
    if found then e := x.e; return next; end if;
  end loop;
end $$;

-- Hands ready tasks back to the queue: the rest of a list whose lane is busy, or a lane that ends. p: { slots, x: [{ e, l }] }.
create function dagwright.requeue_v1(p jsonb) returns void
language plpgsql set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
declare
  x record;
begin
  for x in select o.id, o.priority, r.l from jsonb_to_recordset(p->'x') as r(e uuid, l jsonb)
           join dagwright.workflow_executions o on o.id = r.e loop
    perform dagwright.enqueue_v1(x.id, array(select l.value->>0 from jsonb_array_elements(x.l) with ordinality l order by l.ordinality),
      array(select (l.value->>1)::int from jsonb_array_elements(x.l) with ordinality l order by l.ordinality),
      (p->>'slots')::int, x.priority);
  end loop;
end $$;

-- Keeps a checkpoint of a running attempt; false when it is no longer the caller's.
create function dagwright.checkpoint_v1(x uuid, task text, idx int, f bigint, data jsonb) returns boolean
language plpgsql set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
begin
  perform from dagwright.workflow_executions where id = x for no key update;
  update dagwright.task_executions set checkpoint = data
    where workflow_execution_id = x and task_id = task and map_index = idx and status = 'running' and fence = f;
  return found;
end $$;

-- Notes that the body of a claimed attempt is entered, or that it is not yet: a crash then costs the task nothing. False
-- when the attempt is no longer the caller's.
create function dagwright.enter_v1(x uuid, task text, idx int, f bigint, entered boolean) returns boolean
language plpgsql set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
begin
  perform from dagwright.workflow_executions where id = x for no key update;
  update dagwright.task_executions set started_at = case when entered then clock_timestamp() end
    where workflow_execution_id = x and task_id = task and map_index = idx and status = 'running' and fence = f;
  return found;
end $$;

-- Recovery ------------------------------------------------------------------------------------------------------------

-- Makes ready what a timer was set for, at most `most` tasks; executions that are locked wait for the next pass.
-- Due tasks are found by the index of timers alone, whatever else their executions hold.
create function dagwright.wake_due_v1(slots int, most int) returns int
language plpgsql
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set plan_cache_mode = force_generic_plan as $$
declare
  x record;
  n int := 0;
  now_ timestamptz := clock_timestamp();
  ts text[];
  ms int[];
begin
  for x in
    select o.id, o.priority, d.ts, d.ms from (
        select due.e, array_agg(due.t) as ts, array_agg(due.m) as ms from (
          select workflow_execution_id as e, task_id as t, map_index as m from dagwright.task_executions
          where wake_at <= now_ order by wake_at limit most) due
        group by due.e) d
      join dagwright.workflow_executions o on o.id = d.e
    where o.status = 'running'
    order by o.id for no key update of o skip locked
  loop
    with woken as (
      update dagwright.task_executions u set wake_at = null, ready_at = now_
      from unnest(x.ts, x.ms) as y(t, m)
      where u.workflow_execution_id = x.id and u.task_id = y.t and u.map_index = y.m
        and u.wake_at <= now_ and u.status in ('waiting', 'retrying')
      returning u.task_id, u.map_index)
    select array_agg(task_id), array_agg(map_index) into ts, ms from woken;
    if ts is not null then
      perform dagwright.enqueue_v1(x.id, ts, ms, slots, x.priority);
      n := n + cardinality(ts);
    end if;
  end loop;
  return n;
end $$;

-- Takes over what dead workers ran, and forgets them. Dead: its lock is free and two beats were missed, or no beat for
-- its lease; both count from the server's start, so that an outage is no death. The sweeper must itself have been
-- beating as long as the rule that it applies, for the same reason. At most `most` tasks a pass; locked executions wait.
create function dagwright.take_over_v1(sweeper uuid, slots int, most int) returns int
language plpgsql set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
declare
  now_ timestamptz := clock_timestamp();
  up constant timestamptz := pg_postmaster_start_time();
  mine record;
  dead record;
  x record;
  total int := 0;
  left_ int;
  ts text[];
  ms int[];
begin
  select greatest(beating_since, up) as since into mine from dagwright.workers
    where id = sweeper and heartbeat_at > now_ - interval '7 seconds';
  if not found then return 0; end if;
  for dead in
    select w.id from dagwright.workers w
    where w.id <> sweeper and greatest(w.heartbeat_at, up) < now_ - interval '7 seconds' and (
      (mine.since < now_ - interval '7 seconds'
        and not exists (select from pg_locks k where k.locktype = 'advisory' and k.database = (select oid from pg_database where datname = current_database())
          and k.classid = 1147 and k.objid = w.lock_key::oid and k.granted))
      or (greatest(w.heartbeat_at, up) < now_ - w.lease_seconds * interval '1 second'
        and mine.since < now_ - w.lease_seconds * interval '1 second'))
    for update skip locked
  loop
    left_ := 0;
    for x in
      select o.id, o.priority, o.status, o.tenant_id from dagwright.workflow_executions o
      where o.status in ('running', 'paused') and exists (select from dagwright.task_executions t
        where t.workflow_execution_id = o.id and t.status = 'running' and t.worker_id = dead.id)
      order by o.id limit most
    loop
      perform from dagwright.workflow_executions where id = x.id for no key update skip locked;
      if not found then left_ := left_ + 1; continue; end if;
      -- The attempt that died is kept; more than three of them, and the task is not tried again (its next claim fails it).
      -- What had not been entered yet is given back as if it had not been claimed.
      insert into dagwright.task_attempts (workflow_execution_id, task_id, map_index, attempt_number, fence, tenant_id, worker_id, error, started_at, completed_at)
      select x.id, t.task_id, t.map_index, t.attempt_number, t.fence, x.tenant_id, dead.id,
        jsonb_build_object('code', 'worker_lost', 'message', 'the worker that ran this attempt died'), t.started_at, now_
      from dagwright.task_executions t
      where t.workflow_execution_id = x.id and t.status = 'running' and t.worker_id = dead.id and t.started_at is not null;
      with taken as (
        update dagwright.task_executions t set
          status = case when t.waiting_on is null then 'pending'::dagwright.task_status else 'waiting' end,
          fence = t.fence + 1, recoveries = t.recoveries + (t.started_at is not null)::int, ready_at = now_,
          attempt_number = t.attempt_number - (t.started_at is null and t.waiting_on is null and t.recoveries <= 3)::int
        where t.workflow_execution_id = x.id and t.status = 'running' and t.worker_id = dead.id
        returning t.task_id, t.map_index)
      select array_agg(task_id), array_agg(map_index) into ts, ms from taken;
      if ts is not null then
        perform dagwright.enqueue_v1(x.id, ts, ms, slots, x.priority);
        total := total + cardinality(ts);
      end if;
    end loop;
    for x in select o.id, o.priority from dagwright.workflow_executions o
             where o.status = 'running' and o.open_tasks = 0 and o.concluded_by = dead.id for no key update skip locked loop
      update dagwright.workflow_executions set concluded_by = sweeper where id = x.id;
      perform dagwright.add_jobs_v1(array[json_build_object('e', x.id)], x.priority);
    end loop;
    if left_ = 0 and not exists (select from dagwright.workflow_executions o join dagwright.task_executions t
        on t.workflow_execution_id = o.id where o.status in ('running', 'paused') and t.status = 'running' and t.worker_id = dead.id)
      and not exists (select from dagwright.workflow_executions o where o.status = 'running' and o.open_tasks = 0 and o.concluded_by = dead.id) then
      delete from dagwright.workers where id = dead.id;
      perform dagwright.unlock_lost_pools_v1();
    end if;
  end loop;
  return total;
end $$;

create function dagwright.unlock_pools_v1(pools text[]) returns void
language sql security definer set search_path = pg_catalog, pg_temp as $$
  select graphile_worker.force_unlock_workers(pools)
$$;
revoke execute on function dagwright.unlock_pools_v1(text[]) from public;
grant execute on function dagwright.unlock_pools_v1(text[]) to dagwright_engine;

-- Unlocks the jobs of every pool that no worker has noted as its own: a worker may die before it can note one.
create function dagwright.unlock_lost_pools_v1() returns void
language sql security definer set search_path = pg_catalog, pg_temp as $$
  select graphile_worker.force_unlock_workers(array(select distinct locked_by from graphile_worker._private_jobs
    where locked_by is not null and locked_by not in (select unnest(pool_ids) from dagwright.workers)))
$$;
revoke execute on function dagwright.unlock_lost_pools_v1() from public;
grant execute on function dagwright.unlock_lost_pools_v1() to dagwright_engine;

-- The one-second loop of a worker. p: { w, slots, sweep, held: [[e, t, m, f, timeout seconds or null], …] } (the attempts it has
-- held for a while). Returns { lost: [ordinals no longer its own], late: [ordinals past their timeout], woken, ended,
-- recovered, next (ms until the next timer, or null), now (ms since the epoch) }.
create function dagwright.tick_v1(p jsonb) returns jsonb
language plpgsql set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  now_ timestamptz := clock_timestamp();
  lost jsonb;
  late jsonb;
  woken int;
  ended int := 0;
  recovered int := 0;
  x record;
begin
  select coalesce(jsonb_agg(h.k) filter (where t.fence is distinct from h.f or t.status is distinct from 'running'), '[]'),
    coalesce(jsonb_agg(h.k) filter (where t.fence = h.f and t.status = 'running' and t.started_at + h.timeout * interval '1 second' < now_), '[]')
    into lost, late
  from (select o.ordinality - 1 as k, (o.value->>0)::uuid as e, o.value->>1 as t, (o.value->>2)::int as m, (o.value->>3)::bigint as f,
          (o.value->>4)::float8 as timeout
        from jsonb_array_elements(p->'held') with ordinality o) h
  left join dagwright.task_executions t on t.workflow_execution_id = h.e and t.task_id = h.t and t.map_index = h.m;
  woken := dagwright.wake_due_v1((p->>'slots')::int, 256);
  for x in select o.id from dagwright.workflow_executions o
           where o.id = any(array(select late_.id from dagwright.workflow_executions late_ where late_.deadline_at <= now_ order by late_.deadline_at limit 32))
           order by o.id for no key update skip locked loop
    perform dagwright.end_execution_v1(x.id, 'failed', null,
      jsonb_build_object('code', 'timeout', 'message', 'the execution ran past its timeoutSeconds'), 'execution_failed', now_);
    ended := ended + 1;
  end loop;
  if (p->>'sweep')::boolean then
    recovered := dagwright.take_over_v1((p->>'w')::uuid, (p->>'slots')::int, 200);
  end if;
  return jsonb_build_object('now', extract(epoch from clock_timestamp()) * 1000, 'lost', lost, 'late', late, 'woken', woken, 'ended', ended, 'recovered', recovered,
    'next', (select (extract(epoch from wake_at - clock_timestamp()) * 1000)::bigint from dagwright.task_executions
      where wake_at is not null order by wake_at limit 1));
end $$;

-- Views ---------------------------------------------------------------------------------------------------------------

create view dagwright.v_executions with (security_invoker = true) as
  select id, tenant_id, workflow_id, revision, status, priority, trigger_type, created_by, created_at, started_at, completed_at,
    duration_ms, actual_cost_usd, cost_unknown, open_tasks, failed_tasks, error->>'code' as error_code, error->>'message' as error_message
  from dagwright.workflow_executions;

-- The tasks of the stored definitions.
create view dagwright.workflow_tasks with (security_invoker = true) as
  select v.tenant_id, v.workflow_id, v.revision, n.ordinality::int as position, n.value->>'taskId' as task_id,
    n.value->>'taskType' as task_type, n.value->>'modelId' as model_id, n.value->'dependsOn' as depends_on, n.value->'config' as config
  from dagwright.workflow_versions v, json_array_elements(v.definition->'nodes') with ordinality n;

-- (execution, task, index) that a queued or running job would wake; task null: the job opens the execution.
create function dagwright.jobs_v1() returns table (execution_id uuid, task_id text, map_index int)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select (j.payload->>'e')::uuid, l.value->>0, (l.value->>1)::int
  from graphile_worker._private_jobs j join graphile_worker._private_tasks k on k.id = j.task_id
  left join lateral json_array_elements(j.payload->'t') l on true
  where k.identifier = 'dagwright' and j.attempts < j.max_attempts
$$;
revoke execute on function dagwright.jobs_v1() from public;
grant execute on function dagwright.jobs_v1() to dagwright_engine;

-- What is not terminal and has nothing that will wake it. Must be empty.
create view dagwright.v_orphans with (security_invoker = true) as
  with jobs as materialized (select * from dagwright.jobs_v1())
  select o.id as execution_id, null::text as task_id, null::int as map_index, o.status::text, 'pending execution without a job' as problem
    from dagwright.workflow_executions o
    where o.status = 'pending' and not exists (select from jobs j where j.execution_id = o.id and j.task_id is null)
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
      or (t.status = 'waiting' and t.waiting_on = 'items' and t.items_open > 0));

-- Re-enqueues what has been an orphan for 30 seconds, and counts it: in a sound engine it finds nothing.
create function dagwright.reconcile_v1(slots int) returns int
language plpgsql set enable_seqscan = off as $$
declare
  x record;
  n int := 0;
  stale constant timestamptz := clock_timestamp() - interval '30 seconds';
begin
  if not exists (select from dagwright.task_executions where ready_at < stale)
     and not exists (select from dagwright.workflow_executions where status = 'pending' and created_at < stale)
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
      perform dagwright.add_jobs_v1(array[json_build_object('e', x.id)], x.priority);
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

grant select on dagwright.v_executions, dagwright.workflow_tasks to dagwright_tenant, dagwright_engine;
grant select on dagwright.v_orphans to dagwright_engine;
