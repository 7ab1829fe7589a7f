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
