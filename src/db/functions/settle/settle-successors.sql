-- As settle_sequential_v1, with what that does not know: pure successors that were performed with the settle, and branches and
-- winners. A function of its own, since its wider rows cost a plain batch 3 % (chain10_c64).
--
-- Parallel to ids: fences (of the attempts that are settled), counts (tasks that end), spent (US dollars since the last
-- checkpoint), children (what the lane goes on with), fins ({ out }, where the execution ends).
-- One element for each task that ends: at (place of its execution in ids, from 1), places (0: the one that is settled; above:
-- pure successors, in order, each the only child of the one before, which nobody else can have begun), tasks, and what they
-- leave behind.
-- Returns the database's time in milliseconds. A child was never begun, so its claim is the first: fence 1, attempt 1; a
-- successor leaves as if it had been claimed and had ended in the same moment.
create or replace function dagwright.settle_sequential_v2(worker uuid, ids uuid[], fences bigint[], counts int[], spent numeric[],
  children text[], fins jsonb[], at int[], places int[], tasks text[], durations bigint[], outputs jsonb[], inputs jsonb[],
  costs numeric[], usages jsonb[], branches text[], winners text[]) returns float8
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
    update dagwright.workflow_executions o set open_tasks = o.open_tasks - q.count, next_seq = o.next_seq + q.count,
      actual_cost_usd = o.actual_cost_usd + coalesce(q.cost, 0),
      status = case when q.fin is null then o.status else 'completed' end,
      output = case when q.fin is null then o.output else q.fin->'out' end,
      completed_at = case when q.fin is not null then now_ end,
      deadline_at = case when q.fin is null then o.deadline_at end,
      duration_ms = case when q.fin is not null then (extract(epoch from now_ - o.started_at) * 1000)::bigint end
    from unnest(ids, counts, spent, fins) with ordinality as q(e, count, cost, fin, k)
    cross join lateral (select h.ctid as tid from dagwright.workflow_executions h where h.id = q.e and h.status = 'running'
      and case when q.fin is null then h.open_tasks > q.count else h.open_tasks = q.count and h.failed_tasks = 0 end offset 0) l
    where o.ctid = l.tid
    returning q.k, o.next_seq - q.count as seq)
  select array_agg(u.seq order by u.k) into seqs from u;
  if cardinality(seqs) is distinct from cardinality(ids) then raise 'an execution is not as it has to be' using errcode = 'DW001'; end if;

  update dagwright.task_executions u set status = 'completed', branch = q.branch, winner = q.winner, output = q.output,
    input = coalesce(q.input, u.input), error = null,
    resource_usage = coalesce(q.usage, u.resource_usage), cost_usd = u.cost_usd + coalesce(q.cost, 0),
    duration_ms = coalesce(u.duration_ms, 0) + q.duration, waiting_on = null,
    completed_at = now_, completed_seq = seqs[q.at] + q.place,
    pending_edges = case q.place when 0 then u.pending_edges else 0 end,
    fence = case q.place when 0 then u.fence else 1 end,
    attempt_number = case q.place when 0 then u.attempt_number else 1 end,
    worker_id = case q.place when 0 then u.worker_id else worker end,
    started_at = case q.place when 0 then u.started_at else now_ end,
    queued_ms = case q.place when 0 then u.queued_ms else 0 end
  from unnest(at, places, tasks, durations, outputs, inputs, costs, usages, branches, winners)
    as q(at, place, task, duration, output, input, cost, usage, branch, winner)
  cross join lateral (select h.ctid as tid from dagwright.task_executions h where h.workflow_execution_id = ids[q.at]
    and h.task_id = q.task and h.map_index = -1
    and case q.place when 0 then h.status = 'running' and h.fence = fences[q.at]
      else h.status = 'pending' and h.ready_at is null and h.pending_edges = 1 and h.fence = 0 and h.attempt_number = 0 end offset 0) l
  where u.ctid = l.tid;
  get diagnostics found_ = row_count;
  if found_ <> cardinality(tasks) then raise 'a task is not as it has to be' using errcode = 'DW001'; end if;

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
