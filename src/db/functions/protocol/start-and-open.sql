-- Starts executions of one tenant, and opens some of them for a worker in the same commit: those of p that say by which of `plans`
-- (as open_v3 reads them; `plan`: its place, `tasks` and `deadline`: those of that plan). They are recorded as running, by the insert
-- of the start itself, and their task rows follow. Where its tasks need permits, none is opened, and all get jobs.
--   A1  What start_executions_v1 and open_v3 keep holds here too; between them nobody sees a row, so nobody can have locked one.
--   A2  Sent again, it opens nothing twice: what has task rows was opened before.
--   A3  Dying before the commit leaves nothing; after it, running tasks of a dead worker, which are taken over as all are.
-- Rows: first the answers of start_executions_v1; then, with i null, each execution that was opened: when, and what of it was
-- stored in another form than it was sent in.
create or replace function dagwright.start_and_open_v3(tenant uuid, p jsonb, worker uuid, slots int, plans jsonb)
returns table (i int, id uuid, existing boolean, problem text, opened_at float8, created_at timestamptz, started_at timestamptz,
  input jsonb, trigger jsonb)
language plpgsql
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_column
declare
  waits_for_permits constant boolean := exists (select from dagwright.tenants t where t.id = tenant and t.max_running_tasks is not null);
  opened uuid[];
  group_ record;
begin
  if waits_for_permits then p := (select jsonb_agg(o - '{plan,tasks,deadline}'::text[]) from jsonb_array_elements(p) o); end if;
  return query select s.i, s.id, s.existing, s.problem, null::float8, null::timestamptz, null::timestamptz, null::jsonb, null::jsonb
    from dagwright.start_executions_v1(tenant, p) s;
  if waits_for_permits then return; end if;
  opened := array(select o.id from jsonb_to_recordset(p) as r(id uuid, plan int)
    cross join lateral (select h.id from dagwright.workflow_executions h where h.id = r.id and h.status = 'running' offset 0) o
    where r.plan is not null and not exists (select from dagwright.task_executions t where t.workflow_execution_id = r.id offset 0));
  if cardinality(opened) = 0 then return; end if;
  insert into dagwright.task_executions (workflow_execution_id, task_id, tenant_id, task_type, pending_edges, early,
    stays_after_failure, status, fence, attempt_number, worker_id, started_at, queued_ms, ready_at)
  select s.id, r.t, tenant, r.ty, r.p, coalesce(r.ea, 0), coalesce(r.st, false),
    case when r.c = 1 then 'running'::dagwright.task_status else 'pending' end, (r.c is not distinct from 1)::int,
    (r.c is not distinct from 1)::int, case when r.c = 1 then worker end, case when r.c = 1 then o.started_at end,
    case when r.c = 1 then 0 end, case when r.c = 2 then o.started_at end
  from jsonb_to_recordset(p) as s(id uuid, plan int)
  cross join lateral (select h.started_at from dagwright.workflow_executions h where h.id = s.id offset 0) o,
  jsonb_to_recordset(plans -> s.plan -> 'rows') as r(t text, ty text, p int, ea smallint, st boolean, c int)
  where s.id = any(opened);
  if jsonb_path_exists(plans, '$[*].ready ? (@ == true)') then
    for group_ in
      select s.id, coalesce(s.priority, 5) as priority, array_agg(t.t) as ts
      from jsonb_to_recordset(p) as s(id uuid, plan int, priority int), jsonb_to_recordset(plans -> s.plan -> 'rows') as t(t text, c int)
      where (plans -> s.plan ->> 'ready')::boolean and s.id = any(opened) and t.c = 2 group by s.id, s.priority
    loop
      perform dagwright.enqueue_v1(group_.id, group_.ts, array_fill(-1, array[cardinality(group_.ts)]), slots, group_.priority);
    end loop;
  end if;
  return query select null::int, o.id, null::boolean, null::text, (extract(epoch from o.started_at) * 1000)::float8, o.created_at, o.started_at,
      o.input, o.trigger
    from unnest(opened) as s(id) cross join lateral (select * from dagwright.workflow_executions h where h.id = s.id offset 0) o;
end $$;

-- For workers of the release before: opened in a second step.
create or replace function dagwright.start_and_open_v2(tenant uuid, p jsonb, worker uuid, slots int, openings jsonb)
returns table (i int, id uuid, existing boolean, problem text, opened_at float8, created_at timestamptz, started_at timestamptz,
  input jsonb, trigger jsonb)
language plpgsql as $$
declare
  waits_for_permits constant boolean := exists (select from dagwright.tenants t where t.id = tenant and t.max_running_tasks is not null);
begin
  if waits_for_permits then p := (select jsonb_agg(o - 'open') from jsonb_array_elements(p) o); end if;
  return query select s.i, s.id, s.existing, s.problem, null::float8, null::timestamptz, null::timestamptz, null::jsonb, null::jsonb
    from dagwright.start_executions_v1(tenant, p) s;
  if waits_for_permits then return; end if;
  return query select null::int, o.e, null::boolean, null::text, o.at, x.created_at, x.started_at, x.input, x.trigger
    from dagwright.open_v2(worker, slots, openings) o
    cross join lateral (select * from dagwright.workflow_executions h where h.id = o.e offset 0) x;
end $$;
