-- Settles completions whose edges all succeed, the common case, set-based over all executions of the batch. Keeps S1 to S5 of
-- settle.sql. A fast path: what it does not know is not sent to it (db/protocol/settle.ts), and it does not learn more.
-- Pure successors that were performed with completions (o) stand last in s: they are written too, and counted; edges are then those
-- of the last of them. Where one cannot be written nothing is changed, and the batch is sent without them (SQLSTATE DW001).
-- ids: the executions; s: completions, d: edges, by keys that db/protocol/settle-keys.ts declares; lanes: ordinals that want to
-- go on; extra: pure tasks that may be claimed beyond them. An execution that somebody has locked is passed by. Result rows: at (the
-- database's time) | lost | claim | drained, finished, locked (i: place in ids).
create or replace function dagwright.settle_completed_v2(w uuid, slots int, ids uuid[], s jsonb, d jsonb, lanes int[], extra int)
returns table (kind text, i int, t text, m int, fence bigint, attempt int, recoveries int, phase text, at float8)
language plpgsql
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set plan_cache_mode = force_generic_plan as $$
declare
  max_recoveries constant int := 3;
  suspect_recoveries constant int := 2;
  now_ timestamptz;
  successors constant int := case when s->-1 ? 'o' then (select count(*) from jsonb_to_recordset(s) as q(o int) where q.o is not null) else 0 end;
  written int;
  found_ int[];
  found_x int[];
  listed bool[];        -- the lane has a list of its own
  free int[];           -- lanes that want to go on, by execution
  free_x int[];
  used int[] := '{}';
  ready_x int[] := '{}';
  ready_t text[] := '{}';
  seqs bigint[] := array_fill(null::bigint, array[cardinality(ids)]);  -- null: not locked by this call
  priorities int[] := array_fill(5, array[cardinality(ids)]);
  running bool[] := array_fill(false, array[cardinality(ids)]);
  opens int[] := array_fill(0, array[cardinality(ids)]);
  failed int[] := array_fill(0, array[cardinality(ids)]);
  r record;
begin
  for r in select array_position(ids, o.id) as x, o.next_seq, o.priority, o.status, o.open_tasks, o.failed_tasks from dagwright.workflow_executions o
           where o.id = any(ids) order by o.id for no key update skip locked loop
    seqs[r.x] := r.next_seq; priorities[r.x] := r.priority; running[r.x] := r.status = 'running';
    opens[r.x] := r.open_tasks; failed[r.x] := r.failed_tasks;
  end loop;
  now_ := clock_timestamp();
  kind := 'at'; at := extract(epoch from now_) * 1000; return next;
  if array_position(seqs, null) is not null then
    for r in select array_position(ids, o.id) as x from dagwright.workflow_executions o where o.id = any(ids) order by 1 loop
      if seqs[r.x] is null then
        kind := 'locked'; i := r.x; at := null; return next;
        ids[r.x] := null;
      end if;
    end loop;
  end if;

  with u as (
    update dagwright.task_executions u set status = 'completed', branch = q.b, winner = q.wn, input = coalesce(q.inp, u.input),
      output = q.out, error = null, part_errors = q.errs, resource_usage = coalesce(q.use, u.resource_usage),
      cost_usd = u.cost_usd + case when q.unk then null else coalesce(q.cost, 0) end,
      duration_ms = coalesce(u.duration_ms, 0) + q.dur, waiting_on = null,
      completed_at = now_, completed_seq = seqs[q.x] + q.k
    from (select q.*, row_number() over (partition by q.x order by q.i, q.o nulls first) - 1 as k
          from jsonb_to_recordset(s) as q(i int, x int, o int, t text, f bigint, b text, wn text, inp jsonb, out jsonb, errs jsonb,
            cost numeric, unk boolean, dur bigint, use jsonb, nt text)) q
    cross join lateral (select h.ctid as tid from dagwright.task_executions h where h.workflow_execution_id = ids[q.x]
      and h.task_id = q.t and h.map_index = -1 and h.status = 'running' and h.fence = q.f offset 0) l
    where q.o is null and u.ctid = l.tid
    returning q.i, q.x, q.nt is not null as listed)
  select array_agg(u.i), array_agg(u.x), array_agg(u.listed) into found_, found_x, listed from u;
  if successors > 0 then
    -- As if each had been claimed and had ended in the same moment. Nobody can have begun it: its only parent was ours.
    update dagwright.task_executions u set status = 'completed', branch = q.b, winner = q.wn, input = q.inp, output = q.out, duration_ms = q.dur,
      pending_edges = 0, fence = 1, attempt_number = 1, worker_id = w, started_at = now_, queued_ms = 0,
      completed_at = now_, completed_seq = seqs[q.x] + q.k
    from (select q.*, row_number() over (partition by q.x order by q.i, q.o nulls first) - 1 as k
          from jsonb_to_recordset(s) as q(i int, x int, o int, t text, b text, wn text, inp jsonb, out jsonb, dur bigint)) q
    cross join lateral (select h.ctid as tid from dagwright.task_executions h where h.workflow_execution_id = ids[q.x]
      and h.task_id = q.t and h.map_index = -1 and running[q.x] and h.status = 'pending' and h.ready_at is null and h.pending_edges = 1
      and h.fence = 0 and h.attempt_number = 0 offset 0) l
    where q.o is not null and u.ctid = l.tid;
    get diagnostics written = row_count;
    if written <> successors or cardinality(found_) is distinct from jsonb_array_length(s) - successors then
      raise 'a task is not as it has to be' using errcode = 'DW001';
    end if;
  elsif cardinality(found_) is distinct from jsonb_array_length(s) then
    return query select 'lost', q.i, q.t, -1, u.fence, null::int, null::int, u.status::text, null::float8
      from jsonb_to_recordset(s) as q(i int, x int, t text)
      left join dagwright.task_executions u on u.workflow_execution_id = ids[q.x] and u.task_id = q.t and u.map_index = -1
      where not coalesce(q.i = any(found_), false) and ids[q.x] is not null;
    if found_ is null then return; end if;
  end if;

  -- Children: counters go down; of those that wake, each lane of their execution takes one, whichever lane released it,
  -- those without a list first, and pure ones may be taken beyond.
  select array_agg(f.i order by f.x, f.listed, f.i), array_agg(f.x order by f.x, f.listed, f.i) into free, free_x
    from unnest(found_, found_x, listed) as f(i, x, listed) where f.i = any(lanes);
  for r in
    with c as (
      select e.x, e.t, count(*)::int as n, bool_or(e.pure) as pure
      from jsonb_to_recordset(d) as e(i int, x int, t text, pure boolean) where e.i = any(found_) group by e.x, e.t),
    k as (
      select c.*, l.tid, l.wakes from c cross join lateral (
        select h.ctid as tid, h.status = 'pending' and h.ready_at is null and (h.pending_edges <= c.n or h.early & 1 > 0) as wakes
        from dagwright.task_executions h where h.workflow_execution_id = ids[c.x] and h.task_id = c.t and h.map_index = -1
          and h.status in ('pending', 'running', 'waiting', 'retrying') offset 0) l),
    p as (
      select k.*, array_position(free_x, k.x) + row_number() over (partition by k.x, k.wakes order by k.t)::int - 1 as place from k),
    a as (select p.*, case when p.wakes and free_x[p.place] = p.x then free[p.place] end as lane from p),
    g as (
      select a.*, running[a.x] and a.wakes and (a.lane is not null or (a.pure and row_number() over (partition by a.wakes and a.pure and a.lane is null order by a.x) <= extra)) as claims from a)
    update dagwright.task_executions u set pending_edges = u.pending_edges - g.n,
      status = case when g.claims then 'running' else u.status end, fence = u.fence + g.claims::int,
      attempt_number = u.attempt_number + g.claims::int, worker_id = case when g.claims then w else u.worker_id end,
      started_at = case when g.claims then now_ else u.started_at end, queued_ms = case when g.claims then 0 else u.queued_ms end,
      ready_at = case when g.wakes and not g.claims then now_ else u.ready_at end
    from g where u.ctid = g.tid
    returning g.x, g.lane, g.wakes, g.claims, u.task_id, u.fence, u.attempt_number, u.recoveries
  loop
    if r.claims then
      kind := 'claim'; i := coalesce(r.lane, -r.x); t := r.task_id; m := -1;
      fence := r.fence; attempt := r.attempt_number; recoveries := r.recoveries; phase := null; at := null;
      return next;
      if r.lane is not null then used := used || r.lane; end if;
    elsif r.wakes and running[r.x] then
      ready_x := ready_x || r.x; ready_t := ready_t || r.task_id;
    end if;
  end loop;

  -- Lanes that got no child go on with the head of their list.
  for r in
    update dagwright.task_executions u set status = 'running', fence = u.fence + 1, worker_id = w, ready_at = null,
      attempt_number = u.attempt_number + (u.status <> 'waiting' and u.recoveries <= max_recoveries)::int,
      started_at = case when u.recoveries < suspect_recoveries then now_ end,
      queued_ms = coalesce(u.queued_ms, 0) + (extract(epoch from now_ - u.ready_at) * 1000)::bigint
    from jsonb_to_recordset(s) as q(i int, x int, nt text, nm int)
    cross join lateral (select h.ctid as tid from dagwright.task_executions h where h.workflow_execution_id = ids[q.x]
      and h.task_id = q.nt and h.map_index = q.nm and coalesce(isfinite(h.ready_at), false) and h.status in ('pending', 'retrying', 'waiting') offset 0) l
    where running[q.x] and q.nt is not null and q.i = any(found_) and q.i = any(lanes) and not q.i = any(used) and u.ctid = l.tid
    returning q.i, u.task_id, u.map_index, u.fence, u.attempt_number, u.recoveries, u.waiting_on::text
  loop
    kind := 'claim'; i := r.i; t := r.task_id; m := r.map_index; fence := r.fence; attempt := r.attempt_number;
    recoveries := r.recoveries; phase := r.waiting_on; at := null;
    return next;
  end loop;

  if cardinality(ready_t) > 0 then
    for r in select y.x, array_agg(y.t) as ts from unnest(ready_x, ready_t) as y(x, t) group by y.x loop
      perform dagwright.enqueue_v1(ids[r.x], r.ts, array_fill(-1, array[cardinality(r.ts)]), slots, priorities[r.x]);
    end loop;
  end if;

  for r in
    with g as (
      select q.x, max(q.sent)::int as sent, count(*)::int as n, sum(q.cost) as cost, bool_or(q.unk) as unk,
        (array_agg(q.fin) filter (where q.fin is not null))[1] as fin
      from (select q.*, count(*) over (partition by q.x) as sent
            from jsonb_to_recordset(s) as q(i int, x int, cost numeric, unk boolean, fin jsonb)) q where q.i = any(found_) group by q.x),
    k as (
      select g.*, opens[g.x] = g.n and running[g.x] as drained,
        opens[g.x] = g.n and running[g.x] and g.fin is not null and failed[g.x] = 0 as ends from g)
    update dagwright.workflow_executions o set open_tasks = o.open_tasks - k.n, next_seq = o.next_seq + k.sent,
      actual_cost_usd = o.actual_cost_usd + coalesce(k.cost, 0), cost_unknown = o.cost_unknown or coalesce(k.unk, false),
      concluded_by = case when k.drained and not k.ends then w end, status = case when k.ends then 'completed' else o.status end,
      output = case when k.ends then k.fin->'out' end, completed_at = case when k.ends then now_ end,
      deadline_at = case when k.ends then null else o.deadline_at end,
      duration_ms = case when k.ends then (extract(epoch from now_ - o.started_at) * 1000)::bigint end
    from k where o.id = ids[k.x] returning k.x, k.drained, k.ends
  loop
    if r.drained then
      kind := case when r.ends then 'finished' else 'drained' end; i := r.x; at := null;
      return next;
    end if;
  end loop;
end $$;
