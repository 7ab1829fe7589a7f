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
