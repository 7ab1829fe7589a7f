-- The ledger of schedules. A scheduler reads what is due, decides (core/schedule/decide-ticks.ts) and applies the decision here:
-- one call, one commit, for many schedules.
--   K1  A nominal time gets one row, and its execution starts in the transaction that writes the row: whatever crashes before the
--       commit leaves nothing, and after it everything is done. A call that is sent again finds a higher fence and does nothing.
--   K2  A decision is applied only under the schedule's lock and the fence that it was made under. Every decision and every change
--       of a schedule raises the fence, so two processes, or a process and an edit, cannot both act on what was read.
--   K3  The primary key of schedule_ticks is the guard: only who inserts the row of a nominal time (or turns a missed or buffered one)
--       starts an execution for it.
--   K4  Only the database's clock is asked.
--   K5  What cannot start makes its own tick `missed` with the reason, and touches no other schedule.
--   K6  An execution that is to be cancelled and is held by somebody leaves its schedule to the next pass, and holds up no other.
-- Order of locks: schedules by id (those that are locked are left to the next pass), their ticks, new executions, the executions to
-- cancel by id. Editing, pausing, deleting and backfill take the schedule's lock first as well.

-- Records and starts what was decided. p: [{ id, fence, moves (next_run_at and due_at are set), nextRunAt, dueAt, revision (that the
-- input was checked against), promote (id of the execution if a buffered tick fires now), refusal (why it may not fire, null: it may),
-- ticks: [{ at, status, reason, execution (id, where it fires) }] }]. Ids are the schedules'. Returns { applied, fired }.
create or replace function dagwright.apply_ticks_v1(p jsonb) returns jsonb
language plpgsql set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
declare
  now_ timestamptz;
  ids uuid[];
  fired int;
  x record;
begin
  -- K2. A row that was changed since is judged again as it is now.
  select array_agg(l.id) into ids from (
    select s.id from jsonb_to_recordset(p) as r(id uuid, fence bigint) join dagwright.schedules s on s.id = r.id
    where s.fence = r.fence order by s.id for no key update of s skip locked) l;
  -- K6. Taken without waiting, so out of the order of locks; what could not be had is there below.
  with running as materialized (
      select t.schedule_id, o.id from dagwright.schedules s join dagwright.schedule_ticks t on t.schedule_id = s.id and t.is_open and t.status = 'fired'
      join dagwright.workflow_executions o on o.id = t.workflow_execution_id and o.status in ('pending', 'running', 'paused')
      where s.id = any(ids) and s.overlap_policy = 'cancel_other'),
    taken as materialized (
      select o.id from dagwright.workflow_executions o where o.id = any(array(select id from running)) order by o.id for no key update of o skip locked)
  select array_agg(i.id) into ids from unnest(ids) as i(id)
    where not exists (select from running r where r.schedule_id = i.id and r.id not in (select id from taken));
  if ids is null then return '{"applied": 0, "fired": 0}'; end if;
  now_ := clock_timestamp();
  perform dagwright.pause_failed_schedules_v1(ids);
  update dagwright.schedule_ticks t set is_open = false
  where t.schedule_id = any(ids) and t.is_open and t.status <> 'buffered'
    and not exists (select from dagwright.workflow_executions o where o.id = t.workflow_execution_id and o.status in ('pending', 'running', 'paused'));
  -- The first buffered tick, where nothing is in its way.
  update dagwright.schedule_ticks t set decided_at = now_,
    status = case when b.refusal is null then 'fired' else 'missed' end::dagwright.tick_status, reason = b.refusal, is_open = b.refusal is null,
    workflow_execution_id = case when b.refusal is null then b.promote end
  from (select s.id, s.tenant_id, r.promote, r.refusal, (select min(f.scheduled_at) from dagwright.schedule_ticks f
          where f.schedule_id = s.id and f.is_open and f.status = 'buffered') as at
        from jsonb_to_recordset(p) as r(id uuid, promote uuid, refusal text) join dagwright.schedules s on s.id = r.id
        where s.id = any(ids) and s.status = 'active' and r.promote is not null and (s.overlap_policy in ('allow_all', 'cancel_other')
          or not exists (select from dagwright.schedule_ticks f where f.schedule_id = s.id and f.is_open and f.status = 'fired'))) b
  where t.tenant_id = b.tenant_id and t.schedule_id = b.id and t.scheduled_at = b.at;
  -- K3. What was due when the schedule came to be paused above is told as missed.
  insert into dagwright.schedule_ticks (tenant_id, schedule_id, scheduled_at, status, workflow_execution_id, decided_at, reason, is_open)
  select s.tenant_id, s.id, t.at, case when s.status = 'active' then t.status else 'missed' end,
    case when s.status = 'active' then t.execution end, now_, case when s.status = 'active' then t.reason else 'the schedule was paused' end,
    s.status = 'active' and t.status in ('fired', 'buffered')
  from jsonb_to_recordset(p) as r(id uuid, ticks jsonb) join dagwright.schedules s on s.id = r.id
  cross join lateral jsonb_to_recordset(r.ticks) as t(at timestamptz, status dagwright.tick_status, reason text, execution uuid)
  where s.id = any(ids)
  on conflict do nothing;
  fired := dagwright.start_ticks_v1(p, 'fired', null);
  -- cancel_other: what ran before the tick that has just started.
  for x in
    select o.id, o.tenant_id, o.status, s.name from jsonb_to_recordset(p) as r(id uuid) join dagwright.schedules s on s.id = r.id
    join dagwright.schedule_ticks t on t.schedule_id = s.id and t.is_open and t.status = 'fired'
    join dagwright.workflow_executions o on o.id = t.workflow_execution_id and o.status in ('pending', 'running', 'paused')
    where s.id = any(ids) and s.overlap_policy = 'cancel_other' and exists (select from dagwright.schedule_ticks n
      where n.schedule_id = s.id and n.is_open and n.status = 'fired' and n.decided_at = now_ and n.scheduled_at > t.scheduled_at)
    order by o.id for no key update of o
  loop
    perform dagwright.end_execution_v1(x.id, 'cancelled', null,
      jsonb_build_object('code', 'cancelled', 'message', format('the next run of schedule "%s" began', x.name)), null, clock_timestamp());
    perform dagwright.audit_v1(x.tenant_id, 'executions.cancel', 'executions', x.id::text, jsonb_build_object('status', x.status),
      jsonb_build_object('status', 'cancelled', 'reason', format('the next run of schedule "%s" began', x.name)));
  end loop;
  update dagwright.schedules s set fence = s.fence + 1,
    next_run_at = case when r.moves and s.status = 'active' then r."nextRunAt" else s.next_run_at end,
    due_at = case when r.moves and s.status = 'active' then r."dueAt" else s.due_at end,
    last_run_at = greatest(s.last_run_at, (select max(t.at) from jsonb_to_recordset(r.ticks) as t(at timestamptz))),
    last_execution_id = coalesce((select t.workflow_execution_id from dagwright.schedule_ticks t where t.schedule_id = s.id and t.is_open
      and t.status = 'fired' and t.decided_at = now_ order by t.scheduled_at desc limit 1), s.last_execution_id)
  from jsonb_to_recordset(p) as r(id uuid, moves boolean, "nextRunAt" timestamptz, "dueAt" timestamptz, ticks jsonb)
  where s.id = r.id and s.id = any(ids);
  return jsonb_build_object('applied', cardinality(ids), 'fired', fired);
end $$;

-- Starts the executions of the ticks of this call that have this status, as p of apply_ticks_v1 names them; `by` null: the schedule
-- itself. How many started; the others become missed. The caller holds the schedules' locks.
create or replace function dagwright.start_ticks_v1(p jsonb, wanted dagwright.tick_status, by text) returns int
language plpgsql set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
declare
  x record;
  n int := 0;
  refused int;
begin
  for x in
    select w.tenant_id, jsonb_agg(w.item || jsonb_build_object('i', w.i)) as items, array_agg(w.id order by w.i) as schedules,
      array_agg(w.scheduled_at order by w.i) as times
    from (
      select s.id, s.tenant_id, t.scheduled_at, row_number() over (partition by s.tenant_id order by t.scheduled_at, s.id)::int as i,
        jsonb_strip_nulls(jsonb_build_object('id', t.workflow_execution_id, 'workflowId', s.workflow_id, 'revision', r.revision, 'scope', 'schedule',
          'key', 'schedule:' || s.id || ':' || at.text, 'priority', s.priority, 'triggerType', 'schedule',
          'trigger', jsonb_build_object('scheduledAt', at.text, 'scheduleId', s.id, 'scheduleName', s.name),
          'createdBy', coalesce(by, 'schedule:' || s.name))) || jsonb_build_object('input', s.input) as item
      from jsonb_to_recordset(p) as r(id uuid, revision int, promote uuid, ticks jsonb) join dagwright.schedules s on s.id = r.id
      cross join lateral (select r.promote as execution where r.promote is not null
        union all select e.execution from jsonb_to_recordset(r.ticks) as e(execution uuid) where e.execution is not null) e
      join dagwright.schedule_ticks t on t.workflow_execution_id = e.execution and t.schedule_id = s.id and t.status = wanted
      cross join lateral (select to_char(t.scheduled_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as text) at) w
    group by w.tenant_id order by w.tenant_id
  loop
    update dagwright.schedule_ticks t set
      status = case when r.problem is null then t.status else 'missed' end,
      reason = case r.problem when 'not_found' then 'the workflow does not exist' when 'not_active' then 'the workflow is not active'
        when 'tenant_suspended' then 'the tenant is suspended' when 'tier_too_low' then 'the workflow needs a tenant of a higher tier'
        when 'too_many_starts' then 'the tenant has started as many executions within a minute as it may'
        when 'too_many_waiting' then 'the tenant has as many executions waiting as it may' else r.problem end,
      is_open = r.problem is null, workflow_execution_id = case when r.problem is null then r.id end
    from dagwright.start_executions_v1(x.tenant_id, x.items) r
    where (r.problem is not null or r.existing)
      and t.tenant_id = x.tenant_id and t.schedule_id = x.schedules[r.i] and t.scheduled_at = x.times[r.i];
    select count(*) into refused from dagwright.schedule_ticks t, unnest(x.schedules, x.times) u(schedule_id, at)
      where t.tenant_id = x.tenant_id and t.schedule_id = u.schedule_id and t.scheduled_at = u.at and t.status = 'missed';
    n := n + cardinality(x.times) - refused;
  end loop;
  return n;
end $$;

-- Pauses those of these schedules, whose locks the caller holds, that ask for it and of which an execution has failed.
create or replace function dagwright.pause_failed_schedules_v1(ids uuid[]) returns void
language plpgsql set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
declare
  x record;
begin
  for x in
    select s.id, (array_agg(o.id order by o.completed_at))[1] as failed from dagwright.schedules s
    join dagwright.schedule_ticks t on t.schedule_id = s.id and t.is_open
    join dagwright.workflow_executions o on o.id = t.workflow_execution_id and o.status = 'failed'
    where s.id = any(ids) and s.pause_on_failure and s.status = 'active' group by s.id
  loop
    update dagwright.schedules set status = 'paused', paused_reason = format('execution %s failed', x.failed),
      next_run_at = null, due_at = null, updated_at = clock_timestamp() where id = x.id;
    update dagwright.schedule_ticks set status = 'missed', is_open = false, reason = 'the schedule was paused'
      where schedule_id = x.id and is_open and status = 'buffered';
  end loop;
end $$;

-- Schedules of which something has ended, or that have a buffered tick with nothing in its way: in one page of open ticks after a
-- place. `last_*` is the place to go on after; null: that was the last page.
create or replace function dagwright.ended_ticks_v1(after_schedule uuid, after_at timestamptz, most int,
  out schedule_ids uuid[], out last_schedule uuid, out last_at timestamptz)
language plpgsql stable set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
declare
  x record;
begin
  with page as materialized (
      select t.schedule_id, t.scheduled_at, t.status, t.workflow_execution_id from dagwright.schedule_ticks t
      where t.is_open and (t.schedule_id, t.scheduled_at) > (after_schedule, after_at) order by t.schedule_id, t.scheduled_at limit most)
  select
    array(
      select p.schedule_id from page p where p.status <> 'buffered' and not exists (select from dagwright.workflow_executions o
        where o.id = p.workflow_execution_id and o.status in ('pending', 'running', 'paused'))
      union
      select b.schedule_id from (select distinct schedule_id from page where status = 'buffered') b
      join dagwright.schedules s on s.id = b.schedule_id
      where s.overlap_policy in ('allow_all', 'cancel_other') or not exists (select from dagwright.schedule_ticks t
        join dagwright.workflow_executions o on o.id = t.workflow_execution_id and o.status in ('pending', 'running', 'paused')
        where t.schedule_id = b.schedule_id and t.is_open and t.status = 'fired')) as ids,
    count(*) as n,
    (select p.schedule_id from page p order by p.schedule_id desc, p.scheduled_at desc limit 1) as s,
    (select p.scheduled_at from page p order by p.schedule_id desc, p.scheduled_at desc limit 1) as at
    into x from page;
  schedule_ids := x.ids;
  if x.n = most then
    last_schedule := x.s;
    last_at := x.at;
  end if;
end $$;

-- Makes rows for nominal times that will not fire and, with `gives_up`, of what is buffered. Takes the schedule's lock, whoever calls:
-- a row of a tick that is not committed would hold up a pass of any scheduler, for all tenants, while that passes by a locked schedule.
create or replace function dagwright.miss_ticks_v1(schedule uuid, times timestamptz[], why text, gives_up boolean) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform from dagwright.schedules s where s.id = schedule and s.tenant_id = dagwright.current_tenant() for no key update;
  if not found then return; end if;
  update dagwright.schedule_ticks set status = 'missed', is_open = false, reason = why
    where gives_up and tenant_id = dagwright.current_tenant() and schedule_id = schedule and is_open and status = 'buffered';
  insert into dagwright.schedule_ticks (tenant_id, schedule_id, scheduled_at, status, decided_at, reason)
  select s.tenant_id, s.id, t.at, 'missed', clock_timestamp(), why from dagwright.schedules s, unnest(times) as t(at)
    where s.id = schedule and s.tenant_id = dagwright.current_tenant()
  on conflict do nothing;
end $$;

-- Starts the nominal times that have no execution: without a row, or missed. p: [{ at, execution }]. Two at once start each time once:
-- both go through the schedule's lock. Returns the ticks of this call, `backfilled` or, where nothing could start, `missed`.
create or replace function dagwright.backfill_schedule_v1(schedule uuid, revision int, p jsonb)
returns table (scheduled_at timestamptz, execution_id uuid, reason text)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
declare
  tenant constant uuid := dagwright.current_tenant();
  taken timestamptz[];
begin
  perform from dagwright.schedules s where s.id = schedule and s.tenant_id = tenant for no key update;
  if not found then return; end if;
  with made as (
    insert into dagwright.schedule_ticks as t (tenant_id, schedule_id, scheduled_at, status, workflow_execution_id, decided_at, is_open)
    select tenant, schedule, r.at, 'backfilled', r.execution, clock_timestamp(), true
    from jsonb_to_recordset(p) as r(at timestamptz, execution uuid)
    on conflict (tenant_id, schedule_id, scheduled_at) do update set status = 'backfilled', workflow_execution_id = excluded.workflow_execution_id,
      decided_at = excluded.decided_at, reason = null, is_open = true
    where t.status = 'missed'
    returning t.scheduled_at)
  select array_agg(made.scheduled_at) into taken from made;
  perform dagwright.start_ticks_v1(jsonb_build_array(jsonb_build_object('id', schedule, 'revision', revision, 'ticks', p)), 'backfilled',
    dagwright.current_actor());
  perform dagwright.audit_v1(tenant, 'schedules.backfill', 'schedules', schedule::text, null, jsonb_build_object('started', coalesce(cardinality(taken), 0)));
  return query select t.scheduled_at, t.workflow_execution_id, t.reason from dagwright.schedule_ticks t
    where t.tenant_id = tenant and t.schedule_id = schedule and t.scheduled_at = any(taken) order by t.scheduled_at;
end $$;

-- Starts the schedule's workflow at once, whatever its status: no tick. The execution's id, or why it cannot start; no row where there
-- is no such schedule.
create or replace function dagwright.run_schedule_v1(schedule uuid, execution uuid, revision int)
returns table (execution_id uuid, problem text)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  tenant constant uuid := dagwright.current_tenant();
begin
  select r.id, r.problem into execution_id, problem from dagwright.schedules s
  cross join lateral dagwright.start_executions_v1(s.tenant_id, jsonb_build_array(jsonb_build_object('i', 0, 'id', execution,
    'workflowId', s.workflow_id, 'revision', revision, 'input', s.input, 'priority', s.priority, 'triggerType', 'schedule',
    'trigger', jsonb_build_object('scheduledAt', to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
      'scheduleId', s.id, 'scheduleName', s.name, 'runNow', true), 'createdBy', dagwright.current_actor()))) r
  where s.id = schedule and s.tenant_id = tenant;
  if not found then return; end if;
  if problem is null then
    perform dagwright.audit_v1(tenant, 'schedules.run', 'schedules', schedule::text, null, jsonb_build_object('executionId', execution_id));
  end if;
  return next;
end $$;
