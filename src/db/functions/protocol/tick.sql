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
