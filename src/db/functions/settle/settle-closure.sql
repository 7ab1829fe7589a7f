-- Chapters of settle_v2 (settle.sql) about what follows from an end far away, computed under the execution's lock
-- (engine/settle/closure.ts). Each is called once per execution, under that one's planner settings.

-- Writes the ends that are already determined, as one set, and those of the items of open fan-outs among them. They get the
-- numbers from seq on. closed: how many fewer tasks are open.
create or replace function dagwright.end_further_v1(execution_id uuid, tenant uuid, further jsonb, now_ timestamptz, seq bigint,
  out closed int, out failures int, out next_seq bigint)
language plpgsql as $$
declare
  fan_out record;
  items record;
begin
  update dagwright.task_executions u set status = further_end."to", reason = coalesce(further_end.r, u.reason), fence = u.fence + 1,
    ready_at = null, wake_at = null, held_wake_at = null, waiting_on = null, completed_at = now_, completed_seq = seq + further_end.place
  from (select o.ordinality as place, o.value->>'t' as t, (o.value->>'to')::dagwright.task_status as "to", (o.value->>'r')::dagwright.skip_reason as r
        from jsonb_array_elements(further) with ordinality o) further_end
  where u.workflow_execution_id = execution_id and u.task_id = further_end.t and u.map_index = -1
    and u.status in ('pending', 'running', 'waiting', 'retrying');
  get diagnostics closed = row_count;
  failures := (select count(*) from jsonb_array_elements(further) o where o.value->>'to' = 'failed');
  next_seq := seq + jsonb_array_length(further) + 1;
  if further @> '[{"to": "cancelled"}]' then perform dagwright.close_reviews_v1(execution_id, now_); end if;
  for fan_out in select o.value->>'t' as t, coalesce((o.value->>'run')::boolean, false) as cancels
                 from jsonb_array_elements(further) o where o.value->>'items' is not null loop
    select * into items from dagwright.abandon_items_v1(execution_id, tenant, fan_out.t, fan_out.cancels, now_, next_seq);
    closed := closed - items.still_running;
    next_seq := items.next_seq;
  end loop;
end $$;

-- Makes ready the tasks whose wait winds down, so that each tells what it waits for; returned are those that were not ready.
create or replace function dagwright.wind_down_v1(execution_id uuid, tasks text[], now_ timestamptz)
returns text[] language sql as $$
  with woken as (
    update dagwright.task_executions u set ready_at = now_, wake_at = null, held_wake_at = null
    where u.workflow_execution_id = execution_id and u.task_id = any(tasks) and u.map_index = -1 and u.status = 'waiting' and u.ready_at is null
    returning u.task_id)
  select coalesce(array_agg(task_id), '{}') from woken
$$;
