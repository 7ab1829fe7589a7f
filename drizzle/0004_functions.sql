-- Written by `node test/support/functions-migration.ts --write`; do not edit. See src/db/functions.

-- src/db/functions/callback.sql
-- Callbacks: answers to a call that come later, by a one-time token of which only a SHA-256 is kept.
--   B1  The token is valid before the call goes out; an answer that comes before its task waits is kept for it.
--   B2  The first answer of a task counts; later ones, and answers to a task that has ended, change nothing.
--   B3  Lock order: execution, task, callback.

-- Makes a token known for a running attempt; false when it is no longer the caller's. Its time runs from here on.
create or replace function dagwright.open_callback_v1(x uuid, task text, idx int, f bigint, hash bytea, timeout_ms bigint, heartbeat_ms bigint)
returns boolean language plpgsql set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
declare
  now_ timestamptz;
begin
  perform from dagwright.workflow_executions where id = x for no key update;
  now_ := clock_timestamp();
  -- An error that came was taken by an earlier attempt; this one waits for an answer of its own.
  delete from dagwright.task_callbacks where workflow_execution_id = x and task_id = task and map_index = idx and error is not null;
  insert into dagwright.task_callbacks (token_hash, tenant_id, workflow_execution_id, task_id, map_index, created_at, times_out_at, expires_at, heartbeat_ms)
  select hash, t.tenant_id, x, task, idx, now_, now_ + timeout_ms * interval '1 millisecond',
    now_ + least(timeout_ms, heartbeat_ms) * interval '1 millisecond', heartbeat_ms
  from dagwright.task_executions t
  where t.workflow_execution_id = x and t.task_id = task and t.map_index = idx and t.status = 'running' and t.fence = f
  on conflict do nothing;
  -- Sent again because its answer was lost, it finds its own row.
  return found or exists (select from dagwright.task_callbacks where token_hash = hash);
end $$;

-- What a callback brings. kind: 'output', 'error' or 'heartbeat'. Returns 'accepted', 'already_completed' or 'expired' (its
-- task has ended or timed out); null where there is no such token. The caller's role must see the rows (RLS).
create or replace function dagwright.answer_callback_v1(hash bytea, kind text, value jsonb) returns text
language plpgsql set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
declare
  c record;
  x record;
  t record;
  now_ timestamptz;
begin
  select workflow_execution_id as e, task_id, map_index into c from dagwright.task_callbacks where token_hash = hash;
  if not found then return null; end if;
  select id, status, priority, paused_at into x from dagwright.workflow_executions where id = c.e for no key update;
  select status, waiting_on into t from dagwright.task_executions
    where workflow_execution_id = c.e and task_id = c.task_id and map_index = c.map_index for no key update;
  now_ := clock_timestamp();
  if exists (select from dagwright.task_callbacks where workflow_execution_id = c.e and task_id = c.task_id
      and map_index = c.map_index and completed_at is not null) then
    return 'already_completed';
  end if;
  if t.status in ('completed', 'failed', 'skipped', 'cancelled') or x.status not in ('running', 'paused')
     or not exists (select from dagwright.task_callbacks where token_hash = hash and expires_at > coalesce(x.paused_at, now_)) then
    return 'expired';
  end if;
  if kind = 'heartbeat' then
    update dagwright.task_callbacks set expires_at = least(times_out_at, coalesce(x.paused_at, now_) + heartbeat_ms * interval '1 millisecond')
      where token_hash = hash and heartbeat_ms is not null;
    return 'accepted';
  end if;
  update dagwright.task_callbacks set completed_at = now_, output = case kind when 'output' then coalesce(value, 'null') end,
    error = case kind when 'error' then value end where token_hash = hash;
  if t.status = 'waiting' and t.waiting_on = 'callback' then
    update dagwright.task_executions set wake_at = null, held_wake_at = null, ready_at = now_
      where workflow_execution_id = c.e and task_id = c.task_id and map_index = c.map_index and ready_at is null;
    if found and x.status = 'running' then
      perform dagwright.enqueue_v1(c.e, array[c.task_id], array[c.map_index], 1, x.priority);
    end if;
  end if;
  return 'accepted';
end $$;

-- For other services, in their own transaction: answers a callback of the current tenant. Give output or error ({ code,
-- message }), not both; neither: the output null. Returns as answer_callback_v1.
create or replace function dagwright.complete_callback(token text, output jsonb default null, error jsonb default null) returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform dagwright.current_tenant();
  if output is not null and error is not null then
    raise exception 'complete_callback takes output or error, not both' using errcode = '22023';
  end if;
  if pg_column_size(coalesce(output, error)) > 1000000 then
    raise exception 'the output of a callback may have 1 MB' using errcode = '22023';
  end if;
  return dagwright.answer_callback_v1(sha256(convert_to(token, 'UTF8')), case when error is null then 'output' else 'error' end, coalesce(output, error));
end $$;

-- Postpones the end of a wait that was asked to beat: the callback of the current tenant is still coming.
create or replace function dagwright.heartbeat_callback(token text) returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform dagwright.current_tenant();
  return dagwright.answer_callback_v1(sha256(convert_to(token, 'UTF8')), 'heartbeat', null);
end $$;

-- src/db/functions/checkpoint.sql
-- Keeps a checkpoint of a running attempt; false when it is no longer the caller's.
create or replace function dagwright.checkpoint_v1(x uuid, task text, idx int, f bigint, data jsonb) returns boolean
language plpgsql set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
begin
  perform from dagwright.workflow_executions where id = x for no key update;
  update dagwright.task_executions set checkpoint = data
    where workflow_execution_id = x and task_id = task and map_index = idx and status = 'running' and fence = f;
  return found;
end $$;

-- The same, with what the attempt has spent until now (exact US dollars; null: unknown, undefined spending: 0) and its usage.
-- Spending counts at once, for the task and the execution, so that a crash or a cancel loses none of it. Sent twice, it
-- counts once: the sum is compared with what the last checkpoint of this fence had.
create or replace function dagwright.checkpoint_v2(x uuid, task text, idx int, f bigint, data jsonb, usd numeric, usage jsonb) returns boolean
language plpgsql set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
declare
  more numeric;
begin
  perform from dagwright.workflow_executions where id = x for no key update;
  select usd - case when t.spent_fence = f then t.spent_usd else 0 end into more from dagwright.task_executions t
    where t.workflow_execution_id = x and t.task_id = task and t.map_index = idx and t.status = 'running' and t.fence = f;
  if not found then return false; end if;
  update dagwright.task_executions set checkpoint = data, cost_usd = cost_usd + more,
      spent_fence = f, spent_usd = usd, spent_usage = usage
    where workflow_execution_id = x and task_id = task and map_index = idx;
  if more <> 0 or usd is null then
    update dagwright.workflow_executions set actual_cost_usd = actual_cost_usd + coalesce(more, 0),
      cost_unknown = cost_unknown or usd is null where id = x;
  end if;
  return true;
end $$;

-- Notes that the body of a claimed attempt is entered, or that it is not yet: a crash then costs the task nothing. False
-- when the attempt is no longer the caller's.
create or replace function dagwright.enter_v1(x uuid, task text, idx int, f bigint, entered boolean) returns boolean
language plpgsql set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
begin
  perform from dagwright.workflow_executions where id = x for no key update;
  update dagwright.task_executions set started_at = case when entered then clock_timestamp() end
    where workflow_execution_id = x and task_id = task and map_index = idx and status = 'running' and fence = f;
  return found;
end $$;

-- An attempt that is kept has cost what it had spent at its last checkpoint, and what was added after it.
create or replace function dagwright.add_spent_v1() returns trigger language plpgsql as $$
declare
  spent record;
begin
  select t.spent_usd as usd, t.spent_usage as usage into spent from dagwright.task_executions t
    where t.workflow_execution_id = new.workflow_execution_id and t.task_id = new.task_id and t.map_index = new.map_index
      and t.spent_fence = new.fence;
  if found then
    new.cost_usd := new.cost_usd + spent.usd;
    new.resource_usage := coalesce(new.resource_usage, spent.usage);
  end if;
  return new;
end $$;
create or replace trigger add_spent before insert on dagwright.task_attempts for each row execute function dagwright.add_spent_v1();

-- src/db/functions/end-execution.sql
-- Ends an execution and all in it at once: cancel, timeout, terminate. The caller holds the execution's lock.
create or replace function dagwright.end_execution_v1(x uuid, to_status dagwright.execution_status, out_ jsonb, err jsonb,
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
    fence = t.fence + 1, ready_at = null, wake_at = null, held_wake_at = null, waiting_on = null, completed_at = at, completed_seq = seq + o.k
  from (select task_id, map_index, row_number() over () as k from dagwright.task_executions
        where workflow_execution_id = x and status in ('pending', 'running', 'waiting', 'retrying')) o
  where t.workflow_execution_id = x and t.task_id = o.task_id and t.map_index = o.map_index;
  get diagnostics n = row_count;
  -- What came for tasks that will not look at it any more was not redacted.
  update dagwright.task_callbacks set output = null, error = null where workflow_execution_id = x and completed_at is not null;
  update dagwright.workflow_executions set status = to_status, output = out_, error = err, open_tasks = 0,
    next_seq = seq + n + 1, completed_at = at, deadline_at = null,
    duration_ms = (extract(epoch from at - coalesce(started_at, created_at)) * 1000)::bigint
  where id = x and status in ('pending', 'running', 'paused');
  if found then
    insert into dagwright.execution_logs (id, tenant_id, workflow_execution_id, at, level, message, fields)
    select dagwright.uuid_v7(), o.tenant_id, x, at, case when to_status = 'failed' then 'error' else 'info' end::dagwright.log_level,
      left(concat_ws(': ', 'the execution was ended as ' || to_status, err->>'code', err->>'message'), 4000), jsonb_build_object('status', to_status)
    from dagwright.workflow_executions o where o.id = x;
  end if;
end $$;

-- src/db/functions/orphans.sql
-- (execution, task, index) that a queued or running job would wake; task null: the job opens the execution.
create or replace function dagwright.jobs_v1() returns table (execution_id uuid, task_id text, map_index int)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select (j.payload->>'e')::uuid, l.value->>0, (l.value->>1)::int
  from graphile_worker._private_jobs j join graphile_worker._private_tasks k on k.id = j.task_id
  left join lateral json_array_elements(j.payload->'t') l on true
  where k.identifier = 'dagwright' and j.attempts < j.max_attempts
$$;
revoke execute on function dagwright.jobs_v1() from public;
grant execute on function dagwright.jobs_v1() to dagwright_engine;

-- What is not terminal and has nothing that will wake it. Must be empty.
create or replace view dagwright.v_orphans with (security_invoker = true) as
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
      -- Resume wakes what is ready or has a time.
      or (o.status = 'paused' and (t.ready_at is not null or t.held_wake_at is not null))
      or (t.status = 'waiting' and t.waiting_on = 'items' and t.items_open > 0));

-- src/db/functions/pause.sql
-- Pauses an execution of the current tenant: what runs may end, nothing else begins. The deadline and the time of callbacks stand
-- still; timers that come due meanwhile fire when it is resumed.
-- Returns its status afterwards: 'paused', or the terminal status it has; null where there is none.
--   P1  No claim after the commit: every claim is written under the execution's lock, where it sees the status.
--   P2  No wake-up is lost: what becomes ready or due meanwhile is kept in its row, and resume, under the same lock, wakes it.
create or replace function dagwright.pause_execution(execution_id uuid) returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp set enable_seqscan = off as $$
declare
  now_status text;
begin
  select status into now_status from dagwright.workflow_executions
    where id = execution_id and tenant_id = dagwright.current_tenant() for no key update;
  if now_status in ('pending', 'running') then
    update dagwright.task_executions set held_wake_at = wake_at, wake_at = null
      where workflow_execution_id = execution_id and wake_at is not null and status in ('waiting', 'retrying');
    update dagwright.workflow_executions set status = 'paused', paused_at = clock_timestamp() where id = execution_id;
    now_status := 'paused';
  end if;
  return now_status;
end $$;

-- Lets a paused execution of the current tenant go on. Returns its status afterwards: 'running' (or 'pending', where it had not
-- been opened), or the terminal status it has; null where there is none. One that is not paused stays as it is.
create or replace function dagwright.resume_execution(execution_id uuid) returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp set enable_seqscan = off as $$
declare
  x record;
  now_ timestamptz;
  slots constant int := 32;
  ts text[];
  ms int[];
begin
  select id, status, priority, paused_at, started_at, open_tasks into x from dagwright.workflow_executions
    where id = execution_id and tenant_id = dagwright.current_tenant() for no key update;
  if not found or x.status <> 'paused' then return x.status; end if;
  now_ := clock_timestamp();
  update dagwright.workflow_executions set paused_at = null, deadline_at = deadline_at + (now_ - x.paused_at),
    status = case when x.started_at is null then 'pending'::dagwright.execution_status else 'running' end
    where id = execution_id;
  update dagwright.task_callbacks set expires_at = expires_at + (now_ - x.paused_at), times_out_at = times_out_at + (now_ - x.paused_at)
    where workflow_execution_id = execution_id and completed_at is null;
  update dagwright.task_executions set held_wake_at = null,
      wake_at = held_wake_at + case when waiting_on = 'callback' then now_ - x.paused_at else interval '0' end
    where workflow_execution_id = execution_id and held_wake_at is not null;
  select array_agg(task_id order by task_id, map_index), array_agg(map_index order by task_id, map_index) into ts, ms
    from dagwright.task_executions where workflow_execution_id = execution_id and ready_at is not null;
  if x.started_at is null or x.open_tasks = 0 then
    perform dagwright.add_jobs_v1(array[json_build_object('e', execution_id)], x.priority);
  elsif ts is not null then
    perform dagwright.enqueue_v1(execution_id, ts, ms, slots, x.priority);
  end if;
  return case when x.started_at is null then 'pending' else 'running' end;
end $$;

-- src/db/functions/reconcile.sql
-- Re-enqueues what has been an orphan for 30 seconds, and counts it: in a sound engine it finds nothing.
create or replace function dagwright.reconcile_v1(slots int) returns int
language plpgsql set enable_seqscan = off as $$
declare
  x record;
  n int := 0;
  stale constant timestamptz := clock_timestamp() - interval '30 seconds';
begin
  if not exists (select from dagwright.task_executions t join dagwright.workflow_executions o on o.id = t.workflow_execution_id
       where t.ready_at < stale and o.status = 'running')
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

-- src/db/functions/retention.sql
-- The smallest id (UUIDv7) of a moment: what was made before it sorts before this.
create or replace function dagwright.first_id_v1(at timestamptz) returns uuid language sql immutable as $$
  select rpad(lpad(to_hex(greatest(0, extract(epoch from at) * 1000)::bigint), 12, '0'), 32, '0')::uuid
$$;

-- Deletes what ended more than `days` days ago, oldest first: one bounded batch in one commit.
--   R1  Only executions that are terminal and ended before then are touched; locked ones wait for the next pass.
--   R2  An execution's own row goes last, in the commit that takes the last row that belongs to it. More than `most` rows
--       of one table go in several batches, so that no execution makes a batch long.
--   R3  What a batch deleted is added to retention_cleanup_logs in its own commit: the log is exact through any crash.
--   R4  One batch at a time in the whole database; whoever finds another at work is told `busy`.
-- Found by the primary key: ids are made at the start and follow time, so what ended before a moment has a smaller id than
-- any made then. No index on completed_at, which every completion would have to write.
-- A batch looks at most at 2,000 ids beyond `after_`. Returns state (`busy`; `more`: go on from next_after; `done`) and
-- the deleted rows by table.
create or replace function dagwright.retention_batch_v1(pass uuid, days float8, after_ uuid, most_executions int, most int,
  out state text, out next_after uuid, out deleted jsonb)
language plpgsql set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
declare
  now_ constant timestamptz := clock_timestamp();
  cutoff constant timestamptz := now_ - days * interval '1 day';
  before constant uuid := dagwright.first_id_v1(cutoff);
  seen int;
  last_seen uuid;
  ids uuid[];
  x uuid;
  n bigint;
  logs bigint := 0;
  attempts bigint := 0;
  callbacks bigint := 0;
  keys bigint := 0;
  tasks bigint := 0;
  executions bigint := 0;
begin
  deleted := '{}';
  next_after := after_;
  if not pg_try_advisory_xact_lock(1148, 0) then
    state := 'busy';
    return;
  end if;
  select count(*), (array_agg(p.id order by p.id desc))[1] into seen, last_seen
    from (select o.id from dagwright.workflow_executions o where o.id > after_ and o.id < before order by o.id limit 2000) p;
  if seen = 0 then
    state := 'done';
    return;
  end if;
  ids := array(select o.id from dagwright.workflow_executions o
    where o.id > after_ and o.id <= last_seen and o.status in ('completed', 'failed', 'cancelled') and o.completed_at < cutoff
    order by o.id limit most_executions for update skip locked);
  state := 'more';
  foreach x in array ids loop
    -- What is left of one that is too large stands before the next batch again.
    delete from dagwright.execution_logs where ctid = any(array(select ctid from dagwright.execution_logs where workflow_execution_id = x limit most));
    get diagnostics n = row_count;
    logs := logs + n;
    exit when n = most;
    delete from dagwright.task_attempts where ctid = any(array(select ctid from dagwright.task_attempts where workflow_execution_id = x limit most));
    get diagnostics n = row_count;
    attempts := attempts + n;
    exit when n = most;
    delete from dagwright.task_callbacks where ctid = any(array(select ctid from dagwright.task_callbacks where workflow_execution_id = x limit most));
    get diagnostics n = row_count;
    callbacks := callbacks + n;
    exit when n = most;
    delete from dagwright.task_executions where ctid = any(array(select ctid from dagwright.task_executions where workflow_execution_id = x limit most));
    get diagnostics n = row_count;
    tasks := tasks + n;
    exit when n = most;
    delete from dagwright.idempotency_keys where workflow_execution_id = x;
    get diagnostics n = row_count;
    keys := keys + n;
    delete from dagwright.workflow_executions where id = x;
    executions := executions + 1;
    next_after := x;
    exit when logs + attempts + callbacks + tasks + keys + executions >= most;
  end loop;
  -- All that could go of this page has gone.
  if executions = cardinality(ids) and executions < most_executions then
    next_after := last_seen;
    if seen < 2000 then state := 'done'; end if;
  end if;
  select coalesce(jsonb_object_agg(t.name, t.n), '{}') into deleted from (values ('execution_logs', logs), ('task_attempts', attempts),
    ('task_callbacks', callbacks), ('task_executions', tasks), ('idempotency_keys', keys), ('workflow_executions', executions)) t(name, n)
    where t.n > 0;
  insert into dagwright.retention_cleanup_logs as l (pass_id, table_name, older_than, deleted_rows, started_at, completed_at)
  select pass, t.key, cutoff, t.value::bigint, now_, clock_timestamp() from jsonb_each_text(deleted) t
  on conflict (pass_id, table_name) do update set deleted_rows = l.deleted_rows + excluded.deleted_rows, completed_at = excluded.completed_at;
end $$;

-- How many executions a pass would delete now.
create or replace function dagwright.retention_due_v1(days float8) returns bigint
language sql set enable_seqscan = off as $$
  select count(*) from dagwright.workflow_executions o
  where o.id < dagwright.first_id_v1(clock_timestamp() - days * interval '1 day')
    and o.status in ('completed', 'failed', 'cancelled') and o.completed_at < clock_timestamp() - days * interval '1 day'
$$;

-- src/db/functions/services.sql
-- Permits for calls to a limited service, for one worker: gives back those in `released`, then asks for those in `wanted`.
-- The row of service_limits is locked first and last: all workers take their turns there, in transactions that hold
-- nothing else. For each wanted permit: granted, and how long until the call may start; or not granted, and after how
-- long to ask again. `held`: it must be released. A start further away than `patience_ms` is not given.
--
-- Any `rate_limit` + 1 starts in a row span more than the interval: the ring of starts says when the call came that was
-- `rate_limit` calls ago. Calls start a little after their time, some later than others: a margin makes up for it.
create or replace function dagwright.exchange_permits_v1(service text, worker uuid, released uuid[], wanted uuid[], patience_ms int)
returns table (permit_id uuid, granted boolean, held boolean, wait_ms float8)
language plpgsql set plan_cache_mode = force_generic_plan as $$
declare
  row_ dagwright.service_limits;
  now_ timestamptz;
  free int;
  start_ timestamptz;
  permit uuid;
  given int := 0;
begin
  select * into row_ from dagwright.service_limits l where l.service_id = service for no key update;
  if not found then
    return query select w, true, false, 0::float8 from unnest(wanted) w;
    return;
  end if;
  delete from dagwright.service_permits p where p.id = any(released);
  if cardinality(wanted) = 0 then return; end if;
  if not exists (select from dagwright.workers w where w.id = worker) then
    return query select w, false, false, 1000::float8 from unnest(wanted) w;
    return;
  end if;
  now_ := clock_timestamp();
  if row_.max_concurrency is not null then
    -- Those of dead workers count for nothing.
    delete from dagwright.service_permits p where p.service_id = service
      and not exists (select from dagwright.workers w where w.id = p.worker_id);
    select row_.max_concurrency - count(*) into free from dagwright.service_permits p where p.service_id = service;
    -- A busy worker takes its own permits up again at once. Another that has found none for long goes first.
    if row_.waiting_worker_id <> worker and row_.waiting_since < now_ - interval '0.5 seconds'
      and row_.waiting_seen_at > now_ - interval '1 second' then free := free - 1; end if;
  end if;
  foreach permit in array wanted loop
    permit_id := permit;
    wait_ms := 0;
    held := row_.max_concurrency is not null;
    granted := not held or free > 0;
    if granted and row_.rate_limit is not null then
      select greatest(now_, s.starts_at + (row_.rate_interval_ms + least(50, row_.rate_interval_ms / 20.0)) * interval '1 millisecond')
        into start_ from dagwright.service_starts s
        where s.service_id = service and s.slot = (row_.starts + given) % row_.rate_limit;
      start_ := coalesce(start_, now_);
      wait_ms := extract(epoch from start_ - now_) * 1000;
      granted := wait_ms <= patience_ms;
      if granted then
        insert into dagwright.service_starts as s (service_id, slot, starts_at)
        values (service, (row_.starts + given) % row_.rate_limit, start_)
        on conflict (service_id, slot) do update set starts_at = excluded.starts_at;
        given := given + 1;
      end if;
    elsif not granted then
      wait_ms := null;
    end if;
    if granted and held then
      insert into dagwright.service_permits (id, service_id, worker_id, created_at) values (permit, service, worker, now_);
      free := free - 1;
      if row_.waiting_worker_id = worker then row_.waiting_worker_id := null; end if;
    elsif wait_ms is null and (row_.waiting_worker_id is null or row_.waiting_worker_id = worker
      or row_.waiting_seen_at <= now_ - interval '1 second') then
      if row_.waiting_worker_id is distinct from worker then row_.waiting_since := now_; end if;
      row_.waiting_worker_id := worker;
      row_.waiting_seen_at := now_;
    end if;
    held := held and granted;
    return next;
  end loop;
  update dagwright.service_limits l set starts = row_.starts + given, waiting_worker_id = row_.waiting_worker_id,
    waiting_since = row_.waiting_since, waiting_seen_at = row_.waiting_seen_at
    where l.service_id = service and (given > 0 or (l.waiting_worker_id, l.waiting_seen_at)
      is distinct from (row_.waiting_worker_id, row_.waiting_seen_at));
end $$;

-- Sets limits; null: that one is lifted. The starts that the ring knows are kept as far as they fit the new rate.
create or replace function dagwright.set_service_limit_v1(service text, concurrency int, rate int, interval_ms int) returns void
language plpgsql as $$
declare
  old_rate int;
  known timestamptz[];
begin
  insert into dagwright.service_limits (service_id) values (service) on conflict do nothing;
  select rate_limit into old_rate from dagwright.service_limits where service_id = service for no key update;
  update dagwright.service_limits set max_concurrency = concurrency, rate_limit = rate, rate_interval_ms = interval_ms,
    updated_at = clock_timestamp() where service_id = service;
  if old_rate is not distinct from rate then return; end if;
  select array_agg(starts_at order by starts_at) into known from (
    select starts_at from dagwright.service_starts where service_id = service order by starts_at desc limit coalesce(rate, 0)) newest;
  delete from dagwright.service_starts where service_id = service;
  insert into dagwright.service_starts (service_id, slot, starts_at)
    select service, ordinality - 1, k from unnest(known) with ordinality as u (k, ordinality);
  update dagwright.service_limits set starts = coalesce(cardinality(known), 0) where service_id = service;
end $$;

-- Whether the call `probe` of this worker may try an open service: its time is over and nobody else tries. The row as it
-- was before, where there is one: openings, milliseconds left, whether another tries.
create or replace function dagwright.probe_service_v1(service text, worker uuid, probe uuid)
returns table (granted boolean, openings int, open_for_ms float8, is_probing boolean, paused_for_ms float8)
language plpgsql set plan_cache_mode = force_generic_plan as $$
declare
  row_ dagwright.service_states;
  now_ timestamptz;
begin
  select * into row_ from dagwright.service_states s where s.service_id = service for no key update;
  if not found then return; end if;
  now_ := clock_timestamp();
  openings := row_.openings;
  open_for_ms := coalesce(extract(epoch from row_.open_until - now_) * 1000, 0);
  paused_for_ms := coalesce(extract(epoch from row_.paused_until - now_) * 1000, 0);
  is_probing := dagwright.is_probing_v1(row_);
  granted := row_.openings > 0 and open_for_ms <= 0 and not is_probing
    and exists (select from dagwright.workers w where w.id = worker);
  if granted then
    update dagwright.service_states s set probe_id = probe, probe_worker_id = worker, probe_started_at = now_
      where s.service_id = service;
  end if;
  return next;
end $$;

-- A probe counts while its worker's row exists, and for ten minutes at most.
create or replace function dagwright.is_probing_v1(state dagwright.service_states) returns boolean
language sql stable as $$
  select state.probe_id is not null and state.probe_started_at > clock_timestamp() - interval '10 minutes'
    and exists (select from dagwright.workers w where w.id = state.probe_worker_id)
$$;

-- src/db/functions/settle-completed.sql
-- Settles completions whose edges all succeed, the common case, set-based over all executions of the batch. Keeps S1 to S4.
-- ids: the executions; s: [{ i, x (place in ids, from 1), t, f, b, wn, inp, out, errs, cost, unk, dur, use, nt, nm (head of the
-- lane's list), fin: { out } }]; d: edges [{ i, x, t, pure }]; lanes: ordinals that want to go on; extra: pure tasks that may
-- be claimed beyond them. Result rows: at (the database's time) | lost | claim | drained | finished (i: place in ids).
create or replace function dagwright.settle_completed_v1(w uuid, slots int, ids uuid[], s jsonb, d jsonb, lanes int[], extra int)
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
      select a.*, running[a.x] and a.wakes and (a.own or (a.pure and row_number() over (partition by a.wakes and a.pure and not a.own order by a.lane) <= extra)) as claims from a)
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
    elsif r.wakes and running[r.x] then
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

-- src/db/functions/settle-one.sql
-- One completion with at most one child, alone in its batch: the step of a sequential run, with as few statements as it takes.
-- Keeps S1 to S4. The execution's counters are written first (its lock), and taken back where the settle is lost.
create or replace function dagwright.settle_one_v1(w uuid, e uuid, task text, f bigint, dur bigint, result jsonb, inp jsonb, cost numeric, use jsonb,
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
    where wants and x.status = 'running' and u.workflow_execution_id = e and u.task_id = child and u.map_index = -1 and u.status = 'pending'
      and not coalesce(isfinite(u.ready_at), false) and (u.pending_edges <= 1 or u.early & 1 > 0)
    returning u.fence, u.attempt_number, u.recoveries into fence, attempt, recoveries;
    claimed := found;
    if not claimed then
      update dagwright.task_executions u set pending_edges = u.pending_edges - 1,
        ready_at = case when u.status = 'pending' and u.ready_at is null and (u.pending_edges <= 1 or u.early & 1 > 0) then now_ else u.ready_at end
      where u.workflow_execution_id = e and u.task_id = child and u.map_index = -1
        and u.status in ('pending', 'running', 'waiting', 'retrying')
      returning u.ready_at = now_ as woken into c;
      if c.woken and x.status = 'running' then perform dagwright.enqueue_v1(e, array[child], array[-1], 1, x.priority); end if;
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

-- src/db/functions/settle.sql
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
create or replace function dagwright.settle_v1(p jsonb)
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
    -- While it is paused nothing begins: what becomes ready stays so, without a job, and timers stand still; resume goes on.
    if ex.status <> 'running' then lanes := '{}'; extra := 0; end if;

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
          wake_at = case when ex.status = 'running' then now_ + s.wake * interval '1 millisecond' end,
          held_wake_at = case when ex.status <> 'running' then now_ + s.wake * interval '1 millisecond' end,
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
      if s."to" = 'failed' then
        -- What came for it and was not looked at was not redacted.
        update dagwright.task_callbacks c set output = null, error = null
          where c.workflow_execution_id = x.e and c.task_id = s.t and c.map_index = s.m and c.completed_at is not null;
      end if;
      if s.att then
        insert into dagwright.task_attempts (workflow_execution_id, task_id, map_index, attempt_number, fence, tenant_id,
          worker_id, error, cost_usd, resource_usage, started_at, completed_at, duration_ms)
        values (x.e, s.t, s.m, par.attempt_number, s.f, ex.tenant_id, w, s.err,
          case when s.unk then null else coalesce(s.cost, 0) end, s.use, par.started_at, now_, s.dur);
      end if;
      kind := 'settled'; return next;

      if s."to" = 'released' then
        ready_t := ready_t || s.t; ready_m := ready_m || s.m;
      elsif s.wo = 'callback' then
        -- Its answer may have come before it waited.
        update dagwright.task_executions u set ready_at = now_, wake_at = null, held_wake_at = null
        where u.workflow_execution_id = x.e and u.task_id = s.t and u.map_index = s.m and exists (
          select from dagwright.task_callbacks c where c.workflow_execution_id = x.e and c.task_id = s.t and c.map_index = s.m and c.completed_at is not null);
        if found then ready_t := ready_t || s.t; ready_m := ready_m || s.m; end if;
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
        ready_at = null, wake_at = null, held_wake_at = null, waiting_on = null, completed_at = now_, completed_seq = seq + z.k
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
          fence = u.fence + 1, ready_at = null, wake_at = null, held_wake_at = null, waiting_on = null, completed_at = now_, completed_seq = seq
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

    if cardinality(ready_t) > 0 and ex.status = 'running' then
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

-- src/db/functions/take-over.sql
-- Takes over what dead workers ran, and forgets them. Dead: its lock is free and two beats were missed, or no beat for
-- its lease; both count from the server's start, so that an outage is no death. The sweeper must itself have been
-- beating as long as the rule that it applies, for the same reason. At most `most` tasks a pass; locked executions wait.
create or replace function dagwright.take_over_v1(sweeper uuid, slots int, most int) returns int
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
          -- A claim from waiting does not count an attempt; the one that a crash took is counted here.
          attempt_number = t.attempt_number - (t.started_at is null and t.waiting_on is null and t.recoveries <= 3)::int
            + (t.started_at is not null and t.waiting_on is not null and t.recoveries <= 2)::int
        where t.workflow_execution_id = x.id and t.status = 'running' and t.worker_id = dead.id
        returning t.task_id, t.map_index)
      select array_agg(task_id), array_agg(map_index) into ts, ms from taken;
      if ts is not null then
        perform dagwright.enqueue_v1(x.id, ts, ms, slots, x.priority);
        insert into dagwright.execution_logs (id, tenant_id, workflow_execution_id, task_id, map_index, at, level, message, fields)
        select dagwright.uuid_v7(), x.tenant_id, x.id, l.task_id, nullif(l.map_index, -1), now_, 'warn',
          'the worker that held this task died: it is taken over', jsonb_build_object('workerId', dead.id)
        from unnest(ts, ms) as l(task_id, map_index);
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

-- src/db/functions/tick.sql
-- The one-second loop of a worker. p: { w, slots, sweep, held: [[e, t, m, f, timeout seconds or null], …] } (the attempts it has
-- held for a while). Returns { lost: [ordinals no longer its own], late: [ordinals past their timeout], woken, ended,
-- recovered, next (ms until the next timer, or null), now (ms since the epoch) }.
create or replace function dagwright.tick_v1(p jsonb) returns jsonb
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
           where o.id = any(array(select late_.id from dagwright.workflow_executions late_ where late_.deadline_at <= now_ and late_.status <> 'paused' order by late_.deadline_at limit 32))
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

-- src/db/functions/views-cost.sql
-- A count in what a task says of its use; authors write it too, so that anything may stand there: null where it is no count.
create or replace function dagwright.count_of_v1(usage jsonb, name text) returns bigint language sql immutable as $$
  select case when jsonb_typeof(usage->name) = 'number' and (usage->>name)::numeric between 0 and 9007199254740991
    then trunc((usage->>name)::numeric)::bigint end
$$;

-- Likewise an amount in US dollars.
create or replace function dagwright.usd_of_v1(usage jsonb, name text) returns numeric language sql immutable as $$
  select case when (usage->>name) ~ '^\d{1,30}(\.\d{1,60})?$' then (usage->>name)::numeric end
$$;

-- Everything that was spent: one row per model call that is known by itself, one per attempt for the rest. A task's cost is the
-- sum over its attempts, so the attempt that its own row stands for has cost what the kept ones have not. The rows of an
-- execution add up to its actual_cost_usd. cost_usd null: no price is known. call: its place in the attempt (of the latest 50),
-- null for the rest. What is no model's has neither provider nor model.
create or replace view dagwright.v_costs with (security_invoker = true) as
  with attempts as not materialized (
    select a.tenant_id, a.workflow_execution_id, a.task_id, a.map_index, a.attempt_number, a.completed_at as at,
      a.error->>'code' as error_code, a.cost_usd, a.resource_usage as usage
    from dagwright.task_attempts a
    union all
    select t.tenant_id, t.workflow_execution_id, t.task_id, t.map_index, t.attempt_number,
      coalesce(t.completed_at, t.started_at), null, t.cost_usd - coalesce(kept.cost_usd, 0),
      -- A row keeps the usage of its last attempt until another brings its own; what is kept in task_attempts is not counted again.
      case when kept.is_last then null
        when t.status = 'completed' and (t.cost_usd <> coalesce(kept.cost_usd, 0) or t.resource_usage is distinct from kept.usage)
          then t.resource_usage
        when t.spent_fence is not null and not coalesce(kept.has_spent, false) then t.spent_usage
        when kept.is_last is null then t.resource_usage
      end
    from dagwright.task_executions t
    cross join lateral (
      select sum(a.cost_usd) as cost_usd, bool_or(a.fence = t.fence) as is_last, bool_or(a.fence = t.spent_fence) as has_spent,
        (array_agg(a.resource_usage order by a.fence desc))[1] as usage
      from dagwright.task_attempts a
      where a.workflow_execution_id = t.workflow_execution_id and a.task_id = t.task_id and a.map_index = t.map_index) kept
    where t.attempt_number > 0 or t.cost_usd is distinct from 0
  ), spendings as (
    select a.*, c.ordinality as call, c.value as spent, dagwright.usd_of_v1(c.value, 'costUsd') as spent_usd
    from attempts a, jsonb_array_elements(case jsonb_typeof(a.usage->'calls') when 'array' then a.usage->'calls' end) with ordinality c
    union all
    select a.*, null, a.usage || jsonb_build_object(
        'inputTokens', dagwright.count_of_v1(a.usage, 'inputTokens') - listed.input, 'cachedInputTokens', dagwright.count_of_v1(a.usage, 'cachedInputTokens') - listed.cached,
        'cacheWriteTokens', dagwright.count_of_v1(a.usage, 'cacheWriteTokens') - listed.written, 'outputTokens', dagwright.count_of_v1(a.usage, 'outputTokens') - listed.output,
        'reasoningTokens', dagwright.count_of_v1(a.usage, 'reasoningTokens') - listed.reasoning),
      a.cost_usd - listed.cost_usd
    from attempts a
    cross join lateral (
      select coalesce(sum(dagwright.usd_of_v1(c, 'costUsd')), 0) as cost_usd, count(*) as calls, coalesce(sum(dagwright.count_of_v1(c, 'inputTokens')), 0)::bigint as input,
        coalesce(sum(dagwright.count_of_v1(c, 'cachedInputTokens')), 0)::bigint as cached, coalesce(sum(dagwright.count_of_v1(c, 'cacheWriteTokens')), 0)::bigint as written,
        coalesce(sum(dagwright.count_of_v1(c, 'outputTokens')), 0)::bigint as output, coalesce(sum(dagwright.count_of_v1(c, 'reasoningTokens')), 0)::bigint as reasoning
      from jsonb_array_elements(case jsonb_typeof(a.usage->'calls') when 'array' then a.usage->'calls' end) c) listed
    where case when listed.calls = 0 then a.usage->>'provider' is not null or a.cost_usd is distinct from 0
      else a.cost_usd <> listed.cost_usd or dagwright.count_of_v1(a.usage, 'inputTokens') > listed.input or dagwright.count_of_v1(a.usage, 'outputTokens') > listed.output end
  )
  select s.tenant_id, o.workflow_id, s.workflow_execution_id as execution_id, s.task_id, nullif(s.map_index, -1) as map_index,
    s.attempt_number, s.call, coalesce(s.at, o.created_at) as at, s.error_code, s.spent->>'provider' as provider, s.spent->>'model' as model,
    coalesce(s.spent->'simulated' = 'true' or s.spent->>'provider' = 'simulated', false) as simulated,
    coalesce(dagwright.count_of_v1(s.spent, 'inputTokens'), 0) as input_tokens, coalesce(dagwright.count_of_v1(s.spent, 'cachedInputTokens'), 0) as cached_input_tokens,
    coalesce(dagwright.count_of_v1(s.spent, 'cacheWriteTokens'), 0) as cache_write_tokens, coalesce(dagwright.count_of_v1(s.spent, 'outputTokens'), 0) as output_tokens,
    coalesce(dagwright.count_of_v1(s.spent, 'reasoningTokens'), 0) as reasoning_tokens, dagwright.count_of_v1(s.spent, 'latencyMs') as latency_ms, s.spent_usd as cost_usd
  from spendings s join dagwright.workflow_executions o on o.id = s.workflow_execution_id;

-- Use of models: v_costs without what is no model's.
create or replace view dagwright.ai_usage_log with (security_invoker = true) as
  select * from dagwright.v_costs where provider is not null;

-- What a day (UTC) cost, by workflow and model; rows without provider: what was no model's. cost_unknown: some of it has no
-- known price, so that cost_usd is a lower bound. executions and tasks: how many took part.
create or replace view dagwright.v_cost_daily with (security_invoker = true) as
  select tenant_id, (at at time zone 'UTC')::date as day, workflow_id, provider, model, bool_or(simulated) as simulated,
    count(distinct execution_id) as executions, count(distinct (execution_id, task_id, map_index)) as tasks,
    sum(input_tokens)::bigint as input_tokens, sum(cached_input_tokens)::bigint as cached_input_tokens,
    sum(cache_write_tokens)::bigint as cache_write_tokens, sum(output_tokens)::bigint as output_tokens,
    coalesce(sum(cost_usd), 0) as cost_usd, bool_or(cost_usd is null) as cost_unknown
  from dagwright.v_costs group by 1, 2, 3, 4, 5;

-- How each task of a workflow does: its terminal runs (skipped ones not counted), or those of its items (is_item). Durations
-- are of all attempts together, without waiting; queued: from ready to started.
create or replace view dagwright.v_task_stats with (security_invoker = true) as
  select o.tenant_id, o.workflow_id, t.task_id, t.task_type, t.map_index >= 0 as is_item, count(*) as runs,
    count(*) filter (where t.status = 'failed') as failures, count(*) filter (where t.attempt_number > 1) as retried,
    percentile_disc(0.5) within group (order by t.duration_ms) as p50_duration_ms,
    percentile_disc(0.95) within group (order by t.duration_ms) as p95_duration_ms,
    percentile_disc(0.5) within group (order by t.queued_ms) as p50_queued_ms,
    percentile_disc(0.95) within group (order by t.queued_ms) as p95_queued_ms,
    coalesce(sum(t.cost_usd), 0) as cost_usd, bool_or(t.cost_usd is null) as cost_unknown
  from dagwright.task_executions t join dagwright.workflow_executions o on o.id = t.workflow_execution_id
  where t.status in ('completed', 'failed', 'cancelled') group by 1, 2, 3, 4, 5;

grant select on dagwright.v_costs, dagwright.ai_usage_log, dagwright.v_cost_daily, dagwright.v_task_stats
  to dagwright_engine, dagwright_tenant;
