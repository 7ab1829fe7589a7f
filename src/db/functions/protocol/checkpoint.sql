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
