-- Written by `node test/support/functions-migration.ts --write`; do not edit. See src/db/functions.

-- src/db/functions/answer.sql
-- Answers: what someone outside sends, once, to a task that waits for it. Each has a key, 32 bytes that name it among those of its
-- kind of wait; a callback's is the SHA-256 of its one-time token, and nothing else of the token is kept.
--   B1  The key is known before the call goes out; an answer that comes before its task waits is kept for it.
--   B2  The first answer of a task counts; later ones, and answers to a task that has ended, change nothing.
--   B3  Lock order: execution, task, answer.
--   B4  Who gave the answer that counts is in the audit trail, what it said is not.
--   B5  A wait times out under the execution's lock: what was accepted before is found then, and nothing is accepted after.

-- Makes a key known for a running attempt; false when it is no longer the caller's. Its time runs from here on.
create or replace function dagwright.open_answer_v1(x uuid, task text, idx int, f bigint, wait dagwright.wait_kind, key bytea,
  timeout_ms bigint, beat_ms bigint)
returns boolean language plpgsql set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
declare
  now_ timestamptz;
begin
  perform from dagwright.workflow_executions where id = x for no key update;
  now_ := clock_timestamp();
  -- An error that came was taken by an earlier attempt; this one waits for an answer of its own.
  delete from dagwright.task_callbacks
    where workflow_execution_id = x and task_id = task and map_index = idx and waiting_on = wait and error is not null;
  insert into dagwright.task_callbacks (token_hash, waiting_on, tenant_id, workflow_execution_id, task_id, map_index, created_at,
    times_out_at, expires_at, heartbeat_ms)
  select key, wait, t.tenant_id, x, task, idx, now_, now_ + timeout_ms * interval '1 millisecond',
    now_ + least(timeout_ms, beat_ms) * interval '1 millisecond', beat_ms
  from dagwright.task_executions t
  where t.workflow_execution_id = x and t.task_id = task and t.map_index = idx and t.status = 'running' and t.fence = f
  on conflict do nothing;
  -- Sent again because its answer was lost, it finds its own row.
  return found or exists (select from dagwright.task_callbacks where token_hash = key and waiting_on = wait);
end $$;

-- What an answer brings. what: 'output', 'error' or 'heartbeat'. Returns 'accepted', 'already_completed' or 'expired' (its task
-- has ended or timed out); null where there is no such key. The caller's role must see the rows (RLS).
create or replace function dagwright.answer_v1(wait dagwright.wait_kind, key bytea, what text, value jsonb) returns text
language plpgsql set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
declare
  answer record;
  execution record;
  waiting record;
  now_ timestamptz;
begin
  select tenant_id, workflow_execution_id as e, task_id, map_index into answer from dagwright.task_callbacks
    where token_hash = key and waiting_on = wait;
  if not found then return null; end if;
  select status, priority, paused_at into execution from dagwright.workflow_executions where id = answer.e for no key update;
  select status, waiting_on into waiting from dagwright.task_executions
    where workflow_execution_id = answer.e and task_id = answer.task_id and map_index = answer.map_index for no key update;
  now_ := clock_timestamp();
  if exists (select from dagwright.task_callbacks where workflow_execution_id = answer.e and task_id = answer.task_id
      and map_index = answer.map_index and waiting_on = wait and completed_at is not null) then
    return 'already_completed';
  end if;
  if waiting.status in ('completed', 'failed', 'skipped', 'cancelled') or execution.status not in ('running', 'paused')
     or not exists (select from dagwright.task_callbacks where token_hash = key and expires_at > coalesce(execution.paused_at, now_)) then
    return 'expired';
  end if;
  if what = 'heartbeat' then
    update dagwright.task_callbacks set expires_at = least(times_out_at,
        coalesce(execution.paused_at, now_) + heartbeat_ms * interval '1 millisecond')
      where token_hash = key and heartbeat_ms is not null;
    return 'accepted';
  end if;
  update dagwright.task_callbacks set completed_at = now_, output = case what when 'output' then coalesce(value, 'null') end,
    error = case what when 'error' then value end where token_hash = key;
  perform dagwright.audit_v1(answer.tenant_id, wait::text || 's.answer', 'executions', answer.e::text, null,
    jsonb_build_object('taskId', answer.task_id, 'mapIndex', nullif(answer.map_index, -1), 'part', what));
  if waiting.status = 'waiting' and waiting.waiting_on = wait then
    update dagwright.task_executions set wake_at = null, held_wake_at = null, ready_at = now_
      where workflow_execution_id = answer.e and task_id = answer.task_id and map_index = answer.map_index and ready_at is null;
    if found and execution.status = 'running' then
      perform dagwright.enqueue_v1(answer.e, array[answer.task_id], array[answer.map_index], 1, execution.priority);
    end if;
  end if;
  return 'accepted';
end $$;

-- Whether something has come for a task that begins to wait, or has to be looked at by it.
create or replace function dagwright.has_come_v1(x uuid, task text, idx int, wait dagwright.wait_kind) returns boolean
language plpgsql set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
begin
  return exists (select from dagwright.task_callbacks c where c.workflow_execution_id = x and c.task_id = task and c.map_index = idx
      and c.waiting_on = wait and c.completed_at is not null)
    or (wait::text = 'signal' and dagwright.has_unjudged_v1(x, task, idx));
end $$;

-- Whether the time of a task's wait is over and nothing has come (B5). While the execution is paused its time stands still.
create or replace function dagwright.is_overdue_v1(x uuid, task text, idx int, wait dagwright.wait_kind) returns boolean
language plpgsql set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
declare
  stood timestamptz;
begin
  select o.paused_at into stood from dagwright.workflow_executions o where o.id = x for no key update;
  return not exists (select from dagwright.task_callbacks c where c.workflow_execution_id = x and c.task_id = task and c.map_index = idx
    and c.waiting_on = wait and (c.completed_at is not null or c.expires_at > coalesce(stood, clock_timestamp())));
end $$;

-- The same for callbacks, as the release before calls them.
create or replace function dagwright.open_callback_v1(x uuid, task text, idx int, f bigint, hash bytea, timeout_ms bigint, heartbeat_ms bigint)
returns boolean language sql as $$
  select dagwright.open_answer_v1(x, task, idx, f, 'callback', hash, timeout_ms, heartbeat_ms)
$$;
create or replace function dagwright.answer_callback_v1(hash bytea, kind text, value jsonb) returns text language sql as $$
  select dagwright.answer_v1('callback', hash, kind, value)
$$;

-- For other services, in their own transaction: answers a callback of the current tenant. Give output or error ({ code,
-- message }), not both, of at most 1,000,000 bytes; neither: the output null. Returns as answer_v1.
create or replace function dagwright.complete_callback(token text, output jsonb default null, error jsonb default null) returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform dagwright.current_tenant();
  if output is not null and error is not null then
    raise exception 'complete_callback takes output or error, not both' using errcode = '22023';
  end if;
  if octet_length(output::text) > 1000000 then perform dagwright.refuse_size_v1('the output', 1000000); end if;
  if octet_length(error::text) > 1000000 then perform dagwright.refuse_size_v1('the error', 1000000); end if;
  return dagwright.answer_v1('callback', sha256(convert_to(token, 'UTF8')), case when error is null then 'output' else 'error' end,
    coalesce(output, error));
end $$;

-- Postpones the end of a wait that was asked to beat: the callback of the current tenant is still coming.
create or replace function dagwright.heartbeat_callback(token text) returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform dagwright.current_tenant();
  return dagwright.answer_v1('callback', sha256(convert_to(token, 'UTF8')), 'heartbeat', null);
end $$;

-- src/db/functions/housekeeping.sql
-- Deletes what the service keeps for a time only, at most `most` rows of each table in one commit: first answers to repeated
-- requests after 24 hours, signals after 30 days; with `days` > 0 also ticks, webhook events and processed events that are older than that.
-- The ticks of a schedule's last execution stay: overlap is judged by them. Returns the deleted rows by table.
create or replace function dagwright.housekeeping_v1(days float8, most int) returns jsonb
language plpgsql set enable_seqscan = off as $$
declare
  now_ constant timestamptz := clock_timestamp();
  cutoff constant timestamptz := now_ - days * interval '1 day';
  before constant uuid := dagwright.first_id_v1(cutoff);
  answers bigint;
  ticks bigint := 0;
  deliveries bigint := 0;
  occurrences bigint := 0;
  signals bigint := 0;
begin
  if not pg_try_advisory_xact_lock(1148, 1) then return '{}'; end if;
  delete from dagwright.idempotent_requests where ctid = any(array(
    select ctid from dagwright.idempotent_requests where created_at < now_ - interval '24 hours' limit most));
  get diagnostics answers = row_count;
  delete from dagwright.execution_signals where ctid = any(array(
    select s.ctid from dagwright.execution_signals s where s.created_at < now_ - interval '30 days' order by s.created_at limit most));
  get diagnostics signals = row_count;
  if days > 0 then
    delete from dagwright.schedule_ticks where ctid = any(array(
      select t.ctid from dagwright.schedules s
      cross join lateral (select k.ctid, k.status, k.workflow_execution_id, k.decided_at from dagwright.schedule_ticks k
        where k.tenant_id = s.tenant_id and k.schedule_id = s.id and k.scheduled_at < cutoff order by k.scheduled_at limit most) t
      where t.status <> 'buffered' and t.decided_at < cutoff and not exists (select from dagwright.workflow_executions o
        where o.id = t.workflow_execution_id and o.status in ('pending', 'running', 'paused'))
      limit most));
    get diagnostics ticks = row_count;
    delete from dagwright.webhook_events where ctid = any(array(
      select e.ctid from dagwright.webhooks w
      cross join lateral (select v.ctid from dagwright.webhook_events v
        where v.tenant_id = w.tenant_id and v.webhook_id = w.id and v.id < before order by v.id limit most) e
      limit most));
    get diagnostics deliveries = row_count;
    delete from dagwright.events where ctid = any(array(
      select ctid from dagwright.events where id < before and processed_at < cutoff order by id limit most));
    get diagnostics occurrences = row_count;
  end if;
  return (select coalesce(jsonb_object_agg(t.name, t.n), '{}') from (values ('idempotent_requests', answers), ('schedule_ticks', ticks),
    ('webhook_events', deliveries), ('events', occurrences),
    ('execution_signals', signals)) t(name, n) where t.n > 0);
end $$;

-- src/db/functions/kinds-of-wait.sql
-- What the functions must know of the kinds of wait, as core/wait.ts decides it; a test compares the two. They compare as text:
-- PostgreSQL lets nobody use a value of an enum type in the transaction that adds it, and a migration is one transaction.

-- What ends such a wait: its 'time', the end of its 'parts', or an 'answer' from outside.
create or replace function dagwright.wait_ends_by_v1(kind dagwright.wait_kind) returns text language sql stable as $$
  select case kind::text when 'timer' then 'time' when 'callback' then 'answer' when 'items' then 'parts' when 'signal' then 'answer' end
$$;

-- What a pause does to its timer: 'stands_still' (what was left is left after it), 'held' (its moment stays) or 'none'.
create or replace function dagwright.wait_in_pause_v1(kind dagwright.wait_kind) returns text language sql stable as $$
  select case kind::text when 'timer' then 'held' when 'callback' then 'stands_still' when 'items' then 'none' when 'signal' then 'stands_still' end
$$;

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
  perform dagwright.rejudge_signals_v1(stale);
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
  signals bigint := 0;
  waits bigint := 0;
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
    delete from dagwright.execution_signals where ctid = any(array(select ctid from dagwright.execution_signals where workflow_execution_id = x limit most));
    get diagnostics n = row_count;
    signals := signals + n;
    exit when n = most;
    delete from dagwright.signal_waits where ctid = any(array(select ctid from dagwright.signal_waits where workflow_execution_id = x limit most));
    get diagnostics n = row_count;
    waits := waits + n;
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
    exit when logs + attempts + callbacks + signals + waits + tasks + keys + executions >= most;
  end loop;
  -- All that could go of this page has gone.
  if executions = cardinality(ids) and executions < most_executions then
    next_after := last_seen;
    if seen < 2000 then state := 'done'; end if;
  end if;
  select coalesce(jsonb_object_agg(t.name, t.n), '{}') into deleted from (values ('execution_logs', logs), ('task_attempts', attempts),
    ('task_callbacks', callbacks), ('execution_signals', signals), ('signal_waits', waits), ('task_executions', tasks), ('idempotency_keys', keys), ('workflow_executions', executions)) t(name, n)
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

-- src/db/functions/settle.sql
-- Settles attempts and goes on: the general way, which takes whatever settle_completed_v2 and settle_one_v1 refuse.
-- p is { w, slots, x }, with one element of x per execution; all keys are declared in db/protocol/settle-keys.ts.
-- An execution that somebody has locked is passed by, so that no other has to wait for it: it comes back as `locked`, and nothing of
-- it was changed. Result rows, `kind`: locked | settled | lost (fence: what the row has now, phase: its status) | failing (a retry or a wait that the
-- failure policy refuses: settle again as failed or cancelled) | claim (i: the lane, or -1 for an extra) | drained (all tasks
-- ended; conclude it) | finished.
--   S1  A settle that names an old fence changes nothing and is reported as lost.
--   S2  Edges, money and items follow only from a settle that was found.
--   S3  A child is woken by exactly one settle: the one that takes pending_edges to 0 (or first meets its early rule).
--   S4  A woken child leaves as running for exactly one lane, or as ready with a job, in the same commit.
--   S5  Each end in an execution has a number of its own (completed_seq), higher than those of all commits before.
-- Chapters that are called once per execution or once per fan-out are functions of their own (settle-children.sql,
-- settle-closure.sql, settle-fan-out.sql). What is done per settle stands here: a call costs 6 µs, a twentieth of an item's settle.
create or replace function dagwright.settle_v2(p jsonb)
returns table (e uuid, kind text, i int, t text, m int, fence bigint, attempt int, recoveries int, phase text, at float8)
language plpgsql
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set plan_cache_mode = force_generic_plan as $$
declare
  max_recoveries constant int := 3;
  worker constant uuid := p->>'w';
  slots constant int := p->>'slots';
  batch record;         -- the settles of one execution, and what follows from them
  execution record;
  settle record;
  task record;          -- the row that was settled
  fan_out record;       -- the row of the fan-out whose item it is
  step record;          -- an answer of a chapter
  now_ timestamptz;
  seq bigint;           -- the number of the next end
  settled int[];        -- ordinals of the settles that were found
  lanes int[];          -- ordinals of the lanes that still want to go on
  extra int;            -- pure tasks that may still be claimed beyond them
  lane int;
  ready_tasks text[];
  ready_indexes int[];
  woken text[];
  closed int;           -- how many fewer tasks are open
  failures int;
  cost numeric;
  is_cost_unknown boolean;
  has_list boolean;      -- a lane brought a list
  has_end boolean;       -- one of them ends the execution
  is_drained boolean;
  claimed int;
begin
  for batch in
    select r.* from jsonb_to_recordset(p->'x') as r(e uuid, s jsonb, d jsonb, z jsonb, wd text[], lanes int[], extra int, fin jsonb, failing boolean)
    order by r.e
  loop
    -- THE EXECUTION is locked, and read.
    e := batch.e;
    select o.status, o.priority, o.failing, o.tenant_id, o.next_seq, o.open_tasks, o.failed_tasks into execution
      from dagwright.workflow_executions o where o.id = batch.e for no key update skip locked;
    if not found and exists (select from dagwright.workflow_executions o where o.id = batch.e) then
      kind := 'locked'; i := null; return next;
      continue;
    end if;
    now_ := clock_timestamp();
    at := extract(epoch from now_) * 1000;
    seq := execution.next_seq; closed := 0; failures := 0; cost := 0; is_cost_unknown := false;
    settled := '{}'; ready_tasks := '{}'; ready_indexes := '{}';
    lanes := coalesce(batch.lanes, '{}'); extra := coalesce(batch.extra, 0); has_list := false; has_end := false;
    -- While it is paused nothing begins: what becomes ready stays so, without a job, and timers stand still; resume goes on.
    if execution.status <> 'running' then lanes := '{}'; extra := 0; end if;

    for settle in select r.* from jsonb_to_recordset(batch.s) as r(i int, t text, m int, f bigint, "to" text, r dagwright.skip_reason, st boolean,
        b text, wn text, inp jsonb, out jsonb, err jsonb, cost numeric, unk boolean, dur bigint, use jsonb, wake bigint,
        wo dagwright.wait_kind, att boolean, pure boolean, ty jsonb, next jsonb, fo jsonb, errs jsonb, opt boolean, "end" jsonb)
    loop
      -- THE ROW is written, under its fence (S1).
      i := settle.i; t := settle.t; m := settle.m;
      has_list := has_list or settle.next is not null;
      has_end := has_end or settle."end" is not null;
      if settle."to" in ('completed', 'failed', 'skipped', 'cancelled') then
        update dagwright.task_executions u set status = settle."to"::dagwright.task_status, reason = settle.r, branch = settle.b, winner = settle.wn,
          input = coalesce(settle.inp, u.input), output = settle.out, error = settle.err, part_errors = settle.errs,
          resource_usage = coalesce(settle.use, u.resource_usage),
          cost_usd = u.cost_usd + case when settle.unk then null else coalesce(settle.cost, 0) end,
          duration_ms = coalesce(u.duration_ms, 0) + settle.dur,
          completed_at = now_, completed_seq = seq, waiting_on = null
        where u.workflow_execution_id = batch.e and u.task_id = settle.t and u.map_index = settle.m
          and u.status = 'running' and u.fence = settle.f
        returning u.attempt_number, u.started_at into task;
      elsif settle."to" in ('retrying', 'waiting') and execution.failing and not coalesce(settle.st, false) then
        kind := 'failing'; return next;
        lanes := array_remove(lanes, settle.i);
        continue;
      else
        -- released: no attempt spent; waiting and retrying: by timer, or until the items of a fan-out ended.
        update dagwright.task_executions u set status = case when settle."to" <> 'released' then settle."to"::dagwright.task_status when settle.wo is null then 'pending'::dagwright.task_status else 'waiting' end,
          input = coalesce(settle.inp, u.input), error = coalesce(settle.err, u.error), resource_usage = coalesce(settle.use, u.resource_usage),
          cost_usd = u.cost_usd + case when settle.unk then null else coalesce(settle.cost, 0) end,
          duration_ms = coalesce(u.duration_ms, 0) + settle.dur, waiting_on = settle.wo,
          wake_at = case when execution.status = 'running' then now_ + settle.wake * interval '1 millisecond' end,
          held_wake_at = case when execution.status <> 'running' then now_ + settle.wake * interval '1 millisecond' end,
          ready_at = case when settle."to" = 'released' then now_ end,
          attempt_number = u.attempt_number - (settle."to" = 'released' and settle.wo is null and u.recoveries <= max_recoveries)::int,
          items = coalesce(settle.fo->'items', u.items), items_total = coalesce((settle.fo->>'total')::int, u.items_total),
          items_open = coalesce((settle.fo->>'total')::int, u.items_open), items_ok = case when settle.fo is null then u.items_ok else 0 end,
          items_failed = case when settle.fo is null then u.items_failed else 0 end,
          items_tolerated = coalesce((settle.fo->>'tol')::int, u.items_tolerated), items_needed = coalesce((settle.fo->>'need')::int, u.items_needed),
          items_issued = coalesce(least((settle.fo->>'conc')::int, (settle.fo->>'total')::int), u.items_issued)
        where u.workflow_execution_id = batch.e and u.task_id = settle.t and u.map_index = settle.m
          and u.status = 'running' and u.fence = settle.f
        returning u.attempt_number, u.started_at, u.items_issued into task;
      end if;
      if not found then
        select u.fence, u.status into fence, phase from dagwright.task_executions u
          where u.workflow_execution_id = batch.e and u.task_id = settle.t and u.map_index = settle.m;
        kind := 'lost'; return next;
        lanes := array_remove(lanes, settle.i);
        continue;
      end if;
      settled := settled || settle.i;
      cost := cost + coalesce(settle.cost, 0);
      is_cost_unknown := is_cost_unknown or coalesce(settle.unk, false);
      if settle."to" = 'failed' then
        -- What came for it and was not looked at was not redacted.
        update dagwright.task_callbacks c set output = null, error = null
          where c.workflow_execution_id = batch.e and c.task_id = settle.t and c.map_index = settle.m and c.completed_at is not null;
      end if;
      if settle.att then
        insert into dagwright.task_attempts (workflow_execution_id, task_id, map_index, attempt_number, fence, tenant_id,
          worker_id, error, cost_usd, resource_usage, started_at, completed_at, duration_ms)
        values (batch.e, settle.t, settle.m, task.attempt_number, settle.f, execution.tenant_id, worker, settle.err,
          case when settle.unk then null else coalesce(settle.cost, 0) end, settle.use, task.started_at, now_, settle.dur);
      end if;
      kind := 'settled'; return next;

      -- WHAT THE TASK GOES ON WITH, where it has not ended.
      if settle."to" = 'released' then
        ready_tasks := ready_tasks || settle.t; ready_indexes := ready_indexes || settle.m;
      elsif dagwright.wait_ends_by_v1(settle.wo) = 'answer' then
        -- Its answer may have come before it waited.
        update dagwright.task_executions u set ready_at = now_, wake_at = null, held_wake_at = null
        where u.workflow_execution_id = batch.e and u.task_id = settle.t and u.map_index = settle.m
          and dagwright.has_come_v1(batch.e, settle.t, settle.m, settle.wo);
        if found then ready_tasks := ready_tasks || settle.t; ready_indexes := ready_indexes || settle.m; end if;
      elsif settle.fo is not null then
        -- A fan-out opens: of the first items of its window one is for this lane, pure ones may be taken beyond, the rest is ready.
        claimed := least(case when settle.i = any(lanes) then 1 else 0 end + case when settle.pure then extra else 0 end, task.items_issued);
        perform dagwright.open_items_v1(worker, batch.e, execution.tenant_id, settle.t, settle.fo->'types', coalesce(settle.st, false),
          task.items_issued, claimed, now_);
        for item in 0 .. claimed - 1 loop
          kind := 'claim'; m := item; fence := 1; attempt := 1; recoveries := 0; phase := null;
          i := case when item = 0 and settle.i = any(lanes) then settle.i else -1 end;
          return next;
          if i = settle.i then lanes := array_remove(lanes, settle.i); else extra := extra - 1; end if;
        end loop;
        ready_tasks := ready_tasks || array_fill(settle.t, array[task.items_issued - claimed]);
        ready_indexes := ready_indexes || array(select item from generate_series(claimed, task.items_issued - 1) item);
      end if;
      if settle."to" not in ('completed', 'failed', 'skipped', 'cancelled') then continue; end if;

      -- WHAT FOLLOWS FROM AN END: a task's is counted; an item's moves the window of its fan-out on, or ends that.
      seq := seq + 1;
      if settle.m < 0 then
        closed := closed + 1;
        failures := failures + (settle."to" = 'failed')::int;
        continue;
      end if;
      update dagwright.task_executions u set items_open = u.items_open - 1,
        items_ok = u.items_ok + (settle."to" = 'completed')::int,
        items_failed = u.items_failed + (settle."to" <> 'completed' and not coalesce(settle.opt, false))::int
      where u.workflow_execution_id = batch.e and u.task_id = settle.t and u.map_index = -1 and u.status = 'waiting' and u.waiting_on = 'items'
      returning u.items_open, u.items_ok, u.items_failed, u.items_total, u.items_issued, u.items_tolerated, u.items_needed,
        u.stays_after_failure into fan_out;
      if not found then
        -- The fan-out was ended by the failure policy while this item ran: it was counted as open on its own.
        closed := closed + 1;
      elsif fan_out.items_open = 0 or fan_out.items_failed > fan_out.items_tolerated or fan_out.items_ok >= fan_out.items_needed then
        lane := lanes[1];
        select * into fence, attempt, recoveries, phase from dagwright.collect_items_v1(worker, batch.e, execution.tenant_id, settle.t,
          fan_out.items_issued, fan_out.items_total, lane is not null, now_, seq);
        seq := seq + fan_out.items_total;
        if lane is null then
          ready_tasks := ready_tasks || settle.t; ready_indexes := ready_indexes || -1;
        else
          kind := 'claim'; i := lane; m := -1; return next;
          lanes := lanes[2:];
        end if;
      elsif fan_out.items_issued < fan_out.items_total then
        lane := lanes[1];
        if lane is null and settle.pure and settle.ty is null and extra > 0 then lane := -1; extra := extra - 1; end if;
        insert into dagwright.task_executions (workflow_execution_id, task_id, map_index, tenant_id, task_type,
          stays_after_failure, status, fence, attempt_number, worker_id, started_at, queued_ms, ready_at)
        select batch.e, settle.t, fan_out.items_issued, execution.tenant_id, coalesce(settle.ty->>fan_out.items_issued, u.task_type), fan_out.stays_after_failure,
          case when lane is null then 'pending'::dagwright.task_status else 'running' end, (lane is not null)::int, (lane is not null)::int,
          case when lane is not null then worker end, case when lane is not null then now_ end,
          case when lane is not null then 0 end, case when lane is null then now_ end
        from dagwright.task_executions u
        where u.workflow_execution_id = batch.e and u.task_id = settle.t and u.map_index = settle.m;
        update dagwright.task_executions u set items_issued = u.items_issued + 1
          where u.workflow_execution_id = batch.e and u.task_id = settle.t and u.map_index = -1;
        if lane is null then
          ready_tasks := ready_tasks || settle.t; ready_indexes := ready_indexes || fan_out.items_issued;
        else
          kind := 'claim'; i := lane; m := fan_out.items_issued; fence := 1; attempt := 1; recoveries := 0; phase := null;
          return next;
          lanes := lanes[2:];
        end if;
      end if;
    end loop;

    -- WHAT FOLLOWS FAR AWAY, AND WHAT THE LANES GO ON WITH, from settles that were found (S2).
    if cardinality(settled) > 0 then
      if batch.z is not null then
        select * into step from dagwright.end_further_v1(batch.e, execution.tenant_id, batch.z, now_, seq);
        closed := closed + step.closed; failures := failures + step.failures; seq := step.next_seq;
      end if;
      if batch.wd is not null then
        woken := dagwright.wind_down_v1(batch.e, batch.wd, now_);
        ready_tasks := ready_tasks || woken; ready_indexes := ready_indexes || array_fill(-1, array[cardinality(woken)]);
      end if;
      if batch.d is not null then
        for step in select * from dagwright.wake_children_v1(worker, batch.e, batch.d, settled, lanes, extra, now_) loop
          if step.kind = 'ready' then
            ready_tasks := ready_tasks || step.t; ready_indexes := ready_indexes || -1;
          else
            kind := 'claim'; i := step.i; t := step.t; m := -1; phase := null;
            fence := step.fence; attempt := step.attempt; recoveries := step.recoveries;
            return next;
            if i = -1 then extra := extra - 1; else lanes := array_remove(lanes, i); end if;
          end if;
        end loop;
      end if;
    end if;
    -- Lanes that got no child go on with their lists.
    if has_list and cardinality(lanes) > 0 then
      kind := 'claim';
      for i, t, m, fence, attempt, recoveries, phase in select * from dagwright.claim_listed_v1(worker, batch.e, batch.s, lanes, now_) loop
        return next;
      end loop;
    end if;
    if cardinality(ready_tasks) > 0 and execution.status = 'running' then
      perform dagwright.enqueue_v1(batch.e, ready_tasks, ready_indexes, slots, execution.priority);
    end if;
    if cardinality(settled) = 0 then continue; end if;

    -- THE EXECUTION'S COUNTERS, and its end where these settles are its last or one of them ends it.
    is_drained := execution.open_tasks = closed and closed > 0 and execution.status = 'running';
    if is_drained and batch.fin is not null and execution.failed_tasks + failures = 0 then
      update dagwright.workflow_executions o set open_tasks = 0, next_seq = seq, status = 'completed',
        output = batch.fin->'out', completed_at = now_, deadline_at = null,
        duration_ms = (extract(epoch from now_ - o.started_at) * 1000)::bigint,
        actual_cost_usd = o.actual_cost_usd + cost, cost_unknown = o.cost_unknown or is_cost_unknown
      where o.id = batch.e;
      kind := 'finished'; i := null; return next;
    else
      update dagwright.workflow_executions o set open_tasks = o.open_tasks - closed, next_seq = seq,
        failed_tasks = o.failed_tasks + failures, failing = o.failing or coalesce(batch.failing, false),
        concluded_by = case when is_drained then worker end,
        actual_cost_usd = o.actual_cost_usd + cost, cost_unknown = o.cost_unknown or is_cost_unknown
      where o.id = batch.e;
      if is_drained then kind := 'drained'; i := null; return next; end if;
    end if;
    if has_end then
      for settle in select r.i, r."end" from jsonb_to_recordset(batch.s) as r(i int, "end" jsonb) where r."end" is not null and r.i = any(settled) loop
        perform dagwright.end_execution_v1(batch.e, (settle."end"->>'status')::dagwright.execution_status, settle."end"->'out', settle."end"->'err', 'terminated', now_);
        kind := 'finished'; i := null; return next;
      end loop;
    end if;
  end loop;
end $$;

-- src/db/functions/signal-waits.sql
-- The waits of tasks for signals, as workers open and judge them; invariants: signals.sql.

-- Opens the wait of a running attempt for signals of these names. Returns 'answered' (it has one: what was stored, or what came for an
-- attempt that did not use it up), 'open', 'judge' (open, and signals are stored that its attempt has to judge), or 'lost' where the
-- attempt is no longer the caller's. `reads`: of the scope, for its condition; null: it has none. Sent again it begins anew.
create or replace function dagwright.open_signal_wait_v1(x uuid, task text, idx int, f bigint, key bytea, names text[], reads jsonb,
  timeout_ms bigint) returns text
language plpgsql set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
declare
  now_ timestamptz;
  tenant uuid;
  stored record;
  is_stored boolean;
begin
  perform from dagwright.workflow_executions o where o.id = x for no key update;
  now_ := clock_timestamp();
  select t.tenant_id into tenant from dagwright.task_executions t
    where t.workflow_execution_id = x and t.task_id = task and t.map_index = idx and t.status = 'running' and t.fence = f;
  if not found then return 'lost'; end if;
  if exists (select from dagwright.task_callbacks c where c.workflow_execution_id = x and c.task_id = task and c.map_index = idx
      and c.waiting_on::text = 'signal' and c.completed_at is not null) then
    return 'answered';
  end if;
  delete from dagwright.signal_waits w where w.workflow_execution_id = x and w.task_id = task and w.map_index = idx;
  delete from dagwright.task_callbacks c where c.workflow_execution_id = x and c.task_id = task and c.map_index = idx and c.waiting_on::text = 'signal';
  select s.position, s.name, s.payload, s.is_judged into stored from unnest(names) n(name) cross join lateral (
      select s.position, s.name, s.payload, s.is_judged from dagwright.execution_signals s
      where s.workflow_execution_id = x and s.name = n.name and s.taken_at is null order by s.position limit 1) s
    order by s.position limit 1;
  is_stored := found;
  -- While something of its names is not judged, older waits may take it: then it stands in line (G3).
  if is_stored and reads is null and not exists (select from dagwright.execution_signals s
      where s.workflow_execution_id = x and s.name = any(names) and not s.is_judged) then
    insert into dagwright.task_callbacks (token_hash, waiting_on, tenant_id, workflow_execution_id, task_id, map_index, created_at, times_out_at,
      expires_at, completed_at, output)
    values (key, 'signal', tenant, x, task, idx, now_, now_ + timeout_ms * interval '1 millisecond', now_ + timeout_ms * interval '1 millisecond',
      now_, jsonb_build_object('signal', stored.name, 'payload', stored.payload));
    update dagwright.execution_signals s set taken_at = now_, payload = null, task_id = task, map_index = idx
      where s.workflow_execution_id = x and s.position = stored.position;
    return 'answered';
  end if;
  insert into dagwright.task_callbacks (token_hash, waiting_on, tenant_id, workflow_execution_id, task_id, map_index, created_at, times_out_at, expires_at)
  values (key, 'signal', tenant, x, task, idx, now_, now_ + timeout_ms * interval '1 millisecond', now_ + timeout_ms * interval '1 millisecond');
  insert into dagwright.signal_waits (workflow_execution_id, name, opened_at, task_id, map_index, tenant_id, answer_key, condition_reads)
  select x, n.name, now_, task, idx, tenant, key, reads from (select distinct unnest(names)) n(name);
  return case when is_stored then 'judge' else 'open' end;
end $$;

-- Writes what a worker has judged. matches: [[position, task, index], …], in the order in which they were decided; refused: positions
-- that each wait has refused, and broadcasts, which each that wanted them got. Returns false where a wait took none any more by then,
-- so that its signal has to be judged again.
create or replace function dagwright.match_signals_v1(x uuid, matches jsonb, refused bigint[]) returns boolean
language plpgsql set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
declare
  is_final boolean := true;
  match record;
  signal record;
  title text;
begin
  perform from dagwright.workflow_executions o where o.id = x for no key update;
  for match in select (m.value->>0)::bigint as place, m.value->>1 as task, (m.value->>2)::int as idx
      from jsonb_array_elements(matches) with ordinality m order by m.ordinality loop
    select s.name, s.payload, s.broadcast into signal from dagwright.execution_signals s
      where s.workflow_execution_id = x and s.position = match.place and s.taken_at is null;
    -- Another judge was quicker.
    continue when not found;
    if dagwright.hand_signal_v1(x, match.task, match.idx, signal.name, signal.payload) then
      update dagwright.execution_signals s set task_id = coalesce(s.task_id, match.task), map_index = coalesce(s.map_index, match.idx),
        is_judged = s.is_judged or not s.broadcast, taken_at = case when not s.broadcast then clock_timestamp() end,
        payload = case when s.broadcast then s.payload end
        where s.workflow_execution_id = x and s.position = match.place;
    elsif not signal.broadcast then
      is_final := false;
    end if;
  end loop;
  -- A broadcast that somebody has got is done; one that nobody wanted is stored as any other.
  update dagwright.execution_signals s set is_judged = true, taken_at = case when s.task_id is not null then clock_timestamp() end,
    payload = case when s.task_id is null then s.payload end
    where s.workflow_execution_id = x and s.position = any(refused) and s.taken_at is null;
  -- What came meanwhile counts on the oldest wait, which may have got its signal here.
  for title in select distinct s.name from dagwright.execution_signals s where s.workflow_execution_id = x and not s.is_judged loop
    perform dagwright.wake_judge_v1(x, title);
  end loop;
  return is_final;
end $$;

-- Signals that nobody judges, because the wait that was to do it has been ended: another is woken; where none is left, they stay
-- stored. Called by the reconciler's pass.
create or replace function dagwright.rejudge_signals_v1(stale timestamptz) returns void
language plpgsql set enable_seqscan = off as $$
declare
  late record;
begin
  for late in select s.workflow_execution_id as x, s.name from dagwright.execution_signals s where not s.is_judged and s.created_at < stale
      group by 1, 2 order by 1, 2 limit 256 loop
    perform from dagwright.workflow_executions o where o.id = late.x for no key update skip locked;
    continue when not found;
    if exists (select from dagwright.signal_waits w where w.workflow_execution_id = late.x and w.name = late.name
        and dagwright.takes_signal_v1(late.x, w.task_id, w.map_index)) then
      perform dagwright.wake_judge_v1(late.x, late.name);
    else
      update dagwright.execution_signals s set is_judged = true, taken_at = case when s.task_id is not null then clock_timestamp() end
        where s.workflow_execution_id = late.x and s.name = late.name and not s.is_judged;
    end if;
  end loop;
end $$;

-- src/db/functions/signals.sql
-- Signals: what somebody sends by name to an execution, and the waits of tasks for it (core/wait.ts, kind `signal`). The answer of
-- such a wait is a row of task_callbacks, as that of a callback: settles, pause and time-out know it already (answer.sql).
--   G1  A signal is stored in the transaction that sends it, under the execution's lock, and rolled back with it. One that comes
--       before its wait is in the store, which the wait, when it opens under the same lock, looks into.
--   G2  One signal ends one wait: the oldest that is open for its name and takes it; with `broadcast` all that are open. In one
--       commit it leaves the store, the wait has it, and the task is ready.
--   G3  Nothing overtakes: of the signals of one name the earlier goes first, of the waits the older.
--   G4  A condition is evaluated by a worker, over what the wait read of its scope when it was opened. While a wait with one is
--       the next, what comes is stored as not judged, and the oldest wait is made ready to judge for all (engine/attempt/signals.ts).
--       The mark goes in the commit that hands the signal over, or after every wait that was open for it refused it; as long as it
--       is there, a wait of its name that settles is ready again. A worker that dies before leaves the mark and its attempt, which
--       is taken over. A wait that opens while signals of its names are stored judges those itself, in that attempt.
--   G5  Of several names, a time limit and others that want the same, the first commit under the lock counts: it deletes the wait
--       under all of its names. One whose time is over takes nothing, by the clock of whoever has the lock; what came is stored.
--   G6  Lock order: execution, task, answer, signal. Who sends to several executions in one transaction does so in the order of
--       their ids.
-- What is left of waits that ended otherwise is deleted by the next signal of the name, or with the execution: no other end of a
-- task touches these tables. Waits are opened and judged by signal-waits.sql.

-- Whether a task can still take a signal: it has not ended, has none yet, and its time is not over. The caller holds the
-- execution's lock.
create or replace function dagwright.takes_signal_v1(x uuid, task text, idx int) returns boolean
language plpgsql set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
begin
  return exists (
    select from dagwright.workflow_executions o, dagwright.task_executions t, dagwright.task_callbacks c
    where o.id = x and o.status in ('running', 'paused')
      and t.workflow_execution_id = x and t.task_id = task and t.map_index = idx
      and t.status in ('pending', 'running', 'waiting', 'retrying')
      and c.workflow_execution_id = x and c.task_id = task and c.map_index = idx and c.waiting_on::text = 'signal'
      and c.completed_at is null and c.expires_at > coalesce(o.paused_at, clock_timestamp()));
end $$;

-- Gives a signal to a wait; false where that takes none any more. The wait is gone afterwards, under all of its names (G5). The caller
-- holds the execution's lock.
create or replace function dagwright.hand_signal_v1(x uuid, task text, idx int, title text, body jsonb) returns boolean
language plpgsql set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
declare
  takes constant boolean := dagwright.takes_signal_v1(x, task, idx);
  now_ constant timestamptz := clock_timestamp();
  execution record;
begin
  delete from dagwright.signal_waits w where w.workflow_execution_id = x and w.task_id = task and w.map_index = idx;
  if not takes then return false; end if;
  update dagwright.task_callbacks c set completed_at = now_, output = jsonb_build_object('signal', title, 'payload', body)
    where c.workflow_execution_id = x and c.task_id = task and c.map_index = idx and c.waiting_on::text = 'signal' and c.completed_at is null;
  update dagwright.task_executions t set ready_at = now_, wake_at = null, held_wake_at = null
    where t.workflow_execution_id = x and t.task_id = task and t.map_index = idx and t.status = 'waiting' and t.waiting_on::text = 'signal'
      and t.ready_at is null;
  if found then
    select o.status, o.priority into execution from dagwright.workflow_executions o where o.id = x;
    -- While it is paused, resume wakes what is ready.
    if execution.status = 'running' then
      perform dagwright.enqueue_v1(x, array[task], array[idx], 1, execution.priority);
    end if;
  end if;
  return true;
end $$;

-- Makes the oldest open wait of a name ready to judge (G4); nothing where that runs or is ready already: it will look. One that was
-- given back opens anew, and looks then. The caller holds the execution's lock.
create or replace function dagwright.wake_judge_v1(x uuid, title text) returns void
language plpgsql set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
declare
  execution record;
  judge record;
begin
  select t.task_id, t.map_index into judge from dagwright.signal_waits w join dagwright.task_executions t
      on t.workflow_execution_id = x and t.task_id = w.task_id and t.map_index = w.map_index
    where w.workflow_execution_id = x and w.name = title and (t.status = 'running' or t.status = 'waiting')
      and dagwright.takes_signal_v1(x, w.task_id, w.map_index)
    order by w.opened_at, w.task_id, w.map_index limit 1;
  if not found then return; end if;
  update dagwright.task_executions t set ready_at = clock_timestamp()
    where t.workflow_execution_id = x and t.task_id = judge.task_id and t.map_index = judge.map_index and t.status = 'waiting'
      and t.ready_at is null;
  if not found then return; end if;
  select o.status, o.priority into execution from dagwright.workflow_executions o where o.id = x;
  if execution.status = 'running' then
    perform dagwright.enqueue_v1(x, array[judge.task_id], array[judge.map_index], 1, execution.priority);
  end if;
end $$;

-- Whether something of this task's names is not judged yet.
create or replace function dagwright.has_unjudged_v1(x uuid, task text, idx int) returns boolean
language plpgsql set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
begin
  return exists (select from dagwright.signal_waits w join dagwright.execution_signals s
      on s.workflow_execution_id = x and s.name = w.name and not s.is_judged
    where w.workflow_execution_id = x and w.task_id = task and w.map_index = idx);
end $$;

-- Sends a signal to an execution of the current tenant. Returns 'delivered', 'stored' (no wait is open for it, or one with a
-- condition is), 'duplicate' (the same sender's key came before), 'ended' (the execution has), 'full' (so many of this name are
-- stored already); null where there is no such execution.
create or replace function dagwright.send_signal_v1(x uuid, title text, body jsonb, dedupe text, to_all boolean) returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp set enable_seqscan = off as $$
declare
  most constant int := 1000;
  tenant constant uuid := dagwright.current_tenant();
  from_ constant text := dagwright.current_actor();
  execution_status text;
  wait record;
  place bigint;
  must_judge boolean;
  is_taken boolean;
  taker record;          -- the first wait that got it
begin
  select o.status into execution_status from dagwright.workflow_executions o where o.id = x and o.tenant_id = tenant for no key update;
  if not found then return null; end if;
  if dedupe is not null and exists (select from dagwright.execution_signals s
      where s.workflow_execution_id = x and s.sender = from_ and s.dedupe_key = dedupe) then
    return 'duplicate';
  end if;
  if execution_status not in ('pending', 'running', 'paused') then return 'ended'; end if;
  if (select count(*) from (select from dagwright.execution_signals s
      where s.workflow_execution_id = x and s.name = title and s.taken_at is null limit most) stored) >= most then
    return 'full';
  end if;
  -- What came before and is not judged goes first (G3).
  must_judge := exists (select from dagwright.execution_signals s where s.workflow_execution_id = x and s.name = title and not s.is_judged);
  select null::text as task_id, null::int as map_index into taker;
  if not must_judge then
    for wait in select w.task_id, w.map_index, w.condition_reads is not null as is_conditional from dagwright.signal_waits w
        where w.workflow_execution_id = x and w.name = title order by w.opened_at, w.task_id, w.map_index loop
      must_judge := wait.is_conditional and dagwright.takes_signal_v1(x, wait.task_id, wait.map_index);
      exit when must_judge;
      -- One that takes none any more is only deleted.
      if dagwright.hand_signal_v1(x, wait.task_id, wait.map_index, title, body) then
        if taker.task_id is null then taker := wait; end if;
        exit when not to_all;
      end if;
    end loop;
  end if;
  is_taken := taker.task_id is not null and not must_judge;
  select coalesce(max(s.position), 0) + 1 into place from dagwright.execution_signals s where s.workflow_execution_id = x;
  insert into dagwright.execution_signals (workflow_execution_id, position, tenant_id, name, payload, broadcast, sender, dedupe_key, created_at,
    is_judged, taken_at, task_id, map_index)
  values (x, place, tenant, title, case when not is_taken then body end, to_all, from_, dedupe, clock_timestamp(), not must_judge,
    case when is_taken then clock_timestamp() end, taker.task_id, taker.map_index);
  if must_judge then perform dagwright.wake_judge_v1(x, title); end if;
  perform dagwright.audit_v1(tenant, 'executions.signal', 'executions', x::text, null,
    jsonb_build_object('signal', title, 'broadcast', to_all, 'status', case when is_taken then 'delivered' else 'stored' end,
      'taskId', taker.task_id, 'mapIndex', nullif(taker.map_index, -1)));
  return case when is_taken then 'delivered' else 'stored' end;
end $$;

-- For other services, in their own transaction: sends a signal to an execution of the current tenant. Its payload has at most 990,000
-- bytes of JSON. The same dedupe_key of the same sender, for the same execution, sends nothing again. Returns 'delivered', 'stored',
-- 'duplicate', or 'ended' where the execution has; null where there is none. The execution is locked until the caller's commit.
create or replace function dagwright.signal_execution(execution_id uuid, name text, payload jsonb default null, dedupe_key text default null,
  broadcast boolean default false) returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  status text;
begin
  perform dagwright.current_tenant();
  if name is null or name !~ '^[A-Za-z][A-Za-z0-9_.:-]{0,199}$' then
    raise exception 'the name of a signal is a letter, then letters, digits and _ . : -, at most 200 in all' using errcode = '22023';
  end if;
  if octet_length(payload::text) > 990000 then perform dagwright.refuse_size_v1('the payload of a signal', 990000); end if;
  if octet_length(dedupe_key) not between 1 and 500 then
    raise exception 'a dedupe_key has 1 to 500 bytes' using errcode = '22023';
  end if;
  status := dagwright.send_signal_v1(execution_id, name, payload, dedupe_key, coalesce(broadcast, false));
  if status = 'full' then
    raise exception 'the execution keeps 1000 signals "%" that nothing has taken', name using errcode = '54000',
      hint = 'let its tasks take some before more are sent';
  end if;
  return status;
end $$;

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
  dagwright.heartbeat_callback(text), dagwright.emit_event(text, jsonb, text),
  dagwright.signal_execution(uuid, text, jsonb, text, boolean) to dagwright_caller, dagwright_tenant;

-- For the service itself, in a tenant's name: the API's actions, and what lists and views are made with.
grant execute on function dagwright.miss_ticks_v1(uuid, timestamptz[], text, boolean), dagwright.backfill_schedule_v1(uuid, int, jsonb),
  dagwright.run_schedule_v1(uuid, uuid, int), dagwright.first_id_v1(timestamptz), dagwright.count_of_v1(jsonb, text),
  dagwright.usd_of_v1(jsonb, text), dagwright.task_needs_v2(json), dagwright.missing_types_v1(jsonb),
  dagwright.read_needs_v1(uuid), dagwright.needs_of_v1(jsonb, jsonb, text) to dagwright_tenant;
