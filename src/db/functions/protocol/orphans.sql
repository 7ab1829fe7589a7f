-- (execution, task, index) that a queued or running job would wake; task null: the job opens the execution.
create or replace function dagwright.jobs_v1() returns table (execution_id uuid, task_id text, map_index int)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select (j.payload->>'e')::uuid, l.value->>0, (l.value->>1)::int
  from graphile_worker._private_jobs j join graphile_worker._private_tasks k on k.id = j.task_id
  left join lateral json_array_elements(j.payload->'t') l on true
  where k.identifier ~ '^dagwright(:|$)' and j.attempts < j.max_attempts
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
      or (t.status = 'waiting' and dagwright.wait_ends_by_v1(t.waiting_on) = 'decision' and exists (select from dagwright.human_tasks h
        where h.workflow_execution_id = t.workflow_execution_id and h.task_id = t.task_id and h.map_index = t.map_index and h.status = 'open'))
      -- Resume wakes what is ready or has a time.
      or (o.status = 'paused' and (t.ready_at is not null or t.held_wake_at is not null))
      or (t.status = 'waiting' and dagwright.wait_ends_by_v1(t.waiting_on) = 'parts' and t.items_open > 0));
grant select on dagwright.v_orphans to dagwright_engine;
