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
