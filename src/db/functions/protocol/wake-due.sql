-- Makes ready what a timer was set for, at most `most` tasks; executions that are locked wait for the next pass.
-- Due tasks are found by the index of timers alone, whatever else their executions hold.
create or replace function dagwright.wake_due_v1(slots int, most int) returns int
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
