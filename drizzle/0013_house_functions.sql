-- Written by `node test/support/functions-migration.ts --write`; do not edit. See src/db/functions.

-- src/db/functions/answer.sql
-- Answers: what someone outside sends, once, to a task that waits for it. Each has a key, 32 bytes that name it among those of its
-- kind of wait; a callback's is the SHA-256 of its one-time token, and nothing else of the token is kept.
--   B1  The key is known before the call goes out; an answer that comes before its task waits is kept for it.
--   B2  The first answer of a task counts; later ones, and answers to a task that has ended, change nothing.
--   B3  Lock order: execution, task, answer.

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
  select workflow_execution_id as e, task_id, map_index into answer from dagwright.task_callbacks
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
  if waiting.status = 'waiting' and waiting.waiting_on = wait then
    update dagwright.task_executions set wake_at = null, held_wake_at = null, ready_at = now_
      where workflow_execution_id = answer.e and task_id = answer.task_id and map_index = answer.map_index and ready_at is null;
    if found and execution.status = 'running' then
      perform dagwright.enqueue_v1(answer.e, array[answer.task_id], array[answer.map_index], 1, execution.priority);
    end if;
  end if;
  return 'accepted';
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
-- message }), not both; neither: the output null. Returns as answer_v1.
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

-- src/db/functions/claim.sql
-- Claims for each entry the first task of its list that is ready. p: { w, c: [{ i, e, l: [[task, index], …] }] }.
-- Returns per claimed entry its place in the list. Nothing comes back for an entry of which nothing was ready.
-- A suspect starts only when enter_v1 says so; one that has lost more workers than it may is not tried again (core/recovery.ts).
create or replace function dagwright.claim_v1(p jsonb)
returns table (i int, k int, t text, m int, fence bigint, attempt int, recoveries int, phase text)
language plpgsql
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set plan_cache_mode = force_generic_plan as $$
declare
  max_recoveries constant int := 3;
  suspect_recoveries constant int := 2;
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
        attempt_number = u.attempt_number + (u.status <> 'waiting' and u.recoveries <= max_recoveries)::int,
        started_at = case when u.recoveries < suspect_recoveries then now_ end,
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

-- src/db/functions/kinds-of-wait.sql
-- What the functions must know of the kinds of wait, as core/wait.ts decides it; a test compares the two. They compare as text:
-- PostgreSQL lets nobody use a value of an enum type in the transaction that adds it, and a migration is one transaction.

-- What ends such a wait: its 'time', the end of its 'parts', or an 'answer' from outside.
create or replace function dagwright.wait_ends_by_v1(kind dagwright.wait_kind) returns text language sql stable as $$
  select case kind::text when 'timer' then 'time' when 'callback' then 'answer' when 'items' then 'parts' end
$$;

-- What a pause does to its timer: 'stands_still' (what was left is left after it), 'held' (its moment stays) or 'none'.
create or replace function dagwright.wait_in_pause_v1(kind dagwright.wait_kind) returns text language sql stable as $$
  select case kind::text when 'timer' then 'held' when 'callback' then 'stands_still' when 'items' then 'none' end
$$;

-- src/db/functions/orphans.sql
-- (execution, task, index) that a queued or running job would wake; task null: the job opens the execution.
create or replace function dagwright.jobs_v1() returns table (execution_id uuid, task_id text, map_index int)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select (j.payload->>'e')::uuid, l.value->>0, (l.value->>1)::int
  from graphile_worker._private_jobs j join graphile_worker._private_tasks k on k.id = j.task_id
  left join lateral json_array_elements(j.payload->'t') l on true
  where k.identifier = 'dagwright' and j.attempts < j.max_attempts
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
    perform dagwright.audit_v1(dagwright.current_tenant(), 'executions.pause', 'executions', execution_id::text,
      jsonb_build_object('status', now_status), jsonb_build_object('status', 'paused'));
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
  select id, status, priority, paused_at, started_at, open_tasks, run_at into x from dagwright.workflow_executions
    where id = execution_id and tenant_id = dagwright.current_tenant() for no key update;
  if not found or x.status <> 'paused' then return x.status; end if;
  now_ := clock_timestamp();
  update dagwright.workflow_executions set paused_at = null, deadline_at = deadline_at + (now_ - x.paused_at),
    status = case when x.started_at is null then 'pending'::dagwright.execution_status else 'running' end
    where id = execution_id;
  update dagwright.task_callbacks set expires_at = expires_at + (now_ - x.paused_at), times_out_at = times_out_at + (now_ - x.paused_at)
    where workflow_execution_id = execution_id and completed_at is null and dagwright.wait_in_pause_v1(waiting_on) = 'stands_still';
  update dagwright.task_executions set held_wake_at = null,
      wake_at = held_wake_at + case when dagwright.wait_in_pause_v1(waiting_on) = 'stands_still' then now_ - x.paused_at else interval '0' end
    where workflow_execution_id = execution_id and held_wake_at is not null;
  select array_agg(task_id order by task_id, map_index), array_agg(map_index order by task_id, map_index) into ts, ms
    from dagwright.task_executions where workflow_execution_id = execution_id and ready_at is not null;
  perform dagwright.audit_v1(dagwright.current_tenant(), 'executions.resume', 'executions', execution_id::text,
    jsonb_build_object('status', 'paused'), jsonb_build_object('status', case when x.started_at is null then 'pending' else 'running' end));
  if x.run_at is not null then
    null; -- start_due_v1 wakes it.
  elsif x.started_at is null or x.open_tasks = 0 then
    perform dagwright.add_jobs_v1(array[json_build_object('e', execution_id)], x.priority);
  elsif ts is not null then
    perform dagwright.enqueue_v1(execution_id, ts, ms, slots, x.priority);
  end if;
  return case when x.started_at is null then 'pending' else 'running' end;
end $$;

-- src/db/functions/settle-children.sql
-- Chapters of settle_v1 (settle.sql) about what a lane goes on with. Each is called once per execution that has any, under that
-- one's planner settings.

-- Counts the edges of settled tasks down, and wakes the children whose last edge this was (S3, S4). kind: claim (i: the lane,
-- or -1 for a pure task beyond them) or ready.
create or replace function dagwright.wake_children_v1(worker uuid, execution_id uuid, edges jsonb, settled int[], lanes int[], extra int,
  now_ timestamptz)
returns table (kind text, i int, t text, fence bigint, attempt int, recoveries int)
language plpgsql as $$
declare
  child record;
  lane int;
  is_woken boolean;
begin
  for child in
    select edge.t, count(*)::int as ended, (sum((edge.k = 1)::int) > 0) as ok, (sum((edge.k = 2)::int) > 0) as bad, bool_or(edge.pure) as pure
    from jsonb_to_recordset(edges) as edge(i int, t text, k int, pure boolean) where edge.i = any(settled) group by edge.t
  loop
    t := child.t;
    lane := lanes[1];
    if lane is null and child.pure and extra > 0 then lane := -1; end if;
    if lane is not null then
      update dagwright.task_executions c set pending_edges = c.pending_edges - child.ended, status = 'running',
        fence = c.fence + 1, attempt_number = c.attempt_number + 1, worker_id = worker, started_at = now_, queued_ms = 0
      where c.workflow_execution_id = execution_id and c.task_id = child.t and c.map_index = -1 and c.status = 'pending' and c.ready_at is null
        and (c.pending_edges <= child.ended or (child.ok and c.early & 1 > 0) or (child.bad and c.early & 2 > 0))
      returning c.fence, c.attempt_number, c.recoveries into fence, attempt, recoveries;
      if found then
        kind := 'claim'; i := lane; return next;
        if lane = -1 then extra := extra - 1; else lanes := lanes[2:]; end if;
        continue;
      end if;
    end if;
    update dagwright.task_executions c set pending_edges = c.pending_edges - child.ended,
      ready_at = case when c.status = 'pending' and c.ready_at is null and (c.pending_edges <= child.ended
        or (child.ok and c.early & 1 > 0) or (child.bad and c.early & 2 > 0)) then now_ else c.ready_at end
    where c.workflow_execution_id = execution_id and c.task_id = child.t and c.map_index = -1
      and c.status in ('pending', 'running', 'waiting', 'retrying')
    returning c.ready_at = now_ into is_woken;
    if is_woken then kind := 'ready'; return next; end if;
  end loop;
end $$;

-- Claims for each of these lanes the first task of its own list that is ready. settles: those of the execution.
create or replace function dagwright.claim_listed_v1(worker uuid, execution_id uuid, settles jsonb, lanes int[], now_ timestamptz)
returns table (i int, t text, m int, fence bigint, attempt int, recoveries int, phase text)
language plpgsql as $$
declare
  max_recoveries constant int := 3;
  suspect_recoveries constant int := 2;
  settle record;
  listed record;
begin
  for settle in select s.i, s.next from jsonb_to_recordset(settles) as s(i int, next jsonb) where s.i = any(lanes) and s.next is not null loop
    for listed in select o.value->>0 as t, (o.value->>1)::int as m from jsonb_array_elements(settle.next) o loop
      update dagwright.task_executions u set status = 'running', fence = u.fence + 1, worker_id = worker, ready_at = null,
        attempt_number = u.attempt_number + (u.status <> 'waiting' and u.recoveries <= max_recoveries)::int,
        started_at = case when u.recoveries < suspect_recoveries then now_ end,
        queued_ms = coalesce(u.queued_ms, 0) + (extract(epoch from now_ - u.ready_at) * 1000)::bigint
      where u.workflow_execution_id = execution_id and u.task_id = listed.t and u.map_index = listed.m
        and coalesce(isfinite(u.ready_at), false) and u.status in ('pending', 'retrying', 'waiting')
      returning u.fence, u.attempt_number, u.recoveries, u.waiting_on into fence, attempt, recoveries, phase;
      if found then
        i := settle.i; t := listed.t; m := listed.m; return next;
        exit;
      end if;
    end loop;
  end loop;
end $$;

-- src/db/functions/settle-closure.sql
-- Chapters of settle_v1 (settle.sql) about what follows from an end far away, computed under the execution's lock
-- (engine/settle/closure.ts). Each is called once per execution, under that one's planner settings.

-- Writes the ends that are already determined, as one set, and those of the items of open fan-outs among them. They get the
-- numbers from seq on. closed: how many fewer tasks are open.
create or replace function dagwright.end_further_v1(execution_id uuid, tenant uuid, further jsonb, now_ timestamptz, seq bigint,
  out closed int, out failures int, out next_seq bigint)
language plpgsql as $$
declare
  fan_out record;
  items record;
begin
  update dagwright.task_executions u set status = further_end."to", reason = coalesce(further_end.r, u.reason), fence = u.fence + 1,
    ready_at = null, wake_at = null, held_wake_at = null, waiting_on = null, completed_at = now_, completed_seq = seq + further_end.place
  from (select o.ordinality as place, o.value->>'t' as t, (o.value->>'to')::dagwright.task_status as "to", (o.value->>'r')::dagwright.skip_reason as r
        from jsonb_array_elements(further) with ordinality o) further_end
  where u.workflow_execution_id = execution_id and u.task_id = further_end.t and u.map_index = -1
    and u.status in ('pending', 'running', 'waiting', 'retrying');
  get diagnostics closed = row_count;
  failures := (select count(*) from jsonb_array_elements(further) o where o.value->>'to' = 'failed');
  next_seq := seq + jsonb_array_length(further) + 1;
  for fan_out in select o.value->>'t' as t, coalesce((o.value->>'run')::boolean, false) as cancels
                 from jsonb_array_elements(further) o where o.value->>'items' is not null loop
    select * into items from dagwright.abandon_items_v1(execution_id, tenant, fan_out.t, fan_out.cancels, now_, next_seq);
    closed := closed - items.still_running;
    next_seq := items.next_seq;
  end loop;
end $$;

-- Makes ready the tasks whose wait winds down, so that each tells what it waits for; returned are those that were not ready.
create or replace function dagwright.wind_down_v1(execution_id uuid, tasks text[], now_ timestamptz)
returns text[] language sql as $$
  with woken as (
    update dagwright.task_executions u set ready_at = now_, wake_at = null, held_wake_at = null
    where u.workflow_execution_id = execution_id and u.task_id = any(tasks) and u.map_index = -1 and u.status = 'waiting' and u.ready_at is null
    returning u.task_id)
  select coalesce(array_agg(task_id), '{}') from woken
$$;

-- src/db/functions/settle-completed.sql
-- Settles completions whose edges all succeed, the common case, set-based over all executions of the batch. Keeps S1 to S5 of
-- settle.sql. A fast path: what it does not know is not sent to it (db/protocol/settle.ts), and it does not learn more.
-- ids: the executions; s: completions, d: edges, by keys that db/protocol/settle-keys.ts declares; lanes: ordinals that want to
-- go on; extra: pure tasks that may be claimed beyond them. Result rows: at (the database's time) | lost | claim | drained |
-- finished (i: place in ids).
create or replace function dagwright.settle_completed_v1(w uuid, slots int, ids uuid[], s jsonb, d jsonb, lanes int[], extra int)
returns table (kind text, i int, t text, m int, fence bigint, attempt int, recoveries int, phase text, at float8)
language plpgsql
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set plan_cache_mode = force_generic_plan as $$
declare
  max_recoveries constant int := 3;
  suspect_recoveries constant int := 2;
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
      attempt_number = u.attempt_number + (u.status <> 'waiting' and u.recoveries <= max_recoveries)::int,
      started_at = case when u.recoveries < suspect_recoveries then now_ end,
      queued_ms = coalesce(u.queued_ms, 0) + (extract(epoch from now_ - u.ready_at) * 1000)::bigint
    from jsonb_to_recordset(s) as q(i int, x int, nt text, nm int)
    cross join lateral (select h.ctid as tid from dagwright.task_executions h where h.workflow_execution_id = ids[q.x]
      and h.task_id = q.nt and h.map_index = q.nm and coalesce(isfinite(h.ready_at), false) and h.status in ('pending', 'retrying', 'waiting') offset 0) l
    where running[q.x] and q.nt is not null and q.i = any(found_) and q.i = any(lanes) and not q.i = any(used) and u.ctid = l.tid
    returning q.i, u.task_id, u.map_index, u.fence, u.attempt_number, u.recoveries, u.waiting_on::text
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

-- src/db/functions/settle-fan-out.sql
-- Chapters of settle_v1 (settle.sql) about fan-outs, each called once in the life of one, under that one's planner settings.

-- A fan-out opens: the rows of the first items of its window; so many of them run on this worker, the rest are ready.
create or replace function dagwright.open_items_v1(worker uuid, execution_id uuid, tenant uuid, task text, types jsonb, stays boolean,
  issued int, claimed int, now_ timestamptz)
returns void language sql as $$
  insert into dagwright.task_executions (workflow_execution_id, task_id, map_index, tenant_id, task_type,
    stays_after_failure, status, fence, attempt_number, worker_id, started_at, queued_ms, ready_at)
  select execution_id, task, item, tenant, coalesce(types->>item, types->>0), stays,
    case when item < claimed then 'running'::dagwright.task_status else 'pending' end, (item < claimed)::int, (item < claimed)::int,
    case when item < claimed then worker end, case when item < claimed then now_ end, case when item < claimed then 0 end,
    case when item >= claimed then now_ end
  from generate_series(0, issued - 1) item
$$;

-- A fan-out can be collected: its open items are cancelled, those that were never issued get rows, and the task itself goes on
-- as running for a lane, or as ready. Ends get the numbers from seq on.
create or replace function dagwright.collect_items_v1(worker uuid, execution_id uuid, tenant uuid, task text, issued int, total int,
  has_lane boolean, now_ timestamptz, seq bigint, out fence bigint, out attempt int, out recoveries int, out phase text)
language plpgsql as $$
declare
  suspect_recoveries constant int := 2;
begin
  update dagwright.task_executions u set status = 'cancelled', fence = u.fence + 1, ready_at = null, wake_at = null,
    waiting_on = null, completed_at = now_, completed_seq = seq + u.map_index
  where u.workflow_execution_id = execution_id and u.task_id = task and u.map_index >= 0
    and u.status in ('pending', 'running', 'waiting', 'retrying');
  insert into dagwright.task_executions (workflow_execution_id, task_id, map_index, tenant_id, task_type, status, completed_at, completed_seq)
  select execution_id, task, item, tenant, coalesce(u.items->'types'->>item, u.items->'types'->>0, u.task_type), 'cancelled', now_, seq + item
  from dagwright.task_executions u, generate_series(issued, total - 1) item
  where u.workflow_execution_id = execution_id and u.task_id = task and u.map_index = -1 and issued < total;
  update dagwright.task_executions u set
    status = case when has_lane then 'running'::dagwright.task_status else 'waiting' end, fence = u.fence + has_lane::int,
    items_issued = u.items_total,
    worker_id = case when has_lane then worker else u.worker_id end,
    started_at = case when not has_lane then u.started_at when u.recoveries < suspect_recoveries then now_ end,
    ready_at = case when not has_lane then now_ end
  where u.workflow_execution_id = execution_id and u.task_id = task and u.map_index = -1
  returning u.fence, u.attempt_number, u.recoveries, u.waiting_on into fence, attempt, recoveries, phase;
end $$;

-- A fan-out was ended with its execution's failure: no more items; what runs ends on its own, or (cancels) is cancelled. Ends get
-- the numbers from seq on; returned is the number after them, and how many items still run: each keeps the execution open.
create or replace function dagwright.abandon_items_v1(execution_id uuid, tenant uuid, task text, cancels boolean, now_ timestamptz,
  seq bigint, out next_seq bigint, out still_running int)
language plpgsql as $$
begin
  update dagwright.task_executions u set
    status = case when u.status = 'pending' then 'skipped'::dagwright.task_status else 'cancelled' end,
    reason = case when u.status = 'pending' then 'execution_failed' else u.reason end,
    fence = u.fence + 1, ready_at = null, wake_at = null, held_wake_at = null, waiting_on = null, completed_at = now_, completed_seq = seq + u.map_index
  where u.workflow_execution_id = execution_id and u.task_id = task and u.map_index >= 0
    and (u.status in ('pending', 'waiting', 'retrying') or (cancels and u.status = 'running'));
  select count(*) into still_running from dagwright.task_executions u
    where u.workflow_execution_id = execution_id and u.task_id = task and u.map_index >= 0 and u.status = 'running';
  insert into dagwright.task_executions (workflow_execution_id, task_id, map_index, tenant_id, task_type, status, reason, completed_at, completed_seq)
  select execution_id, task, item, tenant, coalesce(u.items->'types'->>item, u.items->'types'->>0, u.task_type), 'skipped', 'execution_failed', now_, seq + item
  from dagwright.task_executions u, generate_series(u.items_issued, u.items_total - 1) item
  where u.workflow_execution_id = execution_id and u.task_id = task and u.map_index = -1;
  select seq + coalesce(u.items_total, 0) into next_seq from dagwright.task_executions u
    where u.workflow_execution_id = execution_id and u.task_id = task and u.map_index = -1;
end $$;

-- src/db/functions/settle-one.sql
-- One completion with at most one child, alone in its batch: the step of a sequential run, with as few statements as it takes.
-- Keeps S1 to S5 of settle.sql; a fast path, as settle_completed_v1 is. The execution's counters are written first (its lock), and taken back where the settle is lost.
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
-- Settles attempts and goes on: the general way, which takes whatever settle_completed_v1 and settle_one_v1 refuse.
-- p is { w, slots, x }, with one element of x per execution; all keys are declared in db/protocol/settle-keys.ts.
-- Result rows, `kind`: settled | lost (fence: what the row has now, phase: its status) | failing (a retry or a wait that the
-- failure policy refuses: settle again as failed or cancelled) | claim (i: the lane, or -1 for an extra) | drained (all tasks
-- ended; conclude it) | finished.
--   S1  A settle that names an old fence changes nothing and is reported as lost.
--   S2  Edges, money and items follow only from a settle that was found.
--   S3  A child is woken by exactly one settle: the one that takes pending_edges to 0 (or first meets its early rule).
--   S4  A woken child leaves as running for exactly one lane, or as ready with a job, in the same commit.
--   S5  Each end in an execution has a number of its own (completed_seq), higher than those of all commits before.
-- Chapters that are called once per execution or once per fan-out are functions of their own (settle-children.sql,
-- settle-closure.sql, settle-fan-out.sql). What is done per settle stands here: a call costs 6 µs, a twentieth of an item's settle.
create or replace function dagwright.settle_v1(p jsonb)
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
      from dagwright.workflow_executions o where o.id = batch.e for no key update;
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
        where u.workflow_execution_id = batch.e and u.task_id = settle.t and u.map_index = settle.m and exists (
          select from dagwright.task_callbacks c where c.workflow_execution_id = batch.e and c.task_id = settle.t and c.map_index = settle.m
            and c.waiting_on = settle.wo and c.completed_at is not null);
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

-- src/db/functions/take-over.sql
-- Takes over what dead workers ran, and forgets them. Dead: its lock is free and two beats were missed, or no beat for
-- its lease; both count from the server's start, so that an outage is no death. The sweeper must itself have been
-- beating as long as the rule that it applies, for the same reason. At most `most` tasks a pass; locked executions wait.
create or replace function dagwright.take_over_v1(sweeper uuid, slots int, most int) returns int
language plpgsql set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
declare
  max_recoveries constant int := 3;
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
      -- The attempt that died is kept; more of them than it may have, and the task is not tried again (its next claim fails it).
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
          attempt_number = t.attempt_number - (t.started_at is null and t.waiting_on is null and t.recoveries <= max_recoveries)::int
            + (t.started_at is not null and t.waiting_on is not null and t.recoveries < max_recoveries)::int
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
