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
