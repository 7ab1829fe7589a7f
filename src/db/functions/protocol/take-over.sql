-- Takes over what dead workers ran, and forgets them. Dead: its lock is free and two beats were missed, or no beat for
-- its lease; both count from the server's start, so that an outage is no death. The sweeper must itself have been
-- beating as long as the rule that it applies, for the same reason. At most `most` executions of one a
-- pass; those that somebody has locked wait for another, and the others are not behind them.
create or replace function dagwright.take_over_v1(sweeper uuid, slots int, most int) returns int
language plpgsql set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
declare
  max_recoveries constant int := 3;
  now_ timestamptz := clock_timestamp();
  up constant timestamptz := pg_postmaster_start_time();
  mine record;
  dead record;
  x record;
  total int := 0;
  ts text[];
  ms int[];
begin
  select greatest(beating_since, up) as since into mine from dagwright.workers
    where id = sweeper and heartbeat_at > now_ - interval '7 seconds';
  if not found then return 0; end if;
  for dead in
    select w.id from dagwright.workers w
    where w.id <> sweeper and greatest(w.heartbeat_at, up) < now_ - interval '7 seconds' and (
      (mine.since < now_ - interval '7 seconds'
        and not exists (select from pg_locks k where k.locktype = 'advisory' and k.database = (select oid from pg_database where datname = current_database())
          and k.classid = 1147 and k.objid = w.lock_key::oid and k.granted))
      or (greatest(w.heartbeat_at, up) < now_ - w.lease_seconds * interval '1 second'
        and mine.since < now_ - w.lease_seconds * interval '1 second'))
    for update skip locked
  loop
    for x in
      select o.id, o.priority, o.status, o.tenant_id from dagwright.workflow_executions o
      where o.status in ('running', 'paused') and exists (select from dagwright.task_executions t
        where t.workflow_execution_id = o.id and t.status = 'running' and t.worker_id = dead.id)
      order by o.id limit most for no key update of o skip locked
    loop
      -- The attempt that died is kept; more of them than it may have, and the task is not tried again (its next claim fails it).
      -- What had not been entered yet is given back as if it had not been claimed.
      insert into dagwright.task_attempts (workflow_execution_id, task_id, map_index, attempt_number, fence, tenant_id, worker_id, error, started_at, completed_at)
      select x.id, t.task_id, t.map_index, t.attempt_number, t.fence, x.tenant_id, dead.id,
        jsonb_build_object('code', 'worker_lost', 'message', 'the worker that ran this attempt died'), t.started_at, now_
      from dagwright.task_executions t
      where t.workflow_execution_id = x.id and t.status = 'running' and t.worker_id = dead.id and t.started_at is not null;
      with taken as (
        update dagwright.task_executions t set
          status = case when t.waiting_on is null then 'pending'::dagwright.task_status else 'waiting' end,
          fence = t.fence + 1, recoveries = t.recoveries + (t.started_at is not null)::int, ready_at = now_,
          -- A claim from waiting does not count an attempt; the one that a crash took is counted here.
          attempt_number = t.attempt_number - (t.started_at is null and t.waiting_on is null and t.recoveries <= max_recoveries)::int
            + (t.started_at is not null and t.waiting_on is not null and t.recoveries < max_recoveries)::int
        where t.workflow_execution_id = x.id and t.status = 'running' and t.worker_id = dead.id
        returning t.task_id, t.map_index)
      select array_agg(task_id), array_agg(map_index) into ts, ms from taken;
      if ts is not null then
        perform dagwright.enqueue_v1(x.id, ts, ms, slots, x.priority);
        insert into dagwright.execution_logs (id, tenant_id, workflow_execution_id, task_id, map_index, at, level, message, fields)
        select dagwright.uuid_v7(), x.tenant_id, x.id, l.task_id, nullif(l.map_index, -1), now_, 'warn',
          'the worker that held this task died: it is taken over', jsonb_build_object('workerId', dead.id)
        from unnest(ts, ms) as l(task_id, map_index);
        total := total + cardinality(ts);
      end if;
    end loop;
    for x in select o.id from dagwright.workflow_executions o
             where o.status = 'running' and o.open_tasks = 0 and o.concluded_by = dead.id for no key update skip locked loop
      update dagwright.workflow_executions set concluded_by = sweeper where id = x.id;
      perform dagwright.enqueue_execution_v1(x.id);
    end loop;
    if not exists (select from dagwright.workflow_executions o join dagwright.task_executions t
        on t.workflow_execution_id = o.id where o.status in ('running', 'paused') and t.status = 'running' and t.worker_id = dead.id)
      and not exists (select from dagwright.workflow_executions o where o.status = 'running' and o.open_tasks = 0 and o.concluded_by = dead.id) then
      delete from dagwright.workers where id = dead.id;
      perform dagwright.unlock_lost_pools_v1();
    end if;
  end loop;
  return total;
end $$;
