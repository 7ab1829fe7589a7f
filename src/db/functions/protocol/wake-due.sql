-- Makes ready what a timer was set for, at most `most` tasks. Due tasks are found by the index of timers alone, whatever else their
-- executions hold.
--   W1  An execution that somebody has locked waits for the next pass. Its timers are looked past, however many are due, so that
--       those of others are not behind them.
create or replace function dagwright.wake_due_v1(slots int, most int) returns int
language plpgsql
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set plan_cache_mode = force_generic_plan as $$
declare
  x record;
  n int := 0;
  page int;
  now_ timestamptz := clock_timestamp();
  due_x uuid[];
  due_t text[];
  due_m int[];
  seen uuid[] := '{}';   -- executions that this call has been at
  ts text[];
  ms int[];
begin
  for round in 1..16 loop
    page := most - n;
    select array_agg(due.e), array_agg(due.t), array_agg(due.m) into due_x, due_t, due_m from (
      select workflow_execution_id as e, task_id as t, map_index as m from dagwright.task_executions
      where wake_at <= now_ and not workflow_execution_id = any(seen) order by wake_at limit page) due;
    exit when due_x is null;
    for x in
      select o.id, o.priority from dagwright.workflow_executions o where o.id = any(due_x) and o.status = 'running'
      order by o.id for no key update skip locked
    loop
      with woken as (
        update dagwright.task_executions u set wake_at = null, ready_at = now_
        from unnest(due_x, due_t, due_m) as y(e, t, m)
        where y.e = x.id and u.workflow_execution_id = x.id and u.task_id = y.t and u.map_index = y.m
          and u.wake_at <= now_ and u.status in ('waiting', 'retrying')
        returning u.task_id, u.map_index)
      select array_agg(task_id), array_agg(map_index) into ts, ms from woken;
      if ts is not null then
        perform dagwright.enqueue_v1(x.id, ts, ms, slots, x.priority);
        n := n + cardinality(ts);
      end if;
    end loop;
    exit when cardinality(due_x) < page or n >= most;
    seen := seen || array(select distinct e from unnest(due_x) as y(e));
  end loop;
  return n;
end $$;
