-- Deletes what the service keeps for a time only, at most `most` rows of each table in one commit: first answers to repeated
-- requests after 24 hours, signals after 30 days, outputs of tasks with a cache that have expired; with `days` > 0 also ticks, webhook
-- events and processed events that are older than that. The ticks of a schedule's last execution stay: overlap is judged by them.
-- Returns the deleted rows by table.
create or replace function dagwright.housekeeping_v1(days float8, most int) returns jsonb
language plpgsql set enable_seqscan = off as $$
declare
  now_ constant timestamptz := clock_timestamp();
  cutoff constant timestamptz := now_ - days * interval '1 day';
  before constant uuid := dagwright.first_id_v1(cutoff);
  answers bigint;
  outputs bigint;
  ticks bigint := 0;
  deliveries bigint := 0;
  occurrences bigint := 0;
  signals bigint := 0;
begin
  if not pg_try_advisory_xact_lock(1148, 1) then return '{}'; end if;
  delete from dagwright.idempotent_requests where ctid = any(array(
    select ctid from dagwright.idempotent_requests where created_at < now_ - interval '24 hours' limit most));
  get diagnostics answers = row_count;
  delete from dagwright.execution_signals where ctid = any(array(
    select s.ctid from dagwright.execution_signals s where s.created_at < now_ - interval '30 days' order by s.created_at limit most));
  get diagnostics signals = row_count;
  delete from dagwright.task_cache where ctid = any(array(
    select ctid from dagwright.task_cache where expires_at < now_ order by expires_at limit most));
  get diagnostics outputs = row_count;
  if days > 0 then
    delete from dagwright.schedule_ticks where ctid = any(array(
      select t.ctid from dagwright.schedules s
      cross join lateral (select k.ctid, k.status, k.workflow_execution_id, k.decided_at from dagwright.schedule_ticks k
        where k.tenant_id = s.tenant_id and k.schedule_id = s.id and k.scheduled_at < cutoff order by k.scheduled_at limit most) t
      where t.status <> 'buffered' and t.decided_at < cutoff and not exists (select from dagwright.workflow_executions o
        where o.id = t.workflow_execution_id and o.status in ('pending', 'running', 'paused'))
      limit most));
    get diagnostics ticks = row_count;
    delete from dagwright.webhook_events where ctid = any(array(
      select e.ctid from dagwright.webhooks w
      cross join lateral (select v.ctid from dagwright.webhook_events v
        where v.tenant_id = w.tenant_id and v.webhook_id = w.id and v.id < before order by v.id limit most) e
      limit most));
    get diagnostics deliveries = row_count;
    delete from dagwright.events where ctid = any(array(
      select ctid from dagwright.events where id < before and processed_at < cutoff order by id limit most));
    get diagnostics occurrences = row_count;
  end if;
  return (select coalesce(jsonb_object_agg(t.name, t.n), '{}') from (values ('idempotent_requests', answers), ('task_cache', outputs), ('schedule_ticks', ticks),
    ('webhook_events', deliveries), ('events', occurrences),
    ('execution_signals', signals)) t(name, n) where t.n > 0);
end $$;
