-- One completion with at most one child, alone in its batch: the step of a sequential run, with as few statements as it takes.
-- Keeps S1 to S5 of settle.sql; a fast path, as settle_completed_v2 is. The execution's counters are written first (its lock), and taken back where the settle is lost.
create or replace function dagwright.settle_one_v1(w uuid, e uuid, task text, f bigint, dur bigint, result jsonb, inp jsonb, cost numeric, use jsonb,
  child text, wants boolean, fin jsonb, out outcome text, out fence bigint, out attempt int, out recoveries int, out phase text,
  out claimed boolean, out ended text, out at float8)
language plpgsql set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
declare
  now_ timestamptz;
  x record;
  c record;
begin
  update dagwright.workflow_executions o set open_tasks = o.open_tasks - 1, next_seq = o.next_seq + 1,
    actual_cost_usd = o.actual_cost_usd + coalesce(cost, 0) where o.id = e
  returning o.open_tasks, o.failed_tasks, o.next_seq, o.status, o.priority, o.started_at into x;
  now_ := clock_timestamp();
  at := extract(epoch from now_) * 1000;
  update dagwright.task_executions u set status = 'completed', output = result, input = coalesce(inp, u.input), error = null,
    resource_usage = coalesce(use, u.resource_usage), cost_usd = u.cost_usd + coalesce(cost, 0), duration_ms = coalesce(u.duration_ms, 0) + dur,
    waiting_on = null, completed_at = now_, completed_seq = x.next_seq - 1
  where u.workflow_execution_id = e and u.task_id = task and u.map_index = -1 and u.status = 'running' and u.fence = f;
  if not found then
    update dagwright.workflow_executions o set open_tasks = o.open_tasks + 1, next_seq = o.next_seq - 1,
      actual_cost_usd = o.actual_cost_usd - coalesce(cost, 0) where o.id = e;
    outcome := 'lost';
    select u.fence, u.status into fence, phase from dagwright.task_executions u
      where u.workflow_execution_id = e and u.task_id = task and u.map_index = -1;
    return;
  end if;
  outcome := 'settled';
  if child is not null then
    update dagwright.task_executions u set pending_edges = u.pending_edges - 1, status = 'running', fence = u.fence + 1,
      attempt_number = u.attempt_number + 1, worker_id = w, started_at = now_, queued_ms = 0
    where wants and x.status = 'running' and u.workflow_execution_id = e and u.task_id = child and u.map_index = -1 and u.status = 'pending'
      and not coalesce(isfinite(u.ready_at), false) and (u.pending_edges <= 1 or u.early & 1 > 0)
    returning u.fence, u.attempt_number, u.recoveries into fence, attempt, recoveries;
    claimed := found;
    if not claimed then
      update dagwright.task_executions u set pending_edges = u.pending_edges - 1,
        ready_at = case when u.status = 'pending' and u.ready_at is null and (u.pending_edges <= 1 or u.early & 1 > 0) then now_ else u.ready_at end
      where u.workflow_execution_id = e and u.task_id = child and u.map_index = -1
        and u.status in ('pending', 'running', 'waiting', 'retrying')
      returning u.ready_at = now_ as woken into c;
      if c.woken and x.status = 'running' then perform dagwright.enqueue_v1(e, array[child], array[-1], 1, x.priority); end if;
    end if;
  end if;
  if x.open_tasks = 0 and x.status = 'running' then
    if fin is not null and x.failed_tasks = 0 then
      ended := 'finished';
      update dagwright.workflow_executions o set status = 'completed', output = fin->'out', completed_at = now_, deadline_at = null,
        duration_ms = (extract(epoch from now_ - x.started_at) * 1000)::bigint where o.id = e;
    else
      ended := 'drained';
      update dagwright.workflow_executions o set concluded_by = w where o.id = e;
    end if;
  end if;
end $$;
