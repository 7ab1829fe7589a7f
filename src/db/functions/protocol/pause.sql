-- Pauses an execution of the current tenant: what runs may end, nothing else begins. The deadline and the time of callbacks stand
-- still; timers that come due meanwhile fire when it is resumed.
-- Returns its status afterwards: 'paused', or the terminal status it has; null where there is none.
--   P1  No claim after the commit: every claim is written under the execution's lock, where it sees the status.
--   P2  No wake-up is lost: what becomes ready or due meanwhile is kept in its row, and resume, under the same lock, wakes it.
create or replace function dagwright.pause_execution(execution_id uuid) returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp set enable_seqscan = off as $$
declare
  now_status text;
begin
  select status into now_status from dagwright.workflow_executions
    where id = execution_id and tenant_id = dagwright.current_tenant() for no key update;
  if now_status in ('pending', 'running') then
    update dagwright.task_executions set held_wake_at = wake_at, wake_at = null
      where workflow_execution_id = execution_id and wake_at is not null and status in ('waiting', 'retrying');
    update dagwright.workflow_executions set status = 'paused', paused_at = clock_timestamp() where id = execution_id;
    perform dagwright.audit_v1(dagwright.current_tenant(), 'executions.pause', 'executions', execution_id::text,
      jsonb_build_object('status', now_status), jsonb_build_object('status', 'paused'));
    now_status := 'paused';
  end if;
  return now_status;
end $$;

-- Lets a paused execution of the current tenant go on. Returns its status afterwards: 'running' (or 'pending', where it had not
-- been opened), or the terminal status it has; null where there is none. One that is not paused stays as it is.
create or replace function dagwright.resume_execution(execution_id uuid) returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp set enable_seqscan = off as $$
declare
  x record;
  now_ timestamptz;
  slots constant int := 32;
  ts text[];
  ms int[];
begin
  select id, status, priority, paused_at, started_at, open_tasks, run_at into x from dagwright.workflow_executions
    where id = execution_id and tenant_id = dagwright.current_tenant() for no key update;
  if not found or x.status <> 'paused' then return x.status; end if;
  now_ := clock_timestamp();
  update dagwright.workflow_executions set paused_at = null, deadline_at = deadline_at + (now_ - x.paused_at),
    status = case when x.started_at is null then 'pending'::dagwright.execution_status else 'running' end
    where id = execution_id;
  update dagwright.task_callbacks set expires_at = expires_at + (now_ - x.paused_at), times_out_at = times_out_at + (now_ - x.paused_at)
    where workflow_execution_id = execution_id and completed_at is null and dagwright.wait_in_pause_v1(waiting_on) = 'stands_still';
  update dagwright.task_executions set held_wake_at = null,
      wake_at = held_wake_at + case when dagwright.wait_in_pause_v1(waiting_on) = 'stands_still' then now_ - x.paused_at else interval '0' end
    where workflow_execution_id = execution_id and held_wake_at is not null;
  select array_agg(task_id order by task_id, map_index), array_agg(map_index order by task_id, map_index) into ts, ms
    from dagwright.task_executions where workflow_execution_id = execution_id and ready_at is not null;
  perform dagwright.audit_v1(dagwright.current_tenant(), 'executions.resume', 'executions', execution_id::text,
    jsonb_build_object('status', 'paused'), jsonb_build_object('status', case when x.started_at is null then 'pending' else 'running' end));
  if x.run_at is not null then
    null; -- start_due_v1 wakes it.
  elsif x.started_at is null or x.open_tasks = 0 then
    perform dagwright.enqueue_execution_v1(execution_id);
  elsif ts is not null then
    perform dagwright.enqueue_v1(execution_id, ts, ms, slots, x.priority);
  end if;
  return case when x.started_at is null then 'pending' else 'running' end;
end $$;
