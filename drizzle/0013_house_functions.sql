-- Written by `node test/support/functions-migration.ts --write`; do not edit. See src/db/functions.

-- src/db/functions/kinds-of-wait.sql
-- What the functions must know of the kinds of wait, as core/wait.ts decides it; a test compares the two. They compare as text:
-- PostgreSQL lets nobody use a value of an enum type in the transaction that adds it, and a migration is one transaction.

-- What ends such a wait: its 'time', the end of its 'parts', or an 'answer' from outside.
create or replace function dagwright.wait_ends_by_v1(kind dagwright.wait_kind) returns text language sql stable as $$
  select case kind::text when 'timer' then 'time' when 'callback' then 'answer' when 'items' then 'parts' end
$$;

-- What a pause does to its timer: 'stands_still' (what was left is left after it), 'held' (its moment stays) or 'none'.
create or replace function dagwright.wait_in_pause_v1(kind dagwright.wait_kind) returns text language sql stable as $$
  select case kind::text when 'timer' then 'held' when 'callback' then 'stands_still' when 'items' then 'none' end
$$;

-- src/db/functions/orphans.sql
-- (execution, task, index) that a queued or running job would wake; task null: the job opens the execution.
create or replace function dagwright.jobs_v1() returns table (execution_id uuid, task_id text, map_index int)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select (j.payload->>'e')::uuid, l.value->>0, (l.value->>1)::int
  from graphile_worker._private_jobs j join graphile_worker._private_tasks k on k.id = j.task_id
  left join lateral json_array_elements(j.payload->'t') l on true
  where k.identifier = 'dagwright' and j.attempts < j.max_attempts
$$;

-- What is not terminal and has nothing that will wake it. Must be empty.
create or replace view dagwright.v_orphans with (security_invoker = true) as
  with jobs as materialized (select * from dagwright.jobs_v1())
  select o.id as execution_id, null::text as task_id, null::int as map_index, o.status::text, 'pending execution without a job' as problem
    from dagwright.workflow_executions o
    where o.status = 'pending' and o.run_at is null and not exists (select from jobs j where j.execution_id = o.id and j.task_id is null)
  union all
  select o.id, null, null, o.status::text, 'all tasks ended, not concluded' from dagwright.workflow_executions o
    where o.status = 'running' and o.open_tasks = 0 and not exists (select from dagwright.workers w where w.id = o.concluded_by)
  union all
  select t.workflow_execution_id, t.task_id, t.map_index, t.status::text, case
      when t.ready_at is not null then 'ready without a job'
      when t.status = 'running' then 'running on a worker that is gone'
      when t.status = 'pending' and t.map_index >= 0 then 'item that is neither ready nor running'
      when t.status = 'pending' then 'pending without open edges'
      else 'waiting for nothing' end
    from dagwright.task_executions t join dagwright.workflow_executions o on o.id = t.workflow_execution_id
    where o.status in ('running', 'paused') and t.status in ('pending', 'running', 'waiting', 'retrying') and not (
      (t.ready_at is not null and exists (select from jobs j where j.execution_id = t.workflow_execution_id and j.task_id = t.task_id and j.map_index = t.map_index))
      or (t.status = 'running' and exists (select from dagwright.workers w where w.id = t.worker_id))
      or (t.status = 'pending' and t.ready_at is null and t.map_index < 0 and t.pending_edges > 0)
      or (t.status in ('waiting', 'retrying') and t.wake_at is not null)
      -- Resume wakes what is ready or has a time.
      or (o.status = 'paused' and (t.ready_at is not null or t.held_wake_at is not null))
      or (t.status = 'waiting' and dagwright.wait_ends_by_v1(t.waiting_on) = 'parts' and t.items_open > 0));
grant select on dagwright.v_orphans to dagwright_engine;

-- src/db/functions/pause.sql
-- Pauses an execution of the current tenant: what runs may end, nothing else begins. The deadline and the time of callbacks stand
-- still; timers that come due meanwhile fire when it is resumed.
-- Returns its status afterwards: 'paused', or the terminal status it has; null where there is none.
--   P1  No claim after the commit: every claim is written under the execution's lock, where it sees the status.
--   P2  No wake-up is lost: what becomes ready or due meanwhile is kept in its row, and resume, under the same lock, wakes it.
create or replace function dagwright.pause_execution(execution_id uuid) returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp set enable_seqscan = off as $$
declare
  now_status text;
begin
  select status into now_status from dagwright.workflow_executions
    where id = execution_id and tenant_id = dagwright.current_tenant() for no key update;
  if now_status in ('pending', 'running') then
    update dagwright.task_executions set held_wake_at = wake_at, wake_at = null
      where workflow_execution_id = execution_id and wake_at is not null and status in ('waiting', 'retrying');
    update dagwright.workflow_executions set status = 'paused', paused_at = clock_timestamp() where id = execution_id;
    perform dagwright.audit_v1(dagwright.current_tenant(), 'executions.pause', 'executions', execution_id::text,
      jsonb_build_object('status', now_status), jsonb_build_object('status', 'paused'));
    now_status := 'paused';
  end if;
  return now_status;
end $$;

-- Lets a paused execution of the current tenant go on. Returns its status afterwards: 'running' (or 'pending', where it had not
-- been opened), or the terminal status it has; null where there is none. One that is not paused stays as it is.
create or replace function dagwright.resume_execution(execution_id uuid) returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp set enable_seqscan = off as $$
declare
  x record;
  now_ timestamptz;
  slots constant int := 32;
  ts text[];
  ms int[];
begin
  select id, status, priority, paused_at, started_at, open_tasks, run_at into x from dagwright.workflow_executions
    where id = execution_id and tenant_id = dagwright.current_tenant() for no key update;
  if not found or x.status <> 'paused' then return x.status; end if;
  now_ := clock_timestamp();
  update dagwright.workflow_executions set paused_at = null, deadline_at = deadline_at + (now_ - x.paused_at),
    status = case when x.started_at is null then 'pending'::dagwright.execution_status else 'running' end
    where id = execution_id;
  update dagwright.task_callbacks set expires_at = expires_at + (now_ - x.paused_at), times_out_at = times_out_at + (now_ - x.paused_at)
    where workflow_execution_id = execution_id and completed_at is null;
  update dagwright.task_executions set held_wake_at = null,
      wake_at = held_wake_at + case when dagwright.wait_in_pause_v1(waiting_on) = 'stands_still' then now_ - x.paused_at else interval '0' end
    where workflow_execution_id = execution_id and held_wake_at is not null;
  select array_agg(task_id order by task_id, map_index), array_agg(map_index order by task_id, map_index) into ts, ms
    from dagwright.task_executions where workflow_execution_id = execution_id and ready_at is not null;
  perform dagwright.audit_v1(dagwright.current_tenant(), 'executions.resume', 'executions', execution_id::text,
    jsonb_build_object('status', 'paused'), jsonb_build_object('status', case when x.started_at is null then 'pending' else 'running' end));
  if x.run_at is not null then
    null; -- start_due_v1 wakes it.
  elsif x.started_at is null or x.open_tasks = 0 then
    perform dagwright.add_jobs_v1(array[json_build_object('e', execution_id)], x.priority);
  elsif ts is not null then
    perform dagwright.enqueue_v1(execution_id, ts, ms, slots, x.priority);
  end if;
  return case when x.started_at is null then 'pending' else 'running' end;
end $$;

-- src/db/functions/settle.sql
-- Settles attempts and goes on. One element of p.x per execution:
--   e       the execution
--   s       settles: { i, t, m, f (fence), to, r, st, b, wn, inp, out, err, cost, unk, dur, use, wake (ms), wo, att (keep
--           the attempt in task_attempts), pure, next: [[t, m] …] (head of the lane's list), fo: { total, conc, tol, need,
--           types: [..], items: { values, types } } (a fan-out to open), ty (types of named branches), errs (failed
--           parts), opt (an optional part: its failure is none), end: { status, out, err } (terminate) }
--   d       edges out of ended tasks to open ones: { i (ordinal of the settle), t, k: 1 success 2 failed 3 skipped, pure }
--   z       further ends that are already determined (computed under the lock): { t, to, r, run (cancel running items) }
--   lanes   ordinals of settles that want to go on, extra  pure tasks that may be claimed beyond them
--   fin     { out } : what the execution ends with if these settles end it and nothing failed
--   failing the failure policy acts from here on
-- Result rows, `kind`: settled | lost (fence: what the row has now, phase: its status) | failing (a retry or a wait that the
-- failure policy refuses: settle again as failed or cancelled) | claim (i: the lane, or -1 for an extra) | drained (all tasks
-- ended; conclude it) | finished.
--   S1  A settle that names an old fence changes nothing and is reported as lost.
--   S2  Edges, money and items follow only from a settle that was found.
--   S3  A child is woken by exactly one settle: the one that takes pending_edges to 0 (or first meets its early rule).
--   S4  A woken child leaves as running for exactly one lane, or as ready with a job, in the same commit.
--   S5  Each end in an execution has a number of its own (completed_seq), higher than those of all commits before.
create or replace function dagwright.settle_v1(p jsonb)
returns table (e uuid, kind text, i int, t text, m int, fence bigint, attempt int, recoveries int, phase text, at float8)
language plpgsql
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set plan_cache_mode = force_generic_plan as $$
declare
  w constant uuid := p->>'w';
  slots constant int := p->>'slots';
  x record;
  ex record;
  s record;
  d record;
  par record;
  now_ timestamptz;
  seq bigint;
  closed int;
  failures int;
  cost numeric;
  unknown boolean;
  found_ int[];
  lanes int[];
  extra int;
  lane int;
  ready_t text[];
  ready_m int[];
  finished boolean;
  has_list boolean;
  has_end boolean;
  n int;
begin
  for x in
    select r.* from jsonb_to_recordset(p->'x') as r(e uuid, s jsonb, d jsonb, z jsonb, lanes int[], extra int, fin jsonb, failing boolean)
    order by r.e
  loop
    e := x.e;
    select o.status, o.priority, o.failing, o.tenant_id, o.next_seq, o.open_tasks, o.failed_tasks into ex
      from dagwright.workflow_executions o where o.id = x.e for no key update;
    now_ := clock_timestamp();
    at := extract(epoch from now_) * 1000;
    seq := ex.next_seq; closed := 0; failures := 0; cost := 0; unknown := false; found_ := '{}';
    lanes := coalesce(x.lanes, '{}'); extra := coalesce(x.extra, 0); ready_t := '{}'; ready_m := '{}'; has_list := false; has_end := false;
    -- While it is paused nothing begins: what becomes ready stays so, without a job, and timers stand still; resume goes on.
    if ex.status <> 'running' then lanes := '{}'; extra := 0; end if;

    for s in select r.* from jsonb_to_recordset(x.s) as r(i int, t text, m int, f bigint, "to" text, r dagwright.skip_reason, st boolean,
        b text, wn text, inp jsonb, out jsonb, err jsonb, cost numeric, unk boolean, dur bigint, use jsonb, wake bigint,
        wo dagwright.wait_kind, att boolean, pure boolean, ty jsonb, next jsonb, fo jsonb, errs jsonb, opt boolean, "end" jsonb)
    loop
      i := s.i; t := s.t; m := s.m;
      has_list := has_list or s.next is not null;
      has_end := has_end or s."end" is not null;
      if s."to" in ('completed', 'failed', 'skipped', 'cancelled') then
        update dagwright.task_executions u set status = s."to"::dagwright.task_status, reason = s.r, branch = s.b, winner = s.wn,
          input = coalesce(s.inp, u.input), output = s.out, error = s.err, part_errors = s.errs, resource_usage = coalesce(s.use, u.resource_usage),
          cost_usd = u.cost_usd + case when s.unk then null else coalesce(s.cost, 0) end,
          duration_ms = coalesce(u.duration_ms, 0) + s.dur,
          completed_at = now_, completed_seq = seq, waiting_on = null
        where u.workflow_execution_id = x.e and u.task_id = s.t and u.map_index = s.m
          and u.status = 'running' and u.fence = s.f
        returning u.attempt_number, u.started_at into par;
      elsif s."to" in ('retrying', 'waiting') and ex.failing and not coalesce(s.st, false) then
        kind := 'failing'; return next;
        lanes := array_remove(lanes, s.i);
        continue;
      else
        -- released: no attempt spent; waiting and retrying: by timer, or until the items of a fan-out ended.
        update dagwright.task_executions u set status = case when s."to" <> 'released' then s."to"::dagwright.task_status when s.wo is null then 'pending'::dagwright.task_status else 'waiting' end,
          input = coalesce(s.inp, u.input), error = coalesce(s.err, u.error), resource_usage = coalesce(s.use, u.resource_usage),
          cost_usd = u.cost_usd + case when s.unk then null else coalesce(s.cost, 0) end,
          duration_ms = coalesce(u.duration_ms, 0) + s.dur, waiting_on = s.wo,
          wake_at = case when ex.status = 'running' then now_ + s.wake * interval '1 millisecond' end,
          held_wake_at = case when ex.status <> 'running' then now_ + s.wake * interval '1 millisecond' end,
          ready_at = case when s."to" = 'released' then now_ end,
          attempt_number = u.attempt_number - (s."to" = 'released' and s.wo is null and u.recoveries <= 3)::int,
          items = coalesce(s.fo->'items', u.items), items_total = coalesce((s.fo->>'total')::int, u.items_total),
          items_open = coalesce((s.fo->>'total')::int, u.items_open), items_ok = case when s.fo is null then u.items_ok else 0 end,
          items_failed = case when s.fo is null then u.items_failed else 0 end,
          items_tolerated = coalesce((s.fo->>'tol')::int, u.items_tolerated), items_needed = coalesce((s.fo->>'need')::int, u.items_needed),
          items_issued = coalesce(least((s.fo->>'conc')::int, (s.fo->>'total')::int), u.items_issued)
        where u.workflow_execution_id = x.e and u.task_id = s.t and u.map_index = s.m
          and u.status = 'running' and u.fence = s.f
        returning u.attempt_number, u.started_at, u.items_issued into par;
      end if;
      if not found then
        select u.fence, u.status into fence, phase from dagwright.task_executions u
          where u.workflow_execution_id = x.e and u.task_id = s.t and u.map_index = s.m;
        kind := 'lost'; return next;
        lanes := array_remove(lanes, s.i);
        continue;
      end if;
      found_ := found_ || s.i;
      cost := cost + coalesce(s.cost, 0);
      unknown := unknown or coalesce(s.unk, false);
      if s."to" = 'failed' then
        -- What came for it and was not looked at was not redacted.
        update dagwright.task_callbacks c set output = null, error = null
          where c.workflow_execution_id = x.e and c.task_id = s.t and c.map_index = s.m and c.completed_at is not null;
      end if;
      if s.att then
        insert into dagwright.task_attempts (workflow_execution_id, task_id, map_index, attempt_number, fence, tenant_id,
          worker_id, error, cost_usd, resource_usage, started_at, completed_at, duration_ms)
        values (x.e, s.t, s.m, par.attempt_number, s.f, ex.tenant_id, w, s.err,
          case when s.unk then null else coalesce(s.cost, 0) end, s.use, par.started_at, now_, s.dur);
      end if;
      kind := 'settled'; return next;

      if s."to" = 'released' then
        ready_t := ready_t || s.t; ready_m := ready_m || s.m;
      elsif dagwright.wait_ends_by_v1(s.wo) = 'answer' then
        -- Its answer may have come before it waited.
        update dagwright.task_executions u set ready_at = now_, wake_at = null, held_wake_at = null
        where u.workflow_execution_id = x.e and u.task_id = s.t and u.map_index = s.m and exists (
          select from dagwright.task_callbacks c where c.workflow_execution_id = x.e and c.task_id = s.t and c.map_index = s.m and c.completed_at is not null);
        if found then ready_t := ready_t || s.t; ready_m := ready_m || s.m; end if;
      elsif s.fo is not null then
        -- A fan-out opens: the first items of its window, one for this lane, the rest as ready with jobs.
        lane := case when s.i = any(lanes) then 1 else 0 end + case when s.pure then extra else 0 end;
        insert into dagwright.task_executions (workflow_execution_id, task_id, map_index, tenant_id, task_type,
          stays_after_failure, status, fence, attempt_number, worker_id, started_at, queued_ms, ready_at)
        select x.e, s.t, g, ex.tenant_id, coalesce(s.fo->'types'->>g, s.fo->'types'->>0), coalesce(s.st, false),
          case when g < lane then 'running'::dagwright.task_status else 'pending' end, (g < lane)::int, (g < lane)::int,
          case when g < lane then w end, case when g < lane then now_ end, case when g < lane then 0 end,
          case when g >= lane then now_ end
        from generate_series(0, par.items_issued - 1) g;
        for n in 0 .. least(lane, par.items_issued) - 1 loop
          kind := 'claim'; m := n; fence := 1; attempt := 1; recoveries := 0; phase := null;
          i := case when n = 0 and s.i = any(lanes) then s.i else -1 end;
          return next;
          if i = s.i then lanes := array_remove(lanes, s.i); else extra := extra - 1; end if;
        end loop;
        ready_t := ready_t || array_fill(s.t, array[greatest(par.items_issued - lane, 0)]);
        ready_m := ready_m || array(select g from generate_series(lane, par.items_issued - 1) g);
      elsif s."to" in ('completed', 'failed', 'skipped', 'cancelled') then
        seq := seq + 1;
        if s.m < 0 then
          closed := closed + 1;
          failures := failures + (s."to" = 'failed')::int;
        else
          -- An item ended: its window moves on, or the fan-out can be collected.
          update dagwright.task_executions u set items_open = u.items_open - 1,
            items_ok = u.items_ok + (s."to" = 'completed')::int,
            items_failed = u.items_failed + (s."to" <> 'completed' and not coalesce(s.opt, false))::int
          where u.workflow_execution_id = x.e and u.task_id = s.t and u.map_index = -1 and u.status = 'waiting' and u.waiting_on = 'items'
          returning u.items_open, u.items_ok, u.items_failed, u.items_total, u.items_issued, u.items_tolerated, u.items_needed,
            u.stays_after_failure into par;
          if not found then
            -- The fan-out was ended by the failure policy while this item ran: it was counted as open on its own.
            closed := closed + 1;
          elsif par.items_open = 0 or par.items_failed > par.items_tolerated or par.items_ok >= par.items_needed then
            update dagwright.task_executions u set status = 'cancelled', fence = u.fence + 1, ready_at = null, wake_at = null,
              waiting_on = null, completed_at = now_, completed_seq = seq + u.map_index
            where u.workflow_execution_id = x.e and u.task_id = s.t and u.map_index >= 0
              and u.status in ('pending', 'running', 'waiting', 'retrying');
            insert into dagwright.task_executions (workflow_execution_id, task_id, map_index, tenant_id, task_type, status, completed_at, completed_seq)
            select x.e, s.t, g, ex.tenant_id, coalesce(u.items->'types'->>g, u.items->'types'->>0, u.task_type), 'cancelled', now_, seq + g
            from dagwright.task_executions u, generate_series(par.items_issued, par.items_total - 1) g
            where u.workflow_execution_id = x.e and u.task_id = s.t and u.map_index = -1 and par.items_issued < par.items_total;
            seq := seq + par.items_total;
            lane := lanes[1];
            update dagwright.task_executions u set
              status = case when lane is null then 'waiting'::dagwright.task_status else 'running' end, fence = u.fence + (lane is not null)::int,
              items_issued = u.items_total,
              worker_id = case when lane is null then u.worker_id else w end,
              started_at = case when lane is null then u.started_at when u.recoveries < 2 then now_ end,
              ready_at = case when lane is null then now_ end
            where u.workflow_execution_id = x.e and u.task_id = s.t and u.map_index = -1
            returning u.fence, u.attempt_number, u.recoveries, u.waiting_on into fence, attempt, recoveries, phase;
            if lane is null then
              ready_t := ready_t || s.t; ready_m := ready_m || -1;
            else
              kind := 'claim'; i := lane; m := -1; return next;
              lanes := lanes[2:];
            end if;
          elsif par.items_issued < par.items_total then
            lane := lanes[1];
            if lane is null and s.pure and s.ty is null and extra > 0 then lane := -1; extra := extra - 1; end if;
            insert into dagwright.task_executions (workflow_execution_id, task_id, map_index, tenant_id, task_type,
              stays_after_failure, status, fence, attempt_number, worker_id, started_at, queued_ms, ready_at)
            select x.e, s.t, par.items_issued, ex.tenant_id, coalesce(s.ty->>par.items_issued, u.task_type), par.stays_after_failure,
              case when lane is null then 'pending'::dagwright.task_status else 'running' end, (lane is not null)::int, (lane is not null)::int,
              case when lane is not null then w end, case when lane is not null then now_ end,
              case when lane is not null then 0 end, case when lane is null then now_ end
            from dagwright.task_executions u
            where u.workflow_execution_id = x.e and u.task_id = s.t and u.map_index = s.m;
            update dagwright.task_executions u set items_issued = u.items_issued + 1
              where u.workflow_execution_id = x.e and u.task_id = s.t and u.map_index = -1;
            if lane is null then
              ready_t := ready_t || s.t; ready_m := ready_m || par.items_issued;
            else
              kind := 'claim'; i := lane; m := par.items_issued; fence := 1; attempt := 1; recoveries := 0; phase := null;
              return next;
              lanes := lanes[2:];
            end if;
          end if;
        end if;
      end if;
    end loop;

    -- Ends that were already determined, as one set.
    if x.z is not null and cardinality(found_) > 0 then
      update dagwright.task_executions u set status = z."to", reason = coalesce(z.r, u.reason), fence = u.fence + 1,
        ready_at = null, wake_at = null, held_wake_at = null, waiting_on = null, completed_at = now_, completed_seq = seq + z.k
      from (select o.ordinality as k, o.value->>'t' as t, (o.value->>'to')::dagwright.task_status as "to", (o.value->>'r')::dagwright.skip_reason as r
            from jsonb_array_elements(x.z) with ordinality o) z
      where u.workflow_execution_id = x.e and u.task_id = z.t and u.map_index = -1
        and u.status in ('pending', 'running', 'waiting', 'retrying');
      get diagnostics n = row_count;
      closed := closed + n; seq := seq + jsonb_array_length(x.z) + 1;
      failures := failures + (select count(*) from jsonb_array_elements(x.z) o where o.value->>'to' = 'failed');
      -- Open fan-outs among them: no more items; what runs ends on its own and keeps the execution open, or is cancelled.
      for d in select o.value->>'t' as t, coalesce((o.value->>'run')::boolean, false) as run
               from jsonb_array_elements(x.z) o where o.value->>'items' is not null loop
        update dagwright.task_executions u set
          status = case when u.status = 'pending' then 'skipped'::dagwright.task_status else 'cancelled' end,
          reason = case when u.status = 'pending' then 'execution_failed' else u.reason end,
          fence = u.fence + 1, ready_at = null, wake_at = null, held_wake_at = null, waiting_on = null, completed_at = now_, completed_seq = seq + u.map_index
        where u.workflow_execution_id = x.e and u.task_id = d.t and u.map_index >= 0
          and (u.status in ('pending', 'waiting', 'retrying') or (d.run and u.status = 'running'));
        closed := closed - (select count(*)::int from dagwright.task_executions u
          where u.workflow_execution_id = x.e and u.task_id = d.t and u.map_index >= 0 and u.status = 'running');
        insert into dagwright.task_executions (workflow_execution_id, task_id, map_index, tenant_id, task_type, status, reason, completed_at, completed_seq)
        select x.e, d.t, g, ex.tenant_id, coalesce(u.items->'types'->>g, u.items->'types'->>0, u.task_type), 'skipped', 'execution_failed', now_, seq + g
        from dagwright.task_executions u, generate_series(u.items_issued, u.items_total - 1) g
        where u.workflow_execution_id = x.e and u.task_id = d.t and u.map_index = -1;
        select seq + coalesce(u.items_total, 0) into seq from dagwright.task_executions u
          where u.workflow_execution_id = x.e and u.task_id = d.t and u.map_index = -1;
      end loop;
    end if;

    -- Children: wake those whose last edge this was.
    if x.d is not null and cardinality(found_) > 0 then
      for d in
        select r.t, count(*)::int as n, (sum((r.k = 1)::int) > 0) as ok, (sum((r.k = 2)::int) > 0) as bad, bool_or(r.pure) as pure
        from jsonb_to_recordset(x.d) as r(i int, t text, k int, pure boolean) where r.i = any(found_) group by r.t
      loop
        lane := lanes[1];
        if lane is null and d.pure and extra > 0 then lane := -1; end if;
        if lane is not null then
          update dagwright.task_executions c set pending_edges = c.pending_edges - d.n, status = 'running',
            fence = c.fence + 1, attempt_number = c.attempt_number + 1, worker_id = w, started_at = now_, queued_ms = 0
          where c.workflow_execution_id = x.e and c.task_id = d.t and c.map_index = -1 and c.status = 'pending' and c.ready_at is null
            and (c.pending_edges <= d.n or (d.ok and c.early & 1 > 0) or (d.bad and c.early & 2 > 0))
          returning c.fence, c.attempt_number, c.recoveries into fence, attempt, recoveries;
          if found then
            kind := 'claim'; i := lane; t := d.t; m := -1; phase := null; return next;
            if lane = -1 then extra := extra - 1; else lanes := lanes[2:]; end if;
            continue;
          end if;
        end if;
        update dagwright.task_executions c set pending_edges = c.pending_edges - d.n,
          ready_at = case when c.status = 'pending' and c.ready_at is null and (c.pending_edges <= d.n
            or (d.ok and c.early & 1 > 0) or (d.bad and c.early & 2 > 0)) then now_ else c.ready_at end
        where c.workflow_execution_id = x.e and c.task_id = d.t and c.map_index = -1
          and c.status in ('pending', 'running', 'waiting', 'retrying')
        returning (c.ready_at = now_) as woken into s;
        if found and s.woken then
          ready_t := ready_t || d.t; ready_m := ready_m || -1;
        end if;
      end loop;
    end if;

    -- Lanes that got no child go on with their lists.
    if has_list and cardinality(lanes) > 0 and ex.status = 'running' then
      for s in select r.i, r.next from jsonb_to_recordset(x.s) as r(i int, next jsonb) where r.i = any(lanes) and r.next is not null loop
        for d in select o.value->>0 as t, (o.value->>1)::int as m from jsonb_array_elements(s.next) o loop
          update dagwright.task_executions u set status = 'running', fence = u.fence + 1, worker_id = w, ready_at = null,
            attempt_number = u.attempt_number + (u.status <> 'waiting' and u.recoveries <= 3)::int,
            started_at = case when u.recoveries < 2 then now_ end,
            queued_ms = coalesce(u.queued_ms, 0) + (extract(epoch from now_ - u.ready_at) * 1000)::bigint
          where u.workflow_execution_id = x.e and u.task_id = d.t and u.map_index = d.m
            and coalesce(isfinite(u.ready_at), false) and u.status in ('pending', 'retrying', 'waiting')
          returning u.fence, u.attempt_number, u.recoveries, u.waiting_on into fence, attempt, recoveries, phase;
          if found then
            kind := 'claim'; i := s.i; t := d.t; m := d.m; return next;
            exit;
          end if;
        end loop;
      end loop;
    end if;

    if cardinality(ready_t) > 0 and ex.status = 'running' then
      perform dagwright.enqueue_v1(x.e, ready_t, ready_m, slots, ex.priority);
    end if;

    if cardinality(found_) > 0 then
      finished := ex.open_tasks = closed and closed > 0 and ex.status = 'running';
      if finished and x.fin is not null and ex.failed_tasks + failures = 0 then
        update dagwright.workflow_executions o set open_tasks = 0, next_seq = seq, status = 'completed',
          output = x.fin->'out', completed_at = now_, deadline_at = null,
          duration_ms = (extract(epoch from now_ - o.started_at) * 1000)::bigint,
          actual_cost_usd = o.actual_cost_usd + cost, cost_unknown = o.cost_unknown or unknown
        where o.id = x.e;
        kind := 'finished'; i := null; return next;
      else
        update dagwright.workflow_executions o set open_tasks = o.open_tasks - closed, next_seq = seq,
          failed_tasks = o.failed_tasks + failures, failing = o.failing or coalesce(x.failing, false),
          concluded_by = case when finished then w end,
          actual_cost_usd = o.actual_cost_usd + cost, cost_unknown = o.cost_unknown or unknown
        where o.id = x.e;
        if finished then kind := 'drained'; i := null; return next; end if;
      end if;
      -- terminate: the rest ends with it.
      if has_end then for s in select r.i, r."end" from jsonb_to_recordset(x.s) as r(i int, "end" jsonb) where r."end" is not null and r.i = any(found_) loop
        perform dagwright.end_execution_v1(x.e, (s."end"->>'status')::dagwright.execution_status, s."end"->'out', s."end"->'err', 'terminated', now_);
        kind := 'finished'; i := null; return next;
      end loop; end if;
    end if;
  end loop;
end $$;
