-- Hands executions whose runAt has come to the queue, at most `most`; locked ones wait for the next pass.
create or replace function dagwright.start_due_v1(most int) returns int
language plpgsql set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
declare
  now_ constant timestamptz := clock_timestamp();
  x record;
  n int := 0;
begin
  for x in
    with due as (
      select id from dagwright.workflow_executions where run_at <= now_ and status = 'pending' order by run_at limit most for no key update skip locked),
    woken as (
      update dagwright.workflow_executions o set run_at = null from due where o.id = due.id returning o.id, o.priority)
    select priority, array_agg(json_build_object('e', id)) as payloads, count(*) as k from woken group by priority
  loop
    perform dagwright.add_jobs_v1(x.payloads, x.priority);
    n := n + x.k;
  end loop;
  return n;
end $$;
