-- Opens pending executions: inserts their task rows and claims what the lane goes on with. Set-based: what a statement
-- costs to begin is paid once per batch.
-- x: [{ e, deadline (seconds or null), n (rows), rows: [{ t, ty, p: pending edges, ea, st, c: 1 claimed for this worker,
--   2 ready }] }]. Returns e, and when it started, for each execution that this call opened; with `at` null those that
--   somebody has locked, which it passed by; others had been opened before.
create or replace function dagwright.open_v2(w uuid, slots int, x jsonb) returns table (e uuid, at float8)
language plpgsql
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set plan_cache_mode = force_generic_plan as $$
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
    update dagwright.workflow_executions o set status = 'running', started_at = now_, open_tasks = q.n,
      deadline_at = now_ + q.deadline * interval '1 second'
    from jsonb_to_recordset(x) as q(e uuid, deadline float8, n int)
    cross join lateral (select h.ctid as tid from dagwright.workflow_executions h where h.id = q.e and h.id = any(free) and h.status = 'pending' offset 0) l
    where o.ctid = l.tid returning o.id)
  select array_agg(id) into opened from u;
  if cardinality(free) < jsonb_array_length(x) then
    return query select o.id, null::float8 from dagwright.workflow_executions o
      where o.id in (select q.e from jsonb_to_recordset(x) as q(e uuid)) and not o.id = any(free) and o.status = 'pending';
  end if;
  if opened is null then return; end if;
  insert into dagwright.task_executions (workflow_execution_id, task_id, tenant_id, task_type, pending_edges, early,
    stays_after_failure, status, fence, attempt_number, worker_id, started_at, queued_ms, ready_at)
  select o.id, r.t, o.tenant_id, r.ty, r.p, coalesce(r.ea, 0), coalesce(r.st, false),
    case when r.c = 1 then 'running'::dagwright.task_status else 'pending' end, (r.c is not distinct from 1)::int,
    (r.c is not distinct from 1)::int, case when r.c = 1 then w end, case when r.c = 1 then now_ end,
    case when r.c = 1 then 0 end, case when r.c = 2 then now_ end
  from jsonb_to_recordset(x) as q(e uuid, rows jsonb)
  join dagwright.workflow_executions o on o.id = q.e,
  jsonb_to_recordset(q.rows) as r(t text, ty text, p int, ea smallint, st boolean, c int)
  where q.e = any(opened);
  for group_ in
    select o.id, o.priority, array_agg(t.t) as ts
    from jsonb_to_recordset(x) as q(e uuid, ready boolean, rows jsonb)
    join dagwright.workflow_executions o on o.id = q.e, jsonb_to_recordset(q.rows) as t(t text, c int)
    where q.ready and q.e = any(opened) and t.c = 2 group by o.id, o.priority
  loop
    perform dagwright.enqueue_v1(group_.id, group_.ts, array_fill(-1, array[cardinality(group_.ts)]), slots, group_.priority);
  end loop;
  return query select unnest(opened), (extract(epoch from now_) * 1000)::float8;
end $$;
