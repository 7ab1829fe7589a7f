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

-- What nothing has taken of the names that a task waits for, in the order of arrival, from the position after `after` on: at most `most`
-- signals of 4 MB together, or one. Without with_judged those alone that are not judged.
create or replace function dagwright.stored_signals_v1(x uuid, task text, idx int, after bigint, with_judged boolean, most int)
returns table (place float8, title text, body jsonb, to_all boolean, was_judged boolean)
language plpgsql set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
begin
  return query
    select s.position::float8, s.name, s.payload, s.broadcast, s.is_judged from (
      select f.*, sum(octet_length(f.payload::text)) over (order by f.position) - octet_length(f.payload::text) as bytes_before from (
        select k.* from dagwright.signal_waits w join dagwright.execution_signals k
            on k.workflow_execution_id = x and k.name = w.name and k.taken_at is null
          where w.workflow_execution_id = x and w.task_id = task and w.map_index = idx and k.position > after
            and (with_judged or not k.is_judged)
          order by k.position limit most) f) s
    where coalesce(s.bytes_before, 0) < 4000000 order by s.position;
end $$;

-- Waits for a name that can take a signal, the oldest first, after the given one: read by the key, a page at a time, however many there are.
create or replace function dagwright.open_waits_v1(x uuid, title text, after_at timestamptz, after_task text, after_idx int, most int)
returns table (task text, idx int, since text, reads jsonb)
language plpgsql set enable_seqscan = off set enable_sort = off set plan_cache_mode = force_generic_plan as $$
begin
  return query
    select w.task_id, w.map_index, to_char(w.opened_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), w.condition_reads
    from dagwright.signal_waits w
    where w.workflow_execution_id = x and w.name = title and (w.opened_at, w.task_id, w.map_index) > (after_at, after_task, after_idx)
      and dagwright.takes_signal_v1(x, w.task_id, w.map_index)
    order by w.opened_at, w.task_id, w.map_index limit most;
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
