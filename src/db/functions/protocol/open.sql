-- Opens pending executions: inserts their task rows and claims what the lane goes on with. Set-based: what a statement
-- costs to begin is paid once per batch. The rows of a revision are sent once, however many of its executions are opened.
-- plans: [{ deadline (seconds or null), n (rows), ready (some are ready and not claimed), rows: [{ t, ty, p: pending edges, ea, st,
--   c: 1 claimed for this worker, 2 ready }] }].
-- x: [{ e, k: its place in plans, from 0, row: true where the caller has not read the execution }].
-- Returns e, when it started, and with `row` what it is, for each execution that this call opened; with `at` null those that
-- somebody has locked, which it passed by; others had been opened before.
--   O1  Executions are locked first, by id, then come task rows, then jobs.
--   O2  Dying before the commit leaves it pending, with its job; after it, running tasks of a dead worker.
create or replace function dagwright.open_v3(w uuid, slots int, x jsonb, plans jsonb)
returns table (e uuid, at float8, tenant_id uuid, workflow_id text, revision int, version_id uuid, trigger_type dagwright.trigger_type,
  trigger jsonb, input jsonb, created_at timestamptz, started_at timestamptz)
language plpgsql
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_column
declare
  now_ timestamptz;
  free uuid[];
  opened uuid[];
  group_ record;
begin
  free := array(select o.id from dagwright.workflow_executions o
    where o.id in (select q.e from jsonb_to_recordset(x) as q(e uuid)) order by o.id for no key update skip locked);
  now_ := clock_timestamp();
  with u as (
    update dagwright.workflow_executions o set status = 'running', started_at = now_, open_tasks = (plans -> q.k ->> 'n')::int,
      deadline_at = now_ + (plans -> q.k ->> 'deadline')::float8 * interval '1 second'
    from jsonb_to_recordset(x) as q(e uuid, k int)
    cross join lateral (select h.ctid as tid from dagwright.workflow_executions h where h.id = q.e and h.id = any(free) and h.status = 'pending' offset 0) l
    where o.ctid = l.tid returning o.id)
  select array_agg(u.id) into opened from u;
  if cardinality(free) < jsonb_array_length(x) then
    return query select o.id, null::float8, null::uuid, null::text, null::int, null::uuid, null::dagwright.trigger_type, null::jsonb,
        null::jsonb, null::timestamptz, null::timestamptz from dagwright.workflow_executions o
      where o.id in (select q.e from jsonb_to_recordset(x) as q(e uuid)) and not o.id = any(free) and o.status = 'pending';
  end if;
  if opened is null then return; end if;
  insert into dagwright.task_executions (workflow_execution_id, task_id, tenant_id, task_type, pending_edges, early,
    stays_after_failure, status, fence, attempt_number, worker_id, started_at, queued_ms, ready_at)
  select q.e, r.t, o.tenant_id, r.ty, r.p, coalesce(r.ea, 0), coalesce(r.st, false),
    case when r.c = 1 then 'running'::dagwright.task_status else 'pending' end, (r.c is not distinct from 1)::int,
    (r.c is not distinct from 1)::int, case when r.c = 1 then w end, case when r.c = 1 then now_ end,
    case when r.c = 1 then 0 end, case when r.c = 2 then now_ end
  from jsonb_to_recordset(x) as q(e uuid, k int)
  cross join lateral (select h.tenant_id from dagwright.workflow_executions h where h.id = q.e offset 0) o,
  jsonb_to_recordset(plans -> q.k -> 'rows') as r(t text, ty text, p int, ea smallint, st boolean, c int)
  where q.e = any(opened);
  if jsonb_path_exists(plans, '$[*].ready ? (@ == true)') then
    for group_ in
      select o.id, o.priority, array_agg(t.t) as ts
      from jsonb_to_recordset(x) as q(e uuid, k int)
      cross join lateral (select h.id, h.priority from dagwright.workflow_executions h where h.id = q.e offset 0) o,
      jsonb_to_recordset(plans -> q.k -> 'rows') as t(t text, c int)
      where (plans -> q.k ->> 'ready')::boolean and q.e = any(opened) and t.c = 2 group by o.id, o.priority
    loop
      perform dagwright.enqueue_v1(group_.id, group_.ts, array_fill(-1, array[cardinality(group_.ts)]), slots, group_.priority);
    end loop;
  end if;
  return query select q.e, (extract(epoch from now_) * 1000)::float8, o.tenant_id, o.workflow_id, o.revision, o.version_id, o.trigger_type,
      o.trigger, o.input, o.created_at, o.started_at
    from jsonb_to_recordset(x) as q(e uuid, "row" boolean)
    left join lateral (select * from dagwright.workflow_executions h where h.id = q.e offset 0) o on q."row"
    where q.e = any(opened);
end $$;
