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
