-- Written by `node test/support/functions-migration.ts --write`; do not edit. See src/db/functions.

-- src/db/functions/settle-completed.sql
-- Settles completions whose edges all succeed, the common case, set-based over all executions of the batch. Keeps S1 to S5 of
-- settle.sql. A fast path: what it does not know is not sent to it (db/protocol/settle.ts), and it does not learn more.
-- Pure successors that were performed with completions (o) stand last in s: they are written too, and counted; edges are then those
-- of the last of them. Where one cannot be written nothing is changed, and the batch is sent without them (SQLSTATE DW001).
-- ids: the executions; s: completions, d: edges, by keys that db/protocol/settle-keys.ts declares; lanes: ordinals that want to
-- go on; extra: pure tasks that may be claimed beyond them. Result rows: at (the database's time) | lost | claim | drained |
-- finished (i: place in ids).
create or replace function dagwright.settle_completed_v1(w uuid, slots int, ids uuid[], s jsonb, d jsonb, lanes int[], extra int)
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
  seqs bigint[] := array_fill(0::bigint, array[cardinality(ids)]);
  priorities int[] := array_fill(5, array[cardinality(ids)]);
  running bool[] := array_fill(false, array[cardinality(ids)]);
  opens int[] := array_fill(0, array[cardinality(ids)]);
  failed int[] := array_fill(0, array[cardinality(ids)]);
  r record;
begin
  for r in select array_position(ids, o.id) as x, o.next_seq, o.priority, o.status, o.open_tasks, o.failed_tasks from dagwright.workflow_executions o
           where o.id = any(ids) order by o.id for no key update loop
    seqs[r.x] := r.next_seq; priorities[r.x] := r.priority; running[r.x] := r.status = 'running';
    opens[r.x] := r.open_tasks; failed[r.x] := r.failed_tasks;
  end loop;
  now_ := clock_timestamp();
  kind := 'at'; at := extract(epoch from now_) * 1000; return next;

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
      where not coalesce(q.i = any(found_), false);
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

-- src/db/functions/settle-successors.sql
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
  perform from dagwright.workflow_executions o where o.id = any(ids) order by o.id for no key update;
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

-- src/db/functions/start.sql
-- Records starts for one tenant: an execution row, a job and, with an idempotency key, its row. Nothing else, on every
-- path. p: [{ i, id, workflowId, input, key?, scope?, requestHash? (hex), priority?, triggerType?, trigger?, metadata?, createdBy?,
-- revision?, latest? (only if this is the revision that a start takes now: else the problem is `stale`, and nothing is recorded), runAt? (opened only then), open? (start_and_open_v1 opens it: no job) }]. Runs as the owner under the tenant's policy; a repeated key returns the first
-- execution, and an id that was started already is not started again. Problems: not_found, not_active, tenant_suspended,
-- tier_too_low, stale, key_reused (the key came with another requestHash). Every row is found by its whole key, behind `offset 0`:
-- what was planned as a join or a hashed subquery while the tables were new would read all of the tenant's rows, ever after.
create or replace function dagwright.start_executions_v1(tenant uuid, p jsonb)
returns table (i int, id uuid, existing boolean, problem text)
language plpgsql security definer set search_path = pg_catalog, pg_temp
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_column
declare
  now_ timestamptz;
  before text := current_setting('app.current_tenant_id', true);
  has_keys constant boolean := jsonb_path_exists(p, '$[*].key');
  opening constant uuid[] := case when jsonb_path_exists(p, '$[*].open') then array(select (o.value->>'id')::uuid
    from jsonb_array_elements(p) o where o.value->'open' = 'true') end;
  bad text;
  count_ int := 0;
  jobs record;
  owner_ record;
begin
  select r.priority::text into bad from jsonb_to_recordset(p) as r(priority int) where r.priority not between 1 and 10 limit 1;
  if found then raise exception 'priority must be 1 to 10, got %', bad using errcode = '22023'; end if;
  perform set_config('app.current_tenant_id', tenant::text, true);
  select t.status = 'active' as is_active, t.tier into owner_ from dagwright.tenants t where t.id = tenant;
  now_ := clock_timestamp();
  if has_keys then
    -- In the order of the keys, so that two batches cannot wait for each other.
    insert into dagwright.idempotency_keys (tenant_id, scope, key, workflow_execution_id, request_hash, created_at)
    select tenant, coalesce(r.scope, 'start:' || r."workflowId"), r.key, r.id, decode(r."requestHash", 'hex'), now_
    from jsonb_to_recordset(p) as r(i int, id uuid, "workflowId" text, revision int, latest boolean, key text, scope text, "requestHash" text)
    cross join lateral (select from dagwright.workflow_definitions d join dagwright.workflow_versions v
      on v.tenant_id = d.tenant_id and v.workflow_id = d.workflow_id and v.revision = coalesce(r.revision, d.pinned_revision, d.latest_revision)
      where d.tenant_id = tenant and d.workflow_id = r."workflowId" and d.status = 'active' and owner_.is_active and v.min_tier <= owner_.tier
        and (r.latest is not true or v.revision = coalesce(d.pinned_revision, d.latest_revision)) offset 0) v
    where r.key is not null order by 2, 3, r.i
    on conflict do nothing;
  end if;
  for jobs in
    with started as (
      insert into dagwright.workflow_executions (id, tenant_id, workflow_id, revision, version_id, priority, trigger_type, trigger,
        input, metadata, created_by, created_at, run_at)
      select r.id, tenant, r."workflowId", v.revision, v.id, coalesce(r.priority, 5), coalesce(r."triggerType", 'sql')::dagwright.trigger_type,
        r.trigger, coalesce(r.input, 'null'), r.metadata, r."createdBy", now_, case when r."runAt" > now_ then r."runAt" end
      from jsonb_to_recordset(p) as r(i int, id uuid, "workflowId" text, revision int, latest boolean, input jsonb, key text, scope text, priority int,
        "triggerType" text, trigger jsonb, metadata jsonb, "createdBy" text, "runAt" timestamptz)
      cross join lateral (select v.id, v.revision from dagwright.workflow_definitions d join dagwright.workflow_versions v
        on v.tenant_id = d.tenant_id and v.workflow_id = d.workflow_id and v.revision = coalesce(r.revision, d.pinned_revision, d.latest_revision)
        where d.tenant_id = tenant and d.workflow_id = r."workflowId" and d.status = 'active' and owner_.is_active and v.min_tier <= owner_.tier
          and (r.latest is not true or v.revision = coalesce(d.pinned_revision, d.latest_revision)) offset 0) v
      where r.key is null or exists (select from dagwright.idempotency_keys k where k.tenant_id = tenant
        and k.scope = coalesce(r.scope, 'start:' || r."workflowId") and k.key = r.key and k.workflow_execution_id = r.id offset 0)
      on conflict do nothing
      returning id, priority, run_at)
    select priority, count(*)::int as n, array_agg(json_build_object('e', id))
      filter (where run_at is null and (opening is null or not id = any(opening))) as payloads from started group by priority
  loop
    count_ := count_ + jobs.n;
    if jobs.payloads is not null then perform dagwright.add_jobs_v1(jobs.payloads, jobs.priority); end if;
  end loop;
  -- A key without its execution (the workflow changed its status meanwhile) must not answer for one later.
  if has_keys then
    delete from dagwright.idempotency_keys k
      using jsonb_to_recordset(p) as r(id uuid, "workflowId" text, key text, scope text)
      cross join lateral (select h.ctid as tid from dagwright.idempotency_keys h where h.tenant_id = tenant
        and h.scope = coalesce(r.scope, 'start:' || r."workflowId") and h.key = r.key and h.workflow_execution_id = r.id offset 0) h
      where k.ctid = h.tid and not exists (select from dagwright.workflow_executions o where o.id = r.id offset 0);
  end if;
  if count_ = jsonb_array_length(p) and not has_keys then
    return query select r.i, r.id, false, null::text from jsonb_to_recordset(p) as r(i int, id uuid);
  else return query
    select r.i, coalesce(k.workflow_execution_id, r.id), coalesce(k.workflow_execution_id <> r.id, false),
      case when k.workflow_execution_id <> r.id and k.request_hash <> decode(r."requestHash", 'hex') then 'key_reused'
        when k.workflow_execution_id <> r.id or exists (select from dagwright.workflow_executions o where o.id = r.id offset 0) then null
        when owner_.is_active is not true then 'tenant_suspended' when d.status is null then 'not_found'
        when d.status <> 'active' then 'not_active'
        when r.latest and r.revision <> coalesce(d.pinned_revision, d.latest_revision) then 'stale' when v.min_tier > owner_.tier then 'tier_too_low' else 'not_found' end
    from jsonb_to_recordset(p) as r(i int, id uuid, "workflowId" text, revision int, latest boolean, key text, scope text, "requestHash" text)
    left join lateral (select k.workflow_execution_id, k.request_hash from dagwright.idempotency_keys k where has_keys and k.tenant_id = tenant
      and k.scope = coalesce(r.scope, 'start:' || r."workflowId") and k.key = r.key offset 0) k on true
    left join lateral (select d.status, d.pinned_revision, d.latest_revision from dagwright.workflow_definitions d
      where d.tenant_id = tenant and d.workflow_id = r."workflowId" offset 0) d on true
    left join lateral (select v.min_tier from dagwright.workflow_versions v where v.tenant_id = tenant and v.workflow_id = r."workflowId"
      and v.revision = coalesce(r.revision, d.pinned_revision, d.latest_revision) offset 0) v on true;
  end if;
  perform set_config('app.current_tenant_id', coalesce(before, ''), true);
end $$;

-- The tenant of this session, or an error that shows what to type.
create or replace function dagwright.current_tenant() returns uuid language plpgsql stable as $$
declare
  tenant uuid := nullif(current_setting('app.current_tenant_id', true), '')::uuid;
begin
  if tenant is null then
    raise exception 'no tenant is set' using errcode = '22023',
      hint = 'select set_config(''app.current_tenant_id'', ''00000000-0000-7000-8000-000000000001'', true);  -- tenant "default"; true: for this transaction';
  end if;
  return tenant;
end $$;

-- Starts a workflow in the caller's own transaction and returns the execution's id; rolled back with the caller.
-- priority 1 to 10, higher first. The same idempotency_key returns the first execution of that workflow.
create or replace function dagwright.start_workflow(workflow_id text, input jsonb default '{}', idempotency_key text default null,
  priority int default 5, metadata jsonb default null) returns uuid
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  started record;
begin
  if priority is null or priority not between 1 and 10 then
    raise exception 'priority must be 1 to 10, got %', coalesce(priority::text, 'null') using errcode = '22023';
  end if;
  select * into started from dagwright.start_executions_v1(dagwright.current_tenant(), jsonb_build_array(jsonb_strip_nulls(
    jsonb_build_object('i', 0, 'id', dagwright.uuid_v7(), 'workflowId', workflow_id, 'key', idempotency_key, 'priority', priority, 'triggerType', 'sql',
      'createdBy', dagwright.current_actor()))
    || jsonb_build_object('input', coalesce(input, '{}'), 'metadata', metadata)));
  if started.problem = 'not_found' then
    raise exception 'workflow "%" does not exist in this tenant', workflow_id using errcode = 'P0002',
      hint = 'apply its definition first: dagwright apply FILE';
  elsif started.problem = 'tenant_suspended' then
    raise exception 'the tenant does not exist, or is suspended' using errcode = '55000', hint = 'dagwright tenants list; dagwright tenants update NAME --status active';
  elsif started.problem = 'tier_too_low' then
    raise exception 'workflow "%" needs a tenant of a higher tier', workflow_id using errcode = '55000', hint = 'see minTier of its definition';
  elsif started.problem is not null then
    raise exception 'workflow "%" is not active', workflow_id using errcode = '55000', hint = 'set its status to active';
  end if;
  return started.id;
end $$;

-- Cancels an execution of the current tenant. Returns its status afterwards: 'cancelled', or the terminal status it
-- already had; null where there is none. Once committed, nothing of it starts again.
create or replace function dagwright.cancel_execution(execution_id uuid, reason text default null) returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  now_status text;
begin
  select status into now_status from dagwright.workflow_executions
    where id = execution_id and tenant_id = dagwright.current_tenant() for no key update;
  if now_status in ('pending', 'running', 'paused') then
    perform dagwright.end_execution_v1(execution_id, 'cancelled', null,
      jsonb_build_object('code', 'cancelled', 'message', coalesce(reason, 'cancelled on request')), null, clock_timestamp());
    perform dagwright.audit_v1(dagwright.current_tenant(), 'executions.cancel', 'executions', execution_id::text, jsonb_build_object('status', now_status),
      jsonb_strip_nulls(jsonb_build_object('status', 'cancelled', 'reason', reason)));
    now_status := 'cancelled';
  end if;
  return now_status;
end $$;
