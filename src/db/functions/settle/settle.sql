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
        wo dagwright.wait_kind, rv jsonb, att boolean, pure boolean, ty jsonb, next jsonb, fo jsonb, errs jsonb, opt boolean, "end" jsonb,
        lst boolean, gap bigint)
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
        returning u.attempt_number, u.started_at, u.task_type into task;
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
        if task.task_type in ('human_review', 'model_inference') then perform dagwright.close_reviews_v1(batch.e, now_); end if;
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
        where u.workflow_execution_id = batch.e and u.task_id = settle.t and u.map_index = settle.m
          and dagwright.has_come_v1(batch.e, settle.t, settle.m, settle.wo);
        if found then ready_tasks := ready_tasks || settle.t; ready_indexes := ready_indexes || settle.m; end if;
      elsif settle.wo::text = 'review' then
        -- A review opens, or was decided before its task waited again.
        if dagwright.await_review_v1(batch.e, settle.t, settle.m, settle.f, settle.rv, now_) then
          ready_tasks := ready_tasks || settle.t; ready_indexes := ready_indexes || settle.m;
        end if;
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
      -- The last round of a loop is the last of its items, whatever its limit.
      update dagwright.task_executions u set items_open = case when settle.lst then 0 else u.items_open - 1 end,
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
        lane := case when settle.gap is null then lanes[1] end;
        if lane is null and settle.gap is null and settle.pure and settle.ty is null and extra > 0 then lane := -1; extra := extra - 1; end if;
        insert into dagwright.task_executions (workflow_execution_id, task_id, map_index, tenant_id, task_type,
          stays_after_failure, status, fence, attempt_number, worker_id, started_at, queued_ms, ready_at, wake_at, held_wake_at)
        select batch.e, settle.t, fan_out.items_issued, execution.tenant_id, coalesce(settle.ty->>fan_out.items_issued, u.task_type), fan_out.stays_after_failure,
          case when settle.gap is not null then 'retrying'::dagwright.task_status when lane is null then 'pending' else 'running' end,
          (lane is not null)::int, (lane is not null)::int,
          case when lane is not null then worker end, case when lane is not null then now_ end,
          case when lane is not null then 0 end, case when lane is null and settle.gap is null then now_ end,
          case when execution.status = 'running' then now_ + settle.gap * interval '1 millisecond' end,
          case when execution.status <> 'running' then now_ + settle.gap * interval '1 millisecond' end
        from dagwright.task_executions u
        where u.workflow_execution_id = batch.e and u.task_id = settle.t and u.map_index = settle.m;
        update dagwright.task_executions u set items_issued = u.items_issued + 1
          where u.workflow_execution_id = batch.e and u.task_id = settle.t and u.map_index = -1;
        if settle.gap is not null then
          null;   -- a timer wakes it
        elsif lane is null then
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
