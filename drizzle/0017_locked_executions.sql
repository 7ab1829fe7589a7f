-- Written by `node test/support/functions-migration.ts --write`; do not edit. See src/db/functions.

-- src/db/functions/claim.sql
-- Claims for each entry the first task of its list that is ready. p: { w, c: [{ i, e, l: [[task, index], …] }] }.
-- Returns per claimed entry its place in the list. Nothing comes back for an entry of which nothing was ready.
-- An execution that somebody has locked is passed by: its entry comes back with k null.
-- A suspect starts only when enter_v1 says so; one that has lost more workers than it may is not tried again (core/recovery.ts).
create or replace function dagwright.claim_v2(p jsonb)
returns table (i int, k int, t text, m int, fence bigint, attempt int, recoveries int, phase text)
language plpgsql
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set plan_cache_mode = force_generic_plan as $$
declare
  max_recoveries constant int := 3;
  suspect_recoveries constant int := 2;
  w constant uuid := p->>'w';
  c record;
  l record;
  now_ timestamptz;
begin
  for c in select (o.value->>'i')::int as i, (o.value->>'e')::uuid as e, o.value->'l' as l
           from jsonb_array_elements(p->'c') o order by 2, 1 loop
    perform from dagwright.workflow_executions where id = c.e and status = 'running' for no key update skip locked;
    if not found then
      if exists (select from dagwright.workflow_executions where id = c.e and status = 'running') then
        i := c.i; k := null; t := null; return next;
      end if;
      continue;
    end if;
    now_ := clock_timestamp();
    for l in select o.ordinality::int - 1 as k, o.value->>0 as t, (o.value->>1)::int as m
             from jsonb_array_elements(c.l) with ordinality o loop
      update dagwright.task_executions u set status = 'running', fence = u.fence + 1, worker_id = w, ready_at = null,
        attempt_number = u.attempt_number + (u.status <> 'waiting' and u.recoveries <= max_recoveries)::int,
        started_at = case when u.recoveries < suspect_recoveries then now_ end,
        queued_ms = coalesce(u.queued_ms, 0) + (extract(epoch from now_ - u.ready_at) * 1000)::bigint
      where u.workflow_execution_id = c.e and u.task_id = l.t and u.map_index = l.m
        and coalesce(isfinite(u.ready_at), false) and u.status in ('pending', 'retrying', 'waiting')
      returning u.fence, u.attempt_number, u.recoveries, u.waiting_on into fence, attempt, recoveries, phase;
      if found then
        i := c.i; k := l.k; t := l.t; m := l.m;
        return next;
        exit;
      end if;
    end loop;
  end loop;
end $$;

-- src/db/functions/finish.sql
-- Ends an execution whose tasks have all ended (or that could not be opened: from 'pending').
-- p: [{ e, from, status, out, err, cwe }]. Returns those that this call ended, and (is_locked) those that somebody has locked, which it
-- passed by.
create or replace function dagwright.finish_v2(p jsonb) returns table (e uuid, is_locked boolean)
language plpgsql set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
declare
  x record;
  now_ timestamptz;
begin
  for x in select r.* from jsonb_to_recordset(p) as r(e uuid, "from" dagwright.execution_status, status dagwright.execution_status, out jsonb, err jsonb, cwe boolean) order by r.e loop
    perform from dagwright.workflow_executions o where o.id = x.e for no key update skip locked;
    if not found then
      if exists (select from dagwright.workflow_executions o where o.id = x.e and o.status = x."from") then
        e := x.e; is_locked := true; return next;
      end if;
      continue;
    end if;
    now_ := clock_timestamp();
    update dagwright.workflow_executions o set status = x.status, output = x.out, error = x.err, completed_at = now_, deadline_at = null,
      completed_with_errors = coalesce(x.cwe, false),
      duration_ms = (extract(epoch from now_ - coalesce(o.started_at, o.created_at)) * 1000)::bigint
    where o.id = x.e and o.status = x."from" and o.open_tasks = 0;
    if found then e := x.e; is_locked := false; return next; end if;
  end loop;
end $$;

-- src/db/functions/jobs.sql
-- A time-ordered id (RFC 9562, UUIDv7, milliseconds).
create or replace function dagwright.uuid_v7() returns uuid language sql volatile as $$
  select encode(set_bit(set_bit(overlay(uuid_send(gen_random_uuid())
    placing substring(int8send((extract(epoch from clock_timestamp()) * 1000)::bigint) from 3) from 1 for 6), 52, 1), 53, 1), 'hex')::uuid
$$;

-- Wakes workers: one graphile job per payload. The only way into graphile's tables; runs as the owner of both schemas.
create or replace function dagwright.add_jobs_v1(payloads json[], priority int) returns void
language sql security definer set search_path = pg_catalog, pg_temp as $$
  select from graphile_worker.add_jobs(array(
    select ('dagwright', payload, null, null, 32767, null, (10 - priority)::smallint, null)::graphile_worker.job_spec
    from unnest(payloads) as payload))
$$;

-- Wakes a worker with this payload, but not before so many milliseconds.
create or replace function dagwright.add_later_job_v1(payload json, priority int, ms float8) returns void
language sql security definer set search_path = pg_catalog, pg_temp as $$
  select from graphile_worker.add_jobs(array[('dagwright', payload, null, clock_timestamp() + ms * interval '1 millisecond', 32767, null,
    (10 - priority)::smallint, null)::graphile_worker.job_spec])
$$;

-- Hands ready tasks of one execution to the queue as at most `slots` jobs, each with a list.
create or replace function dagwright.enqueue_v1(e uuid, ts text[], ms int[], slots int, priority int) returns void
language plpgsql as $$
declare
  n constant int := cardinality(ts);
  size constant int := greatest(1, ceil(n::numeric / greatest(slots, 1))::int);
begin
  if n = 0 then return; end if;
  perform dagwright.add_jobs_v1(array(
    select json_build_object('e', e, 't', json_agg(json_build_array(ts[k], ms[k]) order by k))
    from generate_series(1, n) as k group by (k - 1) / size order by (k - 1) / size), priority);
end $$;

-- src/db/functions/locked.sql
-- Looks at executions that somebody has locked: a caller's own transaction, an operator's, another worker's. What needs one of them was
-- passed by, and goes again when it is free (db/protocol/locked-executions.ts).
--   L1  A look is in nobody's way: it takes the lock within a block that is undone at once, and its commit waits for no disk.
--   L2  One that is gone is not locked.

-- Those of these executions that are locked now. Waits for none.
create or replace function dagwright.locked_executions_v1(ids uuid[]) returns uuid[]
language plpgsql set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
declare
  free uuid[];
begin
  perform set_config('synchronous_commit', 'off', true);
  begin
    free := array(select o.id from dagwright.workflow_executions o where o.id = any(ids) order by o.id for no key update skip locked);
    raise 'undo' using errcode = 'DW002';
  exception when sqlstate 'DW002' then null;
  end;
  return array(select o.id from dagwright.workflow_executions o where o.id = any(ids) and not o.id = any(free));
end $$;

-- Waits until nobody has the execution locked, `most_ms` at most; false: somebody still has.
create or replace function dagwright.await_execution_v1(x uuid, most_ms int) returns boolean
language plpgsql set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
begin
  perform set_config('synchronous_commit', 'off', true), set_config('lock_timeout', most_ms::text, true);
  begin
    perform from dagwright.workflow_executions o where o.id = x for no key update;
    raise 'undo' using errcode = 'DW002';
  exception
    when sqlstate 'DW002' then return true;
    when lock_not_available then return false;
  end;
end $$;

-- src/db/functions/open.sql
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

-- src/db/functions/settle-completed.sql
-- Settles completions whose edges all succeed, the common case, set-based over all executions of the batch. Keeps S1 to S5 of
-- settle.sql. A fast path: what it does not know is not sent to it (db/protocol/settle.ts), and it does not learn more.
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
    from (select q.*, row_number() over (partition by q.x order by q.i) - 1 as k
          from jsonb_to_recordset(s) as q(i int, x int, t text, f bigint, b text, wn text, inp jsonb, out jsonb, errs jsonb,
            cost numeric, unk boolean, dur bigint, use jsonb, nt text)) q
    cross join lateral (select h.ctid as tid from dagwright.task_executions h where h.workflow_execution_id = ids[q.x]
      and h.task_id = q.t and h.map_index = -1 and h.status = 'running' and h.fence = q.f offset 0) l
    where u.ctid = l.tid
    returning q.i, q.x, q.nt is not null as listed)
  select array_agg(u.i), array_agg(u.x), array_agg(u.listed) into found_, found_x, listed from u;
  if cardinality(found_) is distinct from jsonb_array_length(s) then
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

-- src/db/functions/settle-sequential.sql
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

-- src/db/functions/settle.sql
-- Settles attempts and goes on: the general way, which takes whatever settle_completed_v2 and settle_one_v1 refuse.
-- p is { w, slots, x }, with one element of x per execution; all keys are declared in db/protocol/settle-keys.ts.
-- An execution that somebody has locked is passed by, so that no other has to wait for it: it comes back as `locked`, and nothing of
-- it was changed. Result rows, `kind`: locked | settled | lost (fence: what the row has now, phase: its status) | failing (a retry or a wait that the
-- failure policy refuses: settle again as failed or cancelled) | claim (i: the lane, or -1 for an extra) | drained (all tasks
-- ended; conclude it) | finished.
--   S1  A settle that names an old fence changes nothing and is reported as lost.
--   S2  Edges, money and items follow only from a settle that was found.
--   S3  A child is woken by exactly one settle: the one that takes pending_edges to 0 (or first meets its early rule).
--   S4  A woken child leaves as running for exactly one lane, or as ready with a job, in the same commit.
--   S5  Each end in an execution has a number of its own (completed_seq), higher than those of all commits before.
-- Chapters that are called once per execution or once per fan-out are functions of their own (settle-children.sql,
-- settle-closure.sql, settle-fan-out.sql). What is done per settle stands here: a call costs 6 µs, a twentieth of an item's settle.
create or replace function dagwright.settle_v2(p jsonb)
returns table (e uuid, kind text, i int, t text, m int, fence bigint, attempt int, recoveries int, phase text, at float8)
language plpgsql
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set plan_cache_mode = force_generic_plan as $$
declare
  max_recoveries constant int := 3;
  worker constant uuid := p->>'w';
  slots constant int := p->>'slots';
  batch record;         -- the settles of one execution, and what follows from them
  execution record;
  settle record;
  task record;          -- the row that was settled
  fan_out record;       -- the row of the fan-out whose item it is
  step record;          -- an answer of a chapter
  now_ timestamptz;
  seq bigint;           -- the number of the next end
  settled int[];        -- ordinals of the settles that were found
  lanes int[];          -- ordinals of the lanes that still want to go on
  extra int;            -- pure tasks that may still be claimed beyond them
  lane int;
  ready_tasks text[];
  ready_indexes int[];
  woken text[];
  closed int;           -- how many fewer tasks are open
  failures int;
  cost numeric;
  is_cost_unknown boolean;
  has_list boolean;      -- a lane brought a list
  has_end boolean;       -- one of them ends the execution
  is_drained boolean;
  claimed int;
begin
  for batch in
    select r.* from jsonb_to_recordset(p->'x') as r(e uuid, s jsonb, d jsonb, z jsonb, wd text[], lanes int[], extra int, fin jsonb, failing boolean)
    order by r.e
  loop
    -- THE EXECUTION is locked, and read.
    e := batch.e;
    select o.status, o.priority, o.failing, o.tenant_id, o.next_seq, o.open_tasks, o.failed_tasks into execution
      from dagwright.workflow_executions o where o.id = batch.e for no key update skip locked;
    if not found and exists (select from dagwright.workflow_executions o where o.id = batch.e) then
      kind := 'locked'; i := null; return next;
      continue;
    end if;
    now_ := clock_timestamp();
    at := extract(epoch from now_) * 1000;
    seq := execution.next_seq; closed := 0; failures := 0; cost := 0; is_cost_unknown := false;
    settled := '{}'; ready_tasks := '{}'; ready_indexes := '{}';
    lanes := coalesce(batch.lanes, '{}'); extra := coalesce(batch.extra, 0); has_list := false; has_end := false;
    -- While it is paused nothing begins: what becomes ready stays so, without a job, and timers stand still; resume goes on.
    if execution.status <> 'running' then lanes := '{}'; extra := 0; end if;

    for settle in select r.* from jsonb_to_recordset(batch.s) as r(i int, t text, m int, f bigint, "to" text, r dagwright.skip_reason, st boolean,
        b text, wn text, inp jsonb, out jsonb, err jsonb, cost numeric, unk boolean, dur bigint, use jsonb, wake bigint,
        wo dagwright.wait_kind, att boolean, pure boolean, ty jsonb, next jsonb, fo jsonb, errs jsonb, opt boolean, "end" jsonb)
    loop
      -- THE ROW is written, under its fence (S1).
      i := settle.i; t := settle.t; m := settle.m;
      has_list := has_list or settle.next is not null;
      has_end := has_end or settle."end" is not null;
      if settle."to" in ('completed', 'failed', 'skipped', 'cancelled') then
        update dagwright.task_executions u set status = settle."to"::dagwright.task_status, reason = settle.r, branch = settle.b, winner = settle.wn,
          input = coalesce(settle.inp, u.input), output = settle.out, error = settle.err, part_errors = settle.errs,
          resource_usage = coalesce(settle.use, u.resource_usage),
          cost_usd = u.cost_usd + case when settle.unk then null else coalesce(settle.cost, 0) end,
          duration_ms = coalesce(u.duration_ms, 0) + settle.dur,
          completed_at = now_, completed_seq = seq, waiting_on = null
        where u.workflow_execution_id = batch.e and u.task_id = settle.t and u.map_index = settle.m
          and u.status = 'running' and u.fence = settle.f
        returning u.attempt_number, u.started_at into task;
      elsif settle."to" in ('retrying', 'waiting') and execution.failing and not coalesce(settle.st, false) then
        kind := 'failing'; return next;
        lanes := array_remove(lanes, settle.i);
        continue;
      else
        -- released: no attempt spent; waiting and retrying: by timer, or until the items of a fan-out ended.
        update dagwright.task_executions u set status = case when settle."to" <> 'released' then settle."to"::dagwright.task_status when settle.wo is null then 'pending'::dagwright.task_status else 'waiting' end,
          input = coalesce(settle.inp, u.input), error = coalesce(settle.err, u.error), resource_usage = coalesce(settle.use, u.resource_usage),
          cost_usd = u.cost_usd + case when settle.unk then null else coalesce(settle.cost, 0) end,
          duration_ms = coalesce(u.duration_ms, 0) + settle.dur, waiting_on = settle.wo,
          wake_at = case when execution.status = 'running' then now_ + settle.wake * interval '1 millisecond' end,
          held_wake_at = case when execution.status <> 'running' then now_ + settle.wake * interval '1 millisecond' end,
          ready_at = case when settle."to" = 'released' then now_ end,
          attempt_number = u.attempt_number - (settle."to" = 'released' and settle.wo is null and u.recoveries <= max_recoveries)::int,
          items = coalesce(settle.fo->'items', u.items), items_total = coalesce((settle.fo->>'total')::int, u.items_total),
          items_open = coalesce((settle.fo->>'total')::int, u.items_open), items_ok = case when settle.fo is null then u.items_ok else 0 end,
          items_failed = case when settle.fo is null then u.items_failed else 0 end,
          items_tolerated = coalesce((settle.fo->>'tol')::int, u.items_tolerated), items_needed = coalesce((settle.fo->>'need')::int, u.items_needed),
          items_issued = coalesce(least((settle.fo->>'conc')::int, (settle.fo->>'total')::int), u.items_issued)
        where u.workflow_execution_id = batch.e and u.task_id = settle.t and u.map_index = settle.m
          and u.status = 'running' and u.fence = settle.f
        returning u.attempt_number, u.started_at, u.items_issued into task;
      end if;
      if not found then
        select u.fence, u.status into fence, phase from dagwright.task_executions u
          where u.workflow_execution_id = batch.e and u.task_id = settle.t and u.map_index = settle.m;
        kind := 'lost'; return next;
        lanes := array_remove(lanes, settle.i);
        continue;
      end if;
      settled := settled || settle.i;
      cost := cost + coalesce(settle.cost, 0);
      is_cost_unknown := is_cost_unknown or coalesce(settle.unk, false);
      if settle."to" = 'failed' then
        -- What came for it and was not looked at was not redacted.
        update dagwright.task_callbacks c set output = null, error = null
          where c.workflow_execution_id = batch.e and c.task_id = settle.t and c.map_index = settle.m and c.completed_at is not null;
      end if;
      if settle.att then
        insert into dagwright.task_attempts (workflow_execution_id, task_id, map_index, attempt_number, fence, tenant_id,
          worker_id, error, cost_usd, resource_usage, started_at, completed_at, duration_ms)
        values (batch.e, settle.t, settle.m, task.attempt_number, settle.f, execution.tenant_id, worker, settle.err,
          case when settle.unk then null else coalesce(settle.cost, 0) end, settle.use, task.started_at, now_, settle.dur);
      end if;
      kind := 'settled'; return next;

      -- WHAT THE TASK GOES ON WITH, where it has not ended.
      if settle."to" = 'released' then
        ready_tasks := ready_tasks || settle.t; ready_indexes := ready_indexes || settle.m;
      elsif dagwright.wait_ends_by_v1(settle.wo) = 'answer' then
        -- Its answer may have come before it waited.
        update dagwright.task_executions u set ready_at = now_, wake_at = null, held_wake_at = null
        where u.workflow_execution_id = batch.e and u.task_id = settle.t and u.map_index = settle.m and exists (
          select from dagwright.task_callbacks c where c.workflow_execution_id = batch.e and c.task_id = settle.t and c.map_index = settle.m
            and c.waiting_on = settle.wo and c.completed_at is not null);
        if found then ready_tasks := ready_tasks || settle.t; ready_indexes := ready_indexes || settle.m; end if;
      elsif settle.fo is not null then
        -- A fan-out opens: of the first items of its window one is for this lane, pure ones may be taken beyond, the rest is ready.
        claimed := least(case when settle.i = any(lanes) then 1 else 0 end + case when settle.pure then extra else 0 end, task.items_issued);
        perform dagwright.open_items_v1(worker, batch.e, execution.tenant_id, settle.t, settle.fo->'types', coalesce(settle.st, false),
          task.items_issued, claimed, now_);
        for item in 0 .. claimed - 1 loop
          kind := 'claim'; m := item; fence := 1; attempt := 1; recoveries := 0; phase := null;
          i := case when item = 0 and settle.i = any(lanes) then settle.i else -1 end;
          return next;
          if i = settle.i then lanes := array_remove(lanes, settle.i); else extra := extra - 1; end if;
        end loop;
        ready_tasks := ready_tasks || array_fill(settle.t, array[task.items_issued - claimed]);
        ready_indexes := ready_indexes || array(select item from generate_series(claimed, task.items_issued - 1) item);
      end if;
      if settle."to" not in ('completed', 'failed', 'skipped', 'cancelled') then continue; end if;

      -- WHAT FOLLOWS FROM AN END: a task's is counted; an item's moves the window of its fan-out on, or ends that.
      seq := seq + 1;
      if settle.m < 0 then
        closed := closed + 1;
        failures := failures + (settle."to" = 'failed')::int;
        continue;
      end if;
      update dagwright.task_executions u set items_open = u.items_open - 1,
        items_ok = u.items_ok + (settle."to" = 'completed')::int,
        items_failed = u.items_failed + (settle."to" <> 'completed' and not coalesce(settle.opt, false))::int
      where u.workflow_execution_id = batch.e and u.task_id = settle.t and u.map_index = -1 and u.status = 'waiting' and u.waiting_on = 'items'
      returning u.items_open, u.items_ok, u.items_failed, u.items_total, u.items_issued, u.items_tolerated, u.items_needed,
        u.stays_after_failure into fan_out;
      if not found then
        -- The fan-out was ended by the failure policy while this item ran: it was counted as open on its own.
        closed := closed + 1;
      elsif fan_out.items_open = 0 or fan_out.items_failed > fan_out.items_tolerated or fan_out.items_ok >= fan_out.items_needed then
        lane := lanes[1];
        select * into fence, attempt, recoveries, phase from dagwright.collect_items_v1(worker, batch.e, execution.tenant_id, settle.t,
          fan_out.items_issued, fan_out.items_total, lane is not null, now_, seq);
        seq := seq + fan_out.items_total;
        if lane is null then
          ready_tasks := ready_tasks || settle.t; ready_indexes := ready_indexes || -1;
        else
          kind := 'claim'; i := lane; m := -1; return next;
          lanes := lanes[2:];
        end if;
      elsif fan_out.items_issued < fan_out.items_total then
        lane := lanes[1];
        if lane is null and settle.pure and settle.ty is null and extra > 0 then lane := -1; extra := extra - 1; end if;
        insert into dagwright.task_executions (workflow_execution_id, task_id, map_index, tenant_id, task_type,
          stays_after_failure, status, fence, attempt_number, worker_id, started_at, queued_ms, ready_at)
        select batch.e, settle.t, fan_out.items_issued, execution.tenant_id, coalesce(settle.ty->>fan_out.items_issued, u.task_type), fan_out.stays_after_failure,
          case when lane is null then 'pending'::dagwright.task_status else 'running' end, (lane is not null)::int, (lane is not null)::int,
          case when lane is not null then worker end, case when lane is not null then now_ end,
          case when lane is not null then 0 end, case when lane is null then now_ end
        from dagwright.task_executions u
        where u.workflow_execution_id = batch.e and u.task_id = settle.t and u.map_index = settle.m;
        update dagwright.task_executions u set items_issued = u.items_issued + 1
          where u.workflow_execution_id = batch.e and u.task_id = settle.t and u.map_index = -1;
        if lane is null then
          ready_tasks := ready_tasks || settle.t; ready_indexes := ready_indexes || fan_out.items_issued;
        else
          kind := 'claim'; i := lane; m := fan_out.items_issued; fence := 1; attempt := 1; recoveries := 0; phase := null;
          return next;
          lanes := lanes[2:];
        end if;
      end if;
    end loop;

    -- WHAT FOLLOWS FAR AWAY, AND WHAT THE LANES GO ON WITH, from settles that were found (S2).
    if cardinality(settled) > 0 then
      if batch.z is not null then
        select * into step from dagwright.end_further_v1(batch.e, execution.tenant_id, batch.z, now_, seq);
        closed := closed + step.closed; failures := failures + step.failures; seq := step.next_seq;
      end if;
      if batch.wd is not null then
        woken := dagwright.wind_down_v1(batch.e, batch.wd, now_);
        ready_tasks := ready_tasks || woken; ready_indexes := ready_indexes || array_fill(-1, array[cardinality(woken)]);
      end if;
      if batch.d is not null then
        for step in select * from dagwright.wake_children_v1(worker, batch.e, batch.d, settled, lanes, extra, now_) loop
          if step.kind = 'ready' then
            ready_tasks := ready_tasks || step.t; ready_indexes := ready_indexes || -1;
          else
            kind := 'claim'; i := step.i; t := step.t; m := -1; phase := null;
            fence := step.fence; attempt := step.attempt; recoveries := step.recoveries;
            return next;
            if i = -1 then extra := extra - 1; else lanes := array_remove(lanes, i); end if;
          end if;
        end loop;
      end if;
    end if;
    -- Lanes that got no child go on with their lists.
    if has_list and cardinality(lanes) > 0 then
      kind := 'claim';
      for i, t, m, fence, attempt, recoveries, phase in select * from dagwright.claim_listed_v1(worker, batch.e, batch.s, lanes, now_) loop
        return next;
      end loop;
    end if;
    if cardinality(ready_tasks) > 0 and execution.status = 'running' then
      perform dagwright.enqueue_v1(batch.e, ready_tasks, ready_indexes, slots, execution.priority);
    end if;
    if cardinality(settled) = 0 then continue; end if;

    -- THE EXECUTION'S COUNTERS, and its end where these settles are its last or one of them ends it.
    is_drained := execution.open_tasks = closed and closed > 0 and execution.status = 'running';
    if is_drained and batch.fin is not null and execution.failed_tasks + failures = 0 then
      update dagwright.workflow_executions o set open_tasks = 0, next_seq = seq, status = 'completed',
        output = batch.fin->'out', completed_at = now_, deadline_at = null,
        duration_ms = (extract(epoch from now_ - o.started_at) * 1000)::bigint,
        actual_cost_usd = o.actual_cost_usd + cost, cost_unknown = o.cost_unknown or is_cost_unknown
      where o.id = batch.e;
      kind := 'finished'; i := null; return next;
    else
      update dagwright.workflow_executions o set open_tasks = o.open_tasks - closed, next_seq = seq,
        failed_tasks = o.failed_tasks + failures, failing = o.failing or coalesce(batch.failing, false),
        concluded_by = case when is_drained then worker end,
        actual_cost_usd = o.actual_cost_usd + cost, cost_unknown = o.cost_unknown or is_cost_unknown
      where o.id = batch.e;
      if is_drained then kind := 'drained'; i := null; return next; end if;
    end if;
    if has_end then
      for settle in select r.i, r."end" from jsonb_to_recordset(batch.s) as r(i int, "end" jsonb) where r."end" is not null and r.i = any(settled) loop
        perform dagwright.end_execution_v1(batch.e, (settle."end"->>'status')::dagwright.execution_status, settle."end"->'out', settle."end"->'err', 'terminated', now_);
        kind := 'finished'; i := null; return next;
      end loop;
    end if;
  end loop;
end $$;

-- src/db/functions/start-and-open.sql
-- Starts executions of one tenant, and opens some of them for a worker in the same commit: those of p that say `open`, by
-- `openings` (as open_v2 reads it). It keeps what start_executions_v1 and open_v2 keep; between them nobody sees a row.
-- Rows: first the answers of start_executions_v1; then, with i null, each execution that was opened: when, and what of it was
-- stored in another form than it was sent in.
create or replace function dagwright.start_and_open_v2(tenant uuid, p jsonb, worker uuid, slots int, openings jsonb)
returns table (i int, id uuid, existing boolean, problem text, opened_at float8, created_at timestamptz, started_at timestamptz,
  input jsonb, trigger jsonb)
language plpgsql as $$
begin
  return query select s.i, s.id, s.existing, s.problem, null::float8, null::timestamptz, null::timestamptz, null::jsonb, null::jsonb
    from dagwright.start_executions_v1(tenant, p) s;
  return query select null::int, o.e, null::boolean, null::text, o.at, x.created_at, x.started_at, x.input, x.trigger
    from dagwright.open_v2(worker, slots, openings) o
    cross join lateral (select * from dagwright.workflow_executions h where h.id = o.e offset 0) x;
end $$;

-- src/db/functions/suspect-turn.sql
-- Whether this worker may hold its other attempts back for a task that has crashed workers, for so long at most: one of all workers
-- at a time, so that the others go on. Waits for nobody; a worker that dies with the turn has it until its time is over.
create or replace function dagwright.take_suspect_turn_v1(worker uuid, for_ms int) returns boolean
language plpgsql as $$
begin
  if not pg_try_advisory_xact_lock(1148, 2) then return false; end if;
  -- A statement of its own: its snapshot must be younger than the lock.
  if exists (select from dagwright.workers w where w.id <> worker and w.suspects_until > clock_timestamp()) then return false; end if;
  update dagwright.workers set suspects_until = clock_timestamp() + for_ms * interval '1 millisecond' where id = worker;
  return found;
end $$;

-- src/db/functions/take-over.sql
-- Takes over what dead workers ran, and forgets them. Dead: its lock is free and two beats were missed, or no beat for
-- its lease; both count from the server's start, so that an outage is no death. The sweeper must itself have been
-- beating as long as the rule that it applies, for the same reason. At most `most` executions of one a
-- pass; those that somebody has locked wait for another, and the others are not behind them.
create or replace function dagwright.take_over_v1(sweeper uuid, slots int, most int) returns int
language plpgsql set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
declare
  max_recoveries constant int := 3;
  now_ timestamptz := clock_timestamp();
  up constant timestamptz := pg_postmaster_start_time();
  mine record;
  dead record;
  x record;
  total int := 0;
  ts text[];
  ms int[];
begin
  select greatest(beating_since, up) as since into mine from dagwright.workers
    where id = sweeper and heartbeat_at > now_ - interval '7 seconds';
  if not found then return 0; end if;
  for dead in
    select w.id from dagwright.workers w
    where w.id <> sweeper and greatest(w.heartbeat_at, up) < now_ - interval '7 seconds' and (
      (mine.since < now_ - interval '7 seconds'
        and not exists (select from pg_locks k where k.locktype = 'advisory' and k.database = (select oid from pg_database where datname = current_database())
          and k.classid = 1147 and k.objid = w.lock_key::oid and k.granted))
      or (greatest(w.heartbeat_at, up) < now_ - w.lease_seconds * interval '1 second'
        and mine.since < now_ - w.lease_seconds * interval '1 second'))
    for update skip locked
  loop
    for x in
      select o.id, o.priority, o.status, o.tenant_id from dagwright.workflow_executions o
      where o.status in ('running', 'paused') and exists (select from dagwright.task_executions t
        where t.workflow_execution_id = o.id and t.status = 'running' and t.worker_id = dead.id)
      order by o.id limit most for no key update of o skip locked
    loop
      -- The attempt that died is kept; more of them than it may have, and the task is not tried again (its next claim fails it).
      -- What had not been entered yet is given back as if it had not been claimed.
      insert into dagwright.task_attempts (workflow_execution_id, task_id, map_index, attempt_number, fence, tenant_id, worker_id, error, started_at, completed_at)
      select x.id, t.task_id, t.map_index, t.attempt_number, t.fence, x.tenant_id, dead.id,
        jsonb_build_object('code', 'worker_lost', 'message', 'the worker that ran this attempt died'), t.started_at, now_
      from dagwright.task_executions t
      where t.workflow_execution_id = x.id and t.status = 'running' and t.worker_id = dead.id and t.started_at is not null;
      with taken as (
        update dagwright.task_executions t set
          status = case when t.waiting_on is null then 'pending'::dagwright.task_status else 'waiting' end,
          fence = t.fence + 1, recoveries = t.recoveries + (t.started_at is not null)::int, ready_at = now_,
          -- A claim from waiting does not count an attempt; the one that a crash took is counted here.
          attempt_number = t.attempt_number - (t.started_at is null and t.waiting_on is null and t.recoveries <= max_recoveries)::int
            + (t.started_at is not null and t.waiting_on is not null and t.recoveries < max_recoveries)::int
        where t.workflow_execution_id = x.id and t.status = 'running' and t.worker_id = dead.id
        returning t.task_id, t.map_index)
      select array_agg(task_id), array_agg(map_index) into ts, ms from taken;
      if ts is not null then
        perform dagwright.enqueue_v1(x.id, ts, ms, slots, x.priority);
        insert into dagwright.execution_logs (id, tenant_id, workflow_execution_id, task_id, map_index, at, level, message, fields)
        select dagwright.uuid_v7(), x.tenant_id, x.id, l.task_id, nullif(l.map_index, -1), now_, 'warn',
          'the worker that held this task died: it is taken over', jsonb_build_object('workerId', dead.id)
        from unnest(ts, ms) as l(task_id, map_index);
        total := total + cardinality(ts);
      end if;
    end loop;
    for x in select o.id, o.priority from dagwright.workflow_executions o
             where o.status = 'running' and o.open_tasks = 0 and o.concluded_by = dead.id for no key update skip locked loop
      update dagwright.workflow_executions set concluded_by = sweeper where id = x.id;
      perform dagwright.add_jobs_v1(array[json_build_object('e', x.id)], x.priority);
    end loop;
    if not exists (select from dagwright.workflow_executions o join dagwright.task_executions t
        on t.workflow_execution_id = o.id where o.status in ('running', 'paused') and t.status = 'running' and t.worker_id = dead.id)
      and not exists (select from dagwright.workflow_executions o where o.status = 'running' and o.open_tasks = 0 and o.concluded_by = dead.id) then
      delete from dagwright.workers where id = dead.id;
      perform dagwright.unlock_lost_pools_v1();
    end if;
  end loop;
  return total;
end $$;

-- src/db/functions/tick.sql
-- The one-second loop of a worker. p: { w, slots, sweep, held: [[e, t, m, f, timeout seconds or null], …] } (the attempts it has
-- held for a while). Returns { lost: [ordinals no longer its own], late: [ordinals past their timeout], woken, ended,
-- recovered, next (ms until the next timer, or null), now (ms since the epoch) }.
create or replace function dagwright.tick_v1(p jsonb) returns jsonb
language plpgsql set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  now_ timestamptz := clock_timestamp();
  lost jsonb;
  late jsonb;
  woken int;
  ended int := 0;
  recovered int := 0;
  x record;
begin
  select coalesce(jsonb_agg(h.k) filter (where t.fence is distinct from h.f or t.status is distinct from 'running'), '[]'),
    coalesce(jsonb_agg(h.k) filter (where t.fence = h.f and t.status = 'running' and t.started_at + h.timeout * interval '1 second' < now_), '[]')
    into lost, late
  from (select o.ordinality - 1 as k, (o.value->>0)::uuid as e, o.value->>1 as t, (o.value->>2)::int as m, (o.value->>3)::bigint as f,
          (o.value->>4)::float8 as timeout
        from jsonb_array_elements(p->'held') with ordinality o) h
  left join dagwright.task_executions t on t.workflow_execution_id = h.e and t.task_id = h.t and t.map_index = h.m;
  woken := dagwright.wake_due_v1((p->>'slots')::int, 256) + dagwright.start_due_v1(256);
  -- Those that somebody has locked are none of the 32. Taken without waiting, so out of the order of locks.
  for x in select o.id from dagwright.workflow_executions o where o.deadline_at <= now_ and o.status <> 'paused'
           order by o.deadline_at limit 32 for no key update skip locked loop
    perform dagwright.end_execution_v1(x.id, 'failed', null,
      jsonb_build_object('code', 'timeout', 'message', 'the execution ran past its timeoutSeconds'), 'execution_failed', now_);
    ended := ended + 1;
  end loop;
  if (p->>'sweep')::boolean then
    recovered := dagwright.take_over_v1((p->>'w')::uuid, (p->>'slots')::int, 200);
  end if;
  return jsonb_build_object('now', extract(epoch from clock_timestamp()) * 1000, 'lost', lost, 'late', late, 'woken', woken, 'ended', ended, 'recovered', recovered,
    'next', (select (extract(epoch from wake_at - clock_timestamp()) * 1000)::bigint from dagwright.task_executions
      where wake_at is not null order by wake_at limit 1));
end $$;

-- src/db/functions/waiting-calls.sql
-- The batches as the release before calls them: it does not know the answer `locked`, so all executions of a batch are locked before it,
-- and it waits for those that somebody has locked. To go with the release after the next.
create or replace function dagwright.settle_v1(p jsonb)
returns table (e uuid, kind text, i int, t text, m int, fence bigint, attempt int, recoveries int, phase text, at float8)
language plpgsql set enable_seqscan = off as $$
begin
  perform from dagwright.workflow_executions o where o.id = any(array(select (x.value->>'e')::uuid from jsonb_array_elements(p->'x') x))
    order by o.id for no key update;
  return query select s.* from dagwright.settle_v2(p) s;
end $$;

create or replace function dagwright.settle_completed_v1(w uuid, slots int, ids uuid[], s jsonb, d jsonb, lanes int[], extra int)
returns table (kind text, i int, t text, m int, fence bigint, attempt int, recoveries int, phase text, at float8)
language plpgsql set enable_seqscan = off as $$
begin
  perform from dagwright.workflow_executions o where o.id = any(ids) order by o.id for no key update;
  return query select c.* from dagwright.settle_completed_v2(w, slots, ids, s, d, lanes, extra) c;
end $$;

create or replace function dagwright.claim_v1(p jsonb)
returns table (i int, k int, t text, m int, fence bigint, attempt int, recoveries int, phase text)
language plpgsql set enable_seqscan = off as $$
begin
  perform from dagwright.workflow_executions o where o.id = any(array(select (c.value->>'e')::uuid from jsonb_array_elements(p->'c') c))
    and o.status = 'running' order by o.id for no key update;
  return query select c.* from dagwright.claim_v2(p) c;
end $$;

create or replace function dagwright.open_v1(w uuid, slots int, x jsonb) returns table (e uuid, at float8)
language plpgsql set enable_seqscan = off as $$
begin
  perform from dagwright.workflow_executions o where o.id = any(array(select (r.value->>'e')::uuid from jsonb_array_elements(x) r))
    order by o.id for no key update;
  return query select o.* from dagwright.open_v2(w, slots, x) o;
end $$;

create or replace function dagwright.finish_v1(p jsonb) returns table (e uuid)
language plpgsql set enable_seqscan = off as $$
begin
  perform from dagwright.workflow_executions o where o.id = any(array(select (r.value->>'e')::uuid from jsonb_array_elements(p) r))
    order by o.id for no key update;
  return query select f.e from dagwright.finish_v2(p) f;
end $$;

-- src/db/functions/wake-due.sql
-- Makes ready what a timer was set for, at most `most` tasks. Due tasks are found by the index of timers alone, whatever else their
-- executions hold.
--   W1  An execution that somebody has locked waits for the next pass. Its timers are looked past, however many are due, so that
--       those of others are not behind them.
create or replace function dagwright.wake_due_v1(slots int, most int) returns int
language plpgsql
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set plan_cache_mode = force_generic_plan as $$
declare
  x record;
  n int := 0;
  page int;
  now_ timestamptz := clock_timestamp();
  due_x uuid[];
  due_t text[];
  due_m int[];
  seen uuid[] := '{}';   -- executions that this call has been at
  ts text[];
  ms int[];
begin
  for round in 1..16 loop
    page := most - n;
    select array_agg(due.e), array_agg(due.t), array_agg(due.m) into due_x, due_t, due_m from (
      select workflow_execution_id as e, task_id as t, map_index as m from dagwright.task_executions
      where wake_at <= now_ and not workflow_execution_id = any(seen) order by wake_at limit page) due;
    exit when due_x is null;
    for x in
      select o.id, o.priority from dagwright.workflow_executions o where o.id = any(due_x) and o.status = 'running'
      order by o.id for no key update skip locked
    loop
      with woken as (
        update dagwright.task_executions u set wake_at = null, ready_at = now_
        from unnest(due_x, due_t, due_m) as y(e, t, m)
        where y.e = x.id and u.workflow_execution_id = x.id and u.task_id = y.t and u.map_index = y.m
          and u.wake_at <= now_ and u.status in ('waiting', 'retrying')
        returning u.task_id, u.map_index)
      select array_agg(task_id), array_agg(map_index) into ts, ms from woken;
      if ts is not null then
        perform dagwright.enqueue_v1(x.id, ts, ms, slots, x.priority);
        n := n + cardinality(ts);
      end if;
    end loop;
    exit when cardinality(due_x) < page or n >= most;
    seen := seen || array(select distinct e from unnest(due_x) as y(e));
  end loop;
  return n;
end $$;
