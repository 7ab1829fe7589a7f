-- Chapters of settle_v2 (settle.sql) about fan-outs, each called once in the life of one, under that one's planner settings.

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

-- A fan-out can be collected: its open items are cancelled, those that were never issued get rows (not of a loop), and the task itself goes on
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
  if found then perform dagwright.close_reviews_v1(execution_id, now_); end if;
  insert into dagwright.task_executions (workflow_execution_id, task_id, map_index, tenant_id, task_type, status, completed_at, completed_seq)
  select execution_id, task, item, tenant, coalesce(u.items->'types'->>item, u.items->'types'->>0, u.task_type), 'cancelled', now_, seq + item
  from dagwright.task_executions u, generate_series(issued, total - 1) item
  where u.workflow_execution_id = execution_id and u.task_id = task and u.map_index = -1 and issued < total
    and u.items->'rounds' is null;
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
  if found then perform dagwright.close_reviews_v1(execution_id, now_); end if;
  select count(*) into still_running from dagwright.task_executions u
    where u.workflow_execution_id = execution_id and u.task_id = task and u.map_index >= 0 and u.status = 'running';
  insert into dagwright.task_executions (workflow_execution_id, task_id, map_index, tenant_id, task_type, status, reason, completed_at, completed_seq)
  select execution_id, task, item, tenant, coalesce(u.items->'types'->>item, u.items->'types'->>0, u.task_type), 'skipped', 'execution_failed', now_, seq + item
  from dagwright.task_executions u, generate_series(u.items_issued, u.items_total - 1) item
  where u.workflow_execution_id = execution_id and u.task_id = task and u.map_index = -1 and u.items->'rounds' is null;
  select seq + coalesce(u.items_total, 0) into next_seq from dagwright.task_executions u
    where u.workflow_execution_id = execution_id and u.task_id = task and u.map_index = -1;
end $$;
