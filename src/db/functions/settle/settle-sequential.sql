-- Settles completions of sequential runs, one of each execution, as settle_one_v1 does one: each goes on with its only child, or
-- ends its execution. Four statements for all. Keeps S1 to S5 of settle.sql. A fast path that knows nothing but this: where one
-- row is not as it has to be, or somebody has an execution locked, nothing is changed and the batch is sent another way
-- (SQLSTATE DW001).
-- Arrays run parallel to ids. The executions are locked first, without waiting, so that what is judged stays so.
-- costs: US dollars since the last checkpoint; children: what the lane goes on with; fins: { out }, where the execution ends.
-- Returns the database's time in milliseconds. A child was never begun, so its claim is the first: fence 1, attempt 1.
create or replace function dagwright.settle_sequential_v1(worker uuid, ids uuid[], tasks text[], fences bigint[], durations bigint[],
  outputs jsonb[], inputs jsonb[], costs numeric[], usages jsonb[], children text[], fins jsonb[]) returns float8
language plpgsql set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set plan_cache_mode = force_generic_plan as $$
declare
  now_ timestamptz;
  seqs bigint[];
  found_ int;
begin
  perform from dagwright.workflow_executions o where o.id = any(ids) order by o.id for no key update skip locked;
  get diagnostics found_ = row_count;
  if found_ <> cardinality(ids) then raise 'an execution is locked' using errcode = 'DW001'; end if;
  now_ := clock_timestamp();
  with u as (
    update dagwright.workflow_executions o set open_tasks = o.open_tasks - 1, next_seq = o.next_seq + 1,
      actual_cost_usd = o.actual_cost_usd + coalesce(q.cost, 0),
      status = case when q.fin is null then o.status else 'completed' end,
      output = case when q.fin is null then o.output else q.fin->'out' end,
      completed_at = case when q.fin is not null then now_ end,
      deadline_at = case when q.fin is null then o.deadline_at end,
      duration_ms = case when q.fin is not null then (extract(epoch from now_ - o.started_at) * 1000)::bigint end
    from unnest(ids, costs, fins) with ordinality as q(e, cost, fin, k)
    cross join lateral (select h.ctid as tid from dagwright.workflow_executions h where h.id = q.e and h.status = 'running'
      and case when q.fin is null then h.open_tasks > 1 else h.open_tasks = 1 and h.failed_tasks = 0 end offset 0) l
    where o.ctid = l.tid
    returning q.k, o.next_seq - 1 as seq)
  select array_agg(u.seq order by u.k) into seqs from u;
  if cardinality(seqs) is distinct from cardinality(ids) then raise 'an execution is not as it has to be' using errcode = 'DW001'; end if;

  update dagwright.task_executions u set status = 'completed', output = q.output, input = coalesce(q.input, u.input), error = null,
    resource_usage = coalesce(q.usage, u.resource_usage), cost_usd = u.cost_usd + coalesce(q.cost, 0),
    duration_ms = coalesce(u.duration_ms, 0) + q.duration, waiting_on = null,
    completed_at = now_, completed_seq = q.seq
  from unnest(ids, tasks, fences, durations, outputs, inputs, costs, usages, seqs)
    as q(e, task, fence, duration, output, input, cost, usage, seq)
  cross join lateral (select h.ctid as tid from dagwright.task_executions h where h.workflow_execution_id = q.e
    and h.task_id = q.task and h.map_index = -1 and h.status = 'running' and h.fence = q.fence offset 0) l
  where u.ctid = l.tid;
  get diagnostics found_ = row_count;
  if found_ <> cardinality(ids) then raise 'a task is not as it has to be' using errcode = 'DW001'; end if;

  update dagwright.task_executions u set pending_edges = 0, status = 'running', fence = 1, attempt_number = 1, worker_id = worker,
    started_at = now_, queued_ms = 0
  from unnest(ids, children) as q(e, child)
  cross join lateral (select h.ctid as tid from dagwright.task_executions h where h.workflow_execution_id = q.e
    and h.task_id = q.child and h.map_index = -1 and h.status = 'pending' and h.ready_at is null and h.pending_edges = 1
    and h.fence = 0 and h.attempt_number = 0 offset 0) l
  where u.ctid = l.tid;
  get diagnostics found_ = row_count;
  if found_ <> cardinality(array_remove(children, null)) then raise 'a child is not as it has to be' using errcode = 'DW001'; end if;
  return extract(epoch from now_) * 1000;
end $$;
