-- Chapters of settle_v2 (settle.sql) about what a lane goes on with. Each is called once per execution that has any, under that
-- one's planner settings.

-- Counts the edges of settled tasks down, and wakes the children whose last edge this was (S3, S4). kind: claim (i: the lane,
-- or -1 for a pure task beyond them) or ready.
create or replace function dagwright.wake_children_v1(worker uuid, execution_id uuid, edges jsonb, settled int[], lanes int[], extra int,
  now_ timestamptz)
returns table (kind text, i int, t text, fence bigint, attempt int, recoveries int)
language plpgsql as $$
declare
  child record;
  lane int;
  is_woken boolean;
begin
  for child in
    select edge.t, count(*)::int as ended, (sum((edge.k = 1)::int) > 0) as ok, (sum((edge.k = 2)::int) > 0) as bad, bool_or(edge.pure) as pure
    from jsonb_to_recordset(edges) as edge(i int, t text, k int, pure boolean) where edge.i = any(settled) group by edge.t
  loop
    t := child.t;
    lane := lanes[1];
    if lane is null and child.pure and extra > 0 then lane := -1; end if;
    if lane is not null then
      update dagwright.task_executions c set pending_edges = c.pending_edges - child.ended, status = 'running',
        fence = c.fence + 1, attempt_number = c.attempt_number + 1, worker_id = worker, started_at = now_, queued_ms = 0
      where c.workflow_execution_id = execution_id and c.task_id = child.t and c.map_index = -1 and c.status = 'pending' and c.ready_at is null
        and (c.pending_edges <= child.ended or (child.ok and c.early & 1 > 0) or (child.bad and c.early & 2 > 0))
      returning c.fence, c.attempt_number, c.recoveries into fence, attempt, recoveries;
      if found then
        kind := 'claim'; i := lane; return next;
        if lane = -1 then extra := extra - 1; else lanes := lanes[2:]; end if;
        continue;
      end if;
    end if;
    update dagwright.task_executions c set pending_edges = c.pending_edges - child.ended,
      ready_at = case when c.status = 'pending' and c.ready_at is null and (c.pending_edges <= child.ended
        or (child.ok and c.early & 1 > 0) or (child.bad and c.early & 2 > 0)) then now_ else c.ready_at end
    where c.workflow_execution_id = execution_id and c.task_id = child.t and c.map_index = -1
      and c.status in ('pending', 'running', 'waiting', 'retrying')
    returning c.ready_at = now_ into is_woken;
    if is_woken then kind := 'ready'; return next; end if;
  end loop;
end $$;

-- Claims for each of these lanes the first task of its own list that is ready. settles: those of the execution.
create or replace function dagwright.claim_listed_v1(worker uuid, execution_id uuid, settles jsonb, lanes int[], now_ timestamptz)
returns table (i int, t text, m int, fence bigint, attempt int, recoveries int, phase text)
language plpgsql as $$
declare
  max_recoveries constant int := 3;
  suspect_recoveries constant int := 2;
  settle record;
  listed record;
begin
  for settle in select s.i, s.next from jsonb_to_recordset(settles) as s(i int, next jsonb) where s.i = any(lanes) and s.next is not null loop
    for listed in select o.value->>0 as t, (o.value->>1)::int as m from jsonb_array_elements(settle.next) o loop
      update dagwright.task_executions u set status = 'running', fence = u.fence + 1, worker_id = worker, ready_at = null,
        attempt_number = u.attempt_number + (u.status <> 'waiting' and u.recoveries <= max_recoveries)::int,
        started_at = case when u.recoveries < suspect_recoveries then now_ end,
        queued_ms = coalesce(u.queued_ms, 0) + (extract(epoch from now_ - u.ready_at) * 1000)::bigint
      where u.workflow_execution_id = execution_id and u.task_id = listed.t and u.map_index = listed.m
        and coalesce(isfinite(u.ready_at), false) and u.status in ('pending', 'retrying', 'waiting')
      returning u.fence, u.attempt_number, u.recoveries, u.waiting_on into fence, attempt, recoveries, phase;
      if found then
        i := settle.i; t := listed.t; m := listed.m; return next;
        exit;
      end if;
    end loop;
  end loop;
end $$;
