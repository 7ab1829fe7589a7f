-- Ends an execution and all in it at once: cancel, timeout, terminate. The caller holds the execution's lock.
create or replace function dagwright.end_execution_v1(x uuid, to_status dagwright.execution_status, out_ jsonb, err jsonb,
  skip_reason dagwright.skip_reason, at timestamptz)
returns void language plpgsql set plan_cache_mode = force_generic_plan as $$
declare
  seq bigint;
  n bigint;
begin
  select next_seq into seq from dagwright.workflow_executions where id = x;
  -- What has not started is skipped for the reason given (or cancelled); what has, is cancelled under a new fence.
  update dagwright.task_executions t set
    status = case when skip_reason is not null and t.status = 'pending' and t.attempt_number = 0 then 'skipped'::dagwright.task_status else 'cancelled' end,
    reason = case when skip_reason is not null and t.status = 'pending' and t.attempt_number = 0 then skip_reason else t.reason end,
    fence = t.fence + 1, ready_at = null, wake_at = null, held_wake_at = null, waiting_on = null, completed_at = at, completed_seq = seq + o.k
  from (select task_id, map_index, row_number() over () as k from dagwright.task_executions
        where workflow_execution_id = x and status in ('pending', 'running', 'waiting', 'retrying')) o
  where t.workflow_execution_id = x and t.task_id = o.task_id and t.map_index = o.map_index;
  get diagnostics n = row_count;
  -- What came for tasks that will not look at it any more was not redacted.
  update dagwright.task_callbacks set output = null, error = null where workflow_execution_id = x and completed_at is not null;
  update dagwright.human_tasks set status = 'cancelled', decided_at = at where workflow_execution_id = x and status = 'open';
  update dagwright.workflow_executions set status = to_status, output = out_, error = err, open_tasks = 0,
    next_seq = seq + n + 1, completed_at = at, deadline_at = null, run_at = null,
    duration_ms = (extract(epoch from at - coalesce(started_at, created_at)) * 1000)::bigint
  where id = x and status in ('pending', 'running', 'paused');
  if found then
    insert into dagwright.execution_logs (id, tenant_id, workflow_execution_id, at, level, message, fields)
    select dagwright.uuid_v7(), o.tenant_id, x, at, case when to_status = 'failed' then 'error' else 'info' end::dagwright.log_level,
      left(concat_ws(': ', 'the execution was ended as ' || to_status, err->>'code', err->>'message'), 4000), jsonb_build_object('status', to_status)
    from dagwright.workflow_executions o where o.id = x;
  end if;
end $$;
