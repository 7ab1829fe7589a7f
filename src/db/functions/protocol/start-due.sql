-- Hands executions whose runAt has come to the queue, at most `most`, and as many of those that were held; locked ones wait for the
-- next pass.
--   D1  What comes due while its tenant is suspended is held: it leaves the index of what is due, so that no later pass reads it again,
--       and what came due after it for other tenants is not behind it.
--   D2  Held ones are found by tenant, one look at the index for each tenant that has some, and start when that tenant is active
--       again. Every pass asks, so nobody has to tell, and a status that changes beside a pass is seen by the next.
-- `coalesce(status = 'pending', false)` leads the planner to no index of what is open: those of times are the ones.
create or replace function dagwright.start_due_v1(most int) returns int
language plpgsql set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set plan_cache_mode = force_generic_plan as $$
declare
  now_ constant timestamptz := clock_timestamp();
  x record;
  n int := 0;
  held int;
begin
  -- D1. A pass goes on past what it held, but not without end.
  for round in 1..16 loop
    held := 0;
    for x in
      with due as materialized (
        select o.id, t.status = 'active' as may_start from (
            select id, tenant_id from dagwright.workflow_executions
            where run_at <= now_ and run_at is not null and not is_held and coalesce(status = 'pending', false)
            order by run_at limit most - n for no key update skip locked) o
          cross join lateral (select status from dagwright.tenants where id = o.tenant_id offset 0) t),
      held as (
        update dagwright.workflow_executions o set is_held = true from due where o.id = due.id and not due.may_start returning o.id),
      woken as (
        update dagwright.workflow_executions o set run_at = null from due where o.id = due.id and due.may_start
          returning o.id, o.priority, o.tenant_id, o.version_id)
      select w.priority, t.max_running_tasks is not null as waits_for_permits,
        array_agg(json_build_object('e', w.id, 'o', w.tenant_id, 'v', w.version_id)) as payloads, count(*) as k
      from woken w cross join lateral (select max_running_tasks from dagwright.tenants where id = w.tenant_id offset 0) t group by 1, 2
      union all select null, null, null, count(*) from held
    loop
      if x.payloads is null then
        held := x.k;
      else
        perform dagwright.add_openings_v1(x.payloads, x.priority, x.waits_for_permits);
        n := n + x.k;
      end if;
    end loop;
    exit when held = 0 or n >= most;
  end loop;
  -- D2.
  for x in
    with recursive holding as (
      (select tenant_id from dagwright.workflow_executions where is_held and run_at is not null order by tenant_id, run_at limit 1)
      union all
      select (select o.tenant_id from dagwright.workflow_executions o where o.is_held and o.run_at is not null and o.tenant_id > h.tenant_id
        order by o.tenant_id, o.run_at limit 1) from holding h where h.tenant_id is not null),
    free as materialized (
      select o.id from holding h
      cross join lateral (select status from dagwright.tenants where id = h.tenant_id offset 0) t
      cross join lateral (select e.id from dagwright.workflow_executions e
        where e.tenant_id = h.tenant_id and e.is_held and e.run_at is not null and coalesce(e.status = 'pending', false)
        order by e.run_at limit most for no key update skip locked) o
      where t.status = 'active' limit most),
    woken as (
      update dagwright.workflow_executions o set run_at = null, is_held = false from free where o.id = free.id
      returning o.id, o.priority, o.tenant_id, o.version_id)
    select w.priority, t.max_running_tasks is not null as waits_for_permits,
      array_agg(json_build_object('e', w.id, 'o', w.tenant_id, 'v', w.version_id)) as payloads, count(*) as k
    from woken w cross join lateral (select max_running_tasks from dagwright.tenants where id = w.tenant_id offset 0) t group by 1, 2
  loop
    perform dagwright.add_openings_v1(x.payloads, x.priority, x.waits_for_permits);
    n := n + x.k;
  end loop;
  return n;
end $$;
