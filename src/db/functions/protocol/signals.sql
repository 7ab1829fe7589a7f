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
